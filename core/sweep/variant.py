"""Designs of a sweep, one for each combination of values that are not numbers, and their points block by block."""

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
from accelscope.core.numeric.error_bars import UncertainInputs
from accelscope.core.numeric.term import Array
from accelscope.core.plugin.records import Metric
from accelscope.core.plugin.registry import Registry
from accelscope.core.query.manifest import build_manifest
from accelscope.core.query.points import EvaluatedPoints, evaluate_points
from accelscope.core.query.query import GridPlacement, Query, SweptAxis
from accelscope.core.query.requirements import name_metric_values
from accelscope.core.query.result import RequirementRow
from accelscope.core.query.scenario_design import assemble_scenario
from accelscope.core.sweep.goals import list_goal_blocks
from accelscope.core.sweep.judged_points import JudgedPoints, judge_points
from accelscope.core.sweep.targets import GOAL_SIGNS, SweepTarget, build_sweep_target
from accelscope.dsl.interpret.assertions import collect_goals, collect_requirements
from accelscope.dsl.interpret.component import Component

MAX_ERROR_BAR_POINTS = 2_000_000
"""Largest product of points and uncertain inputs for which error bars are computed."""
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
    named: frozenset[str] = frozenset()
    columns: tuple[str, ...] = ()


@frozen(kw_only=True, eq=False)
class DesignVariant:
    """One design with its targets.

    Attributes:
        design: terms have one array dimension for each of `shape`, and a last one if `inputs` is not 0.
        registry: the plugins.
        shape: of the part of the numeric axes that it spans.
        inputs: length of the dimension of uncertain inputs; 0 without error bars.
        requirements: each `require` of the study, its scenario, and the blocks that the scenario names.
        preferences: each `prefer` of these.
        goals: of the first of these that has any.
        stated: each `require` and `prefer` of the scenario and its `slo`, in the order of the text.
        warnings: what the language warned of, such as an implausible value that was set.
    """

    design: Design
    registry: Registry
    shape: tuple[int, ...]
    inputs: int
    requirements: tuple[SweepTarget, ...]
    preferences: tuple[SweepTarget, ...]
    goals: tuple[SweepTarget, ...]
    stated: tuple[SweepTarget, ...]
    warnings: tuple[str, ...]

    def evaluate(
        self, where: tuple[slice, ...], metrics: Iterable[Metric], *, breakdown: bool = False
    ) -> EvaluatedPoints:
        """Return the points of a part of the grid of numeric axes, the last axis fastest.

        Args:
            where: part of each numeric axis.
            metrics: to compute.
            breakdown: whether to list where the time goes.
        """
        sizes = tuple(min(part.stop, size) - part.start for part, size in zip(where, self.shape, strict=True))
        design = slice_terms(self.design, where) if self.shape else self.design
        return evaluate_points(design, metrics, shape=sizes, inputs=self.inputs, breakdown=breakdown)

    def judge(
        self, points: EvaluatedPoints, where: tuple[slice, ...], requested: RequestedColumns
    ) -> JudgedPoints:
        """Return points with what they break and what makes one better than another.

        Args:
            points: of `evaluate`.
            where: part of each numeric axis that they are.
            requested: what becomes a column.
        """
        with np.errstate(all="ignore"):
            names = self.names(points, requested.named)
            goals = [(target, self._goal(target, names, where)) for target in self.goals]
            return judge_points(
                points,
                dict(_goal_columns(points, goals, requested)),
                [(_describe_unmet(target), target.holds(names, where)) for target in self.requirements],
                [*self._preferred(names, where), *(value * GOAL_SIGNS[t.item.word] for t, value in goals)],
            )

    def names(self, points: EvaluatedPoints, named: frozenset[str] | None = None) -> dict[str, object]:
        """Return what targets call the metrics of points.

        Args:
            points: evaluated.
            named: names of metrics that targets use; None for all.
        """
        used = (item for name, item in self.registry.metrics.items() if named is None or name in named)
        return name_metric_values(used, points.metrics, self.registry.units)

    def list_requirements(
        self, points: EvaluatedPoints, where: tuple[slice, ...]
    ) -> tuple[RequirementRow, ...]:
        """Return where each `require` and `prefer` of the scenario holds."""
        if not self.stated:
            return ()
        names = self.names(points)
        rows = []
        for target in self.stated:
            value, item = target.value(names, where), target.item
            rows.append(
                RequirementRow(
                    word=item.word,
                    text=item.text,
                    message=item.message,
                    place=str(item.span),
                    met=None if value is None else np.asarray(value, dtype=bool),
                )
            )
        return tuple(rows)

    def _goal(self, target: SweepTarget, names: Mapping[str, object], where: tuple[slice, ...]) -> Array:
        """Return the values of a goal; NaN if this variant lacks what it names."""
        amount = target.amount(names, where)
        return np.full((), np.nan) if amount is None else np.asarray(amount.magnitude, dtype=float)

    def _preferred(self, names: Mapping[str, object], where: tuple[slice, ...]) -> Iterator[Array]:
        """Yield how many preferences are not met, if there are any."""
        if self.preferences:
            unmet = [(~target.holds(names, where)).astype(float) for target in self.preferences]
            yield reduce(np.add, unmet)


def _goal_columns(
    points: EvaluatedPoints, goals: Iterable[tuple[SweepTarget, Array]], requested: RequestedColumns
) -> Iterator[tuple[str, Array]]:
    """Yield the goals that are columns; one that is a metric under another name has its unit."""
    for target, value in goals:
        if format_goal_label(target) in requested.columns:
            yield format_goal_label(target), points.metrics.get(target.item.text, value)


@define(eq=False, slots=False)
class DesignVariants:
    """The designs of a sweep, each made when it is first needed and kept for a while.

    Attributes:
        asked: the query.
        registry: the plugins.
        numeric: axes that own an array dimension: those of `sweep`, then those of `tune`.
        sets: texts of `--set`, for the manifest.
        error_bars: whether designs have a dimension of uncertain inputs.
    """

    asked: Query
    registry: Registry
    numeric: tuple[SweptAxis, ...]
    sets: tuple[str, ...]
    error_bars: bool = False
    _kept: OrderedDict[Any, DesignVariant] = field(factory=OrderedDict, init=False)
    _inputs: dict[Any, UncertainInputs | None] = field(factory=dict, init=False)

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
    def first_picks(self) -> dict[str, int]:
        """Index of the first value of each axis that is a variant."""
        return {item.axis.name: 0 for item in self.asked.swept if not item.axis.numeric}

    @property
    def first(self) -> DesignVariant:
        """The variant of the first value of each axis."""
        return self.of(self.first_picks, tuple((0, 1) for _ in self.numeric))

    def of(self, picks: Mapping[str, int], window: GridWindow | None = None) -> DesignVariant:
        """Return a variant.

        Args:
            picks: index of the value of each axis that is not a number.
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
            self._kept[key] = self._assemble(picks, window)
        self._kept.move_to_end(key)
        return self._kept[key]

    def uncertain_inputs(self, picks: Mapping[str, int]) -> UncertainInputs | None:
        """Return the uncertain inputs of a variant; None without error bars, or if the grid is too large for them.

        Args:
            picks: index of the value of each axis that is not a number.
        """
        key = tuple(sorted(picks.items()))
        if self.error_bars and key not in self._inputs:
            inputs = UncertainInputs(len(self.numeric) + 1)
            placement = GridPlacement(picks=picks, numeric=(), dimensions=0)
            assemble_scenario(self.asked, self.registry, placement, inputs=inputs, probe=True)
            inputs = inputs.freeze()
            fits = math.prod(self.shape) * inputs.size <= MAX_ERROR_BAR_POINTS
            self._inputs[key] = inputs if fits else None
        return self._inputs.get(key)

    def _assemble(self, picks: Mapping[str, int], window: GridWindow) -> DesignVariant:
        parts = {item.axis.name: slice(*part) for item, part in zip(self.numeric, window, strict=True)}
        swept = tuple(evolve(item, part=parts.get(item.axis.name)) for item in self.asked.swept)
        inputs = self.uncertain_inputs(picks)
        placement = GridPlacement(
            picks=picks,
            numeric=tuple(item.axis.name for item in self.numeric),
            dimensions=len(self.numeric) + (inputs is not None),
        )
        made = assemble_scenario(evolve(self.asked, swept=swept), self.registry, placement, inputs=inputs)
        return self._with_targets(made.design, made.scenario, made.owner, window, inputs)

    def _with_targets(
        self,
        design: Design,
        scenario: Component,
        owner: Component,
        window: GridWindow,
        inputs: UncertainInputs | None,
    ) -> DesignVariant:
        places = list_goal_blocks(owner, scenario)
        metrics = tuple(self.registry.metrics)
        targets = [
            build_sweep_target(item, place, scenario, metrics)
            for place in places
            for item in collect_requirements(place)
        ]
        with_goals = next((place for place in places if collect_goals(place)), None)
        goals = () if with_goals is None else collect_goals(with_goals)
        return DesignVariant(
            design=design,
            registry=self.registry,
            shape=tuple(stop - start for start, stop in window),
            inputs=0 if inputs is None else inputs.size,
            requirements=tuple(target for target in targets if target.item.word == "require"),
            preferences=tuple(target for target in targets if target.item.word == "prefer"),
            goals=tuple(
                build_sweep_target(item, with_goals, scenario, metrics) for item in goals if with_goals
            ),
            stated=tuple(target for target in targets if _is_stated_by(target.place, scenario)),
            warnings=_list_warnings(scenario),
        )


def _is_stated_by(place: Component, scenario: Component) -> bool:
    """Return whether a block is a scenario or its `slo`."""
    slo = scenario.attributes().get("slo")
    return place is scenario or (slo is not None and place is slo.value)


def _list_warnings(scenario: Component) -> tuple[str, ...]:
    warnings = (item for item in scenario.interpreter.diagnostics if item.severity == "warning")
    return tuple(
        f"{item.message} ({'; '.join((str(item.span), *item.notes))}) [{item.code}]" for item in warnings
    )


def format_goal_label(target: SweepTarget) -> str:
    """Return what a goal is called: the name behind `as`, or the expression as written."""
    return target.item.message or target.item.text


def _describe_unmet(target: SweepTarget) -> str:
    """Return what to say where a requirement is not met."""
    return target.item.message or f"require {target.item.text}"
