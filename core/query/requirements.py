"""What requirements and goals may name once metrics are known: the metrics, and functions of their distributions."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

from accelscope.dsl.values.units import DIMENSIONLESS, UnitTable
from accelscope.dsl.values.values import Quantity

if TYPE_CHECKING:
    from accelscope.core.numeric.term import Array
    from accelscope.core.plugin.records import Metric

PERCENTILE_FUNCTIONS = ("mean", "p50", "p90", "p95", "p99")
"""If nothing is random every sequence has the same latency, so that each of these is the value itself."""


def name_metric_values(
    metrics: Iterable[Metric], values: Mapping[str, Array], units: UnitTable
) -> dict[str, object]:
    """Return what metrics are called in requirements and goals, with the functions of percentiles.

    Args:
        metrics: that may be named.
        values: by name of the metric, in its unit; a metric without values has no name here.
        units: of the language.
    """
    names: dict[str, object] = {}
    names |= {part: _make_percentile(names, part) for part in PERCENTILE_FUNCTIONS}
    for metric in metrics:
        if metric.name in values:
            scale, dimension = units.parse(metric.unit) if metric.unit else (1.0, DIMENSIONLESS)
            magnitude = values[metric.name] * scale
            names[metric.name] = Quantity(
                magnitude=magnitude if magnitude.ndim else float(magnitude), dimension=dimension
            )
    return names


def _make_percentile(names: Mapping[str, object], part: str) -> Callable[[object], object]:
    """Return the function of the mean or a percentile of a metric: of its distribution if a scenario has one."""

    def percentile(value: object) -> object:
        metric = next((name for name, item in names.items() if item is value), None)
        return names.get(f"{metric}_{part}", value)

    return percentile
