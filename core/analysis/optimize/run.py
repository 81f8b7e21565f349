"""A search from a space to its front: a population evolves, a walk along the front follows, and so on in turn."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from attrs import frozen

from accelscope.core.analysis.optimize.front import hypervolume, reference_point, require_search_extra
from accelscope.core.analysis.optimize.genetic import (
    POPULATION_SIZE,
    evolve_population,
    sample_latin_hypercube,
)
from accelscope.core.analysis.optimize.neighbours import select_front, walk_front
from accelscope.core.analysis.optimize.scores import PointScorer, PointScores
from accelscope.core.analysis.optimize.space import SearchSpace
from accelscope.core.errors import UsageError

_Array = np.ndarray[Any, np.dtype[Any]]

DEFAULT_EVALUATIONS = 8_000
"""Points that a search evaluates unless told otherwise."""
EVOLUTION_SHARE = 0.5
"""Share of what is left that populations get before the front is walked along."""
ISLANDS = 4
"""Populations that know nothing of each other: one may end in a corner, but not all in the same."""


@frozen(kw_only=True, eq=False)
class OptimizationResult:
    """What a search found.

    Attributes:
        rows, scores: all points that were evaluated.
        front: places of the best of them, the first goal's best first.
        gain: hypervolume of the front over that of the first three quarters of the evaluations; close to 1 where the search
            has settled.
        whole: whether every point of the space was evaluated.
    """

    space: SearchSpace
    judge: PointScorer
    seed: int
    rows: _Array
    scores: PointScores
    front: _Array
    reference: _Array
    ideal: _Array
    gain: float
    seconds: float

    @property
    def evaluations(self) -> int:
        """How many points were evaluated."""
        return len(self.rows)

    @property
    def whole(self) -> bool:
        """Whether every point of the space was evaluated."""
        return self.evaluations >= self.space.points

    @property
    def hypervolume(self) -> float:
        """Of the front, as a share of the box between its ideal and its point of reference."""
        return hypervolume(self.scores.goals[self.front], self.reference, self.ideal)


def optimize_study(
    space: SearchSpace,
    *,
    seed: int = 0,
    evaluations: int = DEFAULT_EVALUATIONS,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> OptimizationResult:
    """Return the front of a space's goals; the same seed finds the same.

    Args:
        space: axes, points and goals of the study.
        seed: seed of the search.
        evaluations: most distinct points that are evaluated; a space with no more is evaluated whole.
        progress: called with the points so far and those of the search.

    Raises:
        UsageError: what searches is not installed, or a goal cannot be computed.
    """
    require_search_extra()
    if evaluations < 1:
        raise UsageError("--evaluations is a number from 1 up")
    start = time.perf_counter()
    judge = PointScorer(space=space)
    if space.points <= evaluations:
        shape = tuple(int(size) for size in space.sizes)
        judge.scores(np.stack(np.unravel_index(np.arange(space.points), shape), axis=1))
    else:
        _explore(judge, seed, evaluations, progress)
    return _found(judge, seed, time.perf_counter() - start)


def _explore(judge: PointScorer, seed: int, evaluations: int, progress: Callable[[int, int], None]) -> None:
    """Let populations evolve that begin anew each time, then walk along the front of all; again with what is left."""
    random = np.random.default_rng(seed)
    population = max(min(POPULATION_SIZE, evaluations // 16), 8)
    part = 0
    while judge.evaluations < evaluations:
        before = judge.evaluations
        until = before + int((evaluations - before) * EVOLUTION_SHARE)
        for _ in range(ISLANDS):
            room = evaluations - judge.evaluations
            most = min(judge.evaluations + max((until - before) // ISLANDS, population), evaluations)
            if room >= population:
                evolve_population(
                    judge, sample_latin_hypercube(judge, population, random), most - population, seed + part
                )
            part += 1
            progress(judge.evaluations, evaluations)
        walk_front(judge, evaluations, random)
        progress(judge.evaluations, evaluations)
        if judge.evaluations - before < population:
            judge.scores(sample_latin_hypercube(judge, evaluations - judge.evaluations, random))
            break


def _found(judge: PointScorer, seed: int, seconds: float) -> OptimizationResult:
    rows, scores = judge.everything()
    front = select_front(judge)
    front = front[np.lexsort(scores.goals[front].T[::-1])] if len(front) else front
    best = scores.goals[front]
    width = len(judge.goals)
    reference, ideal = (
        (reference_point(best), best.min(axis=0)) if len(front) else (np.ones(width), np.zeros(width))
    )
    early = scores.goals[: len(rows) * 3 // 4][scores.allowed[: len(rows) * 3 // 4]]
    before = hypervolume(early, reference, ideal) if len(front) else 0.0
    after = hypervolume(best, reference, ideal) if len(front) else 0.0
    return OptimizationResult(
        space=judge.space,
        judge=judge,
        seed=seed,
        rows=rows,
        scores=scores,
        front=front,
        reference=reference,
        ideal=ideal,
        gain=after / before if before > 0.0 else float("inf"),
        seconds=seconds,
    )
