"""What the language's arithmetic needs beyond + - * /, on numpy arrays: a sweep injects them as magnitudes."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np

from accelscope.core.numeric.term import Array
from accelscope.dsl.values.operations import RELATIVE_TOLERANCE
from accelscope.dsl.values.values import Magnitude

_FUNCTIONS: Mapping[str, Callable[[Array], Array]] = {
    "abs": np.abs,
    "sqrt": np.sqrt,
    "log2": np.log2,
    "log10": np.log10,
    "ln": np.log,
    "exp": np.exp,
    "ceil": np.ceil,
    "floor": np.floor,
    "round": np.round,
}


class ArrayOperations:
    """The language's operations, elementwise; numbers stay numbers."""

    __slots__ = ()

    def is_scalar(self, x: Magnitude) -> bool:
        """Say whether a magnitude or a condition is one number or bool."""
        return np.ndim(x) == 0

    def finite(self, x: Magnitude) -> bool:
        """Say whether every element is finite."""
        return bool(np.all(np.isfinite(x)))

    def all(self, condition: Magnitude) -> bool:
        """Say whether a condition holds everywhere."""
        return bool(np.all(condition))

    def where(self, condition: Magnitude, this: Magnitude, other: Magnitude) -> Magnitude:
        """Choose elementwise."""
        return np.where(condition, this, other)

    def both(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return where both conditions hold."""
        return np.logical_and(left, right)

    def either(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return where one of the conditions holds."""
        return np.logical_or(left, right)

    def negated(self, condition: Magnitude) -> Magnitude:
        """Return where a condition does not hold."""
        return np.logical_not(condition)

    def close(self, left: Magnitude, right: Magnitude, share: float = RELATIVE_TOLERANCE) -> Magnitude:
        """Return where two magnitudes differ by at most a share of the larger."""
        return np.abs(np.subtract(left, right)) <= share * np.maximum(np.abs(left), np.abs(right))

    def minimum(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return the smaller elementwise."""
        return np.minimum(left, right)

    def maximum(self, left: Magnitude, right: Magnitude) -> Magnitude:
        """Return the larger elementwise."""
        return np.maximum(left, right)

    def apply(self, name: str, x: Magnitude) -> Magnitude:
        """Return a function of each element; raise ValueError where it has no value."""
        with np.errstate(all="ignore"):
            found = _FUNCTIONS[name](np.asarray(x, dtype=float))
        if not np.all(np.isfinite(found)):
            raise ValueError(f"{name} has no value there")
        return float(found) if np.ndim(x) == 0 else found
