"""The points of a sweep to a file, chunk by chunk: memory does not grow with the file."""

from __future__ import annotations

import csv
import importlib
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import Any, TextIO

import numpy as np

from accelscope.core.io.output import open_output
from accelscope.core.numeric.term import Array
from accelscope.core.render.table_formats import list_markdown_lines
from accelscope.core.sweep.plan import ChunkTable
from accelscope.core.sweep.store.parts import StoreColumn, build_arrow_schema, import_pyarrow

TableWriter = Callable[[ChunkTable], None]
STREAMED_FORMATS = ("csv", "parquet", "md")
"""Formats that are written chunk by chunk."""


@contextmanager
def open_table_writer(name: str | None, form: str, columns: Sequence[StoreColumn]) -> Iterator[TableWriter]:
    """Give a function that appends the points of a chunk; whether it can is known before the body runs.

    Args:
        name: of the file, which appears only once it is complete; None for standard output.
        form: one of `STREAMED`.
        columns: of the tables.

    Raises:
        UsageError: the file cannot be written, or pyarrow is missing.
    """
    if form == "parquet":
        import_pyarrow("writing Parquet")
    with open_output(name) as stream:
        if form == "parquet":
            with _parquet(stream.name, columns) as write:
                yield write
        else:
            yield (_csv if form == "csv" else _markdown)(stream, columns)


@contextmanager
def _parquet(path: str, columns: Sequence[StoreColumn]) -> Iterator[TableWriter]:
    arrow = import_pyarrow("writing Parquet")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    schema = build_arrow_schema(columns)
    words = [item.name for item in columns if item.axis or item.type == "name"]

    def write(table: ChunkTable) -> None:
        arrays = [arrow.array(table[item.name], type=item.type, from_pandas=True) for item in schema]
        stream.write_table(arrow.Table.from_arrays(arrays, schema=schema))

    with parquet.ParquetWriter(path, schema, use_dictionary=words) as stream:
        yield write


def _csv(stream: TextIO, columns: Sequence[StoreColumn]) -> TableWriter:
    lines = csv.writer(stream, lineterminator="\n")
    lines.writerow([f"{item.name} [{item.unit}]" if item.unit else item.name for item in columns])

    def write(table: ChunkTable) -> None:
        lines.writerows(zip(*(_cells(table[item.name]) for item in columns), strict=True))

    return write


def _cells(values: Array) -> list[str]:
    """Return values as text; what is no number stays empty, and a spreadsheet must not run a name as a formula."""
    if values.dtype == bool:
        return ["true" if item else "false" for item in values.tolist()]
    if values.dtype == object:
        texts = ("" if item is None else str(item) for item in values.tolist())
        return [f"'{text}" if text[:1] in ("=", "@") else text for text in texts]
    numbers = zip(values.tolist(), np.isfinite(values).tolist(), strict=True)
    return [repr(float(number)) if known else "" for number, known in numbers]


def _markdown(stream: TextIO, columns: Sequence[StoreColumn]) -> TableWriter:
    heads = tuple(f"{item.name} [{item.unit}]" if item.unit else item.name for item in columns)
    numbers = [item.type == "number" for item in columns]
    first = True

    def write(table: ChunkTable) -> None:
        nonlocal first
        cells = [
            [f"{float(cell):.4g}" if cell and numbers[at] else cell for cell in _cells(table[item.name])]
            for at, item in enumerate(columns)
        ]
        lines = list_markdown_lines(heads, numbers, zip(*cells, strict=True))
        stream.writelines(f"{line}\n" for line in islice(lines, 0 if first else 2, None))
        first = False

    return write


def infer_file_format(name: str) -> str:
    """Return the format that the suffix of a file names."""
    return Path(name).suffix.lstrip(".")
