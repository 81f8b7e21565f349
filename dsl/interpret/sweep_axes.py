"""The values of a sweep: a list, or a range with steps or points."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from attrs import frozen

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.number_literals import is_bare_number
from accelscope.dsl.interpret.scope import Scope
from accelscope.dsl.syntax.nodes import Expr, StepClause, SweepStatement
from accelscope.dsl.values.arithmetic import dimension_mismatch, show_quantity
from accelscope.dsl.values.units import DIMENSIONLESS, Dimension
from accelscope.dsl.values.values import Interval, ListValue, Quantity, describe_value

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Interpreter

MAX_AXIS_VALUES = 1_000_000
_SLACK = 1e-9


@frozen(kw_only=True, eq=False)
class AxisStatement:
    """A `sweep` or `tune` statement.

    Attributes:
        word: "sweep" or "tune".
        path: the target as written, such as `gpu.hbm.bandwidth`.
        target: its syntax.
        domain: the syntax of the values, with `step` where they are given as a range.
        when: a condition that prunes points, or None.
        scope: where names are looked up.
        span: the place of the statement.
    """

    word: str
    path: str
    target: Expr
    domain: Expr
    step: StepClause | None
    when: Expr | None
    scope: Scope
    span: Span


def collect_axis_statements(component: Component) -> tuple[AxisStatement, ...]:
    """Return the axes of a study, sweeps and tunes in the order of the text."""
    found = []
    for item in component.index().sweeps:
        statement = item.statement
        if isinstance(statement, SweepStatement):
            found.append(build_axis_statement(statement, item.scope))
    return tuple(found)


def build_axis_statement(statement: SweepStatement, scope: Scope) -> AxisStatement:
    """Return a statement with its scope as an axis."""
    return AxisStatement(
        word=statement.word,
        path=statement.target.span(scope.source).text,
        target=statement.target,
        domain=statement.domain,
        step=statement.step,
        when=statement.when,
        scope=scope,
        span=statement.span(scope.source),
    )


def evaluate_domain(
    session: Interpreter, axis: AxisStatement, scope: Scope | None = None
) -> tuple[object, ...] | None:
    """Return the values of an axis, or None after reporting why there are none."""
    try:
        return _values(session, axis, scope or axis.scope)
    except EvaluationFailed as problem:
        session.report(problem, axis.domain.span(axis.scope.source))
    except PoisonedValue:
        pass
    return None


def _values(session: Interpreter, axis: AxisStatement, scope: Scope) -> tuple[object, ...]:
    domain = session.evaluate(axis.domain, scope)
    if isinstance(domain, Interval):
        return _divided(session, axis, domain, scope)
    if axis.step is not None:
        message = f"only a range such as `1..256` is divided into steps, and this is {describe_value(domain)}"
        raise EvaluationFailed("A105", message)
    items = domain.items if isinstance(domain, ListValue) else (domain,)
    if not items:
        raise EvaluationFailed("A105", "an axis has at least one value")
    quantities = [item for item in items if isinstance(item, Quantity)]
    for item in quantities[1:]:
        if item.dimension != quantities[0].dimension:
            raise dimension_mismatch("sweep over", quantities[0], item)
    if len(items) > MAX_AXIS_VALUES:
        raise _too_many(len(items))
    return items


def _too_many(n: float) -> EvaluationFailed:
    return EvaluationFailed(
        "A209", f"an axis has at most {MAX_AXIS_VALUES:,} values, and this one has {n:,.0f}"
    )


def _divided(
    session: Interpreter, axis: AxisStatement, domain: Interval, scope: Scope
) -> tuple[Quantity, ...]:
    if axis.step is None:
        raise EvaluationFailed(
            "A211",
            "a range alone has no values to try",
            help="add `step 16`, `step x2` or `points 9 log`",
        )
    amount = session.evaluator.quantity(axis.step.amount, scope)
    low, high = float(domain.low.magnitude), float(domain.high.magnitude)
    span = axis.step.amount.span(scope.source)
    try:
        found = _MAKERS[axis.step.kind](session, axis.step, amount, low, high, domain.high)
    except EvaluationFailed as problem:
        problem.span = problem.span or span
        raise
    unit = domain.high.unit
    return tuple(_at(value, domain.high.dimension, unit) for value in found)


def _at(value: float, dimension: Dimension, unit: str | None) -> Quantity:
    return Quantity(magnitude=value, dimension=dimension, unit=unit)


def _added(
    session: Interpreter, step: StepClause, amount: Quantity, low: float, high: float, end: Quantity
) -> list[float]:
    size = float(amount.magnitude)
    if (
        amount.dimension == DIMENSIONLESS != end.dimension
        and is_bare_number(step.amount)
        and end.unit is not None
    ):
        size *= session.units.parse(end.unit)[0]
    elif amount.dimension != end.dimension:
        raise dimension_mismatch("step", amount, end)
    if size <= 0:
        raise EvaluationFailed("A107", f"a step is above zero, not {show_quantity(amount)}")
    n = math.floor(min((high - low) / size * (1 + _SLACK) + _SLACK, 1e15)) + 1
    if n > MAX_AXIS_VALUES:
        raise _too_many(n)
    return [low + i * size for i in range(n)]


def _multiplied(
    session: Interpreter, step: StepClause, amount: Quantity, low: float, high: float, end: Quantity
) -> list[float]:
    factor = float(amount.magnitude)
    if amount.dimension != DIMENSIONLESS or factor <= 1:
        raise EvaluationFailed("A107", f"a factor is a plain number above 1, not {show_quantity(amount)}")
    if low <= 0:
        raise EvaluationFailed("A107", "a range that is multiplied through begins above zero")
    n = math.floor(math.log(high / low) / math.log(factor) + _SLACK) + 1
    if n > MAX_AXIS_VALUES:
        raise _too_many(n)
    return [low * factor**i for i in range(n)]


def _points(amount: Quantity) -> int:
    n = float(amount.magnitude)
    if amount.dimension != DIMENSIONLESS or n != int(n) or n < 1:
        raise EvaluationFailed(
            "A107", f"the number of points is a whole number from 1 up, not {show_quantity(amount)}"
        )
    if n > MAX_AXIS_VALUES:
        raise _too_many(n)
    return int(n)


def _linear(
    session: Interpreter, step: StepClause, amount: Quantity, low: float, high: float, end: Quantity
) -> list[float]:
    n = _points(amount)
    if n == 1:
        return [low]
    return [low + (high - low) * i / (n - 1) for i in range(n - 1)] + [high]


def _logarithmic(
    session: Interpreter, step: StepClause, amount: Quantity, low: float, high: float, end: Quantity
) -> list[float]:
    n = _points(amount)
    if low <= 0:
        raise EvaluationFailed("A107", "a range with logarithmic points begins above zero")
    if n == 1:
        return [low]
    return [low * (high / low) ** (i / (n - 1)) for i in range(n - 1)] + [high]


_MAKERS = {"add": _added, "mul": _multiplied, "lin": _linear, "log": _logarithmic}
