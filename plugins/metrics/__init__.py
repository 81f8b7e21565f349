"""Numbers of a whole evaluation: latency, throughput, use of the hardware, power, energy, cost, training."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Metric


@hookimpl
def accelscope_metrics() -> Iterable[Metric]:
    """Yield the metrics that every evaluation has."""
    from accelscope.plugins.metrics import cost, distribution, latency, power, training, use

    yield from latency.LATENCY_METRICS
    yield from distribution.DISTRIBUTION_METRICS
    yield from use.UTILISATION_METRICS
    yield from power.POWER_METRICS
    yield from cost.COST_METRICS
    yield from training.TRAINING_METRICS
