"""One result as rows of text: metrics, limits, where the time goes; for tables of every kind. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from accelscope.core.query.result import Result
from accelscope.dsl.values.units import UnknownUnit, built_in_unit_table, format_quantity

_BREAKDOWN_ROWS = 12
"""Rows of a breakdown that a person reads."""
_SWEEP_POINTS = 20
"""Points of a sweep that a table shows."""


def format_with_unit(value: float | None, unit: str) -> str:
    """Return a number in a unit as people write it, or "-" where there is none."""
    if value is None:
        return "-"
    try:
        scale, dimension = built_in_unit_table().parse(unit)
    except UnknownUnit:
        return f"{value:.4g} {unit}"
    if not dimension.powers:
        return f"{value * scale * 100:.3g} %" if unit == "%" else f"{value:.4g}"
    return format_quantity(value, dimension) if scale == 1.0 else f"{value:.4g} {unit}"


def build_metric_rows(point: dict[str, Any], headlines: frozenset[str]) -> Iterator[list[str]]:
    """Yield name, value, and low .. high of the headline metrics of a point."""
    for name, entry in point["metrics"].items():
        if name in headlines:
            low, high = (format_with_unit(entry[key], entry["unit"]) for key in ("low", "high"))
            known = entry["low"] is not None and entry["high"] is not None
            span = "" if not known else low if low == high else f"{low} .. {high}"
            yield [name, format_with_unit(entry["value"], entry["unit"]), span]


def build_limit_rows(point: dict[str, Any]) -> Iterator[list[str]]:
    """Yield name, used, available and verdict of the limits of a point."""
    for limit in point["limits"]:
        over = _exceeded(limit)
        if limit.get("condition"):
            yield [limit["name"], "", "", f"broken: {limit.get('reason', '')}" if over else "holds"]
            continue
        used, available = _pair(limit)
        share = f"{limit['used'] / limit['available']:.0%}" if limit["available"] else ""
        yield [limit["name"], used, available, "EXCEEDED" if over else share]


def describe_exceeded_limits(point: dict[str, Any]) -> Iterator[str]:
    """Yield a sentence for each limit that a point breaks: which, by how much, and why that matters."""
    for limit in filter(_exceeded, point["limits"]):
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


def _exceeded(limit: dict[str, Any]) -> bool:
    used, available = limit["used"], limit["available"]
    return used is not None and available is not None and used > available


def _pair(limit: dict[str, Any]) -> tuple[str, str]:
    """Return used and available in one unit: in GiB where the available bytes are a round number of them."""
    used, available = (
        format_with_unit(limit["used"], limit["unit"]),
        format_with_unit(limit["available"], limit["unit"]),
    )
    number, _, unit = available.partition(" ")
    if unit.endswith("iB") and not used.endswith(unit) and limit["used"] is not None and float(number) > 0:
        used = f"{limit['used'] / (limit['available'] / float(number)):.4g} {unit}"
    return used, available


def build_breakdown_rows(point: dict[str, Any]) -> Iterator[list[str]]:
    """Yield phase, component, operation, time, share and what bounds it, the longest of each phase first."""
    phases = dict.fromkeys(row["phase"] for row in point["breakdown"])
    for phase in phases:
        rows = [row for row in point["breakdown"] if row["phase"] == phase]
        rows.sort(key=lambda row: row["seconds"] or 0.0, reverse=True)
        for row in rows[:_BREAKDOWN_ROWS]:
            share = "" if row["share"] is None else f"{row['share']:.1%}"
            yield [
                phase,
                row["component"],
                row["op"],
                format_with_unit(row["seconds"], "s"),
                share,
                row["bound_by"] or "",
            ]
        if len(rows) > _BREAKDOWN_ROWS:
            rest = sum(row["seconds"] or 0.0 for row in rows[_BREAKDOWN_ROWS:])
            yield [phase, "", f"{len(rows) - _BREAKDOWN_ROWS} more", format_with_unit(rest, "s"), "", ""]


def build_requirement_rows(point: dict[str, Any]) -> Iterator[list[str]]:
    """Yield word, text and verdict of the requirements of a point."""
    for row in point.get("requirements", ()):
        verdict = "not computed" if row["met"] is None else "met" if row["met"] else "NOT MET"
        yield [row["word"], row["text"], verdict]


def list_headline_metrics(result: Result) -> frozenset[str]:
    """Return the metrics that a person is shown without asking."""
    return frozenset(name for name, column in result.metrics.items() if column.headline)


def build_sweep_rows(result: Result, limit: int = _SWEEP_POINTS) -> tuple[list[str], list[list[str]]]:
    """Return titles and rows of the first points of a sweep: axes, feasibility, headline metrics."""
    names = [name for name in result.metrics if name in list_headline_metrics(result)]
    heads = [
        *(f"{axis.name} [{axis.unit}]" if axis.unit else axis.name for axis in result.axes),
        "feasible",
        *names,
    ]
    rows = []
    for number, index in enumerate(np.ndindex(*result.shape)):
        if number == limit:
            break
        feasible = bool(np.broadcast_to(result.feasible, result.shape)[index])
        axes = [format_axis_value(value) for value in result.where(index).values()]
        rows.append([*axes, "yes" if feasible else "no", *(_at(result, name, index) for name in names)])
    return heads, rows


def format_axis_value(value: float | str) -> str:
    """Return a value of an axis as people write it."""
    return value if isinstance(value, str) else f"{value:.6g}"


def _at(result: Result, name: str, index: tuple[int, ...]) -> str:
    column = result.metrics[name]
    if column.value is None:
        return "-"
    value = float(np.broadcast_to(column.value, result.shape)[index])
    return format_with_unit(value if np.isfinite(value) else None, column.unit)
