"""A genetic search with pymoo: NSGA-II, or NSGA-III from four goals on, over the indices of the axes.

Deb et al., "A fast and elitist multiobjective genetic algorithm: NSGA-II", IEEE TEVC 6(2), 2002; Deb and Jain, "An
evolutionary many-objective optimization algorithm using reference-point-based nondominated sorting approach", IEEE TEVC
18(4), 2014. Points that break limits or requirements are ranked by their distance from what is allowed, behind all that
keep them.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from accelscope.core.analysis.optimize.scores import PointScorer

_Array = np.ndarray[Any, np.dtype[Any]]

POPULATION_SIZE = 200
MANY_OBJECTIVES = 4
"""Goals from which on NSGA-III searches."""


def sample_latin_hypercube(judge: PointScorer, count: int, random: np.random.Generator) -> _Array:
    """Return points spread over a space: every value of an axis about as often, in an order of its own (Latin hypercube)."""
    columns = []
    for size in judge.space.sizes:
        steps = (np.arange(count) + random.random(count)) / count
        columns.append(np.minimum((random.permutation(steps) * size).astype(np.int64), size - 1))
    return np.stack(columns, axis=1)


def evolve_population(judge: PointScorer, start: _Array, evaluations: int, seed: int) -> None:
    """Let a population evolve until some number of points has been evaluated in all, or nothing new turns up.

    Args:
        judge: keeps what is found.
        start: the first population.
        evaluations: distinct points, those that the judge knows already included.
        seed: of all random choices.
    """
    problem, algorithm = _problem(judge), _algorithm(judge, start)
    algorithm.setup(problem, termination=("n_gen", 10_000), seed=seed, verbose=False)
    idle = 0
    while judge.evaluations < evaluations and idle < 5:
        before = judge.evaluations
        algorithm.next()
        idle = idle + 1 if judge.evaluations == before else 0
        if not algorithm.has_next():
            break


def _problem(judge: PointScorer) -> Any:
    Problem: Any = importlib.import_module("pymoo.core.problem").Problem

    class Indices(Problem):  # type: ignore[misc]
        """Indices of axes as variables."""

        def _evaluate(self, rows: _Array, out: dict[str, _Array], *args: Any, **options: Any) -> None:
            scores = judge.scores(np.rint(rows).astype(np.int64))
            out["F"], out["G"] = scores.goals, scores.distance[:, None]

    sizes = judge.space.sizes
    return Indices(
        n_var=len(sizes),
        n_obj=len(judge.goals),
        n_ieq_constr=1,
        xl=np.zeros(len(sizes)),
        xu=(sizes - 1).astype(float),
    )


def _algorithm(judge: PointScorer, start: _Array) -> Any:
    NSGA2: Any = importlib.import_module("pymoo.algorithms.moo.nsga2").NSGA2
    NSGA3: Any = importlib.import_module("pymoo.algorithms.moo.nsga3").NSGA3
    UniformCrossover: Any = importlib.import_module("pymoo.operators.crossover.ux").UniformCrossover
    get_reference_directions: Any = importlib.import_module("pymoo.util.ref_dirs").get_reference_directions

    options = {
        "pop_size": len(start),
        "sampling": start.astype(float),
        "crossover": UniformCrossover(prob=0.9),
        "mutation": _mutation(judge.space.variants),
        "eliminate_duplicates": True,
    }
    if len(judge.goals) < MANY_OBJECTIVES:
        return NSGA2(**options)
    directions = get_reference_directions("energy", len(judge.goals), max(len(start) // 2, 10), seed=1)
    return NSGA3(directions, **options)


def _mutation(variants: _Array) -> Any:
    Mutation: Any = importlib.import_module("pymoo.core.mutation").Mutation

    class Steps(Mutation):  # type: ignore[misc]
        """About one axis of each point goes to another value: a near one, as often as not; a variant to any other."""

        def _do(self, problem: Any, rows: _Array, random_state: Any = None, **options: Any) -> _Array:
            shape, most = rows.shape, problem.xu
            chosen = random_state.random(shape) < max(1.0 / shape[1], 0.02)
            near = random_state.geometric(0.4, shape) * random_state.choice([-1, 1], shape)
            far = np.floor(random_state.random(shape) * (most + 1.0))
            jump = (random_state.random(shape) < 0.5) | variants
            moved = np.where(jump, far, np.clip(rows + near, 0.0, most))
            return np.where(chosen, moved, rows)

    return Steps()
