"""The space of a study: axes of `sweep` and `tune`, and its scenario at points that form no grid.

A point is one index into the values of each axis. All numeric axes share one array dimension, that of the points; points
whose variants differ (another system, another model) are told apart, as one array cannot hold them.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from functools import cached_property
from typing import Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.assemble.design import Design
from accelscope.core.bind.binder import Binder
from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.numeric.array_operations import ArrayOperations
from accelscope.core.plugin.registry import Registry
from accelscope.core.query.query import (
    Query,
    SweptAxis,
    build_when_limits,
    find_base_scenario,
    find_query_block,
    parse_query,
    resolve_swept_axes,
)
from accelscope.core.query.run import assemble_checked
from accelscope.dsl.check.override_values import check_settings
from accelscope.dsl.check.program import Program, load_program
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.interpreter import Interpreter
from accelscope.dsl.override.overrides import Override, derive_scenario
from accelscope.dsl.values.values import Quantity

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


@frozen(kw_only=True, eq=False)
class DesignPoints:
    """Some points of one variant: their design, and the blocks of their session.

    Attributes:
        owner: the study, or the scenario itself.
        swept: values of the numeric axes by their paths.
    """

    design: Design
    owner: Component
    scenario: Component
    swept: Mapping[str, object]


def build_search_space(
    program: Program, registry: Registry, name: str, sets: tuple[str, ...] = ()
) -> SearchSpace:
    """Return the space of a study.

    Args:
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


def build_design_points(space: SearchSpace, rows: _Array) -> DesignPoints:
    """Return the design at points that share their variants: one array dimension, that of the points.

    Raises:
        DescriptionError: something is missing or wrong.
    """
    asked = space.asked
    session = asked.program.interpreter.fork(ArrayOperations())
    owner = find_query_block(load_program(asked.program.module.source, session), asked.name)
    base = find_base_scenario(owner)
    overrides = [item.override() for item in asked.plain]
    swept: dict[str, object] = {}
    statements = []
    for column, (item, statement, values) in zip(rows.T, resolve_swept_axes(asked, owner, base), strict=True):
        if values is None:
            raise DescriptionError(session.diagnostics)
        value = _along(values, column) if item.axis.numeric else values[int(column[0])]
        text = statement.domain.span(statement.scope.source).text
        overrides.append(Override(path=statement.target, value=value, span=statement.span, text=text))
        statements.append(statement)
        if item.axis.numeric:
            swept[item.axis.name] = value
    scenario = derive_scenario(base, overrides)
    if scenario is not None:
        check_settings(scenario)
    design = assemble_checked(scenario, session, Binder(space.registry))
    assert scenario is not None  # or `designed` has said why
    outside = tuple(
        build_when_limits(
            statements, scenario, {path.rpartition(".")[2]: value for path, value in swept.items()}
        )
    )
    _refuse(session)
    design = evolve(design, limits=(*design.limits, *outside))
    return DesignPoints(design=design, owner=owner, scenario=scenario, swept=swept)


def _along(values: tuple[object, ...], column: _Array) -> Quantity:
    """Return the values of an axis at points, as one quantity."""
    items = [item for item in values if isinstance(item, Quantity)]
    magnitudes = np.array([float(item.magnitude) for item in items])
    return Quantity(magnitude=magnitudes[column], dimension=items[0].dimension, unit=items[0].unit)


def _refuse(session: Interpreter) -> None:
    problems = tuple(item for item in session.diagnostics if item.severity == "error")
    if problems:
        raise DescriptionError(problems)
