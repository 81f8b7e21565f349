"""A sweep as people see it: its progress on a terminal, and its summary as plain data and as text."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from attrs import asdict, define

from accelscope.core.render.document import Block, Paragraph, format_document_text
from accelscope.core.render.result import format_axis_value, format_with_unit
from accelscope.core.render.table import Cell, Column, Table, make_table
from accelscope.core.render.text_style import PLAIN_STYLE, Mark, TextStyle

if TYPE_CHECKING:
    from accelscope.core.sweep.plan import SweepPlan
    from accelscope.core.sweep.run import SweepRun
    from accelscope.core.sweep.summary import SweepSummary

_FRONT_ROWS = 20
"""Points of a front that a table shows."""
_REASON_ROWS = 6
"""Reasons that a table shows."""


@define(eq=False)
class SweepProgress:
    """Points done, rate and remaining time, on a terminal only and on standard error."""

    points: int
    _bar: Any = None
    _task: Any = None

    def __enter__(self) -> Self:
        if sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import BarColumn, TaskProgressColumn, TextColumn, TimeRemainingColumn
            from rich.progress import Progress as Bar

            self._bar = Bar(
                TextColumn("{task.completed:,.0f} of {task.total:,.0f} points"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[rate]}"),
                TimeRemainingColumn(),
                console=Console(stderr=True),
                transient=True,
            )
            self._task = self._bar.add_task("", total=self.points, rate="")
            self._bar.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._bar is not None:
            self._bar.stop()

    def show(self, points: int) -> None:
        """Show how many points are done."""
        if self._bar is not None:
            speed = self._bar.tasks[0].speed or 0.0
            rate = f"{speed:,.0f} points/s" if speed else ""
            self._bar.update(self._task, completed=points, rate=rate)


def build_sweep_report(plan: SweepPlan, found: SweepRun, startup: float) -> dict[str, Any]:
    """Return a sweep as the object that `--format json` prints.

    Args:
        plan: plan of the sweep.
        found: what became of the sweep.
        startup: seconds before the first point: Python, the plugins, the file.
    """
    summary = found.summary
    told: dict[str, Any] = {"study": plan.label, "points": summary.points}
    told["axes"] = [
        {"name": axis.name, "unit": axis.unit, "values": axis.size, "tuned": axis in plan.tuned}
        for axis in (*plan.axes, *plan.tuned)
    ]
    if plan.tuned:
        told["evaluations"] = summary.points * plan.combinations
    told |= {
        "feasible": summary.feasible,
        "allowed": summary.allowed,
        "reasons": dict(sorted(summary.reasons.items(), key=lambda item: (-item[1], item[0]))),
        "seconds": round(found.seconds, 3),
        "startup": round(startup, 3),
        "known": found.known,
        "points_per_second": round((summary.points - found.known) / found.seconds) if found.seconds else None,
        "peak_memory": _measure_peak_memory(),
        "trade": [item.name for item in summary.trade],
        "pareto": summary.pareto(),
        "best": summary.best(),
    }
    if summary.groups:
        told["groups"] = [_group(summary, key, group) for key, group in sorted(summary.groups.items())]
    told["failed"] = [asdict(item) for item in found.chunk_failures]
    return told | {"stopped": found.stopped, "manifest": plan.manifest}


def _group(whole: SweepSummary, key: tuple[Any, ...], group: SweepSummary) -> dict[str, Any]:
    return {
        "group": {
            name: float(value) if not isinstance(value, str) else value
            for name, value in zip(whole.group_by, key, strict=True)
        },
        "points": group.points,
        "feasible": group.feasible,
        "allowed": group.allowed,
        "pareto": group.pareto(),
        "best": group.best(),
    }


def _measure_peak_memory() -> int | None:
    """Return the most bytes that this process has had in memory, or None where the system does not tell."""
    try:
        import resource
    except ImportError:  # Windows
        return None
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most if sys.platform == "darwin" else most * 1024


def format_sweep_report(report: Mapping[str, Any], style: TextStyle = PLAIN_STYLE) -> str:
    """Return the summary of a sweep as text, the best points first.

    Args:
        report: as `build_sweep_report` makes it.
        style: width and colour of the text.
    """
    return format_document_text(_blocks(report), style)


def _blocks(report: Mapping[str, Any]) -> Iterator[Block]:
    units = {axis["name"]: axis["unit"] for axis in report["axes"]}
    width = len(format(report["points"], ","))
    reasons = (
        f"  {count:>{width},} not: {reason}"
        for reason, count in list(report["reasons"].items())[:_REASON_ROWS]
    )
    mark = Mark.PLAIN if report["allowed"] else Mark.BAD
    yield Paragraph("\n".join((_summarize(report, units), _count(report), *reasons)), mark, indent="  ")
    if report["best"]:
        yield _best_table(report["best"], units)
    yield from _front(report["pareto"], report["trade"], units)
    for group in report.get("groups", ()):
        where = _values(group["group"], units)
        yield f"{where}: {group['points']:,} points, {group['allowed']:,} allowed"
        front = list(_front(group["pareto"], report["trade"], units))
        yield from front or ([_best_table(group["best"], units)] if group["best"] else [])


def _summarize(report: Mapping[str, Any], units: Mapping[str, str]) -> str:
    """Return the best point of the first goal in one sentence."""
    for name, row in report["best"].items():
        entry = row["metrics"][name]
        where = _where(row, units)
        best = f"{report['study']}: best {name} {format_with_unit(entry['value'], entry['unit'])}"
        return f"{best} at {where}" if where else best
    return f"{report['study']}: no point is allowed"


def _count(report: Mapping[str, Any]) -> str:
    tried = f" ({report['evaluations']:,} evaluations)" if "evaluations" in report else ""
    many = report.get("evaluations", report["points"])
    what = "evaluations" if "evaluations" in report else "points"
    speed = f", {many / report['seconds']:,.0f} {what}/s" if report["seconds"] else ""
    before = f", {report['known']:,} of them there before" if report["known"] else ""
    met = (
        ""
        if report["allowed"] == report["feasible"]
        else f", {report['allowed']:,} of them meet every requirement"
    )
    points = "1 point" if report["points"] == 1 else f"{report['points']:,} points"
    return f"{points}{before}{tried}, {report['feasible']:,} feasible{met}; in {report['seconds']} s{speed}"


def _best_table(best: Mapping[str, Any], units: Mapping[str, str]) -> Table:
    rows = []
    for name, row in best.items():
        entry = row["metrics"][name]
        value = Cell(format_with_unit(entry["value"], entry["unit"]), entry["value"])
        rows.append((name, value, _where(row, units)))
    return make_table((Column("best"), Column("value", align="right"), Column("point", wraps=True)), rows)


def _front(front: list[dict[str, Any]], trade: list[str], units: Mapping[str, str]) -> Iterator[Block]:
    """Yield the table of a front; one of a single point is the best of each goal, which is shown already."""
    if len(trade) < 2 or len(front) < 2:
        return
    fixed = _common([_point(row) for row in front])
    rows = [
        [
            _values({name: value for name, value in _point(row).items() if name not in fixed}, units),
            *(
                format_with_unit(row["metrics"][name]["value"], row["metrics"][name]["unit"])
                for name in trade
            ),
        ]
        for row in front[:_FRONT_ROWS]
    ]
    columns = [
        Column("point", title="TRADE-OFF", wraps=True),
        *(Column(name, title=name, align="right") for name in trade),
    ]
    yield make_table(columns, rows)
    notes = []
    if len(front) > _FRONT_ROWS:
        notes.append(f"... and {len(front) - _FRONT_ROWS:,} more; `--format json` lists all")
    if fixed:
        notes.append(f"all of them at {_values(fixed, units)}")
    yield Paragraph("\n".join(notes), indent="  ")


def _common(points: list[dict[str, Any]]) -> dict[str, Any]:
    """Return the values that several points have in common."""
    if len(points) < 2:
        return {}
    return {name: value for name, value in points[0].items() if all(row[name] == value for row in points)}


def _point(row: Mapping[str, Any]) -> dict[str, Any]:
    return {**row["point"], **row.get("tuned", {})}


def _where(row: Mapping[str, Any], units: Mapping[str, str]) -> str:
    return _values(_point(row), units)


def _values(values: Mapping[str, Any], units: Mapping[str, str]) -> str:
    texts = (f"{name} = {format_axis_value(value)} {units[name]}".rstrip() for name, value in values.items())
    return ", ".join(texts)
