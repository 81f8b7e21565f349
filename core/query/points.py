"""From a design to points: the one place that evaluates metrics and limits. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from accelscope.core.assemble.design import Design
from accelscope.core.evaluate.evaluate import Evaluation, evaluate
from accelscope.core.io.timings import stage
from accelscope.core.numeric.error_bars import compute_error_bars
from accelscope.core.numeric.term import Array, Term
from accelscope.core.query.breakdown import list_breakdown
from accelscope.core.query.feasibility import (
    ALL_LIMITS,
    FeasibilityPolicy,
    LimitCheck,
    check_limits,
    sum_excess,
    take_nominal,
)
from accelscope.core.query.result import BreakdownRow

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Metric


@frozen(kw_only=True, eq=False, slots=False)
class EvaluatedPoints:
    """The points of a design, evaluated.

    Attributes:
        evaluation: what metrics are computed from.
        shape: of the points.
        metrics: values by name, each in the unit of its metric; arrays broadcast to `shape`.
        bars: low and high of each metric, the 10th and 90th percentile; empty without uncertain inputs.
        unknown: names of metrics that apply, but for which the description gives too little.
        checks: limits that count, with where each is kept.
        breakdown: where the time goes; empty unless it was asked for.
    """

    evaluation: Evaluation
    shape: tuple[int, ...]
    metrics: Mapping[str, Array]
    bars: Mapping[str, tuple[Array, Array]]
    unknown: tuple[str, ...]
    checks: tuple[LimitCheck, ...]
    breakdown: tuple[BreakdownRow, ...] = ()

    @cached_property
    def excess(self) -> Array:
        """Sum of ln(used / available) over the limits that a point breaks; 0 where it is feasible."""
        return sum_excess(self.checks, self.shape)

    @property
    def feasible(self) -> Array:
        """Where no limit is broken."""
        feasible = np.ones(self.shape, dtype=bool)
        for check in self.checks:
            feasible &= check.kept
        return feasible

    def column(self, name: str) -> Array:
        """Return the values of a metric at every point."""
        return np.broadcast_to(self.metrics[name], self.shape)


def evaluate_points(
    design: Design,
    metrics: Iterable[Metric] = (),
    *,
    shape: tuple[int, ...] = (),
    inputs: int = 0,
    breakdown: bool = False,
    policy: FeasibilityPolicy = ALL_LIMITS,
) -> EvaluatedPoints:
    """Evaluate a design: its metrics, its limits and where its time goes.

    Args:
        design: terms have one array dimension for each of `shape`, and a last one if `inputs` is not 0.
        metrics: to compute; those that do not apply to what is evaluated are left out.
        shape: of the points.
        inputs: length of the dimension of uncertain inputs, or 0.
        breakdown: whether to list where the time goes.
        policy: which limits count.
    """
    values: dict[str, Array] = {}
    bars: dict[str, tuple[Array, Array]] = {}
    unknown: list[str] = []
    with np.errstate(all="ignore"):
        with stage("cost"):
            evaluation = evaluate(design)
        for metric in metrics:
            if not applies(metric, evaluation):
                continue
            with stage("metrics"):
                value = metric.compute(evaluation)
            if value is None:
                unknown.append(metric.name)
                continue
            array = value.to(metric.unit)
            if inputs:
                array, *ends = _compute_bars(metric, evaluation, array, (*shape, inputs))
                bars[metric.name] = (ends[0], ends[1])
            values[metric.name] = array
        return EvaluatedPoints(
            evaluation=evaluation,
            shape=shape,
            metrics=values,
            bars=bars,
            unknown=tuple(unknown),
            checks=check_limits(evaluation.limits, policy, inputs=inputs),
            breakdown=list_breakdown(evaluation, shape, inputs) if breakdown else (),
        )


def applies(metric: Metric, evaluation: Evaluation) -> bool:
    """Return whether an evaluation has a metric at all: a metric of training does not apply to serving."""
    return metric.of in ("any", evaluation.sort) and (metric.given is None or metric.given(evaluation))


def _compute_bars(
    metric: Metric, evaluation: Evaluation, array: Array, shape: tuple[int, ...]
) -> tuple[Array, Array, Array]:
    """Return (nominal, low, high) of a metric; high is at most what the metric can be."""
    nominal, low, high = compute_error_bars(np.broadcast_to(array, shape))
    most = metric.at_most(evaluation) if metric.at_most is not None else None
    if most is not None:
        high = np.minimum(high, take_nominal(Term(most.to(metric.unit)), shape[-1]))
    return nominal, low, high
