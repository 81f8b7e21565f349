"""The points that no other point beats in everything. Pure."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelscope.core.query.result import Result

_Array = np.ndarray[Any, Any]


def find_pareto_front(costs: _Array) -> _Array:
    """Return the indices of the rows that no other row dominates, in rising order of the first column.

    Args:
        costs: one row for each point and one column for each objective, small is better; all finite.
    """
    order = np.lexsort(costs.T[::-1])
    if costs.shape[1] == 2:  # in rising order of the first column, a row counts where the second is a new low
        second = costs[order, 1]
        before = np.concatenate(([np.inf], np.minimum.accumulate(second)[:-1]))
        lows: _Array = order[second < before]
        return lows
    kept: list[int] = []
    while order.size:
        best, order = order[0], order[1:]
        kept.append(int(best))
        order = order[~np.all(costs[best] <= costs[order], axis=1)]
    return np.array(kept, dtype=int)


PIVOT_COUNT = 16
"""Points of a front that others are compared with before they are sorted."""


def drop_dominated(costs: _Array, there: _Array) -> _Array:
    """Return which rows may belong to a front, which is fast and leaves few: the others are dominated by one of it.

    Args:
        costs: one row for each point and one column for each objective, small is better.
        there: rows of the front so far, equal rows of which do not count as dominating.
    """
    left = np.arange(len(costs))
    if costs.shape[1] == 2:
        order = np.lexsort(there.T[::-1])
        first, second = there[order, 0], np.concatenate(([np.inf], np.minimum.accumulate(there[order, 1])))
        return left[costs[:, 1] <= second[np.searchsorted(first, costs[:, 0], side="right")]]
    for at in np.unique(np.linspace(0, len(there) - 1, PIVOT_COUNT).astype(int)):
        pivot, rows = there[at], costs[left]
        left = left[~(np.all(pivot <= rows, axis=1) & np.any(pivot < rows, axis=1))]
    return left


def build_pareto_rows(results: tuple[Result, ...], names: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return the best trade-offs between metrics among the feasible points of all results.

    Args:
        results: results to compare.
        names: metrics; a point without one of them is left out.
    """
    rows: list[tuple[Result, int]] = []
    costs: list[_Array] = []
    for result in results:
        table = _costs(result, names)
        usable = np.flatnonzero(
            np.isfinite(table).all(axis=1) & np.broadcast_to(result.feasible, result.shape).ravel()
        )
        near = usable[find_pareto_front(table[usable])]
        rows.extend((result, int(at)) for at in near)
        costs.append(table[near])
    if not rows:
        return []
    return [_row(rows[at][0], rows[at][1], names) for at in find_pareto_front(np.concatenate(costs))]


def _costs(result: Result, names: tuple[str, ...]) -> _Array:
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
