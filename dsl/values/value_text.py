"""Values as text for messages: cut to one line, with work in proportion to what is shown."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping
from itertools import chain

from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.values import (
    Constructor,
    CurveValue,
    FunctionValue,
    Interval,
    ListValue,
    MapValue,
    Quantity,
    Symbol,
    TableFile,
    describe_value,
)

MAX_VALUE_CHARACTERS = 60
"""Characters of a value in a message."""


def format_value(value: object) -> str:
    """Return a value as it is written in a text, with an ellipsis if it is too long for a message."""
    text = ""
    for piece in _pieces(value):
        text += piece
        if len(text) > MAX_VALUE_CHARACTERS:
            return shorten_text(text)
    return text


def shorten_text(text: str) -> str:
    """Return a text cut to the length that a message shows."""
    return text if len(text) <= MAX_VALUE_CHARACTERS else f"{text[: MAX_VALUE_CHARACTERS - 3].rstrip()}..."


def _pieces(value: object) -> Iterator[str]:
    """Yield the text of a value piece by piece, each level of nesting before the next, so that it can stop early."""
    if isinstance(value, Quantity):
        yield show_quantity(value)
    elif isinstance(value, ListValue):
        yield from _enclosed("[", ((item,) for item in value.items), "]")
    elif isinstance(value, CurveValue):
        yield from _enclosed("[", value.points, "]", between=" -> ")
    elif isinstance(value, MapValue):
        yield from _enclosed("{ ", _named(value.entries), " }", between=" = ")
    elif isinstance(value, Interval):
        yield from _enclosed("", ((value.low, value.high),), "", between="..")
    elif isinstance(value, Constructor | TableFile):
        name = value.name if isinstance(value, Constructor) else "table"
        plain = value.args if isinstance(value, Constructor) else (value.name,)
        items = chain(((item,) for item in plain), _named(value.kwargs))
        yield from _enclosed(f"{name}(", items, ")", between=" = ")
    else:
        yield _plain(value)


def _named(entries: Mapping[str, object]) -> Iterator[tuple[object, ...]]:
    return ((Symbol(key), value) for key, value in entries.items())


def _enclosed(
    opening: str, items: Iterable[tuple[object, ...]], closing: str, between: str = ""
) -> Iterator[str]:
    """Yield items between brackets.

    Args:
        opening: the opening bracket.
        items: one value, or a key and a value, for each item.
        closing: the closing bracket.
        between: what separates a key and a value.
    """
    yield opening
    comma = ""
    for item in items:
        yield comma
        for place, value in enumerate(item):
            yield between if place else ""
            yield from _pieces(value)
        comma = ", "
    yield closing


def _plain(value: object) -> str:
    """Return a value without parts."""
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if value is None:
        return "none"
    if isinstance(value, datetime.date):
        return value.isoformat()
    if isinstance(value, Symbol | FunctionValue):
        return value.name
    path = getattr(value, "path", None)
    return path if isinstance(path, str) and path else describe_value(value)
