"""A table: columns with name, unit and alignment, and rows of cells. It says what there is, not how it looks.

`table_text` shows one on a terminal, `table_formats` writes it as Markdown, CSV, JSON or HTML. Pure.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from typing import Literal

from attrs import evolve, field, frozen

from accelscope.core.render.text_style import Mark

CellValue = str | float | bool | None
"""What a program reads in a cell: a number in the unit of its column, a text, or None."""


@frozen
class Cell:
    """One cell.

    Attributes:
        text: what a person reads.
        value: what a program reads; the text without one.
        mark: what the cell says about itself.
    """

    text: str
    value: CellValue = None
    mark: Mark = Mark.PLAIN


@frozen
class Column:
    """What the cells of a column are.

    Attributes:
        name: for programs, and in capitals for people.
        title: for people, if it is not the name.
        unit: of the values; it is in the titles of CSV and Markdown.
        align: `right` for numbers.
        doc: what the column means, in one sentence.
        priority: 0 is always shown; in a narrow terminal the columns of the largest number are hidden first.
        wraps: whether the text of a cell may take several lines.
        better: whether the lowest or the highest value is the best of the column; empty if none is.
    """

    name: str
    title: str = field(default="", kw_only=True)
    unit: str = field(default="", kw_only=True)
    align: Literal["left", "right"] = field(default="left", kw_only=True)
    doc: str = field(default="", kw_only=True)
    priority: int = field(default=0, kw_only=True)
    wraps: bool = field(default=False, kw_only=True)
    better: Literal["", "low", "high"] = field(default="", kw_only=True)

    @property
    def heading(self) -> str:
        """The title for people."""
        return self.title or self.name.upper()

    @property
    def name_with_unit(self) -> str:
        """The title for programs, such as `tpot [s/tok]`."""
        return f"{self.name} [{self.unit}]" if self.unit else self.name


@frozen(kw_only=True)
class Table:
    """Rows below columns.

    Attributes:
        columns: from left to right.
        rows: of one cell for each column.
        title: a line above the table; empty for none.
    """

    columns: tuple[Column, ...]
    rows: tuple[tuple[Cell, ...], ...]
    title: str = ""

    def take(self, columns: Iterable[int]) -> Table:
        """Return the table with some of its columns, by index."""
        chosen = tuple(columns)
        return evolve(
            self,
            columns=tuple(self.columns[at] for at in chosen),
            rows=tuple(tuple(row[at] for at in chosen) for row in self.rows),
        )


def make_table(
    columns: Sequence[Column], rows: Iterable[Sequence[Cell | CellValue]], *, title: str = ""
) -> Table:
    """Return a table; a cell that is a plain text or number becomes a `Cell`, and the best of a column is marked.

    Args:
        columns: from left to right.
        rows: of one cell for each column.
        title: a line above the table.

    Raises:
        ValueError: a row has more or fewer cells than there are columns.
    """
    made = [tuple(map(_make_cell, row)) for row in rows]
    if any(len(row) != len(columns) for row in made):
        raise ValueError(f"a row has other than {len(columns)} cells")
    best = {
        (place, at)
        for at, column in enumerate(columns)
        if column.better
        for place in _find_best(made, at, column)
    }
    marked = tuple(
        tuple(evolve(cell, mark=Mark.BEST) if (place, at) in best else cell for at, cell in enumerate(row))
        for place, row in enumerate(made)
    )
    return Table(columns=tuple(columns), rows=marked, title=title)


def _make_cell(item: Cell | CellValue) -> Cell:
    if isinstance(item, Cell):
        return item
    if item is None:
        return Cell("")
    if isinstance(item, str):
        return Cell(item, item)
    text = (
        str(item).lower()
        if isinstance(item, bool)
        else f"{item:,}"
        if isinstance(item, int)
        else f"{item:.4g}"
    )
    return Cell(text, item)


def _find_best(rows: Sequence[Sequence[Cell]], at: int, column: Column) -> list[int]:
    """Return the rows with the best value of a column; none if it has fewer than two values or all are equal."""
    values = {
        place: float(value)
        for place, row in enumerate(rows)
        if isinstance(value := row[at].value, (int, float)) and math.isfinite(value)
    }
    if len(set(values.values())) < 2:
        return []
    best = min(values.values()) if column.better == "low" else max(values.values())
    return [place for place, value in values.items() if value == best]
