"""A comparison as text, Markdown, CSV or JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from accelscope.core.analysis.compare.rows import COMPARED_METRICS, ComparisonRow
from accelscope.core.render.document import Block, Paragraph, format_document_text
from accelscope.core.render.result import format_with_unit
from accelscope.core.render.table import Cell, CellValue, Column, Table, make_table
from accelscope.core.render.table_formats import format_json, format_table_csv, format_table_markdown
from accelscope.core.render.text_style import PLAIN_STYLE, TextStyle

COMPARISON_COLUMNS = (
    Column("system", doc="package, node, rack or cluster"),
    Column("used", align="right", priority=1, doc="devices that the deployment uses, of those there are"),
    Column("parallelism", priority=3, doc="degrees above 1"),
    Column("precision", priority=4, doc="data type of the weights, and of the products if it is another"),
    Column("ttft", align="right", better="low"),
    Column("tpot", align="right", better="low"),
    Column("range", title="LOW .. HIGH", align="right", priority=5, doc="of tpot, 10th and 90th percentile"),
    Column("tokens_per_user", title="TOK/S USER", align="right", better="high", priority=6),
    Column("throughput", align="right", better="high", doc="output tokens per second"),
    Column("tokens_per_joule", title="TOK/S/W", align="right", better="high", priority=2),
    Column("cost_per_mtok", title="USD/MTOK", align="right", better="low"),
    Column("bound_by", title="DECODE BOUND BY", wraps=True),
)
_REASON = "empty because:"


def format_comparison_table(rows: Sequence[ComparisonRow], asked: str, style: TextStyle = PLAIN_STYLE) -> str:
    """Return the answer in one sentence, then a table for each batch with the reasons of its empty rows.

    Args:
        rows: of all batches.
        asked: data type of the comparison; systems that compute in another one are named.
        style: width and colour; columns of low priority are hidden if there is no room for them.
    """
    return format_document_text(_blocks(rows, asked), style)


def summarize_comparison(rows: Sequence[ComparisonRow]) -> str:
    """Return which row is the fastest and which is the cheapest, in one sentence."""
    parts = []
    for word, metric in (("fastest", "tpot"), ("cheapest", "cost_per_mtok")):
        known = {
            at: value
            for at, row in enumerate(rows)
            if (value := row.metrics.get(metric, (None,))[0]) is not None
        }
        if known:
            best = min(known, key=lambda at: known[at])
            unit = "s/tok" if metric == "tpot" else COMPARED_METRICS[metric][0]
            row = rows[best]
            parts.append(
                f"{word}: {_name_row(row)} at batch {row.batch}, {format_with_unit(known[best], unit)}"
            )
    if not parts:
        return "nothing here is feasible"
    return "; ".join(parts)


def _blocks(rows: Sequence[ComparisonRow], asked: str) -> Iterator[Block]:
    yield summarize_comparison(rows)
    for batch in dict.fromkeys(row.batch for row in rows):
        yield _batch_table(rows, batch)
    for batch in dict.fromkeys(row.batch for row in rows):
        here = [row for row in rows if row.batch == batch]
        yield _lines(f"batch {batch}, {_REASON}", (f"{_name_row(row)}: {row.why}" for row in here if row.why))
    other = dict.fromkeys(
        f"{_name_row(row)}: {row.weights} weights, products in {row.products}"
        for row in rows
        if _other(row, asked)
    )
    yield _lines(f"not in {asked}:", other)
    if any(_idle(row) for row in rows):
        yield "USD/MTOK: the idle devices of a node are paid for too"


def _batch_table(rows: Sequence[ComparisonRow], batch: int) -> Table:
    cells = [_cells(row) for row in rows if row.batch == batch]
    return make_table(COMPARISON_COLUMNS, cells, title=f"BATCH {batch}")


def _lines(head: str, lines: Iterable[str]) -> Paragraph:
    """Return lines below a head; nothing without lines."""
    listed = [f"  {line}" for line in lines]
    return Paragraph("\n".join([head, *listed]) if listed else "", indent="  ")


def _idle(row: ComparisonRow) -> bool:
    """Say whether a row has a cost, and devices that it does not use."""
    return row.devices < row.available and row.metrics.get("cost_per_mtok", (None,))[0] is not None


def format_comparison_markdown(rows: Sequence[ComparisonRow]) -> str:
    """Return one Markdown table; the last column of an empty row is the reason."""
    first, *others = COMPARISON_COLUMNS
    columns = [Column(item.name, title=item.heading, align=item.align) for item in (first, *others)]
    columns.insert(1, Column("batch", align="right", title="BATCH"))
    lines: list[list[Cell | CellValue]] = []
    for row in rows:
        name, *middle, last = _cells(row)
        lines.append([name, row.batch, *middle, row.why or last])
    return format_table_markdown(make_table(columns, lines)) + "\n"


def format_comparison_csv(rows: Iterable[ComparisonRow]) -> str:
    """Return one line for each row, numbers in SI units."""
    names = (
        "system",
        "scenario",
        "batch",
        "devices",
        "available",
        "parallelism",
        "weights",
        "products",
        "feasible",
    )
    metrics = [name + end for name in COMPARED_METRICS for end in ("", "_low", "_high")]
    bound = ("bound_by", "bound_component", "bound_share", "why")
    columns = [Column(name) for name in (*names, *metrics, *bound)]
    return format_table_csv(make_table(columns, map(_values, rows)))


def _values(row: ComparisonRow) -> list[CellValue]:
    """Return the values of a row, in the order of the CSV."""
    values = [value for name in COMPARED_METRICS for value in row.metrics.get(name, (None, None, None))]
    named = [row.system, row.scenario, row.batch, row.devices, row.available, format_parallel_degrees(row)]
    return [*named, row.weights, row.products, row.feasible, *values, *(row.bound or ("", "", "")), row.why]


def format_comparison_json(rows: Iterable[ComparisonRow]) -> str:
    """Return a list of objects, one for each row."""
    return format_json([_object(row) for row in rows])


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


def _cells(row: ComparisonRow) -> list[Cell | CellValue]:
    if row.why:
        empty = [""] * (len(COMPARISON_COLUMNS) - 4)
        return [_name_row(row), "", "", format_row_dtypes(row), *empty]
    value = {key: entry[0] for key, entry in row.metrics.items()}
    resource, component, share = row.bound or ("", "", 0.0)

    def short(name: str) -> Cell:
        return Cell(_short(value.get(name)), value.get(name))

    return [
        _name_row(row),
        f"{row.devices}" if row.devices == row.available else f"{row.devices} of {row.available}",
        format_parallel_degrees(row),
        format_row_dtypes(row),
        Cell(format_with_unit(value.get("ttft"), "s"), value.get("ttft")),
        Cell(format_with_unit(value.get("tpot"), "s"), value.get("tpot")),
        _range(row.metrics.get("tpot", (None, None, None))),
        *(short(name) for name in ("tokens_per_user", "throughput", "tokens_per_joule", "cost_per_mtok")),
        f"{resource} {share:.0%} ({component})" if row.bound else "",
    ]


def _name_row(row: ComparisonRow) -> str:
    """Return what a row is called: its system, after the scenario if it is of a file."""
    return row.system if row.generated else f"{row.scenario} ({row.system})"


def format_parallel_degrees(row: ComparisonRow) -> str:
    """Return the degrees above 1, such as `tp8 pp2`; `-` for one device."""
    return " ".join(f"{key}{degree}" for key, degree in row.split if degree != 1) or "-"


def format_row_dtypes(row: ComparisonRow) -> str:
    """Return the data type of the weights, with that of the products if it is another."""
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
