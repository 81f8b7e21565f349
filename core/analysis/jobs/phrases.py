"""Numbers and lists as sentences have them. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence


def format_short_number(value: float, digits: int = 3) -> str:
    """Return a number with few digits: `3.7`, `120`, `1,300`, `0.012`."""
    if math.isnan(value):
        return "-"
    text = f"{value:.{digits}g}"
    number = float(text)
    return f"{number:,.0f}" if abs(number) >= 100 else text if "e" not in text else f"{number:.2e}"


def format_ratio(value: float) -> str:
    """Return a ratio: `3.7x`, or `<0.001x` where it is smaller."""
    if 0 < value < 0.001:
        return "<0.001x"
    return f"{format_short_number(value, 2 if value < 10 else 3)}x"


def format_percentage(part: float, whole: float) -> str:
    """Return a share in per cent."""
    return f"{100 * part / whole:.0f} %" if whole else "-"


def join_phrases(items: Sequence[str], word: str = "and") -> str:
    """Return items as a sentence lists them."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {word} {items[-1]}"


def format_noun_count(number: int, noun: str) -> str:
    """Return a number with its noun: `1 cell`, `12 cells`."""
    return f"{number:,} {noun}" if number == 1 else f"{number:,} {noun}s"


def format_axis_point(axes: Iterable[tuple[str, str, float | str]]) -> str:
    """Return names, units and values of axes as the page says them: `batch 8, prompt 1,024 tok`."""
    return ", ".join(
        f"{name.rpartition('.')[2]} {format_axis_number(value)}{f' {unit}' if unit else ''}"
        for name, unit, value in axes
    )


def format_axis_number(value: float | str) -> str:
    """Return the value of an axis: whole numbers in full."""
    if isinstance(value, str):
        return value
    return f"{value:,.0f}" if float(value).is_integer() else format_short_number(value)
