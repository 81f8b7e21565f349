"""Numbers with units, and ranges whose low end takes the unit of the high end."""

from __future__ import annotations

from collections.abc import Iterator

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.expect import expect_quantity
from accelscope.dsl.interpret.layers import Scope
from accelscope.dsl.interpret.scope import defines_name
from accelscope.dsl.syntax.nodes import Expr, Number, Range, Unary
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.arithmetic import dimension_mismatch
from accelscope.dsl.values.units import DIMENSIONLESS, UnknownUnit
from accelscope.dsl.values.values import Interval, Quantity


def evaluate_number(context: EvaluationContext, node: Number, scope: Scope) -> Quantity:
    """Return the quantity of a literal.

    Args:
        context: what knows the units.
        node: the literal.
        scope: its scope, for hints about a name that was taken for a unit.

    Raises:
        EvaluationFailed: its unit is unknown, or it is too large for a number.
    """
    if node.unit is None:
        value = Quantity(magnitude=float(node.value))
    else:
        try:
            scale, dimension = context.units.parse(node.unit)
        except UnknownUnit as unknown:
            raise _unknown_unit(unknown, node, scope) from None
        value = Quantity(magnitude=node.value * scale, dimension=dimension, unit=node.unit)
    if value.magnitude in (float("inf"), float("-inf")):
        raise EvaluationFailed("A208", "this number is too large", node.span(scope.source))
    return value


def _unknown_unit(unknown: UnknownUnit, node: Number, scope: Scope) -> EvaluationFailed:
    source = scope.source
    literal = source.text[node.start : node.end]
    at = literal.find(unknown.text)
    start = node.start + (at + max(unknown.text.find(unknown.part), 0) if at >= 0 else 0)
    end = start + len(unknown.part) if at >= 0 else node.end
    divided = f"/{unknown.part}" in unknown.text
    if divided and defines_name(scope, unknown.part):
        spaced = literal.replace(f"/{unknown.part}", f" / {unknown.part}")
        hint: str | None = f"put spaces around `/` to divide: `{spaced}`"
    else:
        hint = unknown.hint or ("put spaces around `/` to divide by a value" if divided else None)
    return EvaluationFailed("A110", f"unknown unit `{unknown.part}`", Span(source, start, end), help=hint)


def evaluate_range(context: EvaluationContext, node: Range, scope: Scope) -> Interval:
    """Return an interval; `32..192 GB` means 32 GB to 192 GB.

    Args:
        context: what evaluates the ends.
        node: the range.
        scope: the scope that it is evaluated in.

    Raises:
        EvaluationFailed: the ends have different dimensions, or the low one is above the high one.
    """
    high = expect_quantity(context.evaluate(node.high, scope), node.high, scope)
    low = expect_quantity(context.evaluate(node.low, scope), node.low, scope)
    if (
        low.dimension == DIMENSIONLESS != high.dimension
        and is_bare_number(node.low)
        and high.unit is not None
    ):
        scale, dimension = context.units.parse(high.unit)
        low = Quantity(magnitude=low.magnitude * scale, dimension=dimension, unit=high.unit, cites=low.cites)
    if low.dimension != high.dimension:
        problem = dimension_mismatch("make a range of", low, high)
        problem.span = node.span(scope.source)
        raise problem
    if not context.operations.all(low.magnitude <= high.magnitude):
        raise EvaluationFailed("A107", "the low end of a range must come first", node.span(scope.source))
    return Interval(low, high)


def is_bare_number(node: Expr) -> bool:
    """Return whether an expression is a literal without a unit."""
    while isinstance(node, Unary):
        node = node.operand
    return isinstance(node, Number) and node.unit is None


def check_units(context: EvaluationContext, root: object, scope: Scope) -> Iterator[EvaluationFailed]:
    """Yield the errors of the number literals in syntax that is not evaluated yet, such as unknown units.

    Args:
        context: what knows the units.
        root: the syntax.
        scope: its scope.
    """
    for node in walk_nodes(root):
        if isinstance(node, Number):
            try:
                evaluate_number(context, node, scope)
            except EvaluationFailed as problem:
                yield problem
