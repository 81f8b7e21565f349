"""Tables of measurements: CSV files read into columns, with every mistake named by file, line and column.

Nothing here knows what a device or a model is; `names` does.
"""

from __future__ import annotations

import csv
import gzip
import io
import zlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from attrs import frozen

from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array
from accelscope.dsl.diagnostics.suggest import did_you_mean

_MOST_MISTAKES = 20
"""Mistakes that one message names."""


@frozen(kw_only=True)
class MeasurementLayout:
    """The columns of one kind of table.

    Attributes:
        text, number: names of the columns; numbers may be empty.
        notes: columns that may be missing, since no prediction reads them.
        measured: the column that predictions are compared with.
        needed: columns that no row may leave empty.
    """

    kind: str
    text: tuple[str, ...]
    number: tuple[str, ...]
    notes: tuple[str, ...]
    measured: str
    needed: tuple[str, ...]

    @property
    def columns(self) -> tuple[str, ...]:
        """All columns."""
        return (*self.text, *self.number)


END_TO_END_LAYOUT = MeasurementLayout(
    kind="e2e",
    text=(
        "id", "source", "source_ref", "hw", "model", "weights_dtype", "kv_dtype", "engine", "engine_version", "metric",
        "unit", "tier", "flag", "notes",
    ),
    number=("year", "n_devices", "tp", "pp", "ep", "dp", "batch_or_concurrency", "isl", "osl", "value", "score"),
    notes=("source_ref", "year", "flag", "notes"),
    measured="value",
    needed=("id", "hw", "model", "metric", "tier"),
)  # fmt: skip
KERNEL_LAYOUT = MeasurementLayout(
    kind="ops",
    text=(
        "id", "source", "source_ref", "hw", "op", "kernel", "dtype", "kv_dtype", "engine", "engine_version", "dist",
        "flag",
    ),
    number=(
        "year", "m", "n", "k", "batch", "seq_q", "kv_len", "heads", "kv_heads", "head_dim", "window", "tokens", "hidden",
        "inter", "experts", "topk", "tp", "ep", "bytes", "devices", "nodes", "latency_us", "power_w", "score",
    ),
    notes=("source_ref", "year", "power_w", "flag"),
    measured="latency_us",
    needed=("id", "hw", "op"),
)  # fmt: skip
TABLE_LAYOUTS: Mapping[str, MeasurementLayout] = {
    layout.kind: layout for layout in (END_TO_END_LAYOUT, KERNEL_LAYOUT)
}


@frozen(kw_only=True, eq=False)
class MeasurementTable:
    """Rows of measurements by column.

    Attributes:
        columns: name to an array of str or of float; an empty number is NaN.
        places: `file:line` of each row.
    """

    layout: MeasurementLayout
    columns: Mapping[str, Array]
    places: Array

    def __len__(self) -> int:
        return len(self.places)

    def text(self, name: str) -> Array:
        """Return a column of text."""
        return self.columns[name]

    def number(self, name: str) -> Array:
        """Return a column of numbers, NaN where a row gives none."""
        return self.columns[name]

    def take(self, rows: Array) -> MeasurementTable:
        """Return some rows, by their places or by a mask."""
        return MeasurementTable(
            layout=self.layout,
            columns={name: column[rows] for name, column in self.columns.items()},
            places=self.places[rows],
        )

    def groups(self, *names: str) -> Iterator[tuple[tuple[str, ...], Array]]:
        """Yield each combination of values of some text columns with the places of its rows, in order of the text."""
        keys = [self.columns[name] for name in names]
        found: dict[tuple[str, ...], list[int]] = {}
        for place, key in enumerate(zip(*keys, strict=True)):
            found.setdefault(key, []).append(place)
        for key in sorted(found):
            yield key, np.array(found[key], dtype=int)


def join_tables(tables: Sequence[MeasurementTable]) -> MeasurementTable:
    """Return the rows of several tables of one layout, one after the other."""
    first = tables[0]
    return MeasurementTable(
        layout=first.layout,
        columns={name: np.concatenate([table.columns[name] for table in tables]) for name in first.columns},
        places=np.concatenate([table.places for table in tables]),
    )


def read_tables(
    names: Iterable[str], kind: str | None = None, *, blind: bool = False
) -> tuple[MeasurementTable, ...]:
    """Read files, those of one layout joined.

    Args:
        names: of .csv or .csv.gz files.
        kind: `e2e` or `ops`; without it the columns say.
        blind: whether the measured column may be missing.

    Raises:
        UsageError: a file cannot be read, or has columns or numbers that are wrong; the message names all of them, up
            to 20, by file, line and column.
    """
    found: dict[str, list[MeasurementTable]] = {}
    for name in names:
        table = _read(name, kind, blind)
        found.setdefault(table.layout.kind, []).append(table)
    return tuple(join_tables(tables) for tables in found.values())


def _read(name: str, kind: str | None, blind: bool) -> MeasurementTable:
    lines = csv.reader(io.StringIO(_contents(name), newline=""))
    try:
        header = [title.strip() for title in next(lines, [])]
        layout = TABLE_LAYOUTS[kind] if kind is not None else _layout(name, header)
        _refuse_columns(name, header, layout, blind)
        rows = []
        places = []
        for row in lines:
            if row:
                rows.append(row)
                places.append(lines.line_num)
    except csv.Error as error:
        raise UsageError(f"{name}:{lines.line_num}: {error}") from error
    return _columns(name, layout, header, rows, places)


def _contents(name: str) -> str:
    try:
        data = Path(name).read_bytes()
        if data[:2] == b"\x1f\x8b":
            data = gzip.decompress(data)
        return data.decode("utf-8-sig")
    except (gzip.BadGzipFile, EOFError, zlib.error) as error:
        raise UsageError(f"`{name}` is no complete gzip file: {error}") from error
    except UnicodeDecodeError as error:
        raise UsageError(f"`{name}` is not UTF-8 text: byte {error.start} cannot be read") from error
    except OSError as error:
        raise UsageError(f"cannot read `{name}`: {(error.strerror or str(error)).lower()}") from error


def _layout(name: str, header: Sequence[str]) -> MeasurementLayout:
    """Return the layout that more of the columns belong to."""
    known = {kind: len(set(header) & set(layout.columns)) for kind, layout in TABLE_LAYOUTS.items()}
    best = max(known, key=lambda kind: known[kind])
    if not known[best]:
        raise UsageError(
            f"{name}:1: no column of measurements is named here; the first line names the columns"
        )
    return TABLE_LAYOUTS[best]


def _refuse_columns(name: str, header: Sequence[str], layout: MeasurementLayout, blind: bool) -> None:
    problems = []
    for title in dict.fromkeys(header):
        if title not in layout.columns:
            hint = did_you_mean(title, layout.columns)
            problems.append(
                f"{name}:1: column `{title}` is unknown in a table of {layout.kind}"
                + (f"; {hint}" if hint else "")
            )
        elif header.count(title) > 1:
            problems.append(f"{name}:1: column `{title}` is there {header.count(title)} times")
    free = {*layout.notes, layout.measured} if blind else set(layout.notes)
    problems += [
        f"{name}:1: column `{title}` is missing"
        for title in layout.columns
        if title not in header and title not in free
    ]
    _refuse(problems)


def _columns(
    name: str, layout: MeasurementLayout, header: Sequence[str], rows: list[list[str]], lines: list[int]
) -> MeasurementTable:
    problems = [
        f"{name}:{line}: {len(row)} fields where the first line names {len(header)} columns"
        for row, line in zip(rows, lines, strict=True)
        if len(row) != len(header)
    ]
    _refuse(problems)
    raw = dict(zip(header, zip(*rows, strict=True), strict=True)) if rows else {}
    columns: dict[str, Array] = {}
    for title in layout.text:
        columns[title] = np.array([text.strip() for text in raw.get(title, [""] * len(rows))], dtype=object)
        if title in layout.needed:
            problems += [
                f"{name}:{lines[row]}: column `{title}` is empty"
                for row in np.flatnonzero(columns[title] == "")
            ]
    for title in layout.number:
        columns[title], wrong = _numbers(raw.get(title, [""] * len(rows)))
        positive = title == layout.measured
        bad: list[tuple[int, str]] = [
            *((row, "is not a number") for row in wrong),
            *((int(row), "is not above 0") for row in np.flatnonzero(columns[title] <= 0) if positive),
            *((int(row), "is below 0") for row in np.flatnonzero(columns[title] < 0) if not positive),
        ]
        problems += [
            f"{name}:{lines[row]}: column `{title}`: `{raw[title][row].strip()}` {why}" for row, why in bad
        ]
    _refuse(problems)
    places = np.array([f"{name}:{line}" for line in lines], dtype=object)
    return MeasurementTable(layout=layout, columns=columns, places=places)


def _numbers(texts: Sequence[str]) -> tuple[Array, list[int]]:
    """Return texts as numbers, empty ones as NaN, and the places of those that are none."""
    found = np.full(len(texts), np.nan)
    wrong = []
    for place, text in enumerate(texts):
        if text == "":
            continue
        try:
            found[place] = float(text)
        except ValueError:
            if text.strip():
                wrong.append(place)
            continue
        if not np.isfinite(found[place]) or "_" in text:
            wrong.append(place)
    return found, wrong


def _refuse(problems: Sequence[str]) -> None:
    if problems:
        more = len(problems) - _MOST_MISTAKES
        listed = [*problems[:_MOST_MISTAKES], *([f"and {more} more"] if more > 0 else [])]
        raise UsageError("\n".join(listed))
