"""Tables as text: aligned columns that fit the width of a terminal. Pure.

If a table is too wide, the columns that may wrap get narrower, then columns of low priority are hidden. A line below
says which ones. Lines break between words only, never inside a number or between a number and its unit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from attrs import frozen

from accelscope.core.render.source_excerpt import display_width, strip_control_characters
from accelscope.core.render.table import Cell, Column, Table
from accelscope.core.render.text_style import PLAIN_STYLE, Mark, TextStyle, find_longest_word, wrap_cell

_GAP = "  "
_NARROWEST = 16
"""Cells that a column of text keeps before other columns are hidden for it."""
_BROKEN = 12
"""Cells that a column of text keeps in any case."""
_UNIT = re.compile(r"^(.*\d)( [^\d\s][^\s]*)$")


@frozen(kw_only=True)
class TableLayout:
    """Which columns of a table are shown.

    Attributes:
        shown: indices of columns.
        widths: cells of each of them.
    """

    shown: tuple[int, ...]
    widths: tuple[int, ...]


def format_table_text(table: Table, style: TextStyle = PLAIN_STYLE) -> str:
    """Return a table as text, with a line about the columns that are hidden; empty for a table without rows."""
    return format_tables_text((table,), style)


def format_tables_text(tables: Sequence[Table], style: TextStyle = PLAIN_STYLE) -> str:
    """Return tables as text, an empty line between them, and one line about the columns that are hidden in any."""
    parts, hidden = [], dict[str, None]()
    for table in tables:
        if table.rows:
            layout = choose_layout(table, style.width)
            parts.append(_render(table, layout, style))
            hidden.update(dict.fromkeys(list_hidden_columns(table, layout)))
    if hidden:
        parts.append(style.paint(style.wrap(describe_hidden_columns(hidden)), Mark.DIM))
    return "\n\n".join(parts)


def list_hidden_columns(table: Table, layout: TableLayout) -> list[str]:
    """Return the titles of the columns that a layout hides."""
    return [column.heading for at, column in enumerate(table.columns) if at not in layout.shown]


def describe_hidden_columns(names: Iterable[str]) -> str:
    """Return the sentence about hidden columns: which, and how to see them."""
    return f"hidden for lack of room: {', '.join(names)}; a wider terminal or `| less -S` shows them"


def choose_layout(table: Table, width: int | None) -> TableLayout:
    """Return the columns that fit a width, and how wide each is.

    Args:
        table: with at least one row.
        width: most cells of a line; None for any.
    """
    shown = list(range(len(table.columns)))
    while True:
        widths = _fit(table, shown, width, _NARROWEST)
        spared = [at for at in shown if table.columns[at].priority]
        if widths is not None or not spared:
            break
        shown.remove(max(spared, key=lambda at: (table.columns[at].priority, at)))
    for at in sorted(set(range(len(table.columns))) - set(shown), key=lambda at: table.columns[at].priority):
        wider = sorted([*shown, at])
        more = _fit(table, wider, width, _NARROWEST)
        if more is not None:
            shown, widths = wider, more
    if widths is None:
        widths = _fit(table, shown, width, _BROKEN) or _squeeze(table, shown)
    return TableLayout(shown=tuple(shown), widths=tuple(widths))


def _fit(table: Table, shown: Sequence[int], width: int | None, least: int) -> list[int] | None:
    """Return the widths of columns that fit a line; None if those that may wrap cannot give enough."""
    widths = [_natural_width(table, at) for at in shown]
    excess = sum(widths) + len(_GAP) * (len(shown) - 1) - (width or 0)
    if width is None or excess <= 0:
        return widths
    floors = [_least_width(table, at, least) for at in shown]
    while excess > 0:
        movable = [place for place in range(len(shown)) if widths[place] > floors[place]]
        if not movable:
            return None
        widest = max(movable, key=lambda place: widths[place])
        widths[widest] -= 1
        excess -= 1
    return widths


def _squeeze(table: Table, shown: Sequence[int]) -> list[int]:
    """Return the least widths: text breaks behind signs as well, and what is still too wide stays so."""
    return [
        min(_natural_width(table, at), _BROKEN) if table.columns[at].wraps else _least_width(table, at, 0)
        for at in shown
    ]


def _natural_width(table: Table, at: int) -> int:
    return max(map(display_width, (table.columns[at].heading, *_texts(table, at))))


def _least_width(table: Table, at: int, least: int) -> int:
    """Return the least width of a column: its longest word, or its longest cell if it may not wrap."""
    head = find_longest_word(table.columns[at].heading)
    if not table.columns[at].wraps:
        return max(head, *map(display_width, _texts(table, at)))
    longest = max((find_longest_word(text) for text in _texts(table, at)), default=0)
    return min(max(head, longest, least), _natural_width(table, at))


def _texts(table: Table, at: int) -> list[str]:
    return [strip_control_characters(row[at].text) for row in table.rows]


def _render(table: Table, layout: TableLayout, style: TextStyle) -> str:
    columns = [table.columns[at] for at in layout.shown]
    lines = [style.paint(style.wrap(table.title), Mark.HEADING)] if table.title else []
    if any(column.heading.strip() for column in columns):
        heads = [Cell(column.heading, mark=Mark.HEADING) for column in columns]
        lines += _render_row(heads, columns, layout.widths, style)
    for row in table.rows:
        lines += _render_row([row[at] for at in layout.shown], columns, layout.widths, style)
    return "\n".join(lines)


def _render_row(
    cells: Sequence[Cell], columns: Sequence[Column], widths: Sequence[int], style: TextStyle
) -> list[str]:
    wrapped = [
        wrap_cell(text, width) if display_width(text) > width else [text]
        for text, width in zip((strip_control_characters(cell.text) for cell in cells), widths, strict=True)
    ]
    lines = []
    for number in range(max(map(len, wrapped))):
        pieces = []
        for cell, column, width, parts in zip(cells, columns, widths, wrapped, strict=True):
            text = parts[number] if number < len(parts) else ""
            space = " " * max(width - display_width(text), 0)
            shown = _paint(text, cell.mark, column, style)
            pieces.append(space + shown if column.align == "right" else shown + space)
        lines.append(_GAP.join(pieces).rstrip())
    return lines


def _paint(text: str, mark: Mark, column: Column, style: TextStyle) -> str:
    """Return a cell in its colour; the unit of a plain number is dim."""
    parts = _UNIT.match(text)
    if style.color and mark is Mark.PLAIN and column.align == "right" and parts is not None:
        return parts[1] + style.paint(parts[2], Mark.DIM)
    return style.paint(text, mark)
