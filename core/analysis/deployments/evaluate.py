"""One variant of a deployment search: all of its layouts and loads on arrays, and the best for each goal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, field, frozen

from accelscope.core.analysis.deployments.designs import (
    build_candidate_designs,
    count_loads_per_layout,
    expand_loads,
    pooled_layouts,
    shared_layouts,
)
from accelscope.core.analysis.deployments.feasible_layouts import (
    count_layouts,
    count_reasons,
)
from accelscope.core.analysis.deployments.layouts import LayoutColumns, take_layouts
from accelscope.core.analysis.deployments.task import (
    DEPLOYMENT_SCENARIO,
    DeploymentTask,
    DeploymentVariant,
    format_deployment_text,
)
from accelscope.core.assemble.design import Design
from accelscope.core.bind.binder import Binder
from accelscope.core.errors import DescriptionError
from accelscope.core.numeric.array_operations import ArrayOperations
from accelscope.core.query.bottleneck import Bottleneck, find_bottleneck
from accelscope.core.query.feasibility import find_first_broken
from accelscope.core.query.pareto import find_pareto_front
from accelscope.core.query.points import EvaluatedPoints, evaluate_points
from accelscope.core.query.requirements import name_metric_values
from accelscope.core.query.scenario_design import assemble_checked
from accelscope.core.sweep.goals import (
    constraint_violation,
    find_requirements,
    list_goal_blocks,
    list_referenced_metrics,
)
from accelscope.dsl.check.program import load_program
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.interpret.component import Component

if TYPE_CHECKING:
    from accelscope.core.analysis.jobs.jobs import JobEvaluator
    from accelscope.core.plugin.records import Metric
    from accelscope.core.plugin.registry import Registry

_Array = np.ndarray[Any, np.dtype[Any]]

DEPLOYMENT_GOALS = {"cheapest": "cost_per_mtok", "fastest": "e2e_latency", "most frugal": "energy_per_token"}
"""What a deployment can be best in, and the metric that says so; small is better."""
DEPLOYMENT_METRICS = ("ttft", "tpot", "e2e_latency", "throughput", "cost_per_mtok", "energy_per_token")
SPEED, TRADES = "tpot", ("cost_per_mtok", "energy_per_token")
"""What curves trade: how fast tokens come, for the price and for the energy of each."""
_BLOCK_SIZE = 16_384
"""Candidates evaluated at once."""


@frozen(kw_only=True)
class FeasibleDeployment:
    """One deployment that keeps all limits and requirements.

    Attributes:
        device: what the system is made of.
        devices: devices in use.
        layout: degrees, load and chunk by name.
        prompts, decoding: what decides the time of each.
        metrics: in their units; one that the description gives too little for is left out.
        held: what rules this layout out under twice the load, where the load is searched for; "" where nothing does.
    """

    variant: DeploymentVariant
    device: str
    layout: Mapping[str, int]
    devices: int
    metrics: Mapping[str, float]
    prompts: Bottleneck | None
    decoding: Bottleneck | None
    held: str = ""


@frozen(kw_only=True)
class DeploymentVariantResult:
    """What one variant came to.

    Attributes:
        candidates: number of layouts times loads.
        allowed: candidates that keep all limits and requirements.
        out: how many others each reason rules out, the first that does.
        best: the best offer by goal; a goal that no metric is given for is left out.
        curve: offers that no other of the variant beats in speed and either cost or energy, where they were asked for.
        why: why nothing could be evaluated, or "".
    """

    variant: DeploymentVariant
    candidates: int = 0
    allowed: int = 0
    out: Mapping[str, int] = field(factory=dict)
    best: Mapping[str, FeasibleDeployment] = field(factory=dict)
    curve: tuple[FeasibleDeployment, ...] = ()
    why: str = ""


def evaluate_deployment_variant(desk: JobEvaluator, task: DeploymentTask) -> DeploymentVariantResult:
    """Return the best deployments of a variant."""
    try:
        design, scenario = _base(desk, task)
        return _best(design, scenario, desk.session.registry, task)
    except DescriptionError as error:
        return DeploymentVariantResult(variant=task.variant, why=error.diagnostics[0].message)


def _base(desk: JobEvaluator, task: DeploymentTask) -> tuple[Design, Component]:
    """Return the design of a variant on one device with one sequence."""
    source = SourceText("search.accel", format_deployment_text(task.wish, task.variant))
    desk.session.library.adopt(source, Path(task.folder))
    session = desk.language.fork(ArrayOperations())
    scenario = load_program(source, session).lookup(f"scenario {DEPLOYMENT_SCENARIO}")
    if scenario is None:
        raise DescriptionError(session.diagnostics)
    return assemble_checked(scenario, session, Binder(desk.session.registry)), scenario


def _best(
    design: Design, scenario: Component, registry: Registry, task: DeploymentTask
) -> DeploymentVariantResult:
    fitting, outside = (pooled_layouts if task.variant.pools else shared_layouts)(design, task)
    candidates = expand_loads(fitting, design, task)
    out = {name: count * count_loads_per_layout(design, task) for name, count in outside.items()}
    total, allowed = sum(out.values()) + count_layouts(candidates), 0
    best: dict[str, FeasibleDeployment] = {}
    curve: list[FeasibleDeployment] = []
    each = count_loads_per_layout(design, task)
    step = max(_BLOCK_SIZE // each, 1) * each  # all loads of a layout are in one block
    for start in range(0, count_layouts(candidates), step):
        block = take_layouts(candidates, np.arange(start, min(start + step, count_layouts(candidates))))
        counts, count = _tried(design, scenario, registry, task, block, best, curve)
        allowed += count
        for name, number_out in counts.items():
            out[name] = out.get(name, 0) + number_out
    return DeploymentVariantResult(
        variant=task.variant,
        candidates=total,
        allowed=allowed,
        out=out,
        best=best,
        curve=select_pareto_deployments(curve),
    )


def _tried(
    design: Design,
    scenario: Component,
    registry: Registry,
    task: DeploymentTask,
    block: LayoutColumns,
    best: dict[str, FeasibleDeployment],
    curve: list[FeasibleDeployment],
) -> tuple[dict[str, int], int]:
    """Evaluate candidates; keep the best of each goal, and return why others are out and how many are allowed."""
    size = count_layouts(block)
    required = _required_metrics(scenario, registry)
    points = evaluate_points(
        build_candidate_designs(design, block, task),
        (*(registry.metrics[name] for name in DEPLOYMENT_METRICS), *required),
        shape=(size,),
    )
    many = points.evaluation.devices_used.value > task.most
    limits = ((check.limit.name, check.broken) for check in points.checks)
    names, index = find_first_broken((("devices", many), *limits, *_missed(scenario, registry, points)))
    first = np.broadcast_to(index, (size,))
    left = first < 0
    values = {name: points.column(name) for name in points.metrics}
    for goal, metric in DEPLOYMENT_GOALS.items():
        if metric not in values:
            continue
        value = np.where(left & np.isfinite(values[metric]), values[metric], np.inf)
        place = int(np.argmin(value))
        if np.isfinite(value[place]) and (goal not in best or value[place] < best[goal].metrics[metric]):
            held = _held(block, task.wish.free, names, first, place)
            best[goal] = evolve(_offer(task.variant, block, points, place), held=held)
    if task.curves:
        usable = np.flatnonzero(left)
        own = {name: values[name][usable] for name in (*TRADES, SPEED) if name in values}
        curve.extend(_offer(task.variant, block, points, int(usable[at])) for at in _fronts(own))
    return count_reasons(names, first), int(left.sum())


def _held(block: LayoutColumns, load: str, names: Sequence[str], first: _Array, place: int) -> str:
    """Return what rules the layout of a candidate out under twice its load; "" where nothing does or the load is given."""
    if not load:
        return ""
    same = block[load] == 2 * block[load][place]
    for name, column in block.items():
        if name != load:
            same &= column == column[place]
    found = np.flatnonzero(same & (first >= 0))
    return names[int(first[found[0]])] if len(found) else ""


def select_pareto_deployments(offers: Sequence[FeasibleDeployment]) -> tuple[FeasibleDeployment, ...]:
    """Return the offers that no other beats in both the time of a token and its cost, or its energy; the fastest first."""
    names = (*TRADES, SPEED)
    own = {name: np.array([offer.metrics.get(name, np.inf) for offer in offers]) for name in names}
    return tuple(offers[at] for at in sorted(_fronts(own), key=lambda at: float(own[SPEED][at])))


def _fronts(metrics: Mapping[str, _Array]) -> set[int]:
    """Return the places that no other beats in speed and one of the other metrics."""
    found: set[int] = set()
    for name in TRADES:
        if name in metrics:
            table = np.stack([metrics[SPEED], metrics[name]], axis=1)
            finite = np.flatnonzero(np.isfinite(table).all(axis=1))
            found.update(int(at) for at in finite[find_pareto_front(table[finite])])
    return found


def _required_metrics(scenario: Component, registry: Registry) -> tuple[Metric, ...]:
    """Return the metrics that requirements name besides those of every search."""
    items = [item for _, item in find_requirements(list_goal_blocks(scenario, scenario))]
    used = list_referenced_metrics(items, registry)
    return tuple(metric for metric in used if metric.name not in DEPLOYMENT_METRICS)


def _missed(scenario: Component, registry: Registry, points: EvaluatedPoints) -> Iterator[tuple[str, _Array]]:
    names = name_metric_values(registry.metrics.values(), points.metrics, registry.units)
    size = math.prod(points.shape)
    for place, item in find_requirements(list_goal_blocks(scenario, scenario)):
        yield f"misses {item.text}", constraint_violation(place, item, names, size) > 0.0


def _offer(
    variant: DeploymentVariant, block: LayoutColumns, points: EvaluatedPoints, place: int
) -> FeasibleDeployment:
    found, size = points.evaluation, math.prod(points.shape)
    return FeasibleDeployment(
        variant=variant,
        device=found.design.machine.device.name,
        layout={name: int(column[place]) for name, column in block.items()},
        devices=round(float(np.broadcast_to(found.devices_used.value, (size,))[place])),
        metrics={name: float(points.column(name)[place]) for name in points.metrics},
        prompts=find_bottleneck(found.prefill, size, place),
        decoding=find_bottleneck(found.decode, size, place),
    )
