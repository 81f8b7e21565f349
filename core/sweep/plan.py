"""The plan of a sweep: what its points, columns and chunks are, and the table of each chunk.

A chunk is a piece of the grid of one variant. Its place in the plan and its points follow from the question alone, so any
process evaluates any chunk, in any order, with the same bytes.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping, Sequence
from functools import cached_property
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from accelscope.core.numeric.axes import (
    CHUNK_POINTS,
    Axis,
    compute_block_sizes,
    iterate_chunk_slices,
    reshape_along,
)
from accelscope.core.numeric.term import Array
from accelscope.core.query.query import Query, SweptAxis
from accelscope.core.sweep.store.parts import StoreColumn
from accelscope.core.sweep.study_options import StudyOptions
from accelscope.core.sweep.tune import BestCombinations, choose_best_combinations
from accelscope.core.sweep.variant import DesignVariants, GridWindow

if TYPE_CHECKING:
    from accelscope.core.session import Session
    from accelscope.core.sweep.judged_points import JudgedPoints

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
class SweepPlan:
    """A sweep, ready to be evaluated chunk by chunk.

    Attributes:
        asked: the question, with its axes of `sweep` and of `tune`.
        axes: those of `sweep`, in the order in which points are counted: variants first, the last one fastest.
        tuned: those of `tune`, whose best values are columns.
        columns: of the table of every chunk.
        chunk_points: most points that are evaluated at once, of all combinations of tuned values.
        variants: designs, one for each combination of values that are no numbers.
        words: what the study says of itself, such as the time that it may take.
    """

    asked: Query
    axes: tuple[Axis, ...]
    tuned: tuple[Axis, ...]
    columns: tuple[StoreColumn, ...]
    chunk_points: int
    variants: DesignVariants
    words: StudyOptions

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

    def _best_of(self, chunk: SweepChunk, picks: Mapping[str, int]) -> tuple[JudgedPoints, dict[str, Array]]:
        """Return the points of a chunk in one variant, each with the best of its tuned numbers."""
        window = self._window(chunk)
        variant = self.variants.of(picks, window)
        inner = tuple(axis for axis in self.tuned if axis.numeric)
        where = tuple(
            slice(start - origin, stop - origin)
            for start, stop, (origin, _) in zip(chunk.starts, chunk.stops, window, strict=False)
        )
        shape = tuple(axis.size for axis in inner)
        best: JudgedPoints | None = None
        picked: dict[str, Array] = {}
        for part in iterate_chunk_slices(shape, self.chunk_points):
            block = variant.block((*where, *part))
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

        A description may compute with two swept values at once, and what comes out has as many values as both together.
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


def plan_sweep(
    session: Session,
    file: str,
    study: str | None,
    sets: Sequence[str] = (),
    *,
    metrics: Sequence[str] | None = None,
    chunk_points: int = CHUNK_POINTS,
) -> SweepPlan:
    """Return the plan of a study, or of the only scenario of a file.

    Args:
        session: with the plugins.
        file: path, or "-".
        study: name of one, or None where there is only one.
        sets: texts `path = value`, or `path = domain` for a further axis.
        metrics: names of those to compute besides what goals and requirements need; None for the headline metrics.
        chunk_points: most points that are evaluated at once.

    Raises:
        DescriptionError: the file or an override has errors, or lacks something.
        UsageError: there is no such study or metric, a goal cannot be computed, or there are too many points.
    """
    from accelscope.core.sweep.planner import build_sweep_plan

    return build_sweep_plan(session, file, study, tuple(sets), metrics, chunk_points)
