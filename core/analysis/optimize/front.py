"""Pareto fronts: the points that no other beats in everything, and the hypervolume that they dominate."""

from __future__ import annotations

import importlib
from typing import Any

import numpy as np

from accelscope.core.errors import UsageError

_Array = np.ndarray[Any, np.dtype[Any]]

_MISSING = "search needs {name}, which is not installed: `pip install 'accelscope[search]'`"


def require_search_extra() -> None:
    """Check that what searches is installed.

    Raises:
        UsageError: it is not; the message says how to install it.
    """
    for name in ("pymoo", "moocore"):
        try:
            importlib.import_module(name)
        except ImportError as error:
            raise UsageError(_MISSING.format(name=name)) from error


def select_nondominated(goals: _Array) -> _Array:
    """Return the places of the rows that no other row dominates, equal ones once.

    Args:
        goals: one column for each goal, small is better.
    """
    moocore: Any = importlib.import_module("moocore")

    if not len(goals):
        return np.empty(0, dtype=np.int64)
    if goals.shape[1] == 1:
        return np.array([int(np.argmin(goals[:, 0]))])
    return np.flatnonzero(moocore.is_nondominated(goals))


def reference_point(goals: _Array) -> _Array:
    """Return a point of reference behind a front: its worst value of each goal, and a tenth of its extent beyond."""
    worst, best = goals.max(axis=0), goals.min(axis=0)
    extent = np.where(worst > best, worst - best, np.abs(worst) + 1e-300)
    return np.asarray(worst + 0.1 * extent)


def hypervolume(goals: _Array, reference: _Array, ideal: _Array) -> float:
    """Return the hypervolume of some points as a share of the box between the ideal and a point of reference.

    Fonseca, Paquete and Lopez-Ibanez, "An improved dimension-sweep algorithm for the hypervolume indicator", CEC 2006, as
    moocore computes it.
    """
    moocore: Any = importlib.import_module("moocore")

    if not len(goals):
        return 0.0
    scaled = (goals - ideal) / (reference - ideal)
    inside = scaled[(scaled < 1.0).all(axis=1)]
    return float(moocore.hypervolume(inside, ref=np.ones(goals.shape[1]))) if len(inside) else 0.0
