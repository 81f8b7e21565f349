"""Values that must be a number or a condition, and the error if they are something else."""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.functions import BUILT_IN_FUNCTIONS
from accelscope.dsl.interpret.layers import Scope
from accelscope.dsl.interpret.scope import list_visible_names
from accelscope.dsl.syntax.nodes import Call, Expr
from accelscope.dsl.values.units import UnknownUnit, built_in_unit_table
from accelscope.dsl.values.values import (
    Constructor,
    Magnitude,
    Quantity,
    Symbol,
    describe_value,
    is_condition,
)


def expect_quantity(value: object, node: Expr, scope: Scope) -> Quantity:
    """Return a value that must be a number.

    Args:
        value: the value.
        node: its expression, for the place of the error.
        scope: the scope of the expression.

    Raises:
        EvaluationFailed: it is something else.
    """
    if isinstance(value, Quantity):
        return value
    raise _unexpected("a number", value, node, scope)


def expect_condition(value: object, node: Expr, scope: Scope) -> Magnitude:
    """Return a value that must be true or false, or an array of bools.

    Args:
        value: the value.
        node: its expression, for the place of the error.
        scope: the scope of the expression.

    Raises:
        EvaluationFailed: it is something else.
    """
    if is_condition(value):
        return value
    raise _unexpected("a condition", value, node, scope)


def unknown_name(name: str, node: Expr, scope: Scope) -> EvaluationFailed:
    """Return the error for a name that is not defined.

    Args:
        name: the name; of a dotted one the first part is reported.
        node: the expression that has it.
        scope: where it was looked up.
    """
    name = name.partition(".")[0]
    text = node.span(scope.source).text
    start = node.start + max(text.find(name), 0)
    return EvaluationFailed(
        "A201",
        f"`{name}` is not defined",
        Span(scope.source, start, start + len(name)),
        help=did_you_mean(name, list_visible_names(scope)) or _unit_hint(name),
    )


def _unit_hint(name: str) -> str | None:
    try:
        built_in_unit_table().parse(name)
    except UnknownUnit:
        return None
    return f"`{name}` is a unit: write it directly after a number, as in `1 {name}` or `0.09 {name}^-2`"


def _unexpected(expected: str, value: object, node: Expr, scope: Scope) -> EvaluationFailed:
    if isinstance(value, Symbol):
        return unknown_name(value.name, node, scope)
    if isinstance(value, Constructor):
        span = (node.base if isinstance(node, Call) else node).span(scope.source)
        help = did_you_mean(value.name, [*BUILT_IN_FUNCTIONS, *list_visible_names(scope)])
        return EvaluationFailed("A205", f"there is no function `{value.name}`", span, help=help)
    return EvaluationFailed(
        "A208", f"expected {expected}, got {describe_value(value)}", node.span(scope.source)
    )
