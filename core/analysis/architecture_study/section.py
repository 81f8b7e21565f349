"""What a study finds, ready to be shown: sections of words, tables and plots, and numbers that claims refer to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

TableCell = str | float | int | None
"""A cell of a table; None is shown as a dash and left empty in CSV."""


@frozen(kw_only=True)
class SectionTable:
    """Rows under heads.

    Attributes:
        name: of its CSV file, without the suffix.
        heads: of the columns, with units.
        note: below the table on the page.
        shown: whether the page shows it; else it is only a CSV file.
        folded: whether the page shows it folded.
    """

    name: str
    title: str
    heads: tuple[str, ...]
    rows: tuple[tuple[TableCell, ...], ...]
    note: str = ""
    on_page: bool = True
    collapsed: bool = False


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
