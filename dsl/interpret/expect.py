"""A value where only a number or a condition will do, or a problem that says what stands there instead."""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.functions import BUILT_IN_FUNCTIONS
from accelscope.dsl.interpret.scope import Scope, list_visible_names
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
    """Return a value that is a number.

    Raises:
        Problem: it is something else.
    """
    if isinstance(value, Quantity):
        return value
    raise _wanted("a number", value, node, scope)


def expect_condition(value: object, node: Expr, scope: Scope) -> Magnitude:
    """Return a value that is true or false, or an array of such.

    Raises:
        Problem: it is something else.
    """
    if is_condition(value):
        return value
    raise _wanted("a condition", value, node, scope)


def unknown_name(name: str, node: Expr, scope: Scope) -> EvaluationFailed:
    """Return the problem of a name that nothing defines."""
    name = name.partition(".")[0]
    text = node.span(scope.source).text
    start = node.start + max(text.find(name), 0)
    return EvaluationFailed(
        "A201",
        f"nothing is called `{name}`",
        Span(scope.source, start, start + len(name)),
        help=did_you_mean(name, list_visible_names(scope)) or _unit_hint(name),
    )


def _unit_hint(name: str) -> str | None:
    try:
        built_in_unit_table().parse(name)
    except UnknownUnit:
        return None
    return f"`{name}` is a unit: write it right after a number, as in `1 {name}` or `0.09 {name}^-2`"


def _wanted(what: str, value: object, node: Expr, scope: Scope) -> EvaluationFailed:
    if isinstance(value, Symbol):
        return unknown_name(value.name, node, scope)
    if isinstance(value, Constructor):
        span = (node.base if isinstance(node, Call) else node).span(scope.source)
        known = did_you_mean(value.name, [*BUILT_IN_FUNCTIONS, *list_visible_names(scope)])
        return EvaluationFailed("A205", f"no function is called `{value.name}`", span, help=known)
    return EvaluationFailed(
        "A208", f"{what} is needed here, and this is {describe_value(value)}", node.span(scope.source)
    )
