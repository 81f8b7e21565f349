"""A result as flat columns, one value for each point: what CSV and Parquet hold. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelscope.core.result import Result

Column = list[Any]


def columns(result: Result) -> dict[str, Column]:
    """Return the columns scenario, axes, feasible, and each metric with low and high where it has them.

    Every column has one value for each point, the last axis fastest; what has no value is None.
    """
    found: dict[str, Column] = {"scenario": [result.scenario] * result.size}
    for position, axis in enumerate(result.axes):
        index = np.broadcast_to(
            _along(np.arange(axis.size), position, len(result.axes)), result.shape
        ).ravel()
        found[axis.name] = [axis.values[at] for at in index]
    found["feasible"] = np.broadcast_to(result.feasible, result.shape).ravel().tolist()
    for name, column in result.metrics.items():
        for suffix, values in (("", column.value), ("_low", column.low), ("_high", column.high)):
            if values is not None or not suffix:
                found[name + suffix] = _flat(values, result)
    return found


def units(result: Result) -> dict[str, str]:
    """Return the unit of every column that has one."""
    found = {axis.name: axis.unit for axis in result.axes}
    for name, column in result.metrics.items():
        found |= {name + suffix: column.unit for suffix in ("", "_low", "_high")}
    return {name: unit for name, unit in found.items() if unit}


def _along(values: np.ndarray[Any, Any], position: int, dimensions: int) -> np.ndarray[Any, Any]:
    shape = [1] * dimensions
    shape[position] = values.size
    return values.reshape(shape)


def _flat(values: Any, result: Result) -> Column:
    if values is None:
        return [None] * result.size
    flat = np.broadcast_to(np.asarray(values, dtype=float), result.shape).ravel()
    return [
        value if ok else None for value, ok in zip(flat.tolist(), np.isfinite(flat).tolist(), strict=True)
    ]
