"""Targets of a scenario: where its `require` and `prefer` hold, once the metrics are known."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import TYPE_CHECKING

import numpy as np

from accelscope.core.query.result import MetricColumn, RequirementRow
from accelscope.dsl.interpret.assertions import Requirement, collect_requirements
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.values.units import DIMENSIONLESS, UnitTable
from accelscope.dsl.values.values import Quantity

if TYPE_CHECKING:
    from accelscope.core.numeric.term import Array

PERCENTILE_FUNCTIONS = ("mean", "p50", "p90", "p95", "p99")
"""Where nothing is random every sequence has the same latency, so that each of these is the value itself."""


def evaluate_requirements(
    places: Iterable[Component], columns: Mapping[str, MetricColumn], units: UnitTable
) -> tuple[RequirementRow, ...]:
    """Return a row for each target of some blocks; one that names what is not computed has `met` None."""
    items = [(place, item) for place in places for item in collect_requirements(place)]
    names = metric_names(columns, units) if items else {}
    rows = []
    for place, item in items:
        rows.append(
            RequirementRow(
                word=item.word,
                text=item.text,
                message=item.message,
                place=str(item.span),
                met=_met(place, item, names),
            )
        )
    return tuple(rows)


def _met(place: Component, item: Requirement, names: Mapping[str, object]) -> Array | None:
    value = place.interpreter.value_of(item.expr, item.scope, names)
    return None if value is None else np.asarray(value, dtype=bool)


def metric_names(columns: Mapping[str, MetricColumn], units: UnitTable) -> dict[str, object]:
    """Return what the metrics are called in requirements and goals, with the functions of percentiles."""
    names: dict[str, object] = {}
    names |= {part: _part_of(names, part) for part in PERCENTILE_FUNCTIONS}
    for name, column in columns.items():
        if column.value is not None:
            scale, dimension = units.parse(column.unit) if column.unit else (1.0, DIMENSIONLESS)
            magnitude = column.value * scale
            names[name] = Quantity(
                magnitude=magnitude if magnitude.ndim else float(magnitude), dimension=dimension
            )
    return names


def _part_of(names: Mapping[str, object], part: str) -> Callable[[object], object]:
    """Return what gives the mean or a percentile of a metric: of its distribution, where a scenario says what is random."""

    def found(value: object) -> object:
        metric = next((name for name, item in names.items() if item is value), None)
        return names.get(f"{metric}_{part}", value)

    return found
