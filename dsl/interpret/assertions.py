"""`check` and `assert`: whether they hold, and the values if they do not; conditions and goals that wait for metrics."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Label, Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.layers import Scope, ScopedStatement
from accelscope.dsl.syntax.nodes import (
    Annotated,
    Attr,
    Binary,
    Call,
    CheckStatement,
    Compare,
    Expr,
    GoalStatement,
    Name,
    Number,
)
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.value_text import MAX_VALUE_CHARACTERS, format_value, shorten_text
from accelscope.dsl.values.values import Magnitude, Quantity


@frozen(kw_only=True, eq=False)
class Requirement:
    """A condition or goal that waits for the metrics: `require`, `prefer`, `minimize` or `maximize`.

    Attributes:
        word: which of them.
        expr: the expression, for `Interpreter.value_of` with the metrics as extra names.
        message: the string after `else`, or the name after `as`.
        scope: where its names are looked up.
        span: the place of the statement.
        text: the expression as written.
    """

    word: str
    expr: Expr
    message: str | None
    scope: Scope
    span: Span
    text: str


@frozen(kw_only=True, eq=False)
class Assertion:
    """An evaluated `check` or `assert`.

    Attributes:
        word: "check" or "assert".
        text: the expression as written.
        message: the string after `else`, or None.
        span: the place of the statement.
        holds: a bool, or an array of bools during a sweep.
        diagnostic: the error if it does not hold (for an array: not everywhere), or None.
    """

    word: str
    text: str
    message: str | None
    span: Span
    holds: Magnitude
    diagnostic: Diagnostic | None


def collect_requirements(
    component: Component, words: tuple[str, ...] = ("require", "prefer")
) -> tuple[Requirement, ...]:
    """Return the conditions of a component that wait for metrics.

    Args:
        component: the component.
        words: the statements to return.
    """
    requirements = []
    for item in component.index().checks:
        statement = item.statement
        if isinstance(statement, CheckStatement) and statement.word in words:
            requirements.append(_requirement(item, statement, statement.message))
    return tuple(requirements)


def collect_goals(component: Component) -> tuple[Requirement, ...]:
    """Return the `minimize` and `maximize` statements of a component; `message` is the name after `as`."""
    items = component.index().goals
    return tuple(
        _requirement(item, item.statement, item.statement.name)
        for item in items
        if isinstance(item.statement, GoalStatement)
    )


def _requirement(
    item: ScopedStatement, statement: CheckStatement | GoalStatement, message: str | None
) -> Requirement:
    return Requirement(
        word=statement.word,
        expr=statement.expr,
        message=message,
        scope=item.scope,
        span=item.span,
        text=statement.expr.span(item.scope.source).text,
    )


def evaluate_assertions(component: Component, words: tuple[str, ...]) -> tuple[Assertion, ...]:
    """Return the `assert`s of a component, and the `check`s of its own text, evaluated; errors in them are reported.

    Args:
        component: the component.
        words: the statements to evaluate: "check", "assert" or both.
    """
    assertions = []
    for item in component.index().checks:
        statement = item.statement
        if not isinstance(statement, CheckStatement) or statement.word not in words:
            continue
        if statement.word == "check" and not item.layer.own:
            continue
        try:
            assertions.append(_run(component, item, statement))
        except EvaluationFailed as problem:
            component.interpreter.report(problem, item.span)
        except PoisonedValue:
            continue
    return tuple(assertions)


def _run(component: Component, item: ScopedStatement, statement: CheckStatement) -> Assertion:
    interpreter = component.interpreter
    holds = interpreter.evaluate_condition(statement.expr, item.scope)
    failed = not holds if isinstance(holds, bool) else not interpreter.operations.all(holds)
    return Assertion(
        word=statement.word,
        text=statement.expr.span(item.scope.source).text,
        message=statement.message,
        span=item.span,
        holds=holds,
        diagnostic=_failure(component, item, statement) if failed else None,
    )


def _failure(component: Component, item: ScopedStatement, statement: CheckStatement) -> Diagnostic:
    scope = item.scope
    code = "A301" if statement.word == "check" else "A302"
    expr = _failing_part(component, statement.expr, scope)
    sides = [(node, value) for node in _sides(expr) if (value := _value(component, node, scope)) is not None]
    values = [
        f"`{_text(node, scope)}` is {format_value(value)}" for node, value in sides if not _is_literal(node)
    ]
    span = statement.expr.span(scope.source)
    labels: tuple[Label, ...] = ()
    block = component.span
    if statement.word == "assert" and block is not None and not item.layer.own:
        labels = (
            Label(span=Span(block.source, block.start, block.start + 1), text=f"in `{component.path}`"),
        )
    return Diagnostic(
        code=code,
        message=f"{statement.word} failed" + (f": {statement.message}" if statement.message else ""),
        span=span,
        label=" and ".join(values[:2]),
        labels=labels,
        notes=tuple(_bit_notes(component, expr, scope, [value for _, value in sides])),
    )


def _failing_part(component: Component, expr: Expr, scope: Scope) -> Expr:
    """Return the part of an `and` that fails."""
    while isinstance(expr, Binary) and expr.op == "and":
        left = component.interpreter.evaluate_condition(expr.left, scope)
        expr = expr.right if component.interpreter.operations.all(left) else expr.left
    return expr


def _sides(expr: Expr) -> tuple[Expr, ...]:
    if isinstance(expr, Compare):
        return (expr.first, *(node for _, node in expr.rest))
    if isinstance(expr, Call):
        return tuple(arg for arg in expr.args[:2] if isinstance(arg, Expr))
    return ()


def _value(component: Component, node: Expr, scope: Scope) -> object:
    try:
        return component.interpreter.evaluate(node, scope)
    except (EvaluationFailed, PoisonedValue):
        return None


def _text(node: Expr, scope: Scope) -> str:
    return shorten_text(" ".join(node.span(scope.source).text[: 2 * MAX_VALUE_CHARACTERS].split()))


def _is_literal(node: Expr) -> bool:
    return isinstance(node, Number)


def _bit_notes(component: Component, expr: Expr, scope: Scope, sides: list[object]) -> Iterator[str]:
    """Yield notes on values in bits, if the two sides differ by a factor of eight."""
    sizes = [side.magnitude for side in sides if isinstance(side, Quantity)]
    if len(sizes) != 2 or not all(isinstance(size, float) and size > 0 for size in sizes):
        return
    ratio = max(sizes) / min(sizes)
    if not 7.5 < ratio < 8.5:
        return
    for node in _names_and_literals(expr):
        literal = _definition(component, node, scope)
        if literal is not None and literal.unit is not None and _in_bits(literal.unit):
            scale, dimension = component.interpreter.units.parse(literal.unit)
            value = show_quantity(Quantity(magnitude=literal.value * scale, dimension=dimension))
            yield f"{literal.value:g} {literal.unit} is {value}: `b` is a bit and `B` a byte"


def _in_bits(unit: str) -> bool:
    return unit.split("/")[0].split("*")[0].endswith(("b", "bit"))


def _names_and_literals(node: Expr) -> Iterator[Expr]:
    """Yield the names and literals of an expression."""
    if isinstance(node, Name | Attr | Number):
        yield node
    elif isinstance(node, Binary):
        yield from _names_and_literals(node.left)
        yield from _names_and_literals(node.right)
    elif isinstance(node, Compare | Call):
        for side in _sides(node):
            yield from _names_and_literals(side)


def _definition(component: Component, node: Expr, scope: Scope) -> Number | None:
    """Return the literal that defines a name."""
    if isinstance(node, Number):
        return node
    owner: object = None
    if isinstance(node, Attr):
        owner, name = _value(component, node.base, scope), node.name
    elif isinstance(node, Name):
        name = node.id
        owner = next((at.component for at in scope.chain() if at.component and at.component.has(name)), None)
    if not isinstance(owner, Component):
        return None
    member = owner.index().members.get(name)
    value = member.bindings[-1].node if member is not None and member.bindings else None
    value = value.expr if isinstance(value, Annotated) else value
    return value if isinstance(value, Number) else None
