"""Points of a space to scores: the goals, all to be made small, and the distance from what is allowed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from attrs import define, evolve, field, frozen

from accelscope.core.analysis.optimize.space import SearchSpace, build_design_points, group_by_variant
from accelscope.core.query.points import evaluate_points
from accelscope.core.query.requirements import name_metric_values
from accelscope.core.query.scenario_design import ScenarioDesign
from accelscope.core.sweep.goals import (
    constraint_violation,
    find_goals,
    find_requirements,
    list_goal_blocks,
    list_referenced_metrics,
    unknown_goal_error,
)
from accelscope.core.sweep.targets import build_sweep_target
from accelscope.dsl.interpret.assertions import Requirement
from accelscope.dsl.values.units import Dimension
from accelscope.dsl.values.values import MapValue, Quantity

_Array = np.ndarray[Any, np.dtype[Any]]

_MOST_POINTS = 16_384
"""Points evaluated at once."""
_HUGE = 1e300
"""A goal that is no number, such as the cost of a token where none is made."""
_NAN_PENALTY = 50.0
"""Distance of a point with such a goal, beyond any that limits give."""


@frozen(kw_only=True, eq=False)
class PointScores:
    """Of some points, one row each.

    Attributes:
        goals: one column for each goal in base units, small is better.
        distance: from what limits and requirements allow; 0 where a point is allowed.
    """

    goals: _Array
    distance: _Array

    @property
    def allowed(self) -> _Array:
        """Where a point keeps all limits and requirements."""
        return self.distance <= 0.0


@define(eq=False)
class PointScorer:
    """Evaluates points of a space, each once.

    Attributes:
        evaluations: how many distinct points were evaluated so far.
        rows: evaluated points, in the order in which they were requested.
        values: values of the goals at each of these points, larger ones worse.
        signs: sign of each goal, -1 where large is better.
        goals: goals as written.
        dimensions: dimension of each goal's values.
    """

    space: SearchSpace
    rows: list[_Array] = field(factory=list)
    values: list[_Array] = field(factory=list)
    distances: list[float] = field(factory=list)
    goals: tuple[Requirement, ...] = ()
    dimensions: dict[int, Dimension] = field(factory=dict)
    _known: dict[bytes, int] = field(factory=dict)

    def __attrs_post_init__(self) -> None:
        at = build_design_points(self.space, np.zeros((1, len(self.space.axes)), dtype=np.int64))
        self.goals = tuple(goal for _, goal in find_goals(list_goal_blocks(at.owner, at.scenario)))

    @property
    def evaluations(self) -> int:
        """How many distinct points were evaluated."""
        return len(self.rows)

    @property
    def signs(self) -> _Array:
        """Of each goal: 1 where small is better, -1 where large is."""
        return np.array([1.0 if goal.word == "minimize" else -1.0 for goal in self.goals])

    @property
    def names(self) -> tuple[str, ...]:
        """Of the goals: what stands behind `as`, or the expression."""
        return tuple(goal.message or goal.text for goal in self.goals)

    def unseen(self, rows: _Array) -> _Array:
        """Return the rows that have not been evaluated, each once, in their order."""
        new: dict[bytes, _Array] = {}
        for row in rows:
            key = row.tobytes()
            if key not in self._known:
                new.setdefault(key, row)
        return np.array(list(new.values()), dtype=np.int64).reshape(-1, len(self.space.axes))

    def scores(self, rows: _Array) -> PointScores:
        """Return the scores of points; those that are new are evaluated, all at once for each variant."""
        rows = np.ascontiguousarray(rows, dtype=np.int64)
        new = self.unseen(rows)
        for start in range(0, len(new), _MOST_POINTS):
            self._evaluate(new[start : start + _MOST_POINTS])
        at = [self._known[row.tobytes()] for row in rows]
        return PointScores(
            goals=np.array([self.values[place] for place in at]).reshape(-1, len(self.goals)),
            distance=np.array([self.distances[place] for place in at]),
        )

    def everything(self) -> tuple[_Array, PointScores]:
        """Return all points that were evaluated, with their scores."""
        width = len(self.space.axes)
        rows = np.array(self.rows, dtype=np.int64).reshape(-1, width)
        values = np.array(self.values).reshape(-1, len(self.goals))
        return rows, PointScores(goals=values, distance=np.array(self.distances))

    def _evaluate(self, rows: _Array) -> None:
        values = np.empty((len(rows), len(self.goals)))
        distances = np.empty(len(rows))
        for group in group_by_variant(self.space, rows):
            values[group], distances[group] = self._scored(
                build_design_points(self.space, rows[group]), len(group)
            )
        for row, value, lacking in zip(rows, values, distances, strict=True):
            self._known[row.tobytes()] = len(self.rows)
            self.rows.append(row)
            self.values.append(value)
            self.distances.append(float(lacking))

    def _scored(self, at: ScenarioDesign, size: int) -> tuple[_Array, _Array]:
        places = list_goal_blocks(at.owner, at.scenario)
        goals, required = find_goals(places), find_requirements(places)
        registry = self.space.registry
        items = [item for _, item in (*goals, *required)]
        used = list_referenced_metrics(items, registry)
        points = evaluate_points(at.design, used, shape=(size,))
        metrics = name_metric_values(used, points.metrics, registry.units)
        paths = nest_by_path(at.swept)
        columns = []
        for number, (place, item) in enumerate(goals):
            goal = build_sweep_target(item, place, at.scenario, tuple(registry.metrics))
            value = place.interpreter.value_of(goal.expr, item.scope, paths | dict(goal.known) | metrics)
            columns.append(self._goal(number, item, value, size))
        lacking = points.excess
        for place, item in required:
            asked = build_sweep_target(item, place, at.scenario, tuple(registry.metrics))
            names = paths | dict(asked.known) | metrics
            lacking = lacking + constraint_violation(place, evolve(item, expr=asked.expr), names, size)
        table = np.stack(columns, axis=1) * self.signs
        finite = np.isfinite(table).all(axis=1)
        table = np.nan_to_num(table, nan=_HUGE, posinf=_HUGE, neginf=_HUGE)
        return table, np.where(finite, lacking, lacking + _NAN_PENALTY)

    def _goal(self, number: int, goal: Requirement, value: object, size: int) -> _Array:
        if not isinstance(value, Quantity):
            raise unknown_goal_error(goal, self.space.registry)
        self.dimensions[number] = value.dimension
        return np.broadcast_to(np.asarray(value.magnitude, dtype=float), (size,))


def nest_by_path(swept: Mapping[str, object]) -> dict[str, object]:
    """Return values by the first name of their paths, as goals and requirements may write them: `gpu.hbm.bandwidth`."""
    names: dict[str, Any] = {}
    for path, value in swept.items():
        at, parts = names, path.split(".")
        for part in parts[:-1]:
            at = at.setdefault(part, {})
        at[parts[-1]] = value
    return {name: _mapped(value) for name, value in names.items()}


def _mapped(value: Any) -> object:
    if isinstance(value, dict):
        return MapValue({name: _mapped(item) for name, item in value.items()})
    return value
