"""A design over its grid to the columns of a result, in blocks of points that fit a core's cache."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, field

from accelscope.core.assemble.design import Design
from accelscope.core.evaluate.evaluate import Evaluation, evaluate
from accelscope.core.evaluate.pass_cost import PassCost
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.axes import CHUNK_POINTS, iterate_chunk_slices, slice_terms
from accelscope.core.numeric.error_bars import compute_error_bars
from accelscope.core.numeric.term import Array, Term
from accelscope.core.query.result import BreakdownRow, LimitRow, MetricColumn

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Metric
    from accelscope.core.plugin.registry import Registry

MAX_BREAKDOWN_POINTS = 4096
"""Largest grid whose points keep their breakdown."""
LIMIT_TOLERANCE = 1 + 1e-9
"""Rounding that a limit forgives."""


@define(eq=False)
class ResultColumns:
    """Arrays of a grid, filled block by block.

    Attributes:
        shape: of the swept axes.
        inputs: length of the last dimension of terms, that of uncertain inputs; 0 without one.
    """

    shape: tuple[int, ...]
    inputs: int
    metrics: dict[str, MetricColumn] = field(factory=dict)
    limits: dict[str, LimitRow] = field(factory=dict)
    breakdown: list[BreakdownRow] = field(factory=list)
    feasible: Array = field(init=False)

    def __attrs_post_init__(self) -> None:
        self.feasible = np.ones(self.shape, dtype=bool)


def fill_columns(
    design: Design, registry: Registry, shape: tuple[int, ...], inputs: int, wanted: Iterable[Metric]
) -> ResultColumns:
    """Return the columns of a design.

    Args:
        design: terms have one array dimension for each axis of `shape`, and a last one where `inputs` is not 0.
        shape: of the swept axes.
        inputs: length of the dimension of uncertain inputs, or 0.
        wanted: the metrics to compute.
    """
    columns = ResultColumns(shape, inputs)
    metrics = tuple(wanted)
    limit = max(1, CHUNK_POINTS // max(inputs, 1))
    with np.errstate(all="ignore"):
        for where in iterate_chunk_slices(shape, limit):
            block = design if len(shape) == 0 else slice_terms(design, where)
            _fill(columns, evaluate(block), where, metrics)
    return columns


def _fill(
    columns: ResultColumns, evaluation: Evaluation, where: tuple[slice, ...], metrics: tuple[Metric, ...]
) -> None:
    for metric in metrics:
        if metric.of in ("any", evaluation.sort) and (metric.given is None or metric.given(evaluation)):
            _fill_metric(columns, metric, evaluation, where)
    for limit in evaluation.limits:
        _fill_limit(columns, limit, where)
    if np.prod(columns.shape, dtype=int) <= MAX_BREAKDOWN_POINTS:
        columns.breakdown = [row for step in evaluation.passes for row in _breakdown(columns, step)]


def _fill_metric(
    columns: ResultColumns, metric: Metric, evaluation: Evaluation, where: tuple[slice, ...]
) -> None:
    value = metric.compute(evaluation)
    if value is None:
        columns.metrics.setdefault(metric.name, _column(metric, None, None, None))
        return
    array = value.to(metric.unit) if metric.unit else value.to("")
    if metric.name not in columns.metrics:
        full = [np.empty(columns.shape) for _ in range(3 if columns.inputs else 1)]
        columns.metrics[metric.name] = (
            _column(metric, *full) if columns.inputs else _column(metric, full[0], None, None)
        )
    column = columns.metrics[metric.name]
    assert column.value is not None  # a metric is None at all points or at none
    if not columns.inputs:
        column.value[where] = array
        return
    assert column.low is not None and column.high is not None
    size = (*column.value[where].shape, columns.inputs)
    column.value[where], column.low[where], column.high[where] = compute_error_bars(
        np.broadcast_to(array, size)
    )
    most = metric.at_most(evaluation) if metric.at_most is not None else None
    if most is not None:
        bound = take_nominal(Term(most.to(metric.unit)), columns.inputs)
        column.high[where] = np.minimum(column.high[where], bound)


def _column(metric: Metric, value: Array | None, low: Array | None, high: Array | None) -> MetricColumn:
    return MetricColumn(
        name=metric.name,
        unit=metric.unit,
        doc=metric.doc,
        headline=metric.headline,
        better=metric.better,
        value=value,
        low=low,
        high=high,
    )


def _fill_limit(columns: ResultColumns, limit: Limit, where: tuple[slice, ...]) -> None:
    used, available = take_nominal(limit.used, columns.inputs), take_nominal(limit.available, columns.inputs)
    if limit.name not in columns.limits:
        columns.limits[limit.name] = LimitRow(
            name=limit.name,
            unit=str(limit.used.dimension) if limit.used.dimension.powers else "",
            reason=limit.reason,
            condition=limit.condition,
            used=np.full(columns.shape, -np.inf),
            available=np.ones(columns.shape),
        )
    row = columns.limits[limit.name]
    fuller = used / np.maximum(available, 1e-300) > row.used[where] / np.maximum(row.available[where], 1e-300)
    worse = np.isneginf(row.used[where]) | fuller
    row.used[where] = np.where(worse, used, row.used[where])
    row.available[where] = np.where(worse, available, row.available[where])
    columns.feasible[where] &= used <= available * LIMIT_TOLERANCE


def take_nominal(value: Term, inputs: int) -> Array:
    """Return the array of a term without the dimension of uncertain inputs."""
    array = value.value
    return array[..., 0] if inputs and array.ndim else array


def _breakdown(columns: ResultColumns, step: PassCost) -> Iterable[BreakdownRow]:
    """Rows of a pass: operations, then communication, then the host; shares are of the pass."""
    inputs, shape = columns.inputs, columns.shape
    rounds, whole = take_nominal(step.rounds, inputs), take_nominal(step.time, inputs)

    def row(component: str, op: str, seconds: Any, names: tuple[str, ...], winner: Array) -> BreakdownRow:
        return BreakdownRow(
            phase=step.phase,
            component=component,
            op=op,
            seconds=np.broadcast_to(seconds, shape),
            share=np.broadcast_to(seconds / whole, shape),
            bound_by=names,
            winner=np.broadcast_to(winner, shape),
        )

    for cost in step.ops:
        times = [take_nominal(time, inputs) for _, time in cost.parts]
        winner = np.argmax(np.stack(np.broadcast_arrays(*times)), axis=0)
        names = tuple(name for name, _ in cost.parts)
        yield row(cost.component, cost.name, take_nominal(cost.seconds, inputs) * rounds, names, winner)
    for comm in step.comms:
        seconds = take_nominal(comm.seconds, inputs) * rounds
        yield row(comm.item.component, comm.item.name, seconds, ("network",), np.zeros((), dtype=int))
    host = take_nominal(step.overhead, inputs)
    if np.any(host > 0):
        yield row("engine", "host", host, ("host",), np.zeros((), dtype=int))
