"""Columns of a grid: evaluated points, block by block, collected to the arrays of a result."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
from attrs import define, evolve, field, frozen

from accelscope.core.assemble.design import Design
from accelscope.core.numeric.axes import CHUNK_POINTS, iterate_chunk_slices, slice_terms
from accelscope.core.numeric.term import Array
from accelscope.core.query.feasibility import LimitCheck, worst_check
from accelscope.core.query.points import EvaluatedPoints, evaluate_points
from accelscope.core.query.result import BreakdownRow, LimitRow, MetricColumn, RequirementRow

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Metric

MAX_BREAKDOWN_POINTS = 4096
"""Largest grid whose points keep their breakdown."""
_BreakdownKey = tuple[str, str, str, int]
"""Phase, component and operation of a row, and which of several with these names it is."""


@frozen(kw_only=True, eq=False)
class ResultColumns:
    """Arrays of a grid; those of a point that was not evaluated are NaN.

    Attributes:
        shape: of the grid.
        feasible: where all limits are kept.
        metrics: by name.
        limits: the fullest of each name.
        breakdown: where the time goes; empty for large grids.
        requirements: where each holds.
    """

    shape: tuple[int, ...]
    feasible: Array
    metrics: dict[str, MetricColumn]
    limits: tuple[LimitRow, ...]
    breakdown: tuple[BreakdownRow, ...]
    requirements: tuple[RequirementRow, ...]


@define(eq=False)
class ColumnCollector:
    """Evaluated points of a grid, put to their places as they come.

    Attributes:
        shape: of the grid.
        wanted: metrics that are computed, by name.
    """

    shape: tuple[int, ...]
    wanted: dict[str, Metric]
    _feasible: Array = field(init=False)
    _metrics: dict[str, MetricColumn] = field(factory=dict, init=False)
    _limits: dict[str, LimitRow] = field(factory=dict, init=False)
    _breakdown: dict[_BreakdownKey, BreakdownRow] = field(factory=dict, init=False)
    _requirements: list[RequirementRow] = field(factory=list, init=False)

    def __attrs_post_init__(self) -> None:
        self._feasible = np.zeros(self.size, dtype=bool)

    @property
    def size(self) -> int:
        """How many points the grid has."""
        return math.prod(self.shape)

    def add(
        self, points: EvaluatedPoints, first: int = 0, requirements: Sequence[RequirementRow] = ()
    ) -> None:
        """Add points.

        Args:
            points: consecutive ones, the last axis of the grid fastest.
            first: number of the first of them.
            requirements: where each holds at these points; the same ones for all points of a grid.
        """
        block = slice(first, first + math.prod(points.shape))
        self._feasible[block] = points.feasible.reshape(-1)
        for name in (*points.metrics, *points.unknown):
            self._add_metric(self.wanted[name], points, block)
        self._add_limits(points, block)
        self._add_breakdown(points, block)
        self._add_requirements(requirements, points.shape, block)

    def collect(self) -> ResultColumns:
        """Return the columns in the shape of the grid."""
        return ResultColumns(
            shape=self.shape,
            feasible=self._feasible.reshape(self.shape),
            metrics={
                name: evolve(
                    item,
                    value=self._shaped(item.value),
                    low=self._shaped(item.low),
                    high=self._shaped(item.high),
                )
                for name, item in self._metrics.items()
            },
            limits=tuple(
                evolve(row, used=row.used.reshape(self.shape), available=row.available.reshape(self.shape))
                for row in self._limits.values()
            ),
            breakdown=tuple(
                evolve(
                    row,
                    seconds=row.seconds.reshape(self.shape),
                    share=row.share.reshape(self.shape),
                    winner=row.winner.reshape(self.shape),
                )
                for row in self._breakdown.values()
            ),
            requirements=tuple(evolve(row, met=self._shaped(row.met)) for row in self._requirements),
        )

    def _shaped(self, array: Array | None) -> Array | None:
        return None if array is None else array.reshape(self.shape)

    def _put(self, full: Array | None, array: Array, shape: tuple[int, ...], block: slice) -> Array:
        """Return a column with the values of some points."""
        column = np.full(self.size, np.nan) if full is None else full
        column[block] = np.broadcast_to(array, shape).reshape(-1)
        return column

    def _add_metric(self, metric: Metric, points: EvaluatedPoints, block: slice) -> None:
        column = self._metrics.get(metric.name) or MetricColumn(
            name=metric.name,
            unit=metric.unit,
            doc=metric.doc,
            headline=metric.headline,
            better=metric.better,
            value=None,
        )
        if metric.name in points.metrics:
            value = self._put(column.value, points.metrics[metric.name], points.shape, block)
            column = evolve(column, value=value)
        if metric.name in points.bars:
            low, high = points.bars[metric.name]
            column = evolve(
                column,
                low=self._put(column.low, low, points.shape, block),
                high=self._put(column.high, high, points.shape, block),
            )
        self._metrics[metric.name] = column

    def _add_limits(self, points: EvaluatedPoints, block: slice) -> None:
        same: dict[str, list[LimitCheck]] = {}
        for check in points.checks:
            same.setdefault(check.limit.name, []).append(check)
        added = {}
        with np.errstate(all="ignore"):
            for name, checks in same.items():
                row = self._limits.get(name) or self._new_limit(checks[0])
                used, available = worst_check(checks)
                self._put(row.used, used, points.shape, block)
                self._put(row.available, available, points.shape, block)
                added[name] = row
        self._limits = added | {
            name: row for name, row in self._limits.items() if name not in added
        }  # those of the last variant first

    def _new_limit(self, check: LimitCheck) -> LimitRow:
        limit = check.limit
        return LimitRow(
            name=limit.name,
            unit=str(limit.used.dimension) if limit.used.dimension.powers else "",
            reason=limit.reason,
            condition=limit.condition,
            used=np.full(self.size, np.nan),
            available=np.full(self.size, np.nan),
        )

    def _add_breakdown(self, points: EvaluatedPoints, block: slice) -> None:
        """Add rows; an operation that a variant lacks takes no time there."""
        counts: dict[tuple[str, str, str], int] = {}
        for row in points.breakdown:
            names = (row.phase, row.component, row.op)
            counts[names] = counts.get(names, 0) + 1
            key = (*names, counts[names])
            column = self._breakdown.get(key) or evolve(
                row,
                seconds=np.zeros(self.size),
                share=np.zeros(self.size),
                winner=np.zeros(self.size, dtype=int),
            )
            resources = tuple(dict.fromkeys((*column.bound_by, *row.bound_by)))
            index = np.array([resources.index(name) for name in row.bound_by])
            column.seconds[block] = row.seconds.reshape(-1)
            column.share[block] = row.share.reshape(-1)
            column.winner[block] = index[row.winner].reshape(-1)
            self._breakdown[key] = evolve(column, bound_by=resources)

    def _add_requirements(self, rows: Sequence[RequirementRow], shape: tuple[int, ...], block: slice) -> None:
        if not self._requirements:
            self._requirements = [
                evolve(row, met=None if row.met is None else np.zeros(self.size, dtype=bool)) for row in rows
            ]
        for position, row in enumerate(rows):
            column = self._requirements[position]
            if row.met is None or column.met is None:
                self._requirements[position] = evolve(column, met=None)
            else:
                column.met[block] = np.broadcast_to(row.met, shape).reshape(-1)


def evaluate_grid(design: Design, metrics: Iterable[Metric], shape: tuple[int, ...]) -> ResultColumns:
    """Return the columns of a design, evaluated in blocks of points that fit a core's cache.

    Args:
        design: terms have one array dimension for each of `shape`.
        metrics: to compute.
        shape: of the grid.
    """
    wanted = {metric.name: metric for metric in metrics}
    columns = ColumnCollector(shape, wanted)
    breakdown = columns.size <= MAX_BREAKDOWN_POINTS
    first = 0
    for where in iterate_chunk_slices(shape, CHUNK_POINTS):
        block = slice_terms(design, where) if shape else design
        sizes = tuple(min(part.stop, size) - part.start for part, size in zip(where, shape, strict=True))
        points = evaluate_points(block, wanted.values(), shape=sizes, breakdown=breakdown)
        columns.add(points, first)
        first += math.prod(sizes)
    return columns.collect()
