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

_COMPRESSION = "snappy"
_PARQUET_MAGIC = b"PAR1"
"""The last four bytes of a whole Parquet file (Parquet format, section `File format`)."""
_UNIT_KEY = b"unit"
"""Key of a field's metadata."""


@frozen(kw_only=True)
class StoreColumn:
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


def import_pyarrow(what: str = "a store of a sweep") -> Any:
    """Return pyarrow, or say how to install it."""
    if importlib.util.find_spec("pyarrow") is None:
        raise UsageError(f"{what} needs pyarrow: `pip install 'accelscope[parquet]'`")
    return importlib.import_module("pyarrow")


def build_arrow_schema(columns: Sequence[StoreColumn]) -> Any:
    """Return the schema of a store; the metadata of each field has its unit."""
    arrow = import_pyarrow()
    types = {"number": arrow.float64(), "name": arrow.string(), "yes or no": arrow.bool_()}
    return arrow.schema(
        [
            arrow.field(item.name, types[item.type], metadata={_UNIT_KEY: item.unit.encode()})
            for item in columns
        ]
    )


def encode_part(table: Mapping[str, Array], columns: Sequence[StoreColumn]) -> bytes:
    """Return the points of a chunk as a Parquet file; numbers that are no numbers become null."""
    arrow = import_pyarrow()
    parquet: Any = importlib.import_module("pyarrow.parquet")
    schema = build_arrow_schema(columns)
    arrays = [
        arrow.array(table[item.name], type=field.type, from_pandas=True)
        for item, field in zip(columns, schema, strict=True)
    ]
    stream = io.BytesIO()
    parquet.write_table(
        arrow.Table.from_arrays(arrays, schema=schema),
        stream,
        compression=_COMPRESSION,
        use_dictionary=[item.name for item in columns if item.axis or item.type == "name"],
    )
    return stream.getvalue()


def decode_part(path: Path, columns: Sequence[StoreColumn]) -> dict[str, Array]:
    """Return the points of a part."""
    import_pyarrow()
    parquet: Any = importlib.import_module("pyarrow.parquet")
    table = parquet.read_table(path, schema=build_arrow_schema(columns))
    return {
        item.name: table.column(item.name).to_numpy().astype(object if item.type == "name" else None)
        for item in columns
    }


def is_complete_part(path: Path) -> bool:
    """Say whether a file ends as a Parquet file does."""
    try:
        with path.open("rb") as stream:
            stream.seek(-len(_PARQUET_MAGIC), os.SEEK_END)
            return stream.read() == _PARQUET_MAGIC
    except OSError:
        return False
