"""Results as Markdown, for issues, pull requests and notes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TextIO

from accelscope.core.plugin.records import Report
from accelscope.core.query.result import Result
from accelscope.core.render.result import (
    build_breakdown_rows,
    build_limit_rows,
    build_metric_rows,
    build_requirement_rows,
    build_sweep_rows,
    list_headline_metrics,
)
from accelscope.core.render.table import format_markdown_table


def write_markdown_report(results: tuple[Result, ...], stream: TextIO) -> None:
    """Write one section for each result."""
    stream.write("\n\n".join(_section(result) for result in results) + "\n")


def _section(result: Result) -> str:
    if result.axes:
        heads, rows = build_sweep_rows(result, limit=result.size)
        title = f"## {result.scenario}\n\n{result.size} points, {int(result.feasible.sum())} feasible.\n\n"
        return title + format_markdown_table(rows, heads, range(len(result.axes)))
    point = result.point()
    parts = [f"## {result.scenario}", "Feasible." if point["feasible"] else "**Not feasible.**"]
    sections: tuple[tuple[Iterator[list[str]], tuple[str, ...], tuple[int, ...]], ...] = (
        (build_metric_rows(point, list_headline_metrics(result)), ("metric", "value", "low .. high"), (1, 2)),
        (build_limit_rows(point), ("limit", "used", "available", ""), (1, 2)),
        (build_requirement_rows(point), ("target", "", ""), ()),
        (
            build_breakdown_rows(point),
            ("phase", "component", "operation", "time", "share", "bound by"),
            (3, 4),
        ),
    )
    for section, titles, right in sections:
        listed = list(section)
        if listed:
            parts.append(format_markdown_table(listed, titles, right))
    return "\n\n".join([*parts, *(f"*{note}*" for note in point.get("notes", ()))])


MARKDOWN = Report(name="md", doc="Markdown tables", write=write_markdown_report)
