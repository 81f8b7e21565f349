"""Arrays with a dimension: arithmetic that checks units once an operation, and remembers its parts while tracing.

A term whose inputs are traced keeps a `Node` for each operation, which is how `explain` prints a tree. Tracing is
a property of the data: a term made with a node is traced, and so is all that is computed from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import reduce
from typing import Any

import numpy as np
from attrs import evolve, field, frozen

from accelscope.core.errors import DimensionError
from accelscope.dsl.values.units import DIMENSIONLESS, Dimension, built_in_unit_table
from accelscope.dsl.values.values import Origin

Array = np.ndarray[Any, np.dtype[Any]]


@frozen(eq=False)
class TraceNode:
    """One step of a traced computation, for one point."""

    op: str
    value: float
    dimension: Dimension
    label: str | None = None
    parts: tuple[TraceNode, ...] = ()
    origin: Origin | None = None


@frozen(eq=False, repr=False, slots=True)
class Term:
    """A numpy array in base units with its dimension.

    Attributes:
        value: float array; swept parameters own one array dimension each and broadcasting does the rest.
        dimension: checked by every operation.
        node: how it was computed, while tracing.
    """

    value: Array
    dimension: Dimension = DIMENSIONLESS
    node: TraceNode | None = field(default=None)

    # ---- arithmetic
    def __add__(self, other: Term | float) -> Term:
        return _same("+", self, other, np.add)

    def __radd__(self, other: Term | float) -> Term:
        return _same("+", self, other, np.add)

    def __sub__(self, other: Term | float) -> Term:
        return _same("-", self, other, np.subtract)

    def __rsub__(self, other: float) -> Term:
        return _same("-", as_term(other), self, np.subtract)

    def __mul__(self, other: Term | float) -> Term:
        right = other if isinstance(other, Term) else as_term(other)
        value, dimension = np.multiply(self.value, right.value), self.dimension * right.dimension
        if self.node is None and right.node is None:
            return Term(value, dimension)
        return _made("×", value, dimension, self, right)

    def __rmul__(self, other: float) -> Term:
        return self * other

    def __truediv__(self, other: Term | float) -> Term:
        right = other if isinstance(other, Term) else as_term(other)
        value, dimension = np.divide(self.value, right.value), self.dimension / right.dimension
        if self.node is None and right.node is None:
            return Term(value, dimension)
        return _made("/", value, dimension, self, right)

    def __rtruediv__(self, other: float) -> Term:
        return as_term(other) / self

    def __pow__(self, exponent: int) -> Term:
        return _made(f"^{exponent}", self.value**exponent, self.dimension**exponent, self)

    def __neg__(self) -> Term:
        return _made("-", -self.value, self.dimension, self)

    # ---- comparison: plain boolean arrays
    def __lt__(self, other: Term | float) -> Array:
        return np.asarray(self.value < _aligned("<", self, other).value)

    def __le__(self, other: Term | float) -> Array:
        return np.asarray(self.value <= _aligned("<=", self, other).value)

    def __gt__(self, other: Term | float) -> Array:
        return np.asarray(self.value > _aligned(">", self, other).value)

    def __ge__(self, other: Term | float) -> Array:
        return np.asarray(self.value >= _aligned(">=", self, other).value)

    def __repr__(self) -> str:
        return f"Term({self.value!r}, {self.dimension})"

    def named(self, label: str) -> Term:
        """Return the same value under a name that a reader of `explain` will look for."""
        if self.node is None:
            return self
        return Term(self.value, self.dimension, evolve(self.node, label=label))

    def cited(self, text: str) -> Term:
        """Return the same value with a note on where its formula or constant comes from."""
        if self.node is None:
            return self
        origin = Origin(span=None, how="default", text=text)
        return Term(self.value, self.dimension, evolve(self.node, origin=origin))

    def to(self, unit: str) -> Array:
        """Return the plain array in a unit; raise DimensionError where it does not fit."""
        scale, dimension = built_in_unit_table().parse(unit)
        if dimension != self.dimension:
            raise DimensionError(f"cannot express {self.dimension} in `{unit}`")
        return np.asarray(self.value / scale)


def term(value: Any, unit: str = "", *, origin: Origin | None = None, label: str | None = None) -> Term:
    """Return a term of a number or array in a unit; with an origin it is traced."""
    scale, dimension = built_in_unit_table().parse(unit) if unit else (1.0, DIMENSIONLESS)
    array = np.asarray(value, dtype=float) * scale
    if origin is None:
        return Term(array, dimension)
    return Term(array, dimension, TraceNode("value", _scalar(array), dimension, label, (), origin))


def make_leaf(value: Term, label: str, text: str, *parts: Term) -> Term:
    """Return a value under a name, with a note on how it was found in place of its parts, or with others.

    Args:
        value: term whose parts are replaced; returned as it is if nothing is traced.
        label: name of the value.
        text: note on where the value comes from.
        parts: terms that `explain` shows below it.
    """
    if value.node is None:
        return value
    origin = Origin(span=None, how="note", text=text)
    return evolve(
        value,
        node=TraceNode(
            "value",
            _scalar(value.value),
            value.dimension,
            label,
            tuple(item.node for item in parts if item.node),
            origin,
        ),
    )


def as_term(value: Term | float) -> Term:
    """Return a term as it is, and a plain number as a dimensionless term."""
    return value if isinstance(value, Term) else Term(np.asarray(value, dtype=float))


def maximum(*terms: Term | float) -> Term:
    """Return the elementwise largest; the winner comes first in an explanation."""
    return _extreme("max", terms, np.maximum)


def minimum(*terms: Term | float) -> Term:
    """Return the elementwise smallest."""
    return _extreme("min", terms, np.minimum)


def total(terms: Iterable[Term]) -> Term:
    """Return the sum of one or more terms as one node; raise ValueError for none."""
    items = tuple(terms)
    if not items:
        raise ValueError("a total needs at least one term")
    for item in items[1:]:
        _check("sum", items[0], item)
    value = reduce(np.add, [item.value for item in items])
    return _made("sum", value, items[0].dimension, *items)


def where(condition: Array, this: Term | float, other: Term | float) -> Term:
    """Return `this` where a boolean array holds, and `other` elsewhere."""
    left, right = as_term(this), as_term(other)
    _check("where", left, right)
    value = np.where(condition, left.value, right.value)
    if left.node is None and right.node is None:
        return Term(value, left.dimension)
    chosen = left if np.asarray(condition).flat[0] else right
    return Term(value, left.dimension, _node(chosen))


def ceil(value: Term) -> Term:
    """Round up; a relative 1e-9 above a whole number still counts as that number."""
    return _made("ceil", np.ceil(value.value * (1 - 1e-9)), value.dimension, value)


def floor(value: Term) -> Term:
    """Round down; a relative 1e-9 below a whole number still counts as that number."""
    return _made("floor", np.floor(value.value * (1 + 1e-9)), value.dimension, value)


def sqrt(value: Term) -> Term:
    """Return the square root; raise DimensionError where the dimension has none."""
    dimension = value.dimension.root(2)
    if dimension is None:
        raise DimensionError(f"{value.dimension} has no square root")
    return _made("sqrt", np.sqrt(value.value), dimension, value)


def log2(value: Term) -> Term:
    """Return the binary logarithm of a plain number."""
    return _plain("log2", value, np.log2)


def exp(value: Term) -> Term:
    """Return e to the power of a plain number."""
    return _plain("exp", value, np.exp)


def power(value: Term, exponent: Term | float) -> Term:
    """Return a plain number to the power of a plain number."""
    right = as_term(exponent)
    if value.dimension.powers or right.dimension.powers:
        raise DimensionError(f"a power needs plain numbers, not {value.dimension} and {right.dimension}")
    return _made("^", np.power(value.value, right.value), DIMENSIONLESS, value, right)


def _plain(op: str, value: Term, function: Callable[[Array], Array]) -> Term:
    if value.dimension.powers:
        raise DimensionError(f"{op} needs a plain number, not {value.dimension}")
    return _made(op, function(value.value), DIMENSIONLESS, value)


def _extreme(op: str, terms: tuple[Term | float, ...], function: Callable[[Array, Array], Array]) -> Term:
    items = [item if isinstance(item, Term) else as_term(item) for item in terms]
    for item in items[1:]:
        _check(op, items[0], item)
    value = reduce(function, [item.value for item in items])
    return _made(op, value, items[0].dimension, *items)


def _same(op: str, left: Term, other: Term | float, function: Callable[[Array, Array], Array]) -> Term:
    right = other if isinstance(other, Term) else as_term(other)
    _check(op, left, right)
    value = function(left.value, right.value)
    if left.node is None and right.node is None:
        return Term(value, left.dimension)
    return _made(op, value, left.dimension, left, right)


def _aligned(op: str, left: Term, other: Term | float) -> Term:
    right = as_term(other)
    _check(op, left, right)
    return right


def _check(op: str, left: Term, right: Term) -> None:
    if left.dimension is not right.dimension and left.dimension != right.dimension:
        raise DimensionError(f"`{op}` mixes {left.dimension} and {right.dimension}")


def _made(op: str, value: Any, dimension: Dimension, *parts: Term) -> Term:
    for part in parts:
        if part.node is not None:
            return Term(
                value, dimension, TraceNode(op, _scalar(value), dimension, None, tuple(map(_node, parts)))
            )
    return Term(value, dimension)


def _node(item: Term) -> TraceNode:
    return item.node or TraceNode("number", _scalar(item.value), item.dimension)


def _scalar(value: Any) -> float:
    return float(np.asarray(value).flat[0])


def strip_count_unit(value: Term) -> Term:
    """Return a count of tokens or requests as a plain number."""
    if not value.dimension.powers:
        return value
    return value / Term(term(1.0).value, value.dimension)
