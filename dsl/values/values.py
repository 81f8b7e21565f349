"""The values of expressions: quantities, symbols, lists, curves, citations; and their origins."""

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
    """The source of a value: a declared source with a detail, or free text.

    Attributes:
        text: the text shown, such as `NVIDIA H100 Tensor Core GPU Architecture, 2022, p. 3`.
        kind: `datasheet`, `measured`, ... of a declared source, `estimate` for `@"estimate ..."`, else `note`.
        span: the place of the citation.
    """

    text: str
    kind: str
    span: Span | None = field(default=None, eq=False)


@frozen(kw_only=True)
class Tolerance:
    """The uncertainty of a value.

    Attributes:
        half_width: half of the 95 % interval in base units, or None for a distribution.
        distribution: the name of a distribution such as `lognormal`, or None.
        args: the values of its arguments, by position or by name.
    """

    half_width: Magnitude | None = None
    distribution: str | None = None
    args: Mapping[str | int, Any] = field(factory=dict)


@frozen(kw_only=True, eq=False)
class Quantity:
    """A number with a dimension.

    Attributes:
        magnitude: in base units.
        dimension: the dimension.
        unit: the unit as written, or None.
        tolerance: the uncertainty, or None.
        cites: the citations.
    """

    magnitude: Magnitude
    dimension: Dimension = DIMENSIONLESS
    unit: str | None = None
    tolerance: Tolerance | None = None
    cites: tuple[Citation, ...] = ()


@frozen
class Symbol:
    """A name that is not defined in any scope, such as `hbm3e`; a schema checks whether it is valid.

    Attributes:
        name: the name.
        aliases: former names of the same choice, which are equal to it in a comparison.
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
    """`[4 KiB -> 40%, 1 MiB -> 83%]`: quantities over quantities with increasing keys."""

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
    """`table("file.csv", ...)`: a table file, which is not read by the language."""

    name: str
    kwargs: Mapping[str, Any] = field(factory=dict)


@frozen(kw_only=True)
class Origin:
    """Where the value of an attribute comes from.

    Attributes:
        span: the place of the value, or None for a default.
        how: `file`, `set` (an override of the command line or a sweep), `default`, or `note` for a value without a line of its own.
        text: the expression as written, or the source of a default.
        cites: the citations of the value, of its operands, or else of its block.
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
    """A `let` with parameters.

    Attributes:
        binding: the binding that has its body.
        name: its name.
    """

    binding: Any
    name: str


_WORDS = {
    str: "a string",
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
    """Return the type of a value in words, for messages."""
    if isinstance(value, Quantity):
        return "a number" if value.dimension == DIMENSIONLESS else f"a quantity in {value.dimension}"
    if isinstance(value, Symbol):
        return f"the symbol `{value.name}`"
    if isinstance(value, Constructor):
        return f"`{value.name}(...)`"
    kind = getattr(value, "kind", None)
    if isinstance(kind, str):
        return f"a `{kind}` block"
    return _WORDS.get(type(value), "another kind of value")


_OTHER = (Quantity, Symbol, Constructor, str, *(word for word in _WORDS if word is not bool))


def is_condition(value: object) -> bool:
    """Return whether a value is true or false, or an array of bools."""
    return isinstance(value, bool) or not (isinstance(value, _OTHER) or hasattr(value, "kind"))
