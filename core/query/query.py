"""A query of a program: a scenario or study, its overrides, its axes, and the scenario at values of these axes."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Protocol

import numpy as np
from attrs import frozen

from accelscope.core.bind.scenario_paths import (
    collect_expression_names,
    read_scenario_path,
    replace_scenario_paths,
)
from accelscope.core.errors import DescriptionError
from accelscope.core.ir.usage import Limit, condition
from accelscope.core.numeric.axes import Axis, reshape_along
from accelscope.core.numeric.term import Array
from accelscope.dsl.check.override_values import check_settings
from accelscope.dsl.check.program import Program, load_program
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, has_errors
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.interpreter import Interpreter
from accelscope.dsl.interpret.sweep_axes import AxisStatement as Statement
from accelscope.dsl.interpret.sweep_axes import collect_axis_statements, evaluate_domain
from accelscope.dsl.override.overrides import (
    Assignment,
    Override,
    build_override_scope,
    derive_scenario,
    parse_override,
)
from accelscope.dsl.syntax.nodes import ListLiteral, Range
from accelscope.dsl.values.units import DIMENSIONLESS
from accelscope.dsl.values.values import Quantity, Symbol


@frozen(kw_only=True, eq=False)
class SweptAxis:
    """One axis, in any session: the assignment that gives it, or the index of the statement that does.

    Attributes:
        axis: its name, unit and values.
        assignment: of `--set`, or None for a statement of the text.
        position: index of the statement among those of the study or scenario.
        tuned: whether it is of `tune`, so that its best value is sought at each point of the others.
        part: of its values that are evaluated; None for all.
    """

    axis: Axis
    assignment: Assignment | None
    position: int
    tuned: bool = False
    part: slice | None = None


@frozen(kw_only=True, eq=False)
class Query:
    """A scenario of a program with what is set and what is swept.

    Attributes:
        program: the file.
        name: `scenario NAME` or `study NAME`.
        plain: assignments of `--set` to one value.
        swept: axes, those of `--set` first.
    """

    program: Program
    name: str
    plain: tuple[Assignment, ...]
    swept: tuple[SweptAxis, ...]

    @property
    def label(self) -> str:
        """The name without its kind."""
        return self.name.partition(" ")[2]


def parse_query(program: Program, name: str, sets: tuple[str, ...], *, tuned: bool = False) -> Query:
    """Return the query of a scenario or study.

    Args:
        program: the file.
        name: `scenario NAME` or `study NAME`.
        sets: texts `path = value`, or `path = domain` for an axis.
        tuned: whether the caller supports axes of `tune`; if not they are refused.

    Raises:
        DescriptionError: a text of `sets` or an axis is wrong.
    """
    assignments = [parse_assignment(text) for text in sets]
    owner = find_query_block(program, name)
    scenario = find_base_scenario(owner)
    plain = tuple(item for item in assignments if not is_axis_assignment(item))
    swept = [
        _swept(scenario, item.axis(scenario), item, 0) for item in assignments if is_axis_assignment(item)
    ]
    paths = {item.axis.name for item in swept} | {item.axis(scenario).path for item in plain}
    for position, statement in enumerate(collect_axis_statements(owner)):
        if not tuned:
            _refuse_tune(statement)
        if statement.path not in paths:
            swept.append(_swept(scenario, statement, None, position))
    return Query(program=program, name=name, plain=plain, swept=tuple(swept))


class AxisPlacement(Protocol):
    """Where in its axes a query is evaluated."""

    def value(self, item: SweptAxis, values: tuple[object, ...]) -> object:
        """Return what an axis is set to, out of its values in the session of the scenario."""


@frozen(kw_only=True, eq=False)
class GridPlacement:
    """A grid: each numeric axis varies along an array dimension of its own.

    Attributes:
        picks: index of the value of each axis that is a variant, by its path.
        numeric: paths of the axes that own an array dimension, in order.
        dimensions: of the arrays; 0 sets the first value of each axis as a plain number.
    """

    picks: Mapping[str, int]
    numeric: tuple[str, ...]
    dimensions: int

    def value(self, item: SweptAxis, values: tuple[object, ...]) -> object:
        """Return all values of a numeric axis along its dimension, or the value of a variant."""
        if not item.axis.numeric:
            return values[self.picks[item.axis.name]]
        if self.dimensions == 0:
            return next(value for value in values if isinstance(value, Quantity))
        position = self.numeric.index(item.axis.name)
        return _make_array(values, lambda array: reshape_along(array, position, self.dimensions))


@frozen(kw_only=True, eq=False)
class PointPlacement:
    """Points that form no grid: all numeric axes share one array dimension, that of the points.

    Attributes:
        indices: of the values of each axis at the points, by its path; a variant has the same at all points.
    """

    indices: Mapping[str, Array]

    def value(self, item: SweptAxis, values: tuple[object, ...]) -> object:
        """Return the values of a numeric axis at the points, or the value of a variant."""
        index = self.indices[item.axis.name]
        return _make_array(values, lambda array: array[index]) if item.axis.numeric else values[int(index[0])]


@frozen(kw_only=True, eq=False)
class PlacedScenario:
    """The scenario of a query in a session of its own, with everything set.

    Attributes:
        owner: the study, or the scenario itself.
        scenario: None after something wrong has been reported to the session.
        swept: values of the numeric axes by their paths.
    """

    owner: Component
    scenario: Component | None
    swept: Mapping[str, object]


def place_scenario(asked: Query, session: Interpreter, placement: AxisPlacement) -> PlacedScenario:
    """Return the scenario of a query in a fresh session, with its overrides and the values of its axes.

    Args:
        asked: the query.
        session: fresh.
        placement: where in the axes.
    """
    owner = find_query_block(load_program(asked.program.module.source, session), asked.name)
    base = find_base_scenario(owner)
    overrides = [item.override() for item in asked.plain]
    swept: dict[str, object] = {}
    for item, statement, values in resolve_swept_axes(asked, owner, base):
        if values is None:
            return PlacedScenario(owner=owner, scenario=None, swept={})
        value = placement.value(item, values)
        text = statement.domain.span(statement.scope.source).text
        overrides.append(Override(path=statement.target, value=value, span=statement.span, text=text))
        if item.axis.numeric:
            swept[item.axis.name] = value
    scenario = derive_scenario(base, overrides)
    if scenario is not None:
        check_settings(scenario)
    return PlacedScenario(owner=owner, scenario=scenario, swept=swept)


def build_prune_limits(placed: PlacedScenario) -> tuple[Limit, ...]:
    """Return a limit for each `when` of a sweep: points where it does not hold are left out.

    Its names are last names of the swept paths, or paths of the scenario such as `tp`.
    """
    scenario = placed.scenario
    if scenario is None:
        return ()
    last = {path.rpartition(".")[2]: value for path, value in placed.swept.items()}
    limits = (
        _build_when_limit(statement, scenario, last) for statement in collect_axis_statements(placed.owner)
    )
    return tuple(limit for limit in limits if limit is not None)


def _build_when_limit(statement: Statement, scenario: Component, swept: Mapping[str, object]) -> Limit | None:
    """Return the limit of the `when` of a statement; None without one.

    Args:
        statement: a `sweep` or `tune`.
        scenario: with everything set.
        swept: values by the last name of a swept path; they take precedence over those of the scenario.
    """
    if statement.when is None:
        return None
    paths: dict[str, object] = {}
    when = replace_scenario_paths(statement.when, scenario, paths)
    names = {name: read_scenario_path(scenario, (name,)) for name in collect_expression_names(when)}
    known = {name: value for name, value in (names | dict(swept)).items() if value is not None} | paths
    scope = build_override_scope(scenario, statement.scope.source)
    holds = scenario.interpreter.value_of(when, scope, known)
    if holds is None:
        return None
    text = statement.when.span(statement.scope.source).text
    reason = f"the sweep leaves points out where not {text}"
    return condition(f"when {text}", np.asarray(holds), reason, prunes=True)


def resolve_swept_axes(
    asked: Query, owner: Component, scenario: Component
) -> Iterator[tuple[SweptAxis, Statement, tuple[object, ...] | None]]:
    """Yield each axis of a question with its statement and its values in the session of a scenario.

    Values are None where something is wrong with them, which has been reported.
    """
    statements = collect_axis_statements(owner)
    for item in asked.swept:
        statement = item.assignment.axis(scenario) if item.assignment else statements[item.position]
        values = evaluate_domain(scenario.interpreter, statement)
        yield item, statement, values if values is None or item.part is None else values[item.part]


def _array(values: tuple[object, ...], position: int, dimensions: int) -> Quantity:
    items = [item for item in values if isinstance(item, Quantity)]
    first = items[0]
    if dimensions == 0:
        return first
    magnitudes = np.array([float(item.magnitude) for item in items])
    return Quantity(
        magnitude=reshape_along(magnitudes, position, dimensions), dimension=first.dimension, unit=first.unit
    )


def _make_array(values: tuple[object, ...], shaped: Callable[[Array], Array]) -> Quantity:
    """Return the values of a numeric axis as one quantity whose magnitude is an array."""
    items = [item for item in values if isinstance(item, Quantity)]
    magnitudes = np.array([float(item.magnitude) for item in items])
    return Quantity(magnitude=shaped(magnitudes), dimension=items[0].dimension, unit=items[0].unit)


def parse_assignment(text: str) -> Assignment:
    """Return an argument of `--set`; raise DescriptionError where it is wrong."""
    found, problems = parse_override(text)
    if found is None or has_errors(problems):
        raise DescriptionError(problems)
    return found


def is_axis_assignment(item: Assignment) -> bool:
    """Return whether an argument gives an axis rather than one value."""
    return item.step is not None or isinstance(item.domain, ListLiteral | Range)


def find_query_block(program: Program, name: str) -> Component:
    """Return the scenario or study of a name such as `study s`."""
    found = program.lookup(name)
    if found is None:
        raise DescriptionError(program.diagnostics)
    return found


def find_base_scenario(owner: Component) -> Component:
    """Return a scenario itself, or the one that a study varies."""
    if owner.kind == "scenario":
        return owner
    base = owner.attributes().get("base")
    if base is None or not isinstance(base.value, Component):
        raise DescriptionError(
            (
                Diagnostic(
                    code="A106",
                    message=f"`{owner.kind} {owner.name}` needs `base`, the scenario that it varies",
                    span=owner.span,
                    label="missing here",
                ),
            )
        )
    return base.value


def _refuse_tune(statement: Statement) -> None:
    if statement.word == "tune":
        raise DescriptionError(
            (
                Diagnostic(
                    code="A211",
                    message=f"`tune {statement.path}` has its best value sought, which only `sweep` and `search` do",
                    span=statement.span,
                    help="set a value with `--set`, or ask with `accelscope sweep`",
                ),
            )
        )


def _swept(
    scenario: Component, statement: Statement, assignment: Assignment | None, position: int
) -> SweptAxis:
    values = evaluate_domain(scenario.interpreter, statement)
    if values is None:
        raise DescriptionError(scenario.interpreter.diagnostics)
    if any(isinstance(item, Quantity) and item.tolerance is not None for item in values):
        span = statement.domain.span(statement.scope.source)
        message = f"values of the axis `{statement.path}` take no tolerance"
        raise DescriptionError((Diagnostic(code="A211", message=message, span=span, help="leave `±` out"),))
    return SweptAxis(
        axis=make_axis(scenario, statement.path, values),
        assignment=assignment,
        position=position,
        tuned=statement.word == "tune",
    )


def make_axis(scenario: Component, name: str, values: tuple[object, ...]) -> Axis:
    """Return the axis of some values: numbers in the unit as written, or names of variants."""
    quantities = [item for item in values if isinstance(item, Quantity)]
    if len(quantities) == len(values):
        unit = quantities[0].unit or ""
        scale = scenario.interpreter.units.parse(unit)[0] if unit else 1.0
        if not unit and quantities[0].dimension != DIMENSIONLESS:
            unit = str(quantities[0].dimension)
        shown = tuple(float(item.magnitude) / scale for item in quantities)
        return Axis(name=name, unit=unit, values=shown, numeric=True)
    return Axis(name=name, unit="", values=tuple(_names(values)), numeric=False)


def _names(values: tuple[object, ...]) -> Iterator[str]:
    for item in values:
        yield item.name if isinstance(item, Symbol | Component) else str(item)
