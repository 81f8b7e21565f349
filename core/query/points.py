"""What is known of points that have been evaluated: goals, distance from what is feasible, and metrics. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from accelscope.core.assemble.design import Design
from accelscope.core.evaluate.evaluate import Evaluation, evaluate
from accelscope.core.ir.usage import Limit
from accelscope.core.query.columns import LIMIT_TOLERANCE

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

_Array = np.ndarray[Any, np.dtype[Any]]


@frozen(kw_only=True, eq=False)
class EvaluatedPoints:
    """Points of one design.

    Attributes:
        metrics: those that were wanted and that the description gives, in their units.
        limits: of the evaluation.
        excess: of each point, the logarithms of used over available summed over the limits that it breaks; 0 where it is
            feasible.
    """

    size: int
    evaluation: Evaluation
    metrics: Mapping[str, _Array]
    limits: tuple[Limit, ...]
    excess: _Array

    @property
    def feasible(self) -> _Array:
        """Where no limit is broken."""
        return self.excess <= 0.0

    def reasons(self) -> Iterable[tuple[str, _Array]]:
        """Yield the name of each limit with where it is broken."""
        for limit in self.limits:
            yield limit.name, compute_limit_excess(limit, self.size) > 0.0


def evaluate_points(design: Design, registry: Registry, size: int, wanted: Iterable[str]) -> EvaluatedPoints:
    """Evaluate a design whose terms have one dimension, that of its points.

    Args:
        wanted: names of metrics.
    """
    with np.errstate(all="ignore"):
        found = evaluate(design)
        metrics = {}
        for name in wanted:
            metric = registry.metrics[name]
            given = metric.of in ("any", found.sort) and (metric.given is None or metric.given(found))
            value = metric.compute(found) if given else None
            if value is not None:
                array = value.to(metric.unit) if metric.unit else value.to("")
                metrics[name] = np.broadcast_to(array, (size,))
        excess = np.zeros(size)
        for limit in found.limits:
            excess = excess + compute_limit_excess(limit, size)
    return EvaluatedPoints(size=size, evaluation=found, metrics=metrics, limits=found.limits, excess=excess)


def compute_limit_excess(limit: Limit, size: int) -> _Array:
    """Return by how much points break a limit: 0 where they do not, 1 for a condition, else the logarithm of the excess."""
    used, available = limit.used.value, limit.available.value
    over = ~(used <= available * LIMIT_TOLERANCE)
    if limit.condition:
        amount: _Array = np.ones(())
    else:
        with np.errstate(all="ignore"):
            amount = np.log(np.maximum(used / np.maximum(available, 1e-300), LIMIT_TOLERANCE))
    amount = np.where(np.isfinite(amount), np.minimum(amount, 50.0), 50.0)
    return np.broadcast_to(np.where(over, amount, 0.0), (size,))
