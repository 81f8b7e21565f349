"""One variant of a deployment search: all of its layouts and loads on arrays, and the best for each goal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, field, frozen

from accelscope.core.analysis.deployments.designs import (
    loaded,
    loads_each,
    loads_of,
    pooled_layouts,
    shared_layouts,
)
from accelscope.core.analysis.deployments.feasible_layouts import counted, first_of, one_each
from accelscope.core.analysis.deployments.layouts import (
    Columns,
    taken,
)
from accelscope.core.analysis.deployments.task import SCENARIO, Task, Variant, text_of
from accelscope.core.analysis.optimize.scores import names_of
from accelscope.core.assemble.design import Design
from accelscope.core.bind.binder import Binder
from accelscope.core.errors import DescriptionError
from accelscope.core.numeric.array_operations import ArrayOperations
from accelscope.core.query.bottleneck import Bound, bound_at
from accelscope.core.query.pareto import front
from accelscope.core.query.points import Points, points_of
from accelscope.core.query.run import designed
from accelscope.core.sweep.goals import distance, places_of, requirements_in
from accelscope.dsl.check.program import load
from accelscope.dsl.diagnostics.diagnostics import Source
from accelscope.dsl.interpret.component import Component

if TYPE_CHECKING:
    from accelscope.core.analysis.jobs.jobs import Desk
    from accelscope.core.plugin.registry import Registry

Array = np.ndarray[Any, np.dtype[Any]]

GOALS = {"cheapest": "cost_per_mtok", "fastest": "e2e_latency", "most frugal": "energy_per_token"}
"""What a deployment can be best in, and the metric that says so; small is better."""
SHOWN = ("ttft", "tpot", "e2e_latency", "throughput", "cost_per_mtok", "energy_per_token")
SPEED, TRADES = "tpot", ("cost_per_mtok", "energy_per_token")
"""What curves trade: how fast tokens come, for the price and for the energy of each."""
BLOCK = 16_384
"""Candidates evaluated at once."""


@frozen(kw_only=True)
class Offer:
    """One deployment that keeps all limits and requirements.

    Attributes:
        device: what the system is made of; devices: in use.
        layout: degrees, load and chunk by name.
        prompts, decoding: what decides the time of each.
        metrics: in their units; one that the description gives too little for is left out.
        held: what rules this layout out under twice the load, where the load is searched for; "" where nothing does.
    """

    variant: Variant
    device: str
    layout: Mapping[str, int]
    devices: int
    metrics: Mapping[str, float]
    prompts: Bound | None
    decoding: Bound | None
    held: str = ""


@frozen(kw_only=True)
class Offered:
    """What one variant came to.

    Attributes:
        candidates: layouts times loads; allowed: of these, those that keep all limits and requirements.
        out: how many others each reason rules out, the first that does.
        best: the best offer by goal; a goal that no metric is given for is left out.
        curve: offers that no other of the variant beats in speed and either cost or energy, where they were asked for.
        why: why nothing could be evaluated, or "".
    """

    variant: Variant
    candidates: int = 0
    allowed: int = 0
    out: Mapping[str, int] = field(factory=dict)
    best: Mapping[str, Offer] = field(factory=dict)
    curve: tuple[Offer, ...] = ()
    why: str = ""


def offered(desk: Desk, task: Task) -> Offered:
    """Return the best deployments of a variant."""
    try:
        design, scenario = _base(desk, task)
        return _best(design, scenario, desk.session.registry, task)
    except DescriptionError as error:
        return Offered(variant=task.variant, why=error.diagnostics[0].message)


def _base(desk: Desk, task: Task) -> tuple[Design, Component]:
    """Return the design of a variant on one device with one sequence."""
    source = Source("search.accel", text_of(task.wish, task.variant))
    desk.session.library.adopt(source, Path(task.folder))
    session = desk.language.fork(ArrayOperations())
    scenario = load(source, session).lookup(f"scenario {SCENARIO}")
    if scenario is None:
        raise DescriptionError(session.diagnostics)
    return designed(scenario, session, Binder(desk.session.registry)), scenario


def _best(design: Design, scenario: Component, registry: Registry, task: Task) -> Offered:
    fitting, outside = (pooled_layouts if task.variant.pools else shared_layouts)(design, registry, task)
    candidates = loads_of(fitting, design, task)
    out = {name: count * loads_each(design, task) for name, count in outside.items()}
    total, allowed = sum(out.values()) + one_each(candidates), 0
    best: dict[str, Offer] = {}
    curve: list[Offer] = []
    each = loads_each(design, task)
    step = max(BLOCK // each, 1) * each  # all loads of a layout are in one block
    for start in range(0, one_each(candidates), step):
        block = taken(candidates, np.arange(start, min(start + step, one_each(candidates))))
        counts, count = _tried(design, scenario, registry, task, block, best, curve)
        allowed += count
        for name, number_out in counts.items():
            out[name] = out.get(name, 0) + number_out
    return Offered(
        variant=task.variant,
        candidates=total,
        allowed=allowed,
        out=out,
        best=best,
        curve=unbeaten(curve),
    )


def _tried(
    design: Design,
    scenario: Component,
    registry: Registry,
    task: Task,
    block: Columns,
    best: dict[str, Offer],
    curve: list[Offer],
) -> tuple[dict[str, int], int]:
    """Evaluate candidates; keep the best of each goal, and return why others are out and how many are allowed."""
    size = one_each(block)
    points = points_of(loaded(design, block, task), registry, size, SHOWN + _named(scenario, registry))
    many = np.broadcast_to(points.evaluation.devices_used.value > task.most, (size,))
    reasons = [("devices", many), *points.reasons(), *_missed(scenario, registry, points)]
    names, first = first_of(reasons, size)
    left = first < 0
    for goal, metric in GOALS.items():
        if metric not in points.metrics:
            continue
        value = np.where(left & np.isfinite(points.metrics[metric]), points.metrics[metric], np.inf)
        place = int(np.argmin(value))
        if np.isfinite(value[place]) and (goal not in best or value[place] < best[goal].metrics[metric]):
            held = _held(block, task.wish.free, names, first, place)
            best[goal] = evolve(_offer(task.variant, block, points, place), held=held)
    if task.curves:
        usable = np.flatnonzero(left)
        own = {name: points.metrics[name][usable] for name in (*TRADES, SPEED) if name in points.metrics}
        curve.extend(_offer(task.variant, block, points, int(usable[at])) for at in _fronts(own))
    return counted(names, first), int(left.sum())


def _held(block: Columns, load: str, names: Sequence[str], first: Array, place: int) -> str:
    """Return what rules the layout of a candidate out under twice its load; "" where nothing does or the load is given."""
    if not load:
        return ""
    same = block[load] == 2 * block[load][place]
    for name, column in block.items():
        if name != load:
            same &= column == column[place]
    found = np.flatnonzero(same & (first >= 0))
    return names[int(first[found[0]])] if len(found) else ""


def unbeaten(offers: Sequence[Offer]) -> tuple[Offer, ...]:
    """Return the offers that no other beats in both the time of a token and its cost, or its energy; the fastest first."""
    names = (*TRADES, SPEED)
    own = {name: np.array([offer.metrics.get(name, np.inf) for offer in offers]) for name in names}
    return tuple(offers[at] for at in sorted(_fronts(own), key=lambda at: float(own[SPEED][at])))


def _fronts(metrics: Mapping[str, Array]) -> set[int]:
    """Return the places that no other beats in speed and one of the other metrics."""
    found: set[int] = set()
    for name in TRADES:
        if name in metrics:
            table = np.stack([metrics[SPEED], metrics[name]], axis=1)
            finite = np.flatnonzero(np.isfinite(table).all(axis=1))
            found.update(int(at) for at in finite[front(table[finite])])
    return found


def _named(scenario: Component, registry: Registry) -> tuple[str, ...]:
    from accelscope.core.sweep.goals import wanted

    items = [item for _, item in requirements_in(places_of(scenario, scenario))]
    return tuple(name for name in wanted(items, registry) if name not in SHOWN)


def _missed(scenario: Component, registry: Registry, points: Points) -> Iterator[tuple[str, Array]]:
    names = names_of(points, registry)
    for place, item in requirements_in(places_of(scenario, scenario)):
        yield f"misses {item.text}", distance(place, item, names, points.size) > 0.0


def _offer(variant: Variant, block: Columns, points: Points, place: int) -> Offer:
    found = points.evaluation
    return Offer(
        variant=variant,
        device=found.design.machine.device.name,
        layout={name: int(column[place]) for name, column in block.items()},
        devices=round(float(np.broadcast_to(found.devices_used.value, (points.size,))[place])),
        metrics={name: float(array[place]) for name, array in points.metrics.items()},
        prompts=bound_at(found.prefill, points.size, place),
        decoding=bound_at(found.decode, points.size, place),
    )
