"""Operations on magnitudes beyond + - * / and comparisons, for plain numbers; the core implements them for arrays."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Protocol

from accelscope.dsl.values.values import Magnitude

RELATIVE_TOLERANCE = 1e-9
"""Two results are equal if they differ by less than this fraction of the larger."""


class Operations(Protocol):
    """Functions on magnitudes; a condition is a bool, or an array of them."""

    def is_scalar(self, x: Magnitude) -> bool:
        """Return whether a magnitude or a condition is one number or bool rather than an array."""

    def finite(self, x: Magnitude) -> bool:
        """Return whether every element is a finite number."""

    def all(self, condition: Magnitude) -> bool:
        """Return whether a condition holds everywhere."""

    def where(self, condition: Magnitude, this: Magnitude, other: Magnitude) -> Magnitude:
        """Return `this` where the condition holds and `other` elsewhere, element by element.

        Args:
            condition: a bool or an array of bools.
            this: values where it holds.
            other: values where it does not.
        """

    def both(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return where both conditions hold."""

    def either(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return where one of the conditions holds."""

    def negated(self, condition: Magnitude) -> Magnitude:
        """Return where a condition does not hold."""

    def close(self, left: Magnitude, right: Magnitude, share: float = RELATIVE_TOLERANCE) -> Magnitude:
        """Return where two magnitudes differ by at most a fraction of the larger.

        Args:
            left: a magnitude.
            right: a magnitude.
            share: the fraction.
        """

    def minimum(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return the smaller of two."""

    def maximum(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return the larger of two."""

    def apply(self, name: str, x: Magnitude) -> Magnitude:
        """Return one of abs, sqrt, log2, log10, ln, exp, ceil, floor and round of a magnitude."""


_FUNCTIONS: dict[str, Callable[[float], float]] = {
    "abs": abs,
    "sqrt": math.sqrt,
    "log2": math.log2,
    "log10": math.log10,
    "ln": math.log,
    "exp": math.exp,
    "ceil": math.ceil,
    "floor": math.floor,
    "round": round,
}


class ScalarOperations:
    """The operations on plain numbers."""

    __slots__ = ()

    def is_scalar(self, x: Magnitude) -> bool:
        """Return True: all magnitudes are numbers here."""
        return True

    def finite(self, x: Magnitude) -> bool:
        """Return whether a number is finite."""
        return math.isfinite(x)

    def all(self, condition: Magnitude) -> bool:
        """Return the condition itself."""
        return bool(condition)

    def where(self, condition: Magnitude, this: Magnitude, other: Magnitude) -> Magnitude:
        """Return one of two numbers."""
        return this if condition else other

    def both(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return whether both hold."""
        return bool(left) and bool(right)

    def either(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return whether one holds."""
        return bool(left) or bool(right)

    def negated(self, condition: Magnitude) -> Magnitude:
        """Return the opposite."""
        return not condition

    def close(self, left: Magnitude, right: Magnitude, share: float = RELATIVE_TOLERANCE) -> Magnitude:
        """Return whether two numbers differ by at most a fraction of the larger."""
        return math.isclose(left, right, rel_tol=share)

    def minimum(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return the smaller of two numbers."""
        return min(left, right)

    def maximum(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return the larger of two numbers."""
        return max(left, right)

    def apply(self, name: str, x: Magnitude) -> Magnitude:
        """Return a function of a number.

        Raises:
            ValueError: the function is not defined there.
        """
        return float(_FUNCTIONS[name](x))
