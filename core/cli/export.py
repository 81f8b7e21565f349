"""All points of a sweep to a file whose format its suffix names."""

from __future__ import annotations

import importlib.util
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from accelscope.core.errors import UsageError
from accelscope.core.io.output import open_output

if TYPE_CHECKING:
    from accelscope.core.query.result import Result
    from accelscope.core.session import Session

_ROW_GROUP_SIZE = 1_048_576
"""Rows of one group of a Parquet file."""
_ResultWriter = Callable[["tuple[Result, ...]"], None]


@contextmanager
def open_result_writer(name: str | None, session: Session) -> Iterator[_ResultWriter]:
    """Give a function that writes results to a file; whether it can is known before the body runs.

    Raises:
        UsageError: no report writes files of this suffix, or the file cannot be written.
    """
    if name is None:
        yield lambda results: None
        return
    suffix = Path(name).suffix.lstrip(".")
    if suffix == "parquet":
        if importlib.util.find_spec("pyarrow") is None:
            raise UsageError(
                "writing Parquet needs pyarrow: `pip install 'accelscope[parquet]'`, or write a .csv file"
            )
        with open_output(name) as stream:
            yield lambda results: _parquet(results, stream.name)
        return
    report = session.registry.reports.get(suffix)
    if report is None:
        known = ", ".join(f".{item}" for item in ("parquet", *sorted(session.registry.reports)))
        raise UsageError(f"-o {os.path.basename(name)}: the suffix names the format, one of {known}")
    with open_output(name) as stream:
        yield lambda results: report.write(results, stream)


def _parquet(results: tuple[Result, ...], path: str) -> None:
    from accelscope.core.render.columns import iterate_column_blocks, list_column_types

    pyarrow: Any = importlib.import_module("pyarrow")
    parquet: Any = importlib.import_module("pyarrow.parquet")
    types = {str: pyarrow.string(), float: pyarrow.float64(), bool: pyarrow.bool_()}
    heads = {name: types[cls] for result in results for name, cls in list_column_types(result).items()}
    schema = pyarrow.schema(list(heads.items()))
    with parquet.ParquetWriter(path, schema) as writer:
        for result in results:
            for table in iterate_column_blocks(result, _ROW_GROUP_SIZE):
                empty = [None] * len(table["scenario"])
                writer.write_table(pyarrow.table({name: table.get(name, empty) for name in heads}, schema))
