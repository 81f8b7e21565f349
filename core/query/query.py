"""What is asked of a program: a scenario or study, plain overrides, and the axes that are swept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

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
from accelscope.dsl.check.override_values import check_settings
from accelscope.dsl.check.program import Program, load_program
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, has_errors
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.interpreter import Interpreter, interpreter_of
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
    """One axis, whatever session it is looked at in: the assignment or the how-manieth statement that gives it.

    Attributes:
        tuned: whether it is of `tune`, so that its best value is wanted at each point of the others.
        part: of its values, which are looked at; None for all.
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
        name: `scenario NAME` or `study NAME`.
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
    """Return a question.

    Args:
        tuned: whether whoever asks knows what to do with axes of `tune`; else they are refused.

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


def instantiate_scenario(
    asked: Query,
    session: Interpreter,
    picks: Mapping[str, int],
    numeric: tuple[SweptAxis, ...],
    dimensions: int,
) -> Component | None:
    """Return the scenario of a question in a fresh session with everything set; None after reporting a problem.

    Args:
        picks: index of the value of each axis that is a variant.
        numeric: the axes that own an array dimension, in order.
        dimensions: of the arrays; 0 sets the first value of each axis as a plain number.
    """
    program = load_program(asked.program.module.source, session)
    owner = find_query_block(program, asked.name)
    scenario = find_base_scenario(owner)
    overrides = [item.override() for item in asked.plain]
    for item, statement, values in resolve_swept_axes(asked, owner, scenario):
        if values is None:
            return None
        if item.axis.numeric:
            value: object = _array(values, numeric.index(item), dimensions)
        else:
            value = values[picks[item.axis.name]]
        text = statement.domain.span(statement.scope.source).text
        overrides.append(Override(path=statement.target, value=value, span=statement.span, text=text))
    derived = derive_scenario(scenario, overrides)
    if derived is not None:
        check_settings(derived)
    return derived


def build_prune_limits(
    asked: Query, scenario: Component, numeric: tuple[SweptAxis, ...], dimensions: int
) -> Iterator[Limit]:
    """Yield a limit for each `when` of a sweep: points where it does not hold are left out.

    Its names are those of the swept paths, or paths of the scenario such as `tp`.
    """
    session = interpreter_of(scenario)
    owner = find_query_block(load_program(asked.program.module.source, session), asked.name)
    conditional = [statement for statement in collect_axis_statements(owner) if statement.when is not None]
    if not conditional:
        return
    swept: dict[str, object] = {}
    for item, _, values in resolve_swept_axes(asked, owner, scenario):
        if item.axis.numeric and values:
            swept[item.axis.name.rpartition(".")[2]] = _array(values, numeric.index(item), dimensions)
    yield from build_when_limits(conditional, scenario, swept)


def build_when_limits(
    statements: Iterable[Statement], scenario: Component, swept: Mapping[str, object]
) -> Iterator[Limit]:
    """Yield a limit for the `when` of each statement that has one.

    Args:
        swept: values by the last name of a swept path; they go before those of the scenario.
    """
    for statement in statements:
        if statement.when is None:
            continue
        paths: dict[str, object] = {}
        when = replace_scenario_paths(statement.when, scenario, paths)
        names = {
            name: read_scenario_path(scenario, (name,)) for name in collect_expression_names(when)
        } | dict(swept)
        known = {name: value for name, value in names.items() if value is not None} | paths
        scope = build_override_scope(scenario, statement.scope.source)
        holds = scenario.interpreter.value_of(when, scope, known)
        if holds is not None:
            text = statement.when.span(statement.scope.source).text
            yield condition(
                f"when {text}", np.asarray(holds), f"the sweep leaves points out where not {text}"
            )


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
