"""What a study finds, ready to be shown: sections of words, tables and plots, and numbers that claims refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from accelscope.core.analysis.jobs.phrases import format_short_number
from accelscope.core.render.table import Cell, Column, Table, make_table

TableCell = str | float | int | None
"""A cell of a table; None is shown as a dash and left empty in CSV."""


@frozen(kw_only=True)
class SectionTable:
    """Rows under heads.

    Attributes:
        name: of its CSV file, without the suffix.
        title: above the table.
        heads: of the columns, with units.
        rows: of one cell for each head.
        note: below the table on the page.
        on_page: whether the page shows it; else it is only a CSV file.
        collapsed: whether the page shows it folded.
    """

    name: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    note: str = ""
    on_page: bool = True
    collapsed: bool = False

    def to_table(self, most: int | None = None) -> Table:
        """Return the rows as the table that pages and files are written from.

        Args:
            most: rows; None for all.
        """
        columns = [
            Column(head, title=head, align="right" if self._has_numbers(at) else "left", wraps=True)
            for at, head in enumerate(self.heads)
        ]
        rows = [[Cell(format_table_cell(value), value) for value in row] for row in self.rows[:most]]
        return make_table(columns, rows, title=self.title)

    def _has_numbers(self, at: int) -> bool:
        values = [row[at] for row in self.rows]
        return all(not isinstance(value, str) for value in values) and any(
            value is not None for value in values
        )


def format_table_cell(value: TableCell) -> str:
    """Return a value as a page shows it: few digits, and a dash for None."""
    if value is None or isinstance(value, str):
        return "–" if value is None else value
    return f"{value:,}" if isinstance(value, int) else format_short_number(value)


@frozen(kw_only=True, eq=False)
class SectionPlot:
    """A figure in plotly's JSON: traces and layout.

    Attributes:
        name: of the element on the page.
        choices: what a menu above the plot offers, with which traces are visible then.
        legend: colours by what they stand for; the page shows it, so that it wraps in a narrow window.
    """

    name: str
    title: str
    traces: tuple[Mapping[str, Any], ...]
    layout: Mapping[str, Any] = field(factory=dict)
    choices: Mapping[str, tuple[bool, ...]] = field(factory=dict)
    legend: Mapping[str, str] = field(factory=dict)
    note: str = ""


@frozen(kw_only=True, eq=False)
class StudySection:
    """A part of the page.

    Attributes:
        findings: sentences made from the numbers; the first stands at the top of the page as well.
        parts: tables and plots, in order.
        numbers: by dotted name, for claims.
    """

    name: str
    title: str
    findings: tuple[str, ...] = ()
    parts: tuple[SectionTable | SectionPlot, ...] = ()
    numbers: Mapping[str, float] = field(factory=dict)
