"""`sweep` and `tune` statements, and the values of their axes: a list, or a range with steps or points."""

from __future__ import annotations

import math

from attrs import frozen

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.layers import Scope
from accelscope.dsl.interpret.number_literals import is_bare_number
from accelscope.dsl.syntax.nodes import Expr, StepClause, SweepStatement
from accelscope.dsl.values.arithmetic import dimension_mismatch, show_quantity
from accelscope.dsl.values.units import DIMENSIONLESS, Dimension
from accelscope.dsl.values.values import Interval, ListValue, Quantity, describe_value

MAX_AXIS_VALUES = 1_000_000
_SLACK = 1e-9


@frozen(kw_only=True, eq=False)
class AxisStatement:
    """A `sweep` or `tune` statement.

    Attributes:
        word: "sweep" or "tune".
        path: the target as written, such as `gpu.hbm.bandwidth`.
        target: its syntax.
        domain: the syntax of the values.
        step: how a range is divided, or None.
        when: a condition; points that do not meet it are left out. None for all points.
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
    """Return the `sweep` and `tune` statements of a component, in the order of the text."""
    axes = []
    for item in component.index().sweeps:
        statement = item.statement
        if isinstance(statement, SweepStatement):
            axes.append(build_axis_statement(statement, item.scope))
    return tuple(axes)


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
    context: EvaluationContext, axis: AxisStatement, scope: Scope | None = None
) -> tuple[object, ...] | None:
    """Return the values of an axis, or None after reporting why there are none.

    Args:
        context: what evaluates them.
        axis: the axis.
        scope: where names are looked up; the scope of the axis if None.
    """
    try:
        return _values(context, axis, scope or axis.scope)
    except EvaluationFailed as problem:
        context.report(problem, axis.domain.span(axis.scope.source))
    except PoisonedValue:
        pass
    return None


def _values(context: EvaluationContext, axis: AxisStatement, scope: Scope) -> tuple[object, ...]:
    domain = context.evaluate(axis.domain, scope)
    if isinstance(domain, Interval):
        return _divide(context, axis, domain, scope)
    if axis.step is not None:
        message = f"only a range such as `1..256` can have `step` or `points`, not {describe_value(domain)}"
        raise EvaluationFailed("A105", message)
    items = domain.items if isinstance(domain, ListValue) else (domain,)
    if not items:
        raise EvaluationFailed("A105", "an axis needs at least one value")
    quantities = [item for item in items if isinstance(item, Quantity)]
    for item in quantities[1:]:
        if item.dimension != quantities[0].dimension:
            raise dimension_mismatch("sweep over", quantities[0], item)
    if len(items) > MAX_AXIS_VALUES:
        raise _too_many_values(len(items))
    return items


def _too_many_values(n: float) -> EvaluationFailed:
    return EvaluationFailed("A209", f"an axis may have at most {MAX_AXIS_VALUES:,} values, not {n:,.0f}")


def _divide(
    context: EvaluationContext, axis: AxisStatement, domain: Interval, scope: Scope
) -> tuple[Quantity, ...]:
    if axis.step is None:
        raise EvaluationFailed(
            "A211",
            "a range does not say which values to use",
            help="add `step 16`, `step x2` or `points 9 log`",
        )
    amount = context.evaluate_quantity(axis.step.amount, scope)
    low, high = float(domain.low.magnitude), float(domain.high.magnitude)
    span = axis.step.amount.span(scope.source)
    try:
        values = _DIVISIONS[axis.step.kind](context, axis.step, amount, low, high, domain.high)
    except EvaluationFailed as problem:
        problem.span = problem.span or span
        raise
    unit = domain.high.unit
    return tuple(_quantity(value, domain.high.dimension, unit) for value in values)


def _quantity(value: float, dimension: Dimension, unit: str | None) -> Quantity:
    return Quantity(magnitude=value, dimension=dimension, unit=unit)


def _add_steps(
    context: EvaluationContext, step: StepClause, amount: Quantity, low: float, high: float, end: Quantity
) -> list[float]:
    size = float(amount.magnitude)
    if (
        amount.dimension == DIMENSIONLESS != end.dimension
        and is_bare_number(step.amount)
        and end.unit is not None
    ):
        size *= context.units.parse(end.unit)[0]
    elif amount.dimension != end.dimension:
        raise dimension_mismatch("step", amount, end)
    if size <= 0:
        raise EvaluationFailed("A107", f"a step must be above zero, not {show_quantity(amount)}")
    n = math.floor(min((high - low) / size * (1 + _SLACK) + _SLACK, 1e15)) + 1
    if n > MAX_AXIS_VALUES:
        raise _too_many_values(n)
    return [low + i * size for i in range(n)]


def _multiply_steps(
    context: EvaluationContext, step: StepClause, amount: Quantity, low: float, high: float, end: Quantity
) -> list[float]:
    factor = float(amount.magnitude)
    if amount.dimension != DIMENSIONLESS or factor <= 1:
        raise EvaluationFailed(
            "A107", f"a factor must be a plain number above 1, not {show_quantity(amount)}"
        )
    if low <= 0:
        raise EvaluationFailed("A107", "a range with a factor must begin above zero")
    n = math.floor(math.log(high / low) / math.log(factor) + _SLACK) + 1
    if n > MAX_AXIS_VALUES:
        raise _too_many_values(n)
    return [low * factor**i for i in range(n)]


def _points(amount: Quantity) -> int:
    n = float(amount.magnitude)
    if amount.dimension != DIMENSIONLESS or n != int(n) or n < 1:
        raise EvaluationFailed(
            "A107", f"the number of points must be a whole number of at least 1, not {show_quantity(amount)}"
        )
    if n > MAX_AXIS_VALUES:
        raise _too_many_values(n)
    return int(n)


def _linear_points(
    context: EvaluationContext, step: StepClause, amount: Quantity, low: float, high: float, end: Quantity
) -> list[float]:
    n = _points(amount)
    if n == 1:
        return [low]
    return [low + (high - low) * i / (n - 1) for i in range(n - 1)] + [high]


def _logarithmic_points(
    context: EvaluationContext, step: StepClause, amount: Quantity, low: float, high: float, end: Quantity
) -> list[float]:
    n = _points(amount)
    if low <= 0:
        raise EvaluationFailed("A107", "a range with logarithmic points must begin above zero")
    if n == 1:
        return [low]
    return [low * (high / low) ** (i / (n - 1)) for i in range(n - 1)] + [high]


_DIVISIONS = {"add": _add_steps, "mul": _multiply_steps, "lin": _linear_points, "log": _logarithmic_points}
