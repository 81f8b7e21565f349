"""A comparison as a table, Markdown, CSV or JSON. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterable, Sequence
from typing import Any

from accelscope.core.analysis.compare.rows import COMPARED_METRICS, ComparisonRow
from accelscope.core.render.result import format_with_unit
from accelscope.core.render.source_excerpt import display_width
from accelscope.core.render.table import format_markdown_table, tabulate

COMPARISON_HEADERS = (
    "SYSTEM", "USED", "SPLIT", "TYPE", "TTFT", "TPOT", "LOW .. HIGH", "TOK/S USER", "TOK/S", "TOK/S/W",
    "USD/MTOK", "DECODE BOUND BY",
)  # fmt: skip
_RIGHT = (1, 4, 5, 7, 8, 9, 10)
_SPARED = ("TOK/S USER", "LOW .. HIGH", "TYPE", "SPLIT", "USD/MTOK", "USED")
"""Columns that a narrow terminal goes without, in this order: first what others say, such as one over TPOT."""


def format_comparison_table(rows: Sequence[ComparisonRow], asked: str, width: int | None = None) -> str:
    """Return a table for each batch, with the reasons of its empty rows below it, and what is in another type.

    Args:
        asked: data type that was asked for.
        width: characters of a line; columns are left out for it, and named at the end.
    """
    shown_at = _columns(rows, width)
    heads, right = (
        _taken(COMPARISON_HEADERS, shown_at),
        [at for at, whole in enumerate(shown_at) if whole in _RIGHT],
    )
    parts = []
    for batch in dict.fromkeys(row.batch for row in rows):
        here = [row for row in rows if row.batch == batch]
        reasons = [f"  {_name_row(row)}: {row.why}" for row in here if row.why]
        notes = [
            f"  {_name_row(row)}: {row.weights} weights, products in {row.products}"
            for row in here
            if _other(row, asked)
        ]
        text = f"BATCH {batch}\n" + tabulate([_taken(_cells(row), shown_at) for row in here], heads, right)
        text += "\nempty because:\n" + "\n".join(reasons) if reasons else ""
        text += f"\nnot in {asked}:\n" + "\n".join(notes) if notes else ""
        parts.append(text)
    if "USD/MTOK" in heads and any(_idle(row) for row in rows):
        parts.append("USD/MTOK: where the price is of a node, its idle devices are paid for too")
    spared = [head for head in COMPARISON_HEADERS if head not in heads]
    if spared:
        parts.append(f"no room for {', '.join(spared)}; --format md, csv or json has them")
    return "\n\n".join(parts) + "\n"


def _columns(rows: Sequence[ComparisonRow], width: int | None) -> list[int]:
    """Return the columns that a width has room for, by index."""
    lines = [COMPARISON_HEADERS, *map(_cells, rows)]
    widths = [max(display_width(line[at]) for line in lines) for at in range(len(COMPARISON_HEADERS))]
    kept = list(range(len(COMPARISON_HEADERS)))
    for head in _SPARED:
        if width is None or sum(widths[at] + 2 for at in kept) - 2 <= width:
            break
        kept.remove(COMPARISON_HEADERS.index(head))
    return kept


def _idle(row: ComparisonRow) -> bool:
    """Say whether a row has a cost, and devices that it does not use."""
    return row.devices < row.available and row.metrics.get("cost_per_mtok", (None,))[0] is not None


def _taken(line: Sequence[str], columns: Sequence[int]) -> list[str]:
    return [line[at] for at in columns]


def format_comparison_markdown(rows: Sequence[ComparisonRow]) -> str:
    """Return one Markdown table; the reason of an empty row stands in its last column."""
    heads = (COMPARISON_HEADERS[0], "BATCH", *COMPARISON_HEADERS[1:])
    lines = []
    for row in rows:
        first, *others, last = _cells(row)
        lines.append([first, f"{row.batch}", *others, row.why or last])
    return format_markdown_table(lines, heads, (1, *(at + 1 for at in _RIGHT))) + "\n"


def format_comparison_csv(rows: Iterable[ComparisonRow]) -> str:
    """Return one line for each row, numbers in SI units."""
    stream = io.StringIO()
    names = [name + end for name in COMPARED_METRICS for end in ("", "_low", "_high")]
    heads = [
        "system",
        "scenario",
        "batch",
        "devices",
        "available",
        "split",
        "weights",
        "products",
        "feasible",
    ]
    writer = csv.writer(stream, lineterminator="\n")
    writer.writerow([*heads, *names, "bound_by", "bound_component", "bound_share", "why"])
    for row in rows:
        values = [value for name in COMPARED_METRICS for value in row.metrics.get(name, (None, None, None))]
        told = [row.system, row.scenario, row.batch, row.devices, row.available, format_parallel_degrees(row)]
        writer.writerow(
            [*told, row.weights, row.products, row.feasible, *values, *(row.bound or ("", "", "")), row.why]
        )
    return stream.getvalue()


def format_comparison_json(rows: Iterable[ComparisonRow]) -> str:
    """Return a list of objects, one for each row."""
    return json.dumps([_object(row) for row in rows], indent=2, ensure_ascii=False) + "\n"


def _other(row: ComparisonRow, asked: str) -> bool:
    """Say whether a generated scenario computes in another type than the one asked for."""
    return bool(row.products) and row.generated and asked not in ("", row.products)


def _object(row: ComparisonRow) -> dict[str, Any]:
    bound = row.bound and dict(zip(("bound_by", "component", "share"), row.bound, strict=True))
    metrics = {}
    for name_, (unit, _) in COMPARED_METRICS.items():
        value, low, high = row.metrics.get(name_, (None, None, None))
        metrics[name_] = {"value": value, "unit": unit, "low": low, "high": high}
    return {
        "system": row.system,
        "scenario": row.scenario,
        "batch": row.batch,
        "devices": row.devices,
        "available": row.available,
        "split": dict(row.split),
        "precision": {"weights": row.weights, "activations": row.products},
        "feasible": row.feasible,
        "why": row.why or None,
        "metrics": metrics,
        "decode": bound,
    }


def _cells(row: ComparisonRow) -> list[str]:
    if row.why:
        return [_name_row(row), "", "", format_row_dtypes(row), *[""] * (len(COMPARISON_HEADERS) - 4)]
    value = {key: entry[0] for key, entry in row.metrics.items()}
    resource, component, share = row.bound or ("", "", 0.0)
    return [
        _name_row(row),
        f"{row.devices}" if row.devices == row.available else f"{row.devices} of {row.available}",
        format_parallel_degrees(row),
        format_row_dtypes(row),
        format_with_unit(value.get("ttft"), "s"),
        format_with_unit(value.get("tpot"), "s"),
        _range(row.metrics.get("tpot", (None, None, None))),
        _short(value.get("tokens_per_user")),
        _short(value.get("throughput")),
        _short(value.get("tokens_per_joule")),
        _short(value.get("cost_per_mtok")),
        f"{resource} {share:.0%} ({component})" if row.bound else "",
    ]


def _name_row(row: ComparisonRow) -> str:
    """Return what a row is called: its system, behind the scenario where it is of a file."""
    return row.system if row.generated else f"{row.scenario} ({row.system})"


def format_parallel_degrees(row: ComparisonRow) -> str:
    """Return the degrees above 1, such as `tp8 pp2`; `-` for one device."""
    return " ".join(f"{key}{degree}" for key, degree in row.split if degree != 1) or "-"


def format_row_dtypes(row: ComparisonRow) -> str:
    """Return the data type of the weights, with that of the products where it differs."""
    if row.products and row.weights and row.products != row.weights:
        return f"{row.weights} in {row.products}"
    return row.weights or row.products or "bf16"


def _short(value: float | None) -> str:
    if value is None:
        return "-"
    return f"{value:,.0f}" if value >= 99.95 else f"{value:.3g}"


def _range(entry: tuple[float | None, float | None, float | None]) -> str:
    """Return low .. high in the unit of the value."""
    value, low, high = entry
    if value is None or low is None or high is None:
        return "-"
    scale = next((size for size in (1.0, 1e-3, 1e-6) if value >= size), 1e-6)
    return f"{_short(low / scale)} .. {_short(high / scale)}"
