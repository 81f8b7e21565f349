"""The space of a study: axes of `sweep` and `tune`, and its scenario at points that form no grid.

A point is one index into the values of each axis. All numeric axes share one array dimension, that of the points; points
whose variants differ (another system, another model) are told apart, as one array cannot hold them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cached_property
from typing import Any

import numpy as np
from attrs import frozen

from accelscope.core.errors import UsageError
from accelscope.core.plugin.registry import Registry
from accelscope.core.query.query import PointPlacement, Query, SweptAxis, parse_query
from accelscope.core.query.scenario_design import ScenarioDesign, assemble_scenario
from accelscope.dsl.check.program import Program

_Array = np.ndarray[Any, np.dtype[Any]]


@frozen(kw_only=True, eq=False)
class SearchSpace:
    """What is searched.

    Attributes:
        asked: the study with its axes; those of `tune` are searched like those of `sweep`.
    """

    asked: Query
    registry: Registry

    @property
    def axes(self) -> tuple[SweptAxis, ...]:
        """The axes, in the order of the text."""
        return self.asked.swept

    @cached_property
    def sizes(self) -> _Array:
        """How many values each axis has."""
        return np.array([item.axis.size for item in self.axes], dtype=np.int64)

    @cached_property
    def variants(self) -> _Array:
        """Which axes are no numbers."""
        return np.array([not item.axis.numeric for item in self.axes], dtype=bool)

    @property
    def points(self) -> int:
        """How many points there are."""
        return math.prod(item.axis.size for item in self.axes)

    def where(self, row: _Array) -> dict[str, float | str]:
        """Return the values of the axes at a point."""
        return {item.axis.name: item.axis.values[int(at)] for item, at in zip(self.axes, row, strict=True)}


def build_search_space(
    program: Program, registry: Registry, name: str, sets: tuple[str, ...] = ()
) -> SearchSpace:
    """Return the space of a study.

    Args:
        program: parsed file.
        registry: loaded plugins.
        name: `study NAME` or `scenario NAME`.
        sets: texts `path = value`, or `path = domain` for a further axis.

    Raises:
        DescriptionError: a text of `sets` or an axis is wrong.
        UsageError: nothing varies.
    """
    asked = parse_query(program, name, sets, tuned=True)
    if not asked.swept:
        raise UsageError(f"`{name}` has no `sweep` or `tune`, so there is nothing to search")
    return SearchSpace(asked=asked, registry=registry)


def group_by_variant(space: SearchSpace, rows: _Array) -> Iterator[_Array]:
    """Yield the places of the rows that share their variants."""
    chosen = rows[:, space.variants]
    if not chosen.shape[1]:
        yield np.arange(len(rows))
        return
    _, group = np.unique(chosen, axis=0, return_inverse=True)
    group = group.reshape(-1)
    for number in range(int(group.max()) + 1):
        yield np.flatnonzero(group == number)


def build_design_points(space: SearchSpace, rows: _Array) -> ScenarioDesign:
    """Return the design at points that share their variants: one array dimension, that of the points.

    Args:
        space: of the points.
        rows: (points, axes) indices of the values of each axis.

    Raises:
        DescriptionError: something is missing or wrong.
    """
    indices = {item.axis.name: column for item, column in zip(space.axes, rows.T, strict=True)}
    return assemble_scenario(space.asked, space.registry, PointPlacement(indices=indices))
