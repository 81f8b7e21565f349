"""From files of measurements to scored predictions: read, choose rows, predict, score."""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, TextIO

import numpy as np

from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.predict import predict_rows
from accelscope.core.analysis.validate.score import ScoredTable, score_table
from accelscope.core.analysis.validate.table import TABLE_LAYOUTS, MeasurementTable, read_tables
from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array, term
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.values.units import UnknownUnit

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

_TIME = re.compile(r"\s*([0-9.eE+-]+?)\s*([a-zµ]+)\s*")


def validate_tables(
    names: LibraryNames,
    files: Sequence[str],
    *,
    kind: str | None = None,
    where: Sequence[str] = (),
    above: str | None = None,
    blind: bool = False,
) -> tuple[ScoredTable, ...]:
    """Return the rows of files with their predictions, one part for each layout of table.

    Args:
        names: what names in the tables stand for.
        files: tables of measurements.
        kind: `e2e` or `ops`; without it the columns say.
        where: texts `column=value` that a row has to meet: any of those of one column, and all columns.
        above: time such as `20us` that a kernel has to take to be scored.
        blind: whether the measured column may be missing.

    Raises:
        UsageError: a file or an option is wrong.
    """
    refuse_without_models(names.registry)
    least = parse_microseconds(above) if above is not None else 0.0
    tables = read_filtered_tables(files, kind=kind, where=where, blind=blind)
    return tuple(score_table(table, predict_rows(table, names), least) for table in tables)


def read_filtered_tables(
    files: Sequence[str], *, kind: str | None = None, where: Sequence[str] = (), blind: bool = False
) -> list[MeasurementTable]:
    """Return the tables of files with the rows that meet some conditions; see `validate`.

    Raises:
        UsageError: a file or a condition is wrong.
    """
    wanted = _conditions(where)
    return [_filtered(table, wanted) for table in read_tables(files, kind, blind=blind)]


def refuse_without_models(registry: Registry) -> None:
    """Raise UsageError where no installed plugin serves a part that every prediction needs."""
    needed = {
        "memories": registry.memories,
        "engines": registry.computes,
        "networks": registry.patterns,
        "strategies of parallelism": registry.strategies,
        "models": registry.workloads,
        "metrics": registry.metrics,
    }
    lacking = [what for what, records in needed.items() if not records]
    if lacking:
        raise UsageError(
            f"nothing can be predicted: no installed plugin serves {', '.join(lacking)}{registry.describe_absent()}"
        )


def _choose_rows(
    files: Sequence[str], kind: str | None, where: Sequence[str], *, blind: bool = False
) -> list[MeasurementTable]:
    """Return the rows of files that meet conditions; see `validate`."""
    wanted = _conditions(where)
    return [_filtered(table, wanted) for table in read_tables(files, kind, blind=blind)]


def read_single_row(files: Sequence[str], kind: str | None, where: Sequence[str]) -> MeasurementTable:
    """Return the one row of files that meets conditions, measured or not.

    Raises:
        UsageError: none or several do.
    """
    tables = [table for table in _choose_rows(files, kind, where, blind=True) if len(table)]
    rows = sum(len(table) for table in tables)
    if rows != 1:
        raise UsageError(f"--explain is of one row, and {rows} are chosen; choose one with --where id=ID")
    return tables[0]


def parse_microseconds(text: str) -> float:
    """Return a time such as `20us` in us.

    Raises:
        UsageError: it is no time.
    """
    found = _TIME.fullmatch(text)
    try:
        if found is None:
            raise ValueError(text)
        value = float(term(float(found[1]), found[2]).to("us"))
    except (ValueError, UnknownUnit, ArithmeticError) as error:
        raise UsageError(f"--above takes a time such as `20us`, not `{text}`") from error
    return value


def write_predictions(parts: Sequence[ScoredTable], stream: TextIO) -> None:
    """Write id, predicted, low and high of every predicted row, those that are not scored included."""
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerow(("id", "predicted", "low", "high"))
    for part in parts:
        found = part.prediction
        rows = np.flatnonzero(found.reasons == "")
        for row in rows:
            numbers = (found.value[row], found.low[row], found.high[row])
            lines.writerow((part.table.text("id")[row], *(f"{number:.8g}" for number in numbers)))


def _conditions(where: Sequence[str]) -> dict[str, list[str]]:
    known = sorted({name for layout in TABLE_LAYOUTS.values() for name in layout.columns})
    wanted: dict[str, list[str]] = {}
    for text in where:
        name, equals, value = (piece.strip() for piece in text.partition("="))
        if not equals:
            raise UsageError(f"--where takes `column=value`, not `{text}`")
        if name not in known:
            hint = did_you_mean(name, known)
            raise UsageError(f"--where: there is no column `{name}`" + (f"; {hint}" if hint else ""))
        wanted.setdefault(name, []).append(value)
    return wanted


def _filtered(table: MeasurementTable, wanted: dict[str, list[str]]) -> MeasurementTable:
    keep = np.full(len(table), True)
    for name, values in wanted.items():
        keep &= _meets(table, name, values)
    return table if keep.all() else table.take(keep)


def _meets(table: MeasurementTable, name: str, values: Sequence[str]) -> Array:
    if name in table.layout.text:
        return np.isin(table.text(name).astype(str), list(values))
    if name not in table.layout.number:
        return np.full(len(table), False)
    try:
        numbers = [float(value) if value else np.nan for value in values]
    except ValueError:
        raise UsageError(f"--where: column `{name}` has numbers, not `{', '.join(values)}`") from None
    return np.asarray(np.any([_same(table.number(name), number) for number in numbers], axis=0))


def _same(column: Array, number: float) -> Array:
    return np.isnan(column) if np.isnan(number) else column == number
