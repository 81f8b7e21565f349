"""Designs of a sweep, one for each combination of values that are no numbers, and their points block by block."""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property, reduce
from typing import Any

import numpy as np
from attrs import define, evolve, field, frozen

from accelscope.core.assemble.design import Design
from accelscope.core.numeric.axes import slice_terms
from accelscope.core.numeric.term import Array
from accelscope.core.plugin.records import Metric
from accelscope.core.plugin.registry import Registry
from accelscope.core.query.manifest import build_manifest
from accelscope.core.query.query import Query, SweptAxis, find_query_block
from accelscope.core.query.requirements import metric_names
from accelscope.core.query.result import MetricColumn
from accelscope.core.query.run import assemble_variant
from accelscope.core.sweep.goals import list_goal_blocks
from accelscope.core.sweep.judged_points import (
    JudgedPoints,
    PointMetrics,
    evaluate_design_points,
    judge_points,
)
from accelscope.core.sweep.targets import GOAL_SIGNS, SweepTarget, build_sweep_target
from accelscope.dsl.check.program import load_program
from accelscope.dsl.interpret.assertions import collect_goals, collect_requirements
from accelscope.dsl.interpret.interpreter import interpreter_of

_MAX_CACHED_DESIGNS = 32
"""Designs that are kept: chunks come in the order of variants, and a tuned variant comes back with each chunk."""
_MAX_CACHED_POINTS = 8_388_608
"""Points that the kept designs span together: a description may hold arrays with a number for each."""
GridWindow = tuple[tuple[int, int], ...]
"""Part of each numeric axis: where it starts and stops."""


@frozen(kw_only=True, eq=False)
class RequestedColumns:
    """What is computed of every point.

    Attributes:
        metrics: those that become columns.
        named: names of those that requirements and goals name.
        columns: names of goals that are columns of their own.
    """

    metrics: tuple[Metric, ...]
    named: frozenset[str]
    columns: tuple[str, ...]


@frozen(kw_only=True, eq=False)
class DesignVariant:
    """One design with its targets."""

    design: Design
    registry: Registry
    wanted: RequestedColumns
    shape: tuple[int, ...]
    requirements: tuple[SweepTarget, ...]
    preferences: tuple[SweepTarget, ...]
    goals: tuple[SweepTarget, ...]

    def block(self, where: tuple[slice, ...]) -> JudgedPoints:
        """Return the points of a part of the grid of numeric axes, the last axis fastest."""
        shape = tuple(min(part.stop, size) - part.start for part, size in zip(where, self.shape, strict=True))
        with np.errstate(all="ignore"):
            found = self.measured(where)
            names = self.names(found)
            goals = [(target, self._goal(target, names, where)) for target in self.goals]
            return judge_points(
                found,
                dict(self._columns(found, goals)),
                [(_describe_unmet(target), target.holds(names, where)) for target in self.requirements],
                [*self._preferred(names, where), *(value * GOAL_SIGNS[t.item.word] for t, value in goals)],
                shape,
            )

    def measured(self, where: tuple[slice, ...]) -> PointMetrics:
        """Return the metrics and limits of a part of the grid."""
        design = slice_terms(self.design, where) if self.shape else self.design
        return evaluate_design_points(design, self.registry, self.wanted.metrics)

    def names(self, found: PointMetrics) -> dict[str, object]:
        """Return what targets call the metrics that they name."""
        columns = {
            metric.name: MetricColumn(
                name=metric.name,
                unit=metric.unit,
                doc="",
                headline=False,
                better=metric.better,
                value=np.asarray(found.metrics[metric.name]),
            )
            for metric in self.wanted.metrics
            if metric.name in self.wanted.named and metric.name in found.metrics
        }
        return metric_names(columns, self.registry.units)

    def _goal(self, target: SweepTarget, names: Mapping[str, object], where: tuple[slice, ...]) -> Array:
        """Return the values of a goal; without any where this variant lacks what it names."""
        amount = target.amount(names, where)
        return np.full((), np.nan) if amount is None else np.asarray(amount.magnitude, dtype=float)

    def _columns(
        self, found: PointMetrics, goals: Iterable[tuple[SweepTarget, Array]]
    ) -> Iterator[tuple[str, Array]]:
        """Yield the goals that are columns; one that is a metric under another name has its unit."""
        for target, value in goals:
            if format_goal_label(target) in self.wanted.columns:
                yield format_goal_label(target), found.metrics.get(target.item.text, value)

    def _preferred(self, names: Mapping[str, object], where: tuple[slice, ...]) -> Iterator[Array]:
        """Yield how many preferences are not met, where there are any."""
        if self.preferences:
            unmet = [(~target.holds(names, where)).astype(float) for target in self.preferences]
            yield reduce(np.add, unmet)


@define(eq=False)
class DesignVariants:
    """The designs of a sweep, made when they are first asked for.

    Attributes:
        numeric: axes that own an array dimension: those of `sweep`, then those of `tune`.
    """

    asked: Query
    registry: Registry
    numeric: tuple[SweptAxis, ...]
    sets: tuple[str, ...]
    wanted: RequestedColumns
    _kept: OrderedDict[Any, DesignVariant] = field(factory=OrderedDict, init=False)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the numeric axes."""
        return tuple(item.axis.size for item in self.numeric)

    @property
    def whole(self) -> GridWindow:
        """All values of the numeric axes."""
        return tuple((0, size) for size in self.shape)

    @cached_property
    def manifest(self) -> dict[str, Any]:
        """What the results are made from."""
        return build_manifest(self.asked.program, self.registry, self.sets)

    @property
    def first(self) -> DesignVariant:
        """The variant of the first value of each axis."""
        corner = tuple((0, 1) for _ in self.numeric)
        return self.of({item.axis.name: 0 for item in self.asked.swept if not item.axis.numeric}, corner)

    def request_columns(self, wanted: RequestedColumns) -> None:
        """Change what is computed of every point."""
        self.wanted = wanted
        for key, variant in self._kept.items():
            self._kept[key] = evolve(variant, wanted=wanted)

    def of(self, picks: Mapping[str, int], window: GridWindow | None = None) -> DesignVariant:
        """Return a variant.

        Args:
            picks: index of the value of each axis that is no number.
            window: part of each numeric axis; all of it without one.

        Raises:
            DescriptionError: its description lacks something.
        """
        window = window or self.whole
        key = (tuple(sorted(picks.items())), window)
        if key not in self._kept:
            points = math.prod(stop - start for start, stop in window)
            while len(self._kept) >= max(1, min(_MAX_CACHED_DESIGNS, _MAX_CACHED_POINTS // points)):
                self._kept.popitem(last=False)
            self._kept[key] = self._made(picks, window)
        self._kept.move_to_end(key)
        return self._kept[key]

    def _made(self, picks: Mapping[str, int], window: GridWindow) -> DesignVariant:
        parts = dict(zip((item.axis.name for item in self.numeric), window, strict=True))
        swept = tuple(
            evolve(item, part=slice(*parts[item.axis.name])) if item.axis.numeric else item
            for item in self.asked.swept
        )
        asked = evolve(self.asked, swept=swept)
        numeric = tuple(
            next(item for item in swept if item.axis.name == axis.axis.name) for axis in self.numeric
        )
        shape = tuple(stop - start for start, stop in window)
        design, scenario = assemble_variant(asked, self.registry, picks, numeric, shape=shape)
        owner = find_query_block(
            load_program(asked.program.module.source, interpreter_of(scenario)), asked.name
        )
        places = list_goal_blocks(owner, scenario)
        metrics = tuple(self.registry.metrics)

        def found(word: str) -> tuple[SweepTarget, ...]:
            items = ((place, item) for place in places for item in collect_requirements(place, (word,)))
            return tuple(build_sweep_target(item, place, scenario, metrics) for place, item in items)

        with_goals = next((place for place in places if collect_goals(place)), None)
        goals = () if with_goals is None else collect_goals(with_goals)
        return DesignVariant(
            design=design,
            registry=self.registry,
            wanted=self.wanted,
            shape=shape,
            requirements=found("require"),
            preferences=found("prefer"),
            goals=tuple(
                build_sweep_target(item, with_goals, scenario, metrics) for item in goals if with_goals
            ),
        )


def format_goal_label(target: SweepTarget) -> str:
    """Return what a goal is called: the name behind `as`, or the expression as written."""
    return target.item.message or target.item.text


def _describe_unmet(target: SweepTarget) -> str:
    """Return what to say where a requirement is not met."""
    return target.item.message or f"require {target.item.text}"
