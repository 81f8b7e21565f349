"""From a question to its plan: which metrics and goals become columns, and what is refused before anything runs."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from accelscope.core.bind.scenario_paths import collect_expression_names
from accelscope.core.errors import UsageError
from accelscope.core.numeric.axes import CHUNK_POINTS, Axis
from accelscope.core.plugin.records import Metric
from accelscope.core.plugin.registry import Registry
from accelscope.core.query.query import Query, SweptAxis, find_base_scenario, find_query_block, parse_query
from accelscope.core.query.requirements import PERCENTILE_FUNCTIONS
from accelscope.core.query.selection import select_study
from accelscope.core.sweep.goals import list_goal_blocks, unknown_goal_error
from accelscope.core.sweep.malloc import keep_freed_memory
from accelscope.core.sweep.plan import STATUS_COLUMNS, SweepPlan, order_sweep_axes
from accelscope.core.sweep.size_limits import check_sweep_size
from accelscope.core.sweep.store.parts import StoreColumn
from accelscope.core.sweep.study_options import StudyOptions, read_study_options
from accelscope.core.sweep.variant import DesignVariant, DesignVariants, RequestedColumns, format_goal_label
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.assertions import Requirement, collect_goals, collect_requirements
from accelscope.dsl.syntax.nodes import Call, Name
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.values import Quantity

if TYPE_CHECKING:
    from accelscope.core.workspace import Workspace
    from accelscope.dsl.check.program import Program


@frozen(kw_only=True, eq=False)
class SweepCriteria:
    """Requirements, preferences and goals of a question, as written."""

    conditions: tuple[Requirement, ...]
    goals: tuple[Requirement, ...]

    @property
    def names(self) -> frozenset[str]:
        """Names in them."""
        return frozenset(
            name for item in (*self.conditions, *self.goals) for name in collect_expression_names(item.expr)
        )


def plan_sweep(
    session: Workspace,
    file: str,
    study: str | None,
    sets: Sequence[str] = (),
    *,
    metrics: Sequence[str] | None = None,
    chunk_points: int = CHUNK_POINTS,
) -> SweepPlan:
    """Return the plan of a study, or of the only scenario of a file.

    Args:
        session: with the plugins.
        file: path, or "-".
        study: name of one, or None if there is only one.
        sets: texts `path = value`, or `path = domain` for a further axis.
        metrics: names of those to compute besides what goals and requirements need; None for the headline metrics.
        chunk_points: most points that are evaluated at once.

    Raises:
        DescriptionError: the file or an override has errors, or lacks something.
        UsageError: there is no such study or metric, a goal cannot be computed, or there are too many points.
    """
    keep_freed_memory()
    registry = session.registry
    program = session.checked(file)
    asked = parse_query(program, select_study(program, study), tuple(sets), tuned=True)
    aims, options = collect_sweep_criteria(asked), read_study_options(asked, registry)
    axes, tuned = order_sweep_axes(asked.swept, tuned=False), order_sweep_axes(asked.swept, tuned=True)
    _refuse_aimless(asked, tuned, aims)
    check_sweep_size(axes, tuned, options.points)
    also = [name for name in options.pareto if name in registry.metrics]
    named = _named(registry, aims)
    candidates = tuple(_metrics(registry, aims, metrics, also))
    variants = DesignVariants(asked=asked, registry=registry, numeric=_numeric(asked), sets=tuple(sets))
    requested, goals = _probe_columns(variants.first, candidates, named, (*(metrics or ()), *also), aims)
    return SweepPlan(
        asked=asked,
        axes=axes,
        tuned=tuned,
        columns=(
            *(_axis_column(axis, where=True) for axis in axes),
            *(_axis_column(axis, where=False) for axis in tuned),
            *STATUS_COLUMNS,
            *(StoreColumn(name=item.name, unit=item.unit) for item in requested.metrics),
            *goals,
        ),
        chunk_points=chunk_points,
        requested=requested,
        variants=variants,
        options=options,
    )


def plan_evaluation(
    program: Program, registry: Registry, name: str, sets: Sequence[str] = (), *, error_bars: bool
) -> SweepPlan:
    """Return the plan of an evaluation with all metrics, which has details instead of a table.

    Args:
        program: the file.
        registry: the plugins.
        name: `scenario NAME` or `study NAME`.
        sets: texts `path = value`, or `path = domain` for an axis.
        error_bars: whether to compute error bars, if the grid is small enough.

    Raises:
        DescriptionError: a text of `sets` or an axis is wrong, or the description lacks something.
    """
    asked = parse_query(program, name, tuple(sets))
    variants = DesignVariants(
        asked=asked, registry=registry, numeric=_numeric(asked), sets=tuple(sets), error_bars=error_bars
    )
    inputs = variants.uncertain_inputs(variants.first_picks)
    return SweepPlan(
        asked=asked,
        axes=order_sweep_axes(asked.swept, tuned=False),
        tuned=(),
        columns=(),
        chunk_points=max(1, CHUNK_POINTS // (1 if inputs is None else inputs.size)),
        requested=RequestedColumns(metrics=tuple(registry.metrics.values())),
        variants=variants,
        options=StudyOptions(),
    )


def collect_sweep_criteria(asked: Query) -> SweepCriteria:
    """Return what a question aims at; the goals are those of the first block that has any."""
    owner = find_query_block(asked.program, asked.name)
    places = list_goal_blocks(owner, find_base_scenario(owner))
    goals: tuple[Requirement, ...] = next(
        (collect_goals(place) for place in places if collect_goals(place)), ()
    )
    return SweepCriteria(
        conditions=tuple(item for place in places for item in collect_requirements(place)),
        goals=goals,
    )


def _refuse_aimless(asked: Query, tuned: Sequence[Axis], aims: SweepCriteria) -> None:
    if tuned and not aims.goals:
        raise UsageError(
            f"`tune {tuned[0].name}` seeks the best value, and `{asked.name}` has no goal to judge it by; write for "
            "example `minimize cost_per_mtok` in it"
        )


def _numeric(asked: Query) -> tuple[SweptAxis, ...]:
    """Return the axes that own an array dimension: of `sweep` first, in the order of the text."""
    found = [item for item in asked.swept if item.axis.numeric]
    return tuple(sorted(found, key=lambda item: item.tuned))


def _named(registry: Registry, aims: SweepCriteria) -> frozenset[str]:
    """Return the metrics that aims name, with the percentiles of them that they ask for."""
    found = set(aims.names)
    for item in (*aims.conditions, *aims.goals):
        for node in walk_nodes(item.expr):
            if (
                isinstance(node, Call)
                and isinstance(node.base, Name)
                and node.base.id in PERCENTILE_FUNCTIONS
            ):
                found |= {f"{name}_{node.base.id}" for name in collect_expression_names(node)}
    return frozenset(found & set(registry.metrics))


def _metrics(
    registry: Registry, aims: SweepCriteria, metrics: Sequence[str] | None, also: Sequence[str]
) -> Iterator[Metric]:
    """Yield the metrics that are wanted: the headline or some others, and those that aims and reports name."""
    for name in metrics or ():
        if name not in registry.metrics:
            hint = did_you_mean(name, registry.metrics) or "`accelscope models` lists what is computed"
            raise UsageError(f"no metric is called `{name}`; {hint}")
    named = {*_named(registry, aims), *also}
    for name, metric in registry.metrics.items():
        if name in named or (metric.headline if metrics is None else name in metrics):
            yield metric


def _probe_columns(
    first: DesignVariant,
    candidates: tuple[Metric, ...],
    named: frozenset[str],
    metrics: Sequence[str],
    aims: SweepCriteria,
) -> tuple[RequestedColumns, tuple[StoreColumn, ...]]:
    """Evaluate one point, to learn which metrics there are and what the goals are measured in.

    Args:
        first: a variant.
        candidates: metrics that are computed.
        named: names of those that aims name.
        metrics: names of those that are columns even if this variant does not have them.
        aims: requirements and goals.

    Returns:
        what is computed, and the columns of goals that are not metrics.

    Raises:
        UsageError: a goal or requirement cannot be computed.
    """
    corner = tuple(slice(0, 1) for _ in first.shape)
    points = first.evaluate(corner, candidates)
    names = first.names(points, named)
    asked = {*metrics, *aims.names}
    kept = tuple(item for item in candidates if item.name in points.metrics or item.name in asked)
    for target in first.requirements:
        if target.value(names, corner) is None:
            raise UsageError(
                f"`require {target.item.text}` cannot be evaluated: it names what is not computed"
            )
    goals = []
    for target in first.goals:
        amount = target.amount(names, corner)
        if amount is None:
            raise unknown_goal_error(target.item, first.registry)
        if format_goal_label(target) not in first.registry.metrics:
            goals.append(_goal_column(format_goal_label(target), target.item.text, amount, first.registry))
    labels = tuple(column.name for column in goals)
    return RequestedColumns(metrics=kept, named=named, columns=labels), tuple(goals)


def _goal_column(name: str, text: str, amount: Quantity, registry: Registry) -> StoreColumn:
    """Return the column of a goal: in the unit of the metric that it is, else in base units."""
    metric = registry.metrics.get(text)
    if metric is not None:
        return StoreColumn(name=name, unit=metric.unit)
    return StoreColumn(name=name, unit=str(amount.dimension) if amount.dimension.powers else "")


def _axis_column(axis: Axis, *, where: bool) -> StoreColumn:
    return StoreColumn(name=axis.name, unit=axis.unit, type="number" if axis.numeric else "name", axis=where)
