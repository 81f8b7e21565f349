"""One result for people: a sentence with the answer, and tables of metrics, limits, targets and times. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np

from accelscope.core.query.result import Result, is_limit_exceeded
from accelscope.core.render.document import Block, Paragraph
from accelscope.core.render.table import Cell, Column, Table, make_table
from accelscope.core.render.text_style import Mark
from accelscope.dsl.values.units import UnknownUnit, built_in_unit_table, format_quantity

BREAKDOWN_ROWS = 6
"""Operations of a phase that are shown without `--all`."""
SWEEP_ROWS = 20
"""Points of a swept scenario that are shown without `--all`."""
_ANSWERS: Mapping[str, tuple[str, ...]] = {"tpot": ("decode",), "step_time": ("forward", "backward")}
"""Metrics that the first line may name, and the phases that they are the time of."""


def format_with_unit(value: float | None, unit: str) -> str:
    """Return a number in a unit as people write it, or "-" if there is none."""
    if value is None:
        return "-"
    try:
        scale, dimension = built_in_unit_table().parse(unit)
    except UnknownUnit:
        return f"{value:.4g} {unit}"
    if not dimension.powers:
        return f"{value * scale * 100:.3g} %" if unit == "%" else f"{value:.4g}"
    return format_quantity(value, dimension) if scale == 1.0 else f"{value:.4g} {unit}"


def build_result_blocks(result: Result, *, every_row: bool = False) -> Iterator[Block]:
    """Yield what a person is shown of a result, the sentence with the answer first.

    Args:
        result: of one point, or swept.
        every_row: whether all operations and all points are shown.
    """
    if result.axes:
        yield from _sweep_blocks(result, every_row)
        return
    point = result.point()
    yield Paragraph(summarize_point(point), Mark.GOOD if point["feasible"] else Mark.BAD, indent="  ")
    reasons = list(describe_exceeded_limits(point))
    if len(reasons) > 1:
        yield Paragraph("\n".join(f"  {reason}" for reason in reasons), indent="  ")
    yield build_metric_table(point, list_headline_metrics(result))
    yield build_limit_table(point)
    yield build_requirement_table(point)
    yield build_breakdown_table(point, None if every_row else BREAKDOWN_ROWS)
    yield Paragraph("\n".join(f"note: {note}" for note in point.get("notes", ())), indent="  ")


def summarize_point(point: Mapping[str, Any]) -> str:
    """Return the answer in one sentence: whether a point is feasible, its time for a token, and what bounds it."""
    name = point["scenario"]
    if not point["feasible"]:
        reasons = list(describe_exceeded_limits(point))
        return f"{name}: NOT FEASIBLE" + (f"; {reasons[0]}" if len(reasons) == 1 else "")
    parts = [f"{name}: feasible", *_describe_answer(point)]
    requirements = point.get("requirements", ())
    missed = sum(row["met"] is False for row in requirements)
    if missed:
        parts.append(f"{missed} of {len(requirements)} target{'s' * (len(requirements) > 1)} NOT MET")
    return "; ".join(parts)


def _describe_answer(point: Mapping[str, Any]) -> Iterator[str]:
    """Yield the metric that matters first, with what bounds its phase."""
    for name, phases in _ANSWERS.items():
        entry = point["metrics"].get(name)
        if entry is None or entry["value"] is None:
            continue
        text = f"{name.upper().replace('_', ' ')} {format_with_unit(entry['value'], entry['unit'])}"
        bound = find_longest_bound(point["breakdown"], phases)
        if bound is not None:
            resource, _, share = bound
            text += f", bound by {resource} ({share * 100:.0f} % of {' and '.join(phases)})"
        yield text
        return


def find_longest_bound(
    breakdown: Sequence[Mapping[str, Any]], phases: Sequence[str]
) -> tuple[str, str, float] | None:
    """Return the resource that decides most of some phases, the component it decides most of, and its share.

    Args:
        breakdown: rows of a point.
        phases: that count.
    """
    rows = [row for row in breakdown if row["phase"] in phases and row["seconds"]]
    whole = sum(row["seconds"] for row in rows)
    if not whole:
        return None
    resource, time = _longest(rows, "bound_by")
    component, _ = _longest([row for row in rows if row["bound_by"] == resource], "component")
    return resource, component, time / whole


def _longest(rows: Sequence[Mapping[str, Any]], by: str) -> tuple[str, float]:
    times: dict[str, float] = {}
    for row in rows:
        times[str(row[by])] = times.get(str(row[by]), 0.0) + row["seconds"]
    return max(times.items(), key=lambda pair: pair[1])


_METRIC_COLUMNS = (
    Column("metric"),
    Column("value", align="right"),
    Column("range", title="LOW .. HIGH", align="right", doc="10th and 90th percentile", priority=1),
)


def build_metric_table(point: Mapping[str, Any], headlines: frozenset[str]) -> Table:
    """Return the headline metrics of a point: name, value, and low .. high."""
    rows = []
    for name, entry in point["metrics"].items():
        if name in headlines:
            low, high = (format_with_unit(entry[key], entry["unit"]) for key in ("low", "high"))
            known = entry["low"] is not None and entry["high"] is not None
            span = "" if not known else low if low == high else f"{low} .. {high}"
            rows.append((name, Cell(format_with_unit(entry["value"], entry["unit"]), entry["value"]), span))
    return make_table(_METRIC_COLUMNS, rows)


_LIMIT_COLUMNS = (
    Column("limit", wraps=True),
    Column("used", align="right"),
    Column("available", align="right"),
    Column("state", title=" ", wraps=True),
)


def build_limit_table(point: Mapping[str, Any]) -> Table:
    """Return the limits of a point: name, used, available, and the share or the verdict."""
    return make_table(_LIMIT_COLUMNS, (_limit_row(limit) for limit in point["limits"]))


def _limit_row(limit: Mapping[str, Any]) -> tuple[Cell | str, ...]:
    over = is_limit_exceeded(limit)
    if limit.get("condition"):
        state = Cell(f"broken: {limit.get('reason', '')}", mark=Mark.BAD) if over else Cell("holds")
        return limit["name"], "", "", state
    used, available = _pair(limit)
    share = f"{limit['used'] / limit['available']:.0%}" if limit["available"] else ""
    return limit["name"], used, available, Cell("EXCEEDED", mark=Mark.BAD) if over else share


def describe_exceeded_limits(point: Mapping[str, Any]) -> Iterator[str]:
    """Yield a sentence for each limit that a point breaks: which, by how much, and why that matters."""
    for limit in filter(is_limit_exceeded, point["limits"]):
        reason = limit.get("reason", "")
        if limit.get("condition"):
            yield f"{limit['name']}: {reason}"
            continue
        used, available = _pair(limit)
        ratio = limit["used"] / limit["available"] if limit["available"] else 0.0
        times = f", {ratio:.2f} times what there is" if ratio > 1 and limit["unit"] else ""
        yield f"{limit['name']}: {used} used, {available} available{times}" + (
            f"; {reason}" if reason else ""
        )


def _pair(limit: Mapping[str, Any]) -> tuple[str, str]:
    """Return used and available in one unit: in GiB if the available bytes are a round number of them."""
    used, available = (
        format_with_unit(limit["used"], limit["unit"]),
        format_with_unit(limit["available"], limit["unit"]),
    )
    number, _, unit = available.partition(" ")
    if unit.endswith("iB") and not used.endswith(unit) and limit["used"] is not None and float(number) > 0:
        used = f"{limit['used'] / (limit['available'] / float(number)):.4g} {unit}"
    return used, available


_BREAKDOWN_COLUMNS = (
    Column("phase"),
    Column("component", priority=1),
    Column("operation", wraps=True),
    Column("time", align="right"),
    Column("share", align="right"),
    Column("bound_by", title="BOUND BY"),
)


def build_breakdown_table(point: Mapping[str, Any], most: int | None = BREAKDOWN_ROWS) -> Table:
    """Return the operations of a point, the longest of each phase first: time, share and what bounds them.

    Args:
        point: as a result has it.
        most: rows of a phase; the others are added up in one row. None for all.
    """
    rows: list[tuple[Cell | str, ...]] = []
    for phase in dict.fromkeys(row["phase"] for row in point["breakdown"]):
        own = [row for row in point["breakdown"] if row["phase"] == phase]
        own.sort(key=lambda row: row["seconds"] or 0.0, reverse=True)
        shown = own if most is None or len(own) <= most + 1 else own[:most]
        rows += [_breakdown_row(row) for row in shown]
        if len(shown) < len(own):
            rest = own[len(shown) :]
            seconds = sum(row["seconds"] or 0.0 for row in rest)
            shares = [row["share"] for row in rest if row["share"] is not None]
            share = f"{sum(shares):.1%}" if shares else ""
            texts = (phase, "", f"{len(rest)} more; --all", format_with_unit(seconds, "s"), share, "")
            rows.append(tuple(Cell(text, mark=Mark.DIM) for text in texts))
    return make_table(_BREAKDOWN_COLUMNS, rows)


def _breakdown_row(row: Mapping[str, Any]) -> tuple[Cell | str, ...]:
    share = "" if row["share"] is None else f"{row['share']:.1%}"
    time = Cell(format_with_unit(row["seconds"], "s"), row["seconds"])
    return row["phase"], row["component"], row["op"], time, share, row["bound_by"] or ""


_REQUIREMENT_COLUMNS = (
    Column("word", title="TARGET"),
    Column("condition", title=" ", wraps=True),
    Column("state", title=" "),
)


def build_requirement_table(point: Mapping[str, Any]) -> Table:
    """Return the requirements of a point: word, text and verdict."""
    rows = []
    for row in point.get("requirements", ()):
        verdict = Cell("met", mark=Mark.GOOD) if row["met"] else Cell("NOT MET", mark=Mark.BAD)
        rows.append((row["word"], row["text"], Cell("not computed") if row["met"] is None else verdict))
    return make_table(_REQUIREMENT_COLUMNS, rows)


def list_headline_metrics(result: Result) -> frozenset[str]:
    """Return the metrics that a person is shown without asking."""
    return frozenset(name for name, column in result.metrics.items() if column.headline)


def _sweep_blocks(result: Result, every_row: bool) -> Iterator[Block]:
    feasible = int(result.feasible.sum())
    mark = Mark.GOOD if feasible else Mark.BAD
    text = f"{result.scenario}: {result.size} points, {feasible} feasible{_describe_best(result)}"
    yield Paragraph(text, mark, indent="  ")
    table = build_sweep_table(result, None if every_row else SWEEP_ROWS)
    yield table
    if result.size > len(table.rows):
        yield f"... {result.size - len(table.rows)} more points; --all or --format csv shows them"


def _describe_best(result: Result) -> str:
    """Return the feasible point with the lowest time for a token, as the end of a sentence."""
    for name in _ANSWERS:
        column = result.metrics.get(name)
        if column is None or column.value is None:
            continue
        values = np.where(result.feasible, np.broadcast_to(column.value, result.shape), np.inf)
        values = np.where(np.isfinite(values), values, np.inf)
        if not np.isfinite(values).any():
            continue
        index = tuple(int(at) for at in np.unravel_index(int(np.argmin(values)), result.shape))
        units = {axis.name: axis.unit for axis in result.axes}
        where = ", ".join(
            f"{axis} = {format_axis_value(value)} {units[axis]}".rstrip()
            for axis, value in result.where(index).items()
        )
        return f"; lowest {name} {format_with_unit(float(values[index]), column.unit)} at {where}"
    return ""


def build_sweep_table(result: Result, most: int | None = SWEEP_ROWS) -> Table:
    """Return the first points of a swept result: axes, feasibility, headline metrics.

    Args:
        result: with axes.
        most: points; None for all.
    """
    names = [name for name in result.metrics if name in list_headline_metrics(result)]
    columns = [
        *(_axis_column(axis.name, axis.unit) for axis in result.axes),
        Column("feasible", title="feasible"),
        *(Column(name, title=name, align="right", priority=1 + at) for at, name in enumerate(names)),
    ]
    rows = []
    for number, index in enumerate(np.ndindex(*result.shape)):
        if number == most:
            break
        feasible = bool(np.broadcast_to(result.feasible, result.shape)[index])
        axes = [Cell(format_axis_value(value), value) for value in result.where(index).values()]
        state = Cell("yes", True) if feasible else Cell("no", False, Mark.BAD)
        rows.append([*axes, state, *(_metric_cell(result, name, index) for name in names)])
    return make_table(columns, rows)


def _axis_column(name: str, unit: str) -> Column:
    return Column(name, title=f"{name} [{unit}]" if unit else name, unit=unit, align="right", wraps=True)


def format_axis_value(value: float | str) -> str:
    """Return a value of an axis as people write it."""
    return value if isinstance(value, str) else f"{value:.6g}"


def _metric_cell(result: Result, name: str, index: tuple[int, ...]) -> Cell:
    column = result.metrics[name]
    if column.value is None:
        return Cell("-")
    value = float(np.broadcast_to(column.value, result.shape)[index])
    known = value if np.isfinite(value) else None
    return Cell(format_with_unit(known, column.unit), known)
