"""The points of a chunk as the bytes of a Parquet file: the same points give the same bytes."""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from attrs import frozen

from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array

COMPRESSION = "snappy"
MAGIC = b"PAR1"
"""The last four bytes of a whole Parquet file (Parquet format, section `File format`)."""
UNIT = b"unit"
"""Key of a field's metadata."""


@frozen(kw_only=True)
class Column:
    """One column of a store.

    Attributes:
        unit: "" for plain numbers and names.
        type: `number`, `name` or `yes or no`.
        axis: whether it says where a point is.
    """

    name: str
    unit: str = ""
    type: str = "number"
    axis: bool = False


def pyarrow(what: str = "a store of a sweep") -> Any:
    """Return pyarrow, or say how to install it."""
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError(f"{what} needs pyarrow: `pip install 'accelscope[parquet]'`")
    return importlib.import_module("pyarrow")


def schema_of(columns: Sequence[Column]) -> Any:
    """Return the schema of a store; the metadata of each field has its unit."""
    arrow = pyarrow()
    types = {"number": arrow.float64(), "name": arrow.string(), "yes or no": arrow.bool_()}
    return arrow.schema(
        [arrow.field(item.name, types[item.type], metadata={UNIT: item.unit.encode()}) for item in columns]
    )


def encoded(table: Mapping[str, Array], columns: Sequence[Column]) -> bytes:
    """Return the points of a chunk as a Parquet file; numbers that are no numbers become null."""
    arrow = pyarrow()
    parquet: Any = importlib.import_module("pyarrow.parquet")
    schema = schema_of(columns)
    arrays = [
        arrow.array(table[item.name], type=field.type, from_pandas=True)
        for item, field in zip(columns, schema, strict=True)
    ]
    stream = io.BytesIO()
    parquet.write_table(
        arrow.Table.from_arrays(arrays, schema=schema),
        stream,
        compression=COMPRESSION,
        use_dictionary=[item.name for item in columns if item.axis or item.type == "name"],
    )
    return stream.getvalue()


def decoded(path: Path, columns: Sequence[Column]) -> dict[str, Array]:
    """Return the points of a part."""
    pyarrow()
    parquet: Any = importlib.import_module("pyarrow.parquet")
    table = parquet.read_table(path, schema=schema_of(columns))
    return {
        item.name: table.column(item.name).to_numpy().astype(object if item.type == "name" else None)
        for item in columns
    }


def whole(path: Path) -> bool:
    """Say whether a file ends as a Parquet file does."""
    try:
        with path.open("rb") as stream:
            stream.seek(-len(MAGIC), os.SEEK_END)
            return stream.read() == MAGIC
    except OSError:
        return False
