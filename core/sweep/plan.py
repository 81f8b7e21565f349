"""The plan of a sweep: what its points, columns and chunks are, and the table of each chunk.

A chunk is a piece of the grid of one variant. Its place in the plan and its points follow from the question alone, so any
process evaluates any chunk, in any order, with the same bytes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from attrs import frozen

from accelscope.core.numeric.axes import (
    Axis,
    compute_block_sizes,
    iterate_chunk_slices,
    reshape_along,
)
from accelscope.core.numeric.term import Array
from accelscope.core.query.columns import MAX_BREAKDOWN_POINTS
from accelscope.core.query.points import EvaluatedPoints
from accelscope.core.query.query import Query, SweptAxis
from accelscope.core.query.result import RequirementRow
from accelscope.core.sweep.judged_points import JudgedPoints
from accelscope.core.sweep.store.parts import StoreColumn
from accelscope.core.sweep.study_options import StudyOptions
from accelscope.core.sweep.tune import BestCombinations, choose_best_combinations
from accelscope.core.sweep.variant import DesignVariant, DesignVariants, GridWindow, RequestedColumns

_WINDOW_POINTS = 1_048_576
"""Points of the grid that one design spans, so that nothing in it grows with the grid."""
ChunkTable = Mapping[str, Array]
"""Columns by name: one value for each point, the last axis fastest."""
STATUS_COLUMNS = (
    StoreColumn(name="feasible", type="yes or no"),
    StoreColumn(name="allowed", type="yes or no"),
    StoreColumn(name="reason", type="name"),
)
"""Whether a point keeps all limits, whether it also meets every `require`, and the first that it breaks."""


@frozen(eq=False)
class SweepChunk:
    """One piece of a sweep: small, picklable, evaluated on its own in any process.

    Attributes:
        number: place in the plan; the same question gives the same chunks with the same numbers.
        picks: path of each axis that is a variant, with the index of its value.
        starts, stops: part of each numeric axis.
        first: number of its first point in the whole sweep.
        size: points.
    """

    number: int
    picks: tuple[tuple[str, int], ...]
    starts: tuple[int, ...]
    stops: tuple[int, ...]
    first: int
    size: int


@frozen(kw_only=True, eq=False)
class ChunkDetails:
    """Everything that is known of the points of a chunk.

    Attributes:
        chunk: the chunk.
        points: metrics with error bars, limits, and where the time goes.
        requirements: where each `require` and `prefer` of the scenario holds.
        warnings: what the language warned of.
        table: columns of the plan.
    """

    chunk: SweepChunk
    points: EvaluatedPoints
    requirements: tuple[RequirementRow, ...]
    warnings: tuple[str, ...]
    table: ChunkTable


@frozen(kw_only=True, eq=False, slots=False)
class SweepPlan:
    """A sweep, ready to be evaluated chunk by chunk.

    Attributes:
        asked: the question, with its axes of `sweep` and of `tune`.
        axes: those of `sweep`, in the order in which points are counted: variants first, the last one fastest.
        tuned: those of `tune`, whose best values are columns.
        columns: of the table of every chunk.
        chunk_points: most points that are evaluated at once, of all combinations of tuned values.
        requested: metrics and goals that are computed for the columns.
        variants: designs, one for each combination of values that are not numbers.
        options: of the study, such as the time that it may take.
    """

    asked: Query
    axes: tuple[Axis, ...]
    tuned: tuple[Axis, ...]
    columns: tuple[StoreColumn, ...]
    chunk_points: int
    requested: RequestedColumns
    variants: DesignVariants
    options: StudyOptions

    @property
    def label(self) -> str:
        """The name of the study or scenario."""
        return self.asked.label

    @property
    def points(self) -> int:
        """How many points the sweep has."""
        return math.prod(axis.size for axis in self.axes)

    @property
    def combinations(self) -> int:
        """How many combinations of tuned values are tried at each point."""
        return math.prod(axis.size for axis in self.tuned)

    @cached_property
    def _values(self) -> dict[str, Array]:
        """The values of each axis as an array: an axis may have a million."""
        return {axis.name: _axis_values(axis) for axis in (*self.axes, *self.tuned)}

    @property
    def manifest(self) -> dict[str, Any]:
        """What the results are made from: versions, plugins, files, overrides."""
        return self.variants.manifest

    def chunks(self) -> Iterator[SweepChunk]:
        """Yield the chunks in the order of their points, one at a time."""
        outer = [axis for axis in self.axes if not axis.numeric]
        shape = tuple(axis.size for axis in self.axes if axis.numeric)
        inner = math.prod(axis.size for axis in self.tuned if axis.numeric)
        limit = max(1, self.chunk_points // inner)
        number = first = 0
        for chosen in itertools.product(*(range(axis.size) for axis in outer)):
            picks = tuple((axis.name, index) for axis, index in zip(outer, chosen, strict=True))
            for where in iterate_chunk_slices(shape, limit):
                ends = tuple(min(part.stop, size) for part, size in zip(where, shape, strict=True))
                starts = tuple(part.start for part in where)
                size = math.prod(stop - start for start, stop in zip(starts, ends, strict=True))
                yield SweepChunk(number, picks, starts, ends, first, size)
                number, first = number + 1, first + size

    def evaluate(self, chunk: SweepChunk) -> ChunkTable:
        """Return the table of a chunk.

        Raises:
            DescriptionError: the description of a variant lacks something.
        """
        outer = [axis for axis in self.tuned if not axis.numeric]
        best: JudgedPoints | None = None
        picked: dict[str, Array] = {}
        for chosen in itertools.product(*(range(axis.size) for axis in outer)):
            names = {axis.name: index for axis, index in zip(outer, chosen, strict=True)}
            found = self._best_of(chunk, {**dict(chunk.picks), **names})
            best, picked = self._merged(best, picked, found, names)
        assert best is not None  # a product has at least one element
        return self._table(chunk, best, picked)

    def evaluate_details(self, chunk: SweepChunk) -> ChunkDetails:
        """Return all metrics of a chunk with error bars, limits, breakdown and requirements, and its table.

        The plan has no tuned axes: only the table has a place for their best values.

        Raises:
            DescriptionError: the description of a variant lacks something.
        """
        assert not self.tuned
        variant, where = self._variant(chunk, dict(chunk.picks))
        small = math.prod(self.variants.shape) <= MAX_BREAKDOWN_POINTS
        points = variant.evaluate(where, variant.registry.metrics.values(), breakdown=small)
        return ChunkDetails(
            chunk=chunk,
            points=points,
            requirements=variant.list_requirements(points, where),
            warnings=variant.warnings,
            table=self._table(chunk, variant.judge(points, where, self.requested), {})
            if self.columns
            else {},
        )

    def _variant(
        self, chunk: SweepChunk, picks: Mapping[str, int]
    ) -> tuple[DesignVariant, tuple[slice, ...]]:
        """Return a design that spans a chunk, and the part of the axes of `sweep` that the chunk is of it."""
        window = self._window(chunk)
        where = tuple(
            slice(start - origin, stop - origin)
            for start, stop, (origin, _) in zip(chunk.starts, chunk.stops, window, strict=False)
        )
        return self.variants.of(picks, window), where

    def _best_of(self, chunk: SweepChunk, picks: Mapping[str, int]) -> tuple[JudgedPoints, dict[str, Array]]:
        """Return the points of a chunk in one variant, each with the best of its tuned numbers."""
        variant, where = self._variant(chunk, picks)
        inner = tuple(axis for axis in self.tuned if axis.numeric)
        shape = tuple(axis.size for axis in inner)
        best: JudgedPoints | None = None
        picked: dict[str, Array] = {}
        for part in iterate_chunk_slices(shape, self.chunk_points):
            points = variant.evaluate((*where, *part), self.requested.metrics)
            block = variant.judge(points, (*where, *part), self.requested)
            found = choose_best_combinations(block.reshape_points((chunk.size, -1)))
            sizes = tuple(min(cut.stop, axis.size) - cut.start for cut, axis in zip(part, inner, strict=True))
            places = np.unravel_index(found.place, sizes or (1,))
            names = {
                axis.name: place + cut.start for axis, place, cut in zip(inner, places, part, strict=False)
            }
            best, picked = self._merged(best, picked, (found.block, names), {})
        assert best is not None  # chunks of any shape are at least one
        return best, picked

    def _window(self, chunk: SweepChunk) -> GridWindow:
        """Return the part of the numeric axes that one design spans: all of them, or chunks around one.

        A description may compute with two swept values at once, whose result has as many values as both together.
        """
        shape = tuple(axis.size for axis in self.axes if axis.numeric)
        inner = tuple(axis.size for axis in self.tuned if axis.numeric)
        each = compute_block_sizes(shape, max(1, self.chunk_points // math.prod(inner)))
        most = compute_block_sizes(shape, max(1, _WINDOW_POINTS // math.prod(inner)))
        found = []
        for start, size, step, wide in zip(chunk.starts, shape, each, most, strict=True):
            wide = max(step, wide // step * step) if wide < size else size
            origin = start // wide * wide
            found.append((origin, min(origin + wide, size)))
        return (*found, *((0, size) for size in inner))

    def _merged(
        self,
        best: JudgedPoints | None,
        picked: dict[str, Array],
        found: tuple[JudgedPoints, dict[str, Array]],
        names: Mapping[str, int],
    ) -> tuple[JudgedPoints, dict[str, Array]]:
        """Return the better of two blocks at each point, with the indices of its tuned values."""
        block, at = found
        here = {**at, **{name: np.full(block.size, index) for name, index in names.items()}}
        if best is None:
            return block, here
        both: BestCombinations = choose_best_combinations(best.beside(block))
        return both.block, {name: np.where(both.place == 0, picked[name], here[name]) for name in here}

    def _table(self, chunk: SweepChunk, block: JudgedPoints, picked: Mapping[str, Array]) -> ChunkTable:
        found = dict(self._places(chunk))
        for axis in self.tuned:
            found[axis.name] = self._values[axis.name][picked[axis.name]]
        found |= {"feasible": block.feasible, "allowed": block.allowed, "reason": block.reason}
        for column in self.columns[len(found) :]:
            values = block.values.get(column.name)
            found[column.name] = np.full(chunk.size, np.nan) if values is None else values
        return found

    def _places(self, chunk: SweepChunk) -> Iterator[tuple[str, Array]]:
        """Yield the value of each axis at the points of a chunk."""
        picks = dict(chunk.picks)
        shape = tuple(stop - start for start, stop in zip(chunk.starts, chunk.stops, strict=True))
        position = 0
        for axis in self.axes:
            values = self._values[axis.name]
            if axis.numeric:
                part = values[chunk.starts[position] : chunk.stops[position]]
                yield axis.name, np.broadcast_to(reshape_along(part, position, len(shape)), shape).ravel()
                position += 1
            else:
                yield axis.name, np.full(chunk.size, values[picks[axis.name]], dtype=object)


def _axis_values(axis: Axis) -> Array:
    """Return the values of an axis as an array: numbers, or names."""
    return np.array(axis.values, dtype=float if axis.numeric else object)


def order_sweep_axes(swept: Sequence[SweptAxis], *, tuned: bool) -> tuple[Axis, ...]:
    """Return the axes of `sweep` or of `tune`, variants first."""
    found = [item.axis for item in swept if item.tuned == tuned]
    return tuple(sorted(found, key=lambda axis: axis.numeric))
