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

    yield from latency.METRICS
    yield from distribution.METRICS
    yield from use.METRICS
    yield from power.METRICS
    yield from cost.METRICS
    yield from training.METRICS
