"""Scores as a table, Markdown, CSV or JSON. Pure."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator

import attrs

from accelscope.core.analysis.validate.score import PredictionErrors, ValidationSummary
from accelscope.core.render.table import format_markdown_table, tabulate

_HEADS = ("", "POINTS", "PREDICTED", "MEDIAN APE", "MEAN", "P90", "MEDIAN |LOG|", "COVERAGE")
_RIGHT = tuple(range(1, len(_HEADS)))


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
    return json.dumps(shown, indent=2, ensure_ascii=False, allow_nan=False) + "\n"


def format_validation_table(summary: ValidationSummary) -> str:
    """Return a table of all points and one for each way to group them."""
    parts = [tabulate([_cells("all", summary.errors)], _HEADS, _RIGHT)]
    parts += [
        tabulate([_cells(value, errors) for value, errors in groups.items()], (column, *_HEADS[1:]), _RIGHT)
        for column, groups in summary.groups.items()
    ]
    return "\n\n".join([*parts, *(f"{note}" for note in _notes(summary))]) + "\n"


def format_validation_markdown(summary: ValidationSummary) -> str:
    """Return the same as Markdown."""
    parts = [format_markdown_table([_cells("all", summary.errors)], _HEADS, _RIGHT)]
    for column, groups in summary.groups.items():
        rows = [_cells(value, errors) for value, errors in groups.items()]
        parts.append(f"### By {column}\n\n" + format_markdown_table(rows, (column, *_HEADS[1:]), _RIGHT))
    notes = "\n".join(f"- {line}" for note in _notes(summary) for line in note.splitlines())
    return "\n\n".join([*parts, notes] if notes else parts) + "\n"


def tabulate_validation(summary: ValidationSummary) -> Iterator[tuple[str, tuple[str, ...], list[list[str]]]]:
    """Yield title, heads and rows of each table."""
    yield "All points", _HEADS, [_cells("all", summary.errors)]
    if summary.skip_reasons:
        rows = [[reason, f"{count:,}"] for reason, count in summary.skip_reasons.items()]
        yield "Skipped", ("REASON", "POINTS"), rows
    for column, groups in summary.groups.items():
        yield (
            f"By {column}",
            (column, *_HEADS[1:]),
            [_cells(value, errors) for value, errors in groups.items()],
        )


def format_validation_csv(summary: ValidationSummary) -> str:
    """Return one row for all points and one for each group."""
    text = io.StringIO()
    lines = csv.writer(text, lineterminator="\n")
    lines.writerow(("column", "value", *(field.name for field in attrs.fields(PredictionErrors))))
    lines.writerow(("all", "", *_values(summary.errors)))
    for column, groups in summary.groups.items():
        for value, errors in groups.items():
            lines.writerow((column, value, *_values(errors)))
    return text.getvalue()


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
