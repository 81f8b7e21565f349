"""`sweep`: every point of a study."""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING

import rich_click as click

from accelscope.core.cli import INFEASIBLE, OK, Settings
from accelscope.core.output import opened
from accelscope.core.show.tabulate import tabulate
from accelscope.core.verbs.grid import written
from accelscope.core.verbs.shared import asking, open_session, report_of

if TYPE_CHECKING:
    from accelscope.core.result import Result


@click.command()
@click.argument("file")
@click.option("--study", metavar="NAME", help="The study, where the file holds several.")
@asking
@click.option(
    "--pareto", "trade", default="tpot,throughput_per_device", show_default=True, help="Metrics to trade off."
)
@click.option(
    "--format", "form", default="table", show_default=True, metavar="NAME", help="json, csv, md, ..."
)
@click.option(
    "-o", "--output", metavar="FILE", help="Also write every point there: .parquet, .csv, .json or .md."
)
@click.pass_obj
def sweep(
    settings: Settings,
    file: str,
    study: str | None,
    sets: tuple[str, ...],
    root: tuple[str, ...],
    trade: str,
    form: str,
    output: str | None,
) -> int:
    """Evaluate every point of a study's sweeps, and print how many are feasible and the best trade-offs.

    `--format json` and `table` print the summary; `csv` and `md` print every point.
    """
    session = open_session(settings, root)
    report = report_of(session, form)
    with written(output, session) as write:
        start = time.perf_counter()
        results = (session.sweep(file, study, sets),)
        seconds = time.perf_counter() - start
        write(results)
    summary = summarize(results, seconds, tuple(name.strip() for name in trade.split(",")))
    with opened(None) as stream:
        if form == "json":
            stream.write(json.dumps(summary, indent=2, ensure_ascii=False) + "\n")
        elif form == "table":
            stream.write(_text(summary))
        else:
            report.write(results, stream)
    return OK if summary["feasible"] else INFEASIBLE


def summarize(results: Sequence[Result], seconds: float, trade: tuple[str, ...]) -> dict[str, object]:
    """Return points, feasible points, seconds, and the best trade-offs between metrics."""
    from accelscope.core.pareto import pareto

    return {
        "points": sum(result.size for result in results),
        "feasible": sum(int(result.feasible.sum()) for result in results),
        "seconds": round(seconds, 3),
        "pareto": pareto(tuple(results), trade),
    }


def _text(summary: dict[str, object]) -> str:
    from accelscope.core.show.summarize import axis_text, shown

    rows = []
    best = summary["pareto"]
    assert isinstance(best, list)
    for item in best:
        axes = ", ".join(f"{name} = {axis_text(value)}" for name, value in item["point"].items())
        metrics = (shown(entry["value"], entry["unit"]) for entry in item["metrics"].values())
        rows.append([item["scenario"], axes, *metrics])
    heads = ("SCENARIO", "POINT", *(best[0]["metrics"] if best else ()))
    line = f"{summary['points']} points, {summary['feasible']} feasible, in {summary['seconds']} s\n"
    return line + ("\n" + tabulate(rows, heads, range(2, len(heads))) + "\n" if rows else "")
