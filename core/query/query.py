"""What is asked of a program: a scenario or study, plain overrides, and the axes that are swept."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

import numpy as np
from attrs import frozen

from accelscope.core.bind.scenario_paths import names_of, of_scenario, with_paths
from accelscope.core.errors import DescriptionError
from accelscope.core.ir.usage import Limit, condition
from accelscope.core.numeric.axes import Axis, along
from accelscope.dsl.check.program import Program, Session, load
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, has_errors
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.sweep_axes import Axis as Statement
from accelscope.dsl.interpret.sweep_axes import evaluate_domain
from accelscope.dsl.override.override_check import check_settings
from accelscope.dsl.override.overrides import Assignment, Override, derive, parse_override, scope_of
from accelscope.dsl.syntax.nodes import ListOf, Range
from accelscope.dsl.values.units import NONE
from accelscope.dsl.values.values import Quantity, Symbol


@frozen(kw_only=True, eq=False)
class Swept:
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
class Question:
    """A scenario of a program with what is set and what is swept.

    Attributes:
        name: `scenario NAME` or `study NAME`.
    """

    program: Program
    name: str
    plain: tuple[Assignment, ...]
    swept: tuple[Swept, ...]

    @property
    def label(self) -> str:
        """The name without its kind."""
        return self.name.partition(" ")[2]


def question(program: Program, name: str, sets: tuple[str, ...], *, tuned: bool = False) -> Question:
    """Return a question.

    Args:
        tuned: whether whoever asks knows what to do with axes of `tune`; else they are refused.

    Raises:
        DescriptionError: a text of `sets` or an axis is wrong.
    """
    assignments = [parsed(text) for text in sets]
    owner = owner_of(program, name)
    scenario = scenario_of(owner)
    plain = tuple(item for item in assignments if not several(item))
    swept = [_swept(scenario, item.axis(scenario), item, 0) for item in assignments if several(item)]
    paths = {item.axis.name for item in swept} | {item.axis(scenario).path for item in plain}
    for position, statement in enumerate(owner.sweeps()):
        if not tuned:
            _refuse_tune(statement)
        if statement.path not in paths:
            swept.append(_swept(scenario, statement, None, position))
    return Question(program=program, name=name, plain=plain, swept=tuple(swept))


def placed(
    asked: Question, session: Session, picks: Mapping[str, int], numeric: tuple[Swept, ...], dimensions: int
) -> Component | None:
    """Return the scenario of a question in a fresh session with everything set; None after reporting a problem.

    Args:
        picks: index of the value of each axis that is a variant.
        numeric: the axes that own an array dimension, in order.
        dimensions: of the arrays; 0 sets the first value of each axis as a plain number.
    """
    program = load(asked.program.module.source, session)
    owner = owner_of(program, asked.name)
    scenario = scenario_of(owner)
    overrides = [item.override() for item in asked.plain]
    for item, statement, values in swept_axes(asked, owner, scenario):
        if values is None:
            return None
        if item.axis.numeric:
            value: object = _array(values, numeric.index(item), dimensions)
        else:
            value = values[picks[item.axis.name]]
        text = statement.domain.span(statement.scope.source).text
        overrides.append(Override(path=statement.target, value=value, span=statement.span, text=text))
    derived = derive(scenario, overrides)
    if derived is not None:
        check_settings(derived)
    return derived


def pruned(
    asked: Question, scenario: Component, numeric: tuple[Swept, ...], dimensions: int
) -> Iterator[Limit]:
    """Yield a limit for each `when` of a sweep: points where it does not hold are left out.

    Its names are those of the swept paths, or paths of the scenario such as `tp`.
    """
    session = scenario.session
    owner = owner_of(load(asked.program.module.source, session), asked.name)
    conditional = [statement for statement in owner.sweeps() if statement.when is not None]
    if not conditional:
        return
    swept: dict[str, object] = {}
    for item, _, values in swept_axes(asked, owner, scenario):
        if item.axis.numeric and values:
            swept[item.axis.name.rpartition(".")[2]] = _array(values, numeric.index(item), dimensions)
    yield from left_out(conditional, scenario, swept)


def left_out(
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
        when = with_paths(statement.when, scenario, paths)
        names = {name: of_scenario(scenario, (name,)) for name in names_of(when)} | dict(swept)
        known = {name: value for name, value in names.items() if value is not None} | paths
        scope = scope_of(scenario, statement.scope.source)
        holds = scenario.session.value_of(when, scope, known)
        if holds is not None:
            text = statement.when.span(statement.scope.source).text
            yield condition(
                f"when {text}", np.asarray(holds), f"the sweep leaves points out where not {text}"
            )


def swept_axes(
    asked: Question, owner: Component, scenario: Component
) -> Iterator[tuple[Swept, Statement, tuple[object, ...] | None]]:
    """Yield each axis of a question with its statement and its values in the session of a scenario.

    Values are None where something is wrong with them, which has been reported.
    """
    statements = owner.sweeps()
    for item in asked.swept:
        statement = item.assignment.axis(scenario) if item.assignment else statements[item.position]
        values = evaluate_domain(scenario.session, statement)
        yield item, statement, values if values is None or item.part is None else values[item.part]


def _array(values: tuple[object, ...], position: int, dimensions: int) -> Quantity:
    items = [item for item in values if isinstance(item, Quantity)]
    first = items[0]
    if dimensions == 0:
        return first
    magnitudes = np.array([float(item.magnitude) for item in items])
    return Quantity(
        magnitude=along(magnitudes, position, dimensions), dimension=first.dimension, unit=first.unit
    )


def parsed(text: str) -> Assignment:
    """Return an argument of `--set`; raise DescriptionError where it is wrong."""
    found, problems = parse_override(text)
    if found is None or has_errors(problems):
        raise DescriptionError(problems)
    return found


def several(item: Assignment) -> bool:
    """Return whether an argument gives an axis rather than one value."""
    return item.step is not None or isinstance(item.domain, ListOf | Range)


def owner_of(program: Program, name: str) -> Component:
    """Return the scenario or study of a name such as `study s`."""
    found = program.lookup(name)
    if found is None:
        raise DescriptionError(program.diagnostics)
    return found


def scenario_of(owner: Component) -> Component:
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


def _swept(scenario: Component, statement: Statement, assignment: Assignment | None, position: int) -> Swept:
    values = evaluate_domain(scenario.session, statement)
    if values is None:
        raise DescriptionError(scenario.session.diagnostics)
    if any(isinstance(item, Quantity) and item.tolerance is not None for item in values):
        span = statement.domain.span(statement.scope.source)
        message = f"values of the axis `{statement.path}` take no tolerance"
        raise DescriptionError((Diagnostic(code="A211", message=message, span=span, help="leave `±` out"),))
    return Swept(
        axis=axis_at(scenario, statement.path, values),
        assignment=assignment,
        position=position,
        tuned=statement.word == "tune",
    )


def axis_at(scenario: Component, name: str, values: tuple[object, ...]) -> Axis:
    """Return the axis of some values: numbers in the unit as written, or names of variants."""
    quantities = [item for item in values if isinstance(item, Quantity)]
    if len(quantities) == len(values):
        unit = quantities[0].unit or ""
        scale = scenario.session.units.parse(unit)[0] if unit else 1.0
        if not unit and quantities[0].dimension != NONE:
            unit = str(quantities[0].dimension)
        shown = tuple(float(item.magnitude) / scale for item in quantities)
        return Axis(name=name, unit=unit, values=shown, numeric=True)
    return Axis(name=name, unit="", values=tuple(_names(values)), numeric=False)


def _names(values: tuple[object, ...]) -> Iterator[str]:
    for item in values:
        yield item.name if isinstance(item, Symbol | Component) else str(item)
