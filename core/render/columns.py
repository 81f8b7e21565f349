"""A result as flat columns, one value for each point: what CSV and Parquet hold. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from accelscope.core.query.result import Result

_ColumnValues = list[Any]
_BLOCK_POINTS = 65_536
"""Points that are turned into Python values at once."""


def build_result_columns(result: Result, block: slice = slice(None)) -> dict[str, _ColumnValues]:
    """Return the columns scenario, axes, feasible, and each metric with low and high where it has them.

    Every column has one value for each point, the last axis fastest; what has no value is None.

    Args:
        result: result of a query.
        block: the points to return, counted in that order.
    """
    at = np.arange(*block.indices(result.size))
    found: dict[str, _ColumnValues] = {"scenario": [result.scenario] * at.size}
    for axis, index in zip(result.axes, np.unravel_index(at, result.shape or (1,)), strict=False):
        found[axis.name] = [axis.values[place] for place in index]
    found["feasible"] = np.broadcast_to(result.feasible, result.shape).ravel()[block].tolist()
    for name, column in result.metrics.items():
        for suffix, values in (("", column.value), ("_low", column.low), ("_high", column.high)):
            if values is not None or not suffix:
                found[name + suffix] = _flat(values, result, block)
    return found


def iterate_column_blocks(result: Result, size: int = _BLOCK_POINTS) -> Iterator[dict[str, _ColumnValues]]:
    """Yield the columns of some points at a time."""
    for start in range(0, result.size, size):
        yield build_result_columns(result, slice(start, start + size))


def list_column_types(result: Result) -> dict[str, type]:
    """Return the names of all columns, each with the type of its values."""
    found: dict[str, type] = {"scenario": str}
    found |= {axis.name: float if axis.numeric else str for axis in result.axes}
    found["feasible"] = bool
    return {name: found.get(name, float) for name in build_result_columns(result, slice(0, 1))}


def list_column_units(result: Result) -> dict[str, str]:
    """Return the unit of every column that has one."""
    found = {axis.name: axis.unit for axis in result.axes}
    for name, column in result.metrics.items():
        found |= {name + suffix: column.unit for suffix in ("", "_low", "_high")}
    return {name: unit for name, unit in found.items() if unit}


def _flat(values: Any, result: Result, block: slice) -> _ColumnValues:
    flat = np.broadcast_to(np.nan if values is None else np.asarray(values, float), result.shape)
    part = flat.ravel()[block]
    return [
        value if ok else None for value, ok in zip(part.tolist(), np.isfinite(part).tolist(), strict=True)
    ]
