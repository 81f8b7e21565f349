"""Rows of text as an aligned plain table, for what is printed into pipes and files. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from accelscope.core.render.source_excerpt import display_width, strip_control_characters


def tabulate(rows: Iterable[Sequence[str]], heads: Sequence[str] = (), right: Iterable[int] = ()) -> str:
    """Return rows as lines with aligned columns, two spaces apart.

    Args:
        rows: of one text for each column.
        heads: titles of the columns; none without.
        right: indices of columns that are aligned to the right.
    """
    table = [
        [strip_control_characters(cell) for cell in row] for row in ([heads] if heads else []) + list(rows)
    ]
    if not table:
        return ""
    widths = [max(display_width(row[at]) for row in table) for at in range(len(table[0]))]
    ends = frozenset(right)
    return "\n".join(
        "  ".join(_padded(cell, widths[at], at in ends) for at, cell in enumerate(row)).rstrip()
        for row in table
    )


def format_markdown_table(
    rows: Iterable[Sequence[str]], heads: Sequence[str], right: Iterable[int] = ()
) -> str:
    """Return rows as a Markdown table."""
    ends = frozenset(right)
    rule = ["--:" if at in ends else "---" for at in range(len(heads))]
    lines = [heads, rule, *([_escaped(cell) for cell in row] for row in rows)]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def _padded(text: str, width: int, right: bool) -> str:
    space = " " * (width - display_width(text))
    return space + text if right else text + space


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace("|", "\\|").replace("\n", " ")
