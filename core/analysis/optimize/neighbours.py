"""The neighbours of a front: each of its points with one axis at its next value, until no neighbour is better.

Paquete, Chiarandini and Stuetzle, "Pareto local optimum sets in the biobjective traveling salesman problem", 2004: what a
genetic search leaves between its points, a walk along the front finds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from accelscope.core.analysis.optimize.front import select_nondominated

if TYPE_CHECKING:
    from accelscope.core.analysis.optimize.scores import PointScorer

_Array = np.ndarray[Any, np.dtype[Any]]

_AT_ONCE = 400
"""Neighbours that are evaluated before the front is looked at again."""


def select_front(judge: PointScorer) -> _Array:
    """Return the places of the best of all points that a judge knows."""
    _, scores = judge.everything()
    allowed = np.flatnonzero(scores.allowed)
    found: _Array = allowed[select_nondominated(scores.goals[allowed])]
    return found


def walk_front(judge: PointScorer, evaluations: int, random: np.random.Generator) -> None:
    """Evaluate neighbours of the front until there are no new ones, or some number of points has been evaluated in all."""
    while judge.evaluations < evaluations:
        rows, _ = judge.everything()
        new = judge.unseen(list_neighbours(judge, rows[select_front(judge)]))
        if not len(new):
            return
        room = min(_AT_ONCE, evaluations - judge.evaluations)
        judge.scores(random.permutation(new)[:room])


def list_neighbours(judge: PointScorer, rows: _Array) -> _Array:
    """Return the points that differ from some in one axis: by one value of a number, by any of a variant."""
    found = []
    for axis, (size, variant) in enumerate(zip(judge.space.sizes, judge.space.variants, strict=True)):
        for step in range(1, size) if variant else (-1, 1):
            moved = rows.copy()
            moved[:, axis] = (moved[:, axis] + step) % size if variant else moved[:, axis] + step
            found.append(moved[(moved[:, axis] >= 0) & (moved[:, axis] < size)])
    return np.concatenate(found) if found else rows[:0]
