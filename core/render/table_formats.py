"""Tables and objects as Markdown, CSV, JSON and HTML. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Iterator, Sequence
from html import escape
from typing import Any, TextIO

from accelscope.core.render.table import Cell, CellValue, Column, Table

_FORMULA_STARTS = ("=", "@")
_LONG_TEXT = 40
"""Letters of a text that a page may break into lines."""


def format_table_markdown(table: Table) -> str:
    """Return a table in Markdown; its title is not part of it."""
    heads = [column.heading for column in table.columns]
    right = [column.align == "right" for column in table.columns]
    return "\n".join(list_markdown_lines(heads, right, ([cell.text for cell in row] for row in table.rows)))


def list_markdown_lines(
    heads: Sequence[str], right: Sequence[bool], rows: Iterable[Sequence[str]]
) -> Iterator[str]:
    """Yield the lines of a Markdown table: the heads, the rule below them, and the rows.

    Args:
        heads: titles of the columns.
        right: whether each of them is aligned to the right.
        rows: of one text for each column.
    """
    yield _markdown_line(heads)
    yield _markdown_line(["--:" if item else "---" for item in right])
    for row in rows:
        yield _markdown_line([escape_markdown(text) for text in row])


def _markdown_line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(cells) + " |"


def escape_markdown(text: str) -> str:
    """Return a text that stays in its cell."""
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")


def format_table_csv(table: Table) -> str:
    """Return a table as CSV: names with units, then a line for each row."""
    stream = io.StringIO()
    write_table_csv(table, stream)
    return stream.getvalue()


def write_table_csv(table: Table, stream: TextIO, *, header: bool = True) -> None:
    """Write a table as CSV.

    Args:
        table: what to write.
        stream: where to.
        header: whether to write the names of the columns first.
    """
    writer = csv.writer(stream, lineterminator="\n")
    if header:
        writer.writerow([column.name_with_unit for column in table.columns])
    writer.writerows([format_csv_value(cell.value) for cell in row] for row in table.rows)


def format_csv_value(value: CellValue) -> str:
    """Return a value as CSV has it: all digits of a number, and no text that a spreadsheet runs as a formula."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    text = repr(value) if isinstance(value, float) else str(value)
    return f"'{text}" if text[:1] in _FORMULA_STARTS else text


def convert_table_to_records(table: Table) -> list[dict[str, CellValue]]:
    """Return a table as a list of objects: the name of each column to its value."""
    names = [column.name for column in table.columns]
    return [dict(zip(names, (cell.value for cell in row), strict=True)) for row in table.rows]


def format_json(value: Any) -> str:
    """Return plain data as JSON text that ends in a new line.

    Raises:
        ValueError: a number is not finite.
    """
    return json.dumps(value, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def format_table_html(table: Table) -> str:
    """Return a table in HTML, in an element that scrolls if it is wide."""
    head = _html_row(
        [Cell(column.title or column.name_with_unit) for column in table.columns], table.columns, "th"
    )
    body = "".join(_html_row(row, table.columns, "td") for row in table.rows)
    return f"<div class=wide><table><thead>{head}</thead><tbody>{body}</tbody></table></div>"


def _html_row(cells: tuple[Cell, ...] | list[Cell], columns: tuple[Column, ...], tag: str) -> str:
    inner = "".join(
        f"<{tag}{_html_class(cell, column)}>{escape(cell.text)}</{tag}>"
        for cell, column in zip(cells, columns, strict=True)
    )
    return f"<tr>{inner}</tr>"


def _html_class(cell: Cell, column: Column) -> str:
    if column.align == "right":
        return " class=number"
    return " class=words" if column.wraps and len(cell.text) > _LONG_TEXT else ""
