"""Curves of a description as functions on terms: piecewise linear, over the logarithm of the key."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from accelscope.core.errors import DimensionError
from accelscope.core.numeric.term import Array, Term, TraceNode
from accelscope.dsl.values.units import Dimension
from accelscope.dsl.values.values import Origin


@frozen(eq=False)
class BoundCurve:
    """Values at rising keys; beyond the ends the first and the last value hold.

    Attributes:
        keys, values: one-dimensional arrays in base units, keys above zero.
        key_dimension, dimension: of keys and values.
        origin: where the curve is written, for explanations.
        factor: what its values are multiplied by, or None.
    """

    keys: Array
    values: Array
    key_dimension: Dimension
    dimension: Dimension
    origin: Origin | None = None
    label: str | None = None
    factor: Term | None = None

    def at(self, key: Term) -> Term:
        """Return the values at keys of any shape."""
        if key.dimension != self.key_dimension:
            raise DimensionError(f"a curve over {self.key_dimension} was asked at {key.dimension}")
        position = np.log(np.maximum(key.value, self.keys[0]))
        value = np.interp(position, np.log(self.keys), self.values)
        if self.factor is not None:
            value = value * self.factor.value
        if key.node is None:
            return Term(value, self.dimension)
        node = TraceNode(
            "curve", float(np.asarray(value).flat[0]), self.dimension, self.label, (key.node,), self.origin
        )
        return Term(value, self.dimension, node)


def evaluate_curve(value: Term | BoundCurve, key: Term) -> Term:
    """Return a field that may be a number or a curve, at a key."""
    return value.at(key) if isinstance(value, BoundCurve) else value
