"""Numbers with units, and ranges whose low end takes the unit of the high end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.interpret.expect import expect_quantity
from accelscope.dsl.interpret.scope import Scope, defines_name
from accelscope.dsl.syntax.nodes import Expr, Number, Range, Unary
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.arithmetic import dimension_mismatch
from accelscope.dsl.values.units import DIMENSIONLESS, UnknownUnit
from accelscope.dsl.values.values import Interval, Quantity

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Interpreter


def evaluate_number(session: Interpreter, node: Number, scope: Scope) -> Quantity:
    """Return the quantity of a literal.

    Raises:
        Problem: its unit is unknown, or it is too large for a number.
    """
    if node.unit is None:
        found = Quantity(magnitude=float(node.value))
    else:
        try:
            scale, dimension = session.units.parse(node.unit)
        except UnknownUnit as unknown:
            raise _unknown_unit(unknown, node, scope) from None
        found = Quantity(magnitude=node.value * scale, dimension=dimension, unit=node.unit)
    if found.magnitude in (float("inf"), float("-inf")):
        raise EvaluationFailed("A208", "a number this large cannot be held", node.span(scope.source))
    return found


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
        hint = unknown.hint or ("to divide by a value, put spaces around `/`" if divided else None)
    return EvaluationFailed("A110", f"unknown unit `{unknown.part}`", Span(source, start, end), help=hint)


def evaluate_range(session: Interpreter, node: Range, scope: Scope) -> Interval:
    """Return an interval; `32..192 GB` means 32 GB to 192 GB.

    Raises:
        Problem: the ends have different dimensions, or the low one is above the high one.
    """
    high = expect_quantity(session.evaluate(node.high, scope), node.high, scope)
    low = expect_quantity(session.evaluate(node.low, scope), node.low, scope)
    if (
        low.dimension == DIMENSIONLESS != high.dimension
        and is_bare_number(node.low)
        and high.unit is not None
    ):
        scale, dimension = session.units.parse(high.unit)
        low = Quantity(magnitude=low.magnitude * scale, dimension=dimension, unit=high.unit, cites=low.cites)
    if low.dimension != high.dimension:
        problem = dimension_mismatch("make a range of", low, high)
        problem.span = node.span(scope.source)
        raise problem
    if not session.operations.all(low.magnitude <= high.magnitude):
        raise EvaluationFailed("A107", "the low end of a range comes first", node.span(scope.source))
    return Interval(low, high)


def is_bare_number(node: Expr) -> bool:
    """Say whether an expression is a literal without a unit."""
    while isinstance(node, Unary):
        node = node.operand
    return isinstance(node, Number) and node.unit is None


def check_units(session: Interpreter, root: object, scope: Scope) -> Iterator[EvaluationFailed]:
    """Yield the unknown units of an expression that is not evaluated yet."""
    for node in walk_nodes(root):
        if isinstance(node, Number):
            try:
                evaluate_number(session, node, scope)
            except EvaluationFailed as problem:
                yield problem
