"""What expressions evaluate to: quantities, symbols, lists, curves, citations; and where each came from."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any, TypeAlias

from attrs import field, frozen

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.values.units import DIMENSIONLESS, Dimension

Magnitude: TypeAlias = Any
"""A float, or an array while a sweep is evaluated: anything with + - * / ** and comparisons."""


@frozen(kw_only=True)
class Citation:
    """Where a value is from: a declared source with a detail, or free text.

    Attributes:
        text: what a reader sees, such as `NVIDIA H100 Tensor Core GPU Architecture, 2022, p. 3`.
        kind: `datasheet`, `measured`, ... of a declared source, `estimate` for `@"estimate ..."`, else `note`.
        span: where the citation stands.
    """

    text: str
    kind: str
    span: Span | None = field(default=None, eq=False)


@frozen(kw_only=True)
class Tolerance:
    """How far a value may be off.

    Attributes:
        half_width: half of the 95 % interval in base units, or None for a distribution.
        distribution: name of a distribution such as `lognormal`, or None.
        args: its positional and keyword arguments, evaluated.
    """

    half_width: Magnitude | None = None
    distribution: str | None = None
    args: Mapping[str | int, Any] = field(factory=dict)


@frozen(kw_only=True, eq=False)
class Quantity:
    """A number in base units with its dimension, and what is known about it."""

    magnitude: Magnitude
    dimension: Dimension = DIMENSIONLESS
    unit: str | None = None
    tolerance: Tolerance | None = None
    cites: tuple[Citation, ...] = ()


@frozen
class Symbol:
    """A word that no scope knows, such as `hbm3e`: a schema says whether it is right.

    Attributes:
        name: the word.
        aliases: former words for the same choice; a comparison with one of them holds, too.
    """

    name: str
    aliases: tuple[str, ...] = field(default=(), eq=False, repr=False)


@frozen(eq=False)
class Constructor:
    """A symbol that was called: `structured(2, 4)`, `poisson()`."""

    name: str
    args: tuple[Any, ...] = ()
    kwargs: Mapping[str, Any] = field(factory=dict)


@frozen(eq=False)
class ListValue:
    """`[a, b, c]`."""

    items: tuple[Any, ...]


@frozen(eq=False)
class CurveValue:
    """`[4 KiB -> 40%, 1 MiB -> 83%]`: quantities over quantities, keys rising."""

    points: tuple[tuple[Quantity, Quantity], ...]


@frozen(eq=False)
class MapValue:
    """`[hbm3 -> 3.35 TB/s]` or `{ a = 1 }`: values by name."""

    entries: Mapping[str, Any]


@frozen(eq=False)
class Interval:
    """`low .. high`."""

    low: Quantity
    high: Quantity


@frozen(eq=False)
class TableFile:
    """`table("file.csv", ...)`: a table that whoever needs it reads."""

    name: str
    kwargs: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class Origin:
    """Why an attribute has its value.

    Attributes:
        span: the place of the value, or None for a plugin's default.
        how: `file`, `set` (an override of the command line or a sweep), `default`, or `note` of what has no line of its own.
        text: the expression as written, or the source of a default.
        cites: citations of the value, of what it was computed from, or else of its block.
    """

    span: Span | None
    how: str
    text: str
    cites: tuple[Citation, ...] = ()


@frozen(kw_only=True, eq=False)
class Attribute:
    """An evaluated `name = value` of a component."""

    name: str
    value: Any
    origin: Origin


@frozen(eq=False)
class FunctionValue:
    """A `let` with parameters: the binding that holds its body, and its name."""

    binding: Any
    name: str


_WORDS = {
    str: "a text",
    bool: "true or false",
    type(None): "`none`",
    datetime.date: "a date",
    ListValue: "a list",
    CurveValue: "a curve",
    MapValue: "a map",
    Interval: "a range",
    TableFile: "a table",
    FunctionValue: "a function",
}


def describe_value(value: object) -> str:
    """Return what kind of thing a value is, for messages."""
    if isinstance(value, Quantity):
        return "a number" if value.dimension == DIMENSIONLESS else f"a quantity in {value.dimension}"
    if isinstance(value, Symbol):
        return f"the word `{value.name}`"
    if isinstance(value, Constructor):
        return f"`{value.name}(...)`"
    kind = getattr(value, "kind", None)
    if isinstance(kind, str):
        return f"a `{kind}` block"
    return _WORDS.get(type(value), "something else")


_OTHER = (Quantity, Symbol, Constructor, str, *(word for word in _WORDS if word is not bool))


def is_condition(value: object) -> bool:
    """Say whether a value is true or false, or an array of such."""
    return isinstance(value, bool) or not (isinstance(value, _OTHER) or hasattr(value, "kind"))
