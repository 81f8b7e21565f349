"""What is kept of a sweep whose points are not: counts, reasons, the best of each goal, the front, and the same by group."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import define, field, frozen

from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array
from accelscope.core.query.pareto import drop_dominated, find_pareto_front
from accelscope.core.sweep.plan import STATUS_COLUMNS, ChunkTable, SweepPlan
from accelscope.core.sweep.planner import collect_sweep_criteria
from accelscope.core.sweep.store.parts import StoreColumn
from accelscope.core.sweep.targets import GOAL_SIGNS
from accelscope.dsl.diagnostics.suggest import did_you_mean

_POINT_NUMBER = "number of the point"
"""Key under which rows keep their place in the sweep: of equal points the first counts, in whatever order chunks come."""


_DEFAULT_TRADE_OFFS = (("tpot", "throughput_per_device"), ("step_time", "train_throughput_per_device"))
"""What the front trades off if a study does not say: of serving, of training."""


@frozen(kw_only=True)
class SweepObjective:
    """What is made small or large: the name of a column, and 1 where small is better, -1 where large is."""

    name: str
    sign: float


@define(kw_only=True, eq=False)
class SweepSummary:
    """Grows with each chunk; the same in whatever order chunks come.

    Attributes:
        trade: what the front trades off.
        goals: what the best point is sought for, one by one.
        group_by: axes whose values separate groups.
    """

    columns: tuple[StoreColumn, ...]
    trade: tuple[SweepObjective, ...]
    goals: tuple[SweepObjective, ...]
    group_by: tuple[str, ...] = ()
    points: int = 0
    feasible: int = 0
    allowed: int = 0
    reasons: Counter[str] = field(factory=Counter)
    groups: dict[tuple[Any, ...], SweepSummary] = field(factory=dict)
    _front: dict[str, Array] = field(factory=dict)
    _best: dict[str, dict[str, Array]] = field(factory=dict)

    def add(self, table: ChunkTable, first: int) -> None:
        """Add the points of a chunk.

        Args:
            table: columns of the chunk, one value for each point.
            first: number of its first point.
        """
        numbers = np.arange(first, first + table["feasible"].size)
        self._add({**table, _POINT_NUMBER: numbers})

    def _add(self, table: dict[str, Array]) -> None:
        allowed = np.flatnonzero(table["allowed"])
        self.points += table["feasible"].size
        self.feasible += int(table["feasible"].sum())
        self.allowed += allowed.size
        if allowed.size < table["feasible"].size:
            self.reasons.update(_counted(table["reason"]))
        self._grow_front(table, allowed)
        for goal in self.goals:
            self._improve(goal, table, allowed)
        for key, rows in _grouped(table, self.group_by):
            if key not in self.groups:
                self.groups[key] = SweepSummary(columns=self.columns, trade=self.trade, goals=self.goals)
            self.groups[key]._add({name: item[rows] for name, item in table.items()})

    def _grow_front(self, table: Mapping[str, Array], allowed: Array) -> None:
        costs = _costs(table, self.trade, allowed)
        usable = np.isfinite(costs).all(axis=1)
        rows, costs = allowed[usable], costs[usable]
        if self._front:
            there = _costs(self._front, self.trade, np.arange(self._front[_POINT_NUMBER].size))
            left = drop_dominated(costs, there)
            rows, costs = rows[left], costs[left]
        if not rows.size:
            return
        near = rows[find_pareto_front(costs)]
        new = {name: item[near] for name, item in table.items()}
        both = (
            {name: np.concatenate((item, new[name])) for name, item in self._front.items()}
            if self._front
            else new
        )
        order = np.argsort(both[_POINT_NUMBER], kind="stable")
        kept = order[find_pareto_front(_costs(both, self.trade, order))]
        self._front = {name: item[kept] for name, item in both.items()}

    def _improve(self, goal: SweepObjective, table: Mapping[str, Array], allowed: Array) -> None:
        values = table[goal.name][allowed] * goal.sign
        values = np.where(np.isnan(values), np.inf, values)
        if not values.size or np.isinf(least := values.min()):
            return
        at = allowed[int(np.argmin(values))]
        before = self._best.get(goal.name)
        if before is not None:
            known = before[goal.name][0] * goal.sign
            if known < least or (known == least and before[_POINT_NUMBER][0] < table[_POINT_NUMBER][at]):
                return
        self._best[goal.name] = {name: item[at : at + 1] for name, item in table.items()}

    def merge(self, other: SweepSummary) -> None:
        """Add what another process knows of other points."""
        self.points += other.points
        self.feasible += other.feasible
        self.allowed += other.allowed
        self.reasons.update(other.reasons)
        if other._front:
            self._grow_front(other._front, np.arange(other._front[_POINT_NUMBER].size))
        for goal in self.goals:
            if goal.name in other._best:
                self._improve(goal, other._best[goal.name], np.arange(1))
        for key, group in other.groups.items():
            if key not in self.groups:
                self.groups[key] = SweepSummary(columns=self.columns, trade=self.trade, goals=self.goals)
            self.groups[key].merge(group)

    def pareto(self) -> list[dict[str, Any]]:
        """Return the points of the front, the best of the first objective first."""
        size = self._front[_POINT_NUMBER].size if self._front else 0
        return [_row_to_dict(self._front, self.columns, at) for at in range(size)]

    def best(self) -> dict[str, dict[str, Any]]:
        """Return the best point of each goal that has one."""
        return {name: _row_to_dict(rows, self.columns, 0) for name, rows in self._best.items()}


def _row_to_dict(rows: Mapping[str, Array], columns: Sequence[StoreColumn], at: int) -> dict[str, Any]:
    """Return one row as plain data: where it is, what was tuned there, and its metrics with units."""
    point = {item.name: _plain(rows[item.name][at]) for item in columns if item.axis}
    names = [item.name for item in columns]
    status = names.index("feasible")
    tuned = {item.name: _plain(rows[item.name][at]) for item in columns[:status] if not item.axis}
    metrics = {
        item.name: {"value": _plain(rows[item.name][at]), "unit": item.unit}
        for item in columns[status + len(STATUS_COLUMNS) :]
    }
    return {"point": point, **({"tuned": tuned} if tuned else {}), "metrics": metrics}


def _plain(value: Any) -> Any:
    if isinstance(value, str) or value is None:
        return value
    return float(value) if np.isfinite(value) else None


def _costs(table: Mapping[str, Array], trade: Sequence[SweepObjective], rows: Array) -> Array:
    return np.stack([table[item.name][rows] * item.sign for item in trade], axis=1)


def _counted(reasons: Array) -> Counter[str]:
    """Count reasons; few objects stand for many points, so that they are told apart by where they are."""
    known: dict[int, str] = {id(item): item for item in set(reasons.tolist()) if item is not None}
    return Counter({text: int((reasons == text).sum()) for text in dict.fromkeys(known.values())})


def _grouped(table: Mapping[str, Array], names: Sequence[str]) -> list[tuple[tuple[Any, ...], Array]]:
    """Return the rows of each group with its values."""
    if not names:
        return []
    codes = np.zeros(table[_POINT_NUMBER].size, dtype=int)
    values = []
    for name in names:
        kinds, code = np.unique(table[name], return_inverse=True)
        codes = codes * len(kinds) + code.reshape(-1)
        values.append(kinds)
    found = []
    for code in np.unique(codes):
        at = np.unravel_index(int(code), tuple(len(kinds) for kinds in values))
        key = tuple(kinds[place] for kinds, place in zip(values, at, strict=True))
        found.append((key, np.flatnonzero(codes == code)))
    return found


def create_sweep_summary(plan: SweepPlan, trade: Sequence[str] = ()) -> SweepSummary:
    """Return an empty summary of a plan.

    Args:
        plan: of the sweep.
        trade: what the front trades off; without it what the study reports, else its goals.

    Raises:
        UsageError: one of them is not a column.
    """
    signs = {
        item.message or item.text: GOAL_SIGNS[item.word] for item in collect_sweep_criteria(plan.asked).goals
    }
    names = tuple(trade) or plan.options.pareto or tuple(signs) or _usual(plan)
    return SweepSummary(
        columns=plan.columns,
        trade=tuple(_objective(plan, name, signs) for name in names),
        goals=tuple(_objective(plan, name, signs) for name in dict.fromkeys((*signs, *names))),
        group_by=_groups(plan),
    )


def _measures(plan: SweepPlan) -> list[str]:
    """Return the names of the columns that are metrics or goals."""
    return [item.name for item in plan.columns[len(plan.axes) + len(plan.tuned) + len(STATUS_COLUMNS) :]]


def _usual(plan: SweepPlan) -> tuple[str, ...]:
    """Return what is traded off by default: the usual pair, or the first two metrics that are computed."""
    known = _measures(plan)
    return next((pair for pair in _DEFAULT_TRADE_OFFS if set(pair) <= set(known)), tuple(known[:2]))


def _objective(plan: SweepPlan, name: str, signs: dict[str, float]) -> SweepObjective:
    known = _measures(plan)
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise UsageError(f"there is no `{name}` to trade off; {hint}")
    if name in signs:
        return SweepObjective(name=name, sign=signs[name])
    return SweepObjective(
        name=name, sign=-1.0 if plan.variants.registry.metrics[name].better == "high" else 1.0
    )


def _groups(plan: SweepPlan) -> tuple[str, ...]:
    known = [axis.name for axis in (*plan.axes, *plan.tuned)]
    for name in plan.options.group_by:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known) or 'none'}"
            raise UsageError(f"`group_by` names `{name}`, which is not swept; {hint}")
    return plan.options.group_by
