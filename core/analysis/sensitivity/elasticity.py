"""Elasticities: d ln metric / d ln parameter by central differences, all parameters in one evaluation on arrays."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np

from accelscope.core.analysis.sensitivity.effects import MetricEffects, Sensitivity, compute_metric_effects
from accelscope.core.analysis.sensitivity.fitted_kernels import vary_fitted_kernels
from accelscope.core.analysis.sensitivity.naming import (
    build_parameter_record,
    find_scenario_system,
    format_parameter_path,
)
from accelscope.core.analysis.sensitivity.parameters import ParameterVariation
from accelscope.core.analysis.sensitivity.trials import Trials, build_trials, select_parameters
from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array
from accelscope.core.query.columns import evaluate_grid
from accelscope.core.query.query import GridPlacement, Query, parse_query
from accelscope.core.query.scenario_design import assemble_scenario, place_first_point
from accelscope.dsl.check.program import Program
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.schema.schema import FieldSchema, schema_of_kind

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Metric
    from accelscope.core.plugin.registry import Registry
    from accelscope.core.query.columns import ResultColumns

LEADING_METRICS = (
    "tpot",
    "step_time",
    "ttft",
    "throughput",
    "train_throughput",
    "energy_per_token",
    "cost_per_mtok",
    "power",
)
"""Headline metrics in the order in which they come where none is asked for; others follow."""


def compute_elasticities(
    program: Program,
    registry: Registry,
    name: str,
    metrics: Sequence[str] = (),
    *,
    paths: Iterable[str] | None = None,
    sets: Sequence[str] = (),
    fitted: bool = False,
) -> Sensitivity:
    """Return the elasticities of metrics to the numbers of the hardware.

    Args:
        program: the file.
        registry: loaded plugins.
        name: `scenario NAME` or `study NAME`.
        metrics: names; without any, the headline metrics.
        paths: of parameters, or ends of them; None for all.
        sets: texts `path = value`, or `path = domain` for a numeric axis: then everything is computed over a grid.
        fitted: whether to vary what was fitted to measurements too: kernels of calibrations, and runtimes.

    Raises:
        DescriptionError: the description lacks something, or a path or value of `sets` is wrong.
        UsageError: a metric or a path is not known, or an axis is no number.
    """
    wanted = select_headline_metrics(registry, metrics)
    asked = parse_query(program, name, tuple(sets))
    _refuse_variants(asked)
    variants = ParameterVariation(fitted=_kernel_fields(registry) if fitted else None)
    probe = assemble_scenario(
        asked, registry, place_first_point(asked.swept), altered=variants, trace=fitted, probe=True
    )
    scenario = probe.scenario
    if fitted:
        vary_fitted_kernels(probe.design, variants)
    system = find_scenario_system(scenario)
    noted = select_parameters(
        variants.readings, paths, [format_parameter_path(item, system) for item in variants.readings.values()]
    )
    trials = build_trials(noted)
    shape = tuple(item.axis.size for item in asked.swept)
    varied = ParameterVariation(factors=trials.factors(len(shape) + 1), fitted=variants.fitted)
    names = tuple(item.axis.name for item in asked.swept)
    placement = GridPlacement(picks={}, numeric=names, dimensions=len(shape) + 1)
    design = assemble_scenario(asked, registry, placement, altered=varied).design
    if fitted:
        design = vary_fitted_kernels(design, varied)
    columns = evaluate_grid(design, wanted, (*shape, trials.size))
    effects = compute_effects_by_metric(columns, trials, wanted, bool(metrics))
    moved = _moved(effects.values(), len(noted))
    kept = tuple(
        build_parameter_record(item, scenario)
        for item, here in zip(noted.values(), moved, strict=True)
        if here
    )
    return Sensitivity(
        scenario=asked.label,
        axes=tuple(item.axis for item in asked.swept),
        parameters=kept,
        effects={key: item.of(moved) for key, item in effects.items()},
        without=len(noted) - len(kept),
        feasible=columns.feasible[..., 0],
        bounds=_bounds(columns, trials)[moved],
        bound={} if shape else _bound(columns),
    )


def select_headline_metrics(registry: Registry, names: Sequence[str]) -> tuple[Metric, ...]:
    """Return the metrics of some names, or the headline metrics without any, the time of a step first.

    Raises:
        UsageError: there is no such metric.
    """
    for name in names:
        if name not in registry.metrics:
            known = ", ".join(sorted(registry.metrics)) or "none" + registry.describe_absent()
            hint = did_you_mean(name, registry.metrics) or f"there are {known}"
            raise UsageError(f"no metric is called `{name}`; {hint}")
    if names:
        return tuple(registry.metrics[name] for name in dict.fromkeys(names))
    found = [item for item in registry.metrics.values() if item.headline]
    order = {name: at for at, name in enumerate(LEADING_METRICS)}
    return tuple(sorted(found, key=lambda item: order.get(item.name, len(order))))


def _kernel_fields(registry: Registry) -> Mapping[str, FieldSchema]:
    schema = schema_of_kind(registry.schemas(), "kernel", "calibration")
    return schema.all_fields() if schema is not None else {}


def _refuse_variants(asked: Query) -> None:
    others = [item.axis.name for item in asked.swept if not item.axis.numeric]
    if others:
        raise UsageError(
            f"sensitivity is of numbers around one design, and {', '.join(others)} names variants; set one with --set"
        )


def compute_effects_by_metric(
    columns: ResultColumns, trials: Trials, wanted: Sequence[Metric], named: bool
) -> dict[str, MetricEffects]:
    """Return the effects on each metric that the description gives enough for.

    Raises:
        UsageError: a metric that was asked for is none of them.
    """
    found = {}
    for item in wanted:
        column = columns.metrics.get(item.name)
        if column is not None and column.value is not None:
            found[item.name] = compute_metric_effects(item, column.value, columns.feasible, trials)
        elif named:
            raise UsageError(f"the description gives too little for `{item.name}`: {item.doc}")
    return found


def _moved(effects: Iterable[MetricEffects], size: int) -> Array:
    """Return which parameters change any metric anywhere."""
    moved = np.zeros(size, dtype=bool)
    for item in effects:
        for change in (item.left, item.right, item.less, item.more):
            moved |= np.any(np.nan_to_num(change).reshape(size, -1) != 0.0, axis=1)
    return moved


def _bounds(columns: ResultColumns, trials: Trials) -> Array:
    """Return whether each parameter may be a tenth less and a tenth more; what is not tried is not refused."""
    feasible = np.where(columns.feasible, 1.0, 0.0)
    tried = [trials.taken(feasible, name) for name in ("less", "more")]
    return np.stack([np.nan_to_num(item, nan=1.0) > 0 for item in tried], axis=1)


def _bound(columns: ResultColumns) -> dict[str, tuple[tuple[str, float], ...]]:
    """Return for each phase what decides its time as described, the largest share first."""
    times: dict[str, dict[str, float]] = {}
    for row in columns.breakdown:
        phase = times.setdefault(row.phase, {})
        name = row.bound_by[int(row.winner[0])]
        phase[name] = phase.get(name, 0.0) + float(row.seconds[0])
    return {
        phase: tuple(
            (name, time / sum(found.values()))
            for name, time in sorted(found.items(), key=lambda item: -item[1])
        )
        for phase, found in times.items()
        if sum(found.values()) > 0
    }
