"""The points that no other point beats in everything. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelscope.core.result import Result

Array = np.ndarray[Any, Any]


def front(costs: Array) -> Array:
    """Return the indices of the rows that no other row dominates, in rising order of the first column.

    Args:
        costs: one row for each point and one column for each objective, small is better; all finite.
    """
    order = np.lexsort(costs.T[::-1])
    kept: list[int] = []
    best = np.empty((0, costs.shape[1]))
    for index in order:
        row = costs[index]
        if not np.any(np.all(best <= row, axis=1)):
            kept.append(int(index))
            best = np.vstack((best, row))
    return np.array(kept, dtype=int)


def pareto(results: tuple[Result, ...], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the best trade-offs between metrics among the feasible points of all results.

    Args:
        names: metrics; a point without one of them is left out.
    """
    rows: list[tuple[Result, int]] = []
    costs: list[Array] = []
    for result in results:
        table = _costs(result, names)
        usable = np.flatnonzero(
            np.isfinite(table).all(axis=1) & np.broadcast_to(result.feasible, result.shape).ravel()
        )
        near = usable[front(table[usable])]
        rows.extend((result, int(at)) for at in near)
        costs.append(table[near])
    if not rows:
        return []
    return [_row(rows[at][0], rows[at][1], names) for at in front(np.concatenate(costs))]


def _costs(result: Result, names: tuple[str, ...]) -> Array:
    table = np.full((result.size, len(names)), np.nan)
    for at, name in enumerate(names):
        column = result.metrics.get(name)
        if column is not None and column.value is not None:
            sign = -1.0 if column.better == "high" else 1.0
            table[:, at] = sign * np.broadcast_to(column.value, result.shape).ravel()
    return table


def _row(result: Result, at: int, names: tuple[str, ...]) -> dict[str, Any]:
    index = tuple(int(i) for i in np.unravel_index(at, result.shape)) if result.axes else ()
    values = {name: np.broadcast_to(result.metrics[name].value, result.shape)[index] for name in names}  # type: ignore[arg-type]
    return {
        "scenario": result.scenario,
        "point": result.where(index),
        "metrics": {
            name: {"value": float(value), "unit": result.metrics[name].unit} for name, value in values.items()
        },
    }
