"""Results as tables for people: coloured by rich on a terminal, plain and aligned in a pipe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TextIO

from accelscope.core.plugin.records import Report
from accelscope.core.query.result import Result
from accelscope.core.render.result import (
    build_breakdown_rows,
    build_limit_rows,
    build_metric_rows,
    build_requirement_rows,
    build_sweep_rows,
    describe_exceeded_limits,
    list_headline_metrics,
)
from accelscope.core.render.table import tabulate

_RIGHT = {"metrics": (1, 2), "limits": (1, 2), "time": (3, 4)}


def write_table_report(results: tuple[Result, ...], stream: TextIO) -> None:
    """Write one section for each result."""
    for number, result in enumerate(results):
        stream.write("\n" if number else "")
        if result.axes:
            _sweep(result, stream)
        else:
            _point(result, stream)


def _point(result: Result, stream: TextIO) -> None:
    point = result.point()
    _title(
        f"{result.scenario}: " + ("feasible" if point["feasible"] else "NOT FEASIBLE"),
        stream,
        point["feasible"],
    )
    stream.writelines(f"  {line}\n" for line in describe_exceeded_limits(point))
    metrics = list(build_metric_rows(point, list_headline_metrics(result)))
    _table("metrics", ("METRIC", "VALUE", "LOW .. HIGH"), metrics, stream)
    _table("limits", ("LIMIT", "USED", "AVAILABLE", ""), list(build_limit_rows(point)), stream)
    _table("requirements", ("TARGET", "", ""), list(build_requirement_rows(point)), stream)
    heads = ("PHASE", "COMPONENT", "OPERATION", "TIME", "SHARE", "BOUND BY")
    _table("time", heads, list(build_breakdown_rows(point)), stream)
    stream.writelines(f"note: {note}\n" for note in point.get("notes", ()))


def _sweep(result: Result, stream: TextIO) -> None:
    feasible = int(result.feasible.sum())
    _title(f"{result.scenario}: {result.size} points, {feasible} feasible", stream, feasible > 0)
    heads, rows = build_sweep_rows(result)
    _table("sweep", tuple(heads), rows, stream)
    if result.size > len(rows):
        stream.write(f"... {result.size - len(rows)} more points; `--format csv` has all\n")


def _title(text: str, stream: TextIO, good: bool) -> None:
    if stream.isatty():
        from rich.console import Console

        Console(file=stream).print(text, style="bold green" if good else "bold red", markup=False)
    else:
        stream.write(text + "\n")


def _table(name: str, heads: Sequence[str], rows: list[list[str]], stream: TextIO) -> None:
    if not rows:
        return
    right = _RIGHT.get(name, ())
    if not stream.isatty():
        stream.write("\n" + tabulate(rows, heads, right) + "\n")
        return
    from rich.box import SIMPLE
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=SIMPLE, pad_edge=False)
    for at, head in enumerate(heads):
        table.add_column(head, justify="right" if at in right else "left", overflow="fold")
    for row in rows:
        table.add_row(*map(Text, row))
    Console(file=stream).print(table)


TABLE = Report(name="table", doc="tables for people", write=write_table_report)
