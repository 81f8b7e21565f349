"""Scores as a table, Markdown, CSV or JSON. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
from attrs import evolve

from accelscope.core.analysis.validate.score import PredictionErrors, ValidationSummary
from accelscope.core.render.document import Block, format_document_markdown, format_document_text
from accelscope.core.render.table import Column, Table, make_table
from accelscope.core.render.table_formats import format_json, format_table_csv
from accelscope.core.render.text_style import PLAIN_STYLE, TextStyle

_COLUMNS = (
    Column("points", align="right"),
    Column("predicted", align="right"),
    Column("median_ape", title="MEDIAN APE", align="right"),
    Column("mean_ape", title="MEAN", align="right", priority=3),
    Column("p90_ape", title="P90", align="right", priority=1),
    Column("median_abs_log_ratio", title="MEDIAN |LOG|", align="right", priority=2),
    Column("coverage", align="right", doc="share of points inside low .. high"),
)


def format_validation_json(summary: ValidationSummary) -> str:
    """Return one JSON object: the errors of all points, why points are skipped, and the errors of each group."""
    found = attrs.asdict(summary.errors)
    points, predicted = found.pop("points"), found.pop("predicted")
    shown = {
        "points": points,
        "predicted": predicted,
        "skipped": dict(summary.skip_reasons),
        **found,
        "unscored": dict(summary.unscored_rows),
        "origins": dict(summary.origins),
        "groups": {
            column: {value: attrs.asdict(errors) for value, errors in groups.items()}
            for column, groups in summary.groups.items()
        },
    }
    return format_json(shown)


def format_validation_table(summary: ValidationSummary, style: TextStyle = PLAIN_STYLE) -> str:
    """Return the answer in one sentence, a table of all points, and one for each way to group them."""
    return format_document_text(build_validation_blocks(summary), style)


def format_validation_markdown(summary: ValidationSummary) -> str:
    """Return the same as Markdown."""
    return format_document_markdown(build_validation_blocks(summary, titles=True))


def build_validation_blocks(summary: ValidationSummary, *, titles: bool = False) -> Iterator[Block]:
    """Yield the answer in one sentence, the tables, and what was skipped.

    Args:
        summary: errors of all points and of groups.
        titles: whether the table of a group has a title beside the heading of its first column.
    """
    errors = summary.errors
    yield (
        f"median error {_percent(errors.median_ape)} on {errors.predicted:,} of {errors.points:,} measurements; "
        f"{_percent(errors.coverage)} of them inside low .. high"
    )
    yield _error_table("", {"all": errors})
    for column, groups in summary.groups.items():
        table = _error_table(column, groups)
        yield evolve(table, title=f"By {column}") if titles else table
    yield from _notes(summary)


def _error_table(column: str, groups: Mapping[str, PredictionErrors]) -> Table:
    heads = (Column(column, title=column or " ", wraps=True), *_COLUMNS)
    return make_table(heads, [_cells(value, errors) for value, errors in groups.items()])


def format_validation_csv(summary: ValidationSummary) -> str:
    """Return one row for all points and one for each group."""
    columns = [
        Column(name) for name in ("column", "value", *(item.name for item in attrs.fields(PredictionErrors)))
    ]
    rows = [("all", "", *_values(summary.errors))]
    rows += [
        (column, value, *_values(errors))
        for column, groups in summary.groups.items()
        for value, errors in groups.items()
    ]
    return format_table_csv(make_table(columns, rows))


def _notes(summary: ValidationSummary) -> Iterator[str]:
    if summary.skip_reasons:
        yield "\n".join(
            ["skipped:", *(f"  {count:,} {reason}" for reason, count in summary.skip_reasons.items())]
        )
    if summary.origins:
        shown = ", ".join(f"{count:,} {name}" for name, count in summary.origins.items())
        yield f"parameters of kernels are from: {shown}"
    if summary.unscored_rows["rows"]:
        yield (
            f"{summary.unscored_rows['rows']:,} rows are not scored (score 0, without a measured value, or left out by --above); "
            f"{summary.unscored_rows['predicted']:,} of them are predicted"
        )


def _cells(name: str, errors: PredictionErrors) -> list[str]:
    log = errors.median_abs_log_ratio
    return [
        name,
        f"{errors.points:,}",
        f"{errors.predicted:,}",
        _percent(errors.median_ape),
        _percent(errors.mean_ape),
        _percent(errors.p90_ape),
        "-" if log is None else f"{log:.3f}",
        _percent(errors.coverage),
    ]


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{share * 100:.1f} %"


def _values(errors: PredictionErrors) -> list[str]:
    return [
        "" if value is None else f"{value:.6g}" if isinstance(value, float) else str(value)
        for value in attrs.astuple(errors)
    ]
