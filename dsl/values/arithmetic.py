"""Arithmetic on quantities. Every operation checks the dimensions and that the result is finite."""

from __future__ import annotations

import math
from collections.abc import Callable

from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.values.operations import Operations
from accelscope.dsl.values.units import DIMENSIONLESS, Dimension, base_dimension, format_quantity
from accelscope.dsl.values.values import Citation, Magnitude, Quantity

_MAX_CITES = 4
_DIR = base_dimension("dir")


def show_quantity(quantity: Quantity) -> str:
    """Return a quantity in readable units; an array as its range."""
    magnitude = quantity.magnitude
    if isinstance(magnitude, int | float):
        return format_quantity(float(magnitude), quantity.dimension)
    try:
        low, high = float(magnitude.min()), float(magnitude.max())
    except (AttributeError, TypeError, ValueError):
        return str(magnitude)
    return f"{format_quantity(low, quantity.dimension)} .. {format_quantity(high, quantity.dimension)}"


def join_citations(left: tuple[Citation, ...], right: tuple[Citation, ...]) -> tuple[Citation, ...]:
    """Return the citations of a result that was computed from two values, at most a few."""
    if not right or left == right:
        return left
    if not left:
        return right
    return tuple(dict.fromkeys((*left, *right)))[:_MAX_CITES]


def make_quantity(
    magnitude: Magnitude, dimension: Dimension, cites: tuple[Citation, ...], ops: Operations
) -> Quantity:
    """Return a computed quantity.

    Args:
        magnitude: in base units.
        dimension: its dimension.
        cites: the citations of the operands.
        ops: arithmetic on magnitudes.

    Raises:
        EvaluationFailed: the result is not finite.
    """
    finite = math.isfinite(magnitude) if isinstance(magnitude, float) else ops.finite(magnitude)
    if not finite:
        raise EvaluationFailed("A208", "the result is not a finite number")
    return Quantity(magnitude=magnitude, dimension=dimension, cites=cites)


def dimension_mismatch(verb: str, left: Quantity, right: Quantity) -> EvaluationFailed:
    """Return the error for two quantities of different dimensions.

    Args:
        verb: the operation, such as "add".
        left: the first operand.
        right: the second operand.
    """
    return EvaluationFailed(
        "A112",
        f"cannot {verb} {show_quantity(left)} and {show_quantity(right)}",
        notes=(f"the dimensions are `{left.dimension}` and `{right.dimension}`",),
        help=_direction_hint(left, right),
    )


def _direction_hint(left: Quantity, right: Quantity) -> str | None:
    """Return a hint if the operands differ by a direction only."""
    for bare, directed in ((left, right), (right, left)):
        if bare.dimension / _DIR == directed.dimension:
            return suggest_direction(bare)
    return None


def suggest_direction(bare: Quantity) -> str | None:
    """Return a hint for a quantity without a direction: one direction, or the sum of both."""
    if not isinstance(bare.magnitude, int | float):
        return "write `/dir` for one direction, or `/bidi` for the sum of both"
    one = show_quantity(Quantity(magnitude=bare.magnitude, dimension=bare.dimension / _DIR))
    half = show_quantity(Quantity(magnitude=bare.magnitude / 2, dimension=bare.dimension / _DIR))
    return f"write `{show_quantity(bare)}/bidi` for the sum of both directions (that is {half}), or `{one}` for one direction"


def add_quantities(left: Quantity, right: Quantity, ops: Operations) -> Quantity:
    """Return the sum of two quantities of one dimension.

    Args:
        left: the first operand.
        right: the second operand.
        ops: arithmetic on magnitudes.

    Raises:
        EvaluationFailed: the dimensions differ, or the result is not finite.
    """
    if left.dimension != right.dimension:
        raise dimension_mismatch("add", left, right)
    return make_quantity(
        left.magnitude + right.magnitude, left.dimension, join_citations(left.cites, right.cites), ops
    )


def subtract_quantities(left: Quantity, right: Quantity, ops: Operations) -> Quantity:
    """Return the difference of two quantities of one dimension.

    Args:
        left: the first operand.
        right: the second operand.
        ops: arithmetic on magnitudes.

    Raises:
        EvaluationFailed: the dimensions differ, or the result is not finite.
    """
    if left.dimension != right.dimension:
        raise dimension_mismatch("subtract", left, right)
    return make_quantity(
        left.magnitude - right.magnitude, left.dimension, join_citations(left.cites, right.cites), ops
    )


def multiply_quantities(left: Quantity, right: Quantity, ops: Operations) -> Quantity:
    """Return the product of two quantities.

    Args:
        left: the first operand.
        right: the second operand.
        ops: arithmetic on magnitudes.

    Raises:
        EvaluationFailed: the result is not finite.
    """
    dimension = left.dimension * right.dimension
    return make_quantity(
        left.magnitude * right.magnitude, dimension, join_citations(left.cites, right.cites), ops
    )


def divide_quantities(left: Quantity, right: Quantity, ops: Operations) -> Quantity:
    """Return the quotient of two quantities.

    Args:
        left: the first operand.
        right: the second operand.
        ops: arithmetic on magnitudes.

    Raises:
        EvaluationFailed: a division by zero, or the result is not finite.
    """
    try:
        magnitude = left.magnitude / right.magnitude
    except ZeroDivisionError:
        raise EvaluationFailed("A208", "division by zero") from None
    return make_quantity(
        magnitude, left.dimension / right.dimension, join_citations(left.cites, right.cites), ops
    )


def raise_to_power(left: Quantity, right: Quantity, ops: Operations) -> Quantity:
    """Return a quantity raised to a plain power; the power must be a whole number if the base has a dimension.

    Args:
        left: the first operand.
        right: the second operand.
        ops: arithmetic on magnitudes.

    Raises:
        EvaluationFailed: the power has a dimension or does not fit the base, or the result is not finite.
    """
    exponent = right.magnitude
    if right.dimension != DIMENSIONLESS:
        raise EvaluationFailed("A112", f"an exponent must be a plain number, not {show_quantity(right)}")
    dimension = DIMENSIONLESS
    if left.dimension != DIMENSIONLESS:
        if not isinstance(exponent, int | float) or exponent != int(exponent) or abs(exponent) > 9:
            raise EvaluationFailed(
                "A112", "the exponent of a value with a unit must be a whole number from -9 to 9"
            )
        dimension = left.dimension ** int(exponent)
    try:
        magnitude = left.magnitude**exponent
    except (OverflowError, ZeroDivisionError):
        raise EvaluationFailed("A208", "the result is not a finite number") from None
    if isinstance(magnitude, complex):
        raise EvaluationFailed("A208", "a root of a negative number is not a real number")
    return make_quantity(magnitude, dimension, join_citations(left.cites, right.cites), ops)


def negate_quantity(value: Quantity) -> Quantity:
    """Return a quantity with the opposite sign."""
    return Quantity(magnitude=-value.magnitude, dimension=value.dimension, unit=value.unit, cites=value.cites)


def compare_quantities(op: str, left: Quantity, right: Quantity, ops: Operations) -> Magnitude:
    """Return whether a comparison of two quantities holds; values that differ by rounding errors are equal.

    Args:
        op: one of == != < <= > >=.
        left: the first operand.
        right: the second operand.
        ops: arithmetic on magnitudes.

    Raises:
        EvaluationFailed: the dimensions differ.
    """
    if left.dimension != right.dimension:
        raise dimension_mismatch("compare", left, right)
    a, b = left.magnitude, right.magnitude
    close = ops.close(a, b)
    if op in ("==", "!="):
        return close if op == "==" else ops.negated(close)
    holds = a < b if op in ("<", "<=") else a > b
    if op in ("<=", ">="):
        return ops.either(holds, close)
    return ops.both(holds, ops.negated(close))


ARITHMETIC: dict[str, Callable[[Quantity, Quantity, Operations], Quantity]] = {
    "+": add_quantities,
    "-": subtract_quantities,
    "*": multiply_quantities,
    "/": divide_quantities,
    "^": raise_to_power,
}
"""By operator."""
