"""One variant of a deployment search: all of its layouts and loads on arrays, and the best for each goal."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, field, frozen

from accelscope.core.ask import designed
from accelscope.core.bind import Binder
from accelscope.core.design import Design
from accelscope.core.errors import DescriptionError
from accelscope.core.facts import number
from accelscope.core.operations import ArrayOperations
from accelscope.core.pareto import front
from accelscope.core.passes import plain, plan_of
from accelscope.core.search.bound import Bound, bound_at
from accelscope.core.search.fits import counted, laid_out, one_each, unfit
from accelscope.core.search.goals import distance, places_of, requirements_in
from accelscope.core.search.layouts import (
    CHUNKS,
    LOADS,
    Columns,
    Sizes,
    doubling,
    joined,
    splits,
    taken,
    times,
)
from accelscope.core.search.points import Points, points_of
from accelscope.core.search.scores import names_of
from accelscope.core.search.wish import POOLS, SCENARIO, Variant, Wish, text_of
from accelscope.core.serving.pools import prompts_of
from accelscope.core.term import term
from accelscope.core.work import ONE, Step
from accelscope.dsl.component import Component
from accelscope.dsl.diagnostics import Source
from accelscope.dsl.program import load

if TYPE_CHECKING:
    from accelscope.core.registry import Registry
    from accelscope.core.study.jobs import Desk

Array = np.ndarray[Any, np.dtype[Any]]

GOALS = {"cheapest": "cost_per_mtok", "fastest": "e2e_latency", "most frugal": "energy_per_token"}
"""What a deployment can be best in, and the metric that says so; small is better."""
SHOWN = ("ttft", "tpot", "e2e_latency", "throughput", "cost_per_mtok", "energy_per_token")
SPEED, TRADES = "tpot", ("cost_per_mtok", "energy_per_token")
"""What curves trade: how fast tokens come, for the price and for the energy of each."""
CLOSE = 0.03
"""Relative difference below which two layouts of a prefill pool count as the same."""
_RANKS = ("tp", "pp", "dp", "dp_attention")
"""Degrees whose product is the devices of a pool."""
BLOCK = 16_384
"""Candidates evaluated at once."""


@frozen(kw_only=True)
class Offer:
    """One deployment that keeps all limits and requirements.

    Attributes:
        layout: degrees, load and chunk by name; devices: in use.
        prompts, decoding: what decides the time of each.
        metrics: in their units; one that the description gives too little for is left out.
    """

    variant: Variant
    layout: Mapping[str, int]
    devices: int
    metrics: Mapping[str, float]
    prompts: Bound | None
    decoding: Bound | None


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


@frozen(kw_only=True)
class Task:
    """One variant to work on; picklable.

    Attributes:
        folder: that files of the wish are relative to.
        most: devices that a deployment may use.
        curves: whether the trade of cost against speed is wanted.
    """

    wish: Wish
    variant: Variant
    folder: str
    most: int
    curves: bool = False


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
    fitting, outside = (_pools if task.variant.pools else _shared)(design, registry, task)
    candidates = _loads(fitting, design, task)
    ratio = one_each(candidates) // max(one_each(fitting), 1) or _factor(design, task)
    out = {name: count * ratio for name, count in outside.items()}
    total, allowed = sum(out.values()) + one_each(candidates), 0
    best: dict[str, Offer] = {}
    curve: list[Offer] = []
    for start in range(0, one_each(candidates), BLOCK):
        block = taken(candidates, np.arange(start, min(start + BLOCK, one_each(candidates))))
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
    reasons = [*points.reasons(), *_missed(scenario, registry, points)]
    counts, left = counted(reasons, size)
    for goal, metric in GOALS.items():
        if metric not in points.metrics:
            continue
        value = np.where(left & np.isfinite(points.metrics[metric]), points.metrics[metric], np.inf)
        place = int(np.argmin(value))
        if np.isfinite(value[place]) and (goal not in best or value[place] < best[goal].metrics[metric]):
            best[goal] = _offer(task.variant, block, points, place)
    if task.curves:
        usable = np.flatnonzero(left)
        own = {name: points.metrics[name][usable] for name in (*TRADES, SPEED) if name in points.metrics}
        curve.extend(_offer(task.variant, block, points, int(usable[at])) for at in _fronts(own))
    return counts, int(left.sum())


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
    from accelscope.core.search.goals import wanted

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
        layout={name: int(column[place]) for name, column in block.items()},
        devices=round(float(np.broadcast_to(found.devices_used.value, (points.size,))[place])),
        metrics={name: float(array[place]) for name, array in points.metrics.items()},
        prompts=bound_at(found.prefill, points.size, place),
        decoding=bound_at(found.decode, points.size, place),
    )


def loaded(design: Design, block: Columns, task: Task) -> Design:
    """Return a design with the layouts and loads of candidates, all along one array dimension."""
    if task.wish.free:
        design = evolve(design, load=_changed(design.load, **{task.wish.free: term(block[task.wish.free])}))
    if design.pools is not None:
        first, second = (
            evolve(laid_out(pool, _of(block, name)), load=design.load)
            for name, pool in zip(POOLS, (design.pools.prefill, design.pools.decode), strict=True)
        )
        return evolve(design, pools=evolve(design.pools, prefill=first, decode=second))
    if "chunk" in block:
        chunked = _changed(design.scheduler, chunked_prefill=term(block["chunk"], "tok"))
        design = evolve(design, scheduler=chunked)
    return laid_out(design, block)


def _changed(spec: Any, **values: Any) -> Any:
    """Return an instance of a spec class with other values."""
    return evolve(spec, **values)


def _of(block: Mapping[str, Array], pool: str) -> Columns:
    start = f"{pool}_"
    return {name.removeprefix(start): column for name, column in block.items() if name.startswith(start)}


def _sizes(design: Design, task: Task) -> Sizes:
    step = Step(phase="decode", sequences=ONE, tokens=ONE, context=ONE)
    built = plan_of(design, step).workload
    machine = design.machine
    devices = min(round(number(machine.devices) or 1), task.most)
    group = round(number(machine.tiers[0].size) or 1) if machine.tiers else 1
    return Sizes(
        devices=devices,
        group=1 if design.money.by_device else min(group, devices),
        heads=round(number(built.heads) or 1),
        layers=round(number(built.layers) or 1),
        experts=round(number(built.experts) or 0),
    )


def _shared(design: Design, registry: Registry, task: Task) -> tuple[Columns, dict[str, int]]:
    """Return the layouts on shared devices that hold the model, and how many do not for which reason."""
    found = splits(_sizes(design, task), _replicas(design, task))
    return _fitting(laid_out(design, found), registry, found)


def _pools(design: Design, registry: Registry, task: Task) -> tuple[Columns, dict[str, int]]:
    """Return the pairs of layouts of two pools; a prefill pool is as large as it takes to keep up, so its replicas are one."""
    assert design.pools is not None  # the text has pools
    sizes = _sizes(design, task)
    out: dict[str, int] = {}
    tables = []
    for name in POOLS:
        found = splits(sizes, [1] if name == "prefill" else _replicas(design, task))
        found = taken(found, found["cp"] == 1)
        left, counts = _fitting(laid_out(getattr(design.pools, name), found), registry, found)
        out |= {f"{reason} in the {name} pool": count for reason, count in counts.items()}
        tables.append({f"{name}_{key}": column for key, column in left.items()})
    if not all(one_each(table) for table in tables):
        return taken(joined(*tables), np.empty(0, dtype=np.int64)), out
    worth = _worth(design, registry, task, tables[0])
    beaten = one_each(tables[0]) - len(worth)
    if beaten:
        out["prefill pool is beaten by another"] = beaten
    pairs = joined(taken(tables[0], worth), tables[1])
    ranks = [np.prod([pairs[f"{name}_{degree}"] for degree in _RANKS], axis=0) for name in POOLS]
    small = ranks[0] + ranks[1] <= sizes.devices
    if (~small).any():
        out["devices"] = int((~small).sum())
    return taken(pairs, small), out


def _worth(design: Design, registry: Registry, task: Task, layouts: Columns) -> Array:
    """Return the places of the prefill layouts that no other beats in all of: time of a prompt, device time, devices.

    Decoding sees a prefill pool that keeps up only by these, so each layout is looked at without it, under the least and
    the most load.
    """
    size, loads = one_each(layouts), (LOADS[0], LOADS[-1]) if task.wish.free else (0,)
    block = times(layouts, **{task.wish.free: loads}) if task.wish.free else layouts
    pools = loaded(design, block, task).pools
    clients = term(block[task.wish.free]) if task.wish.free else design.load.concurrency
    assert pools is not None and clients is not None  # pools are evaluated under a concurrency
    with np.errstate(all="ignore"):
        found = prompts_of(pools, registry, plain(design.load.prompt), clients)
    ranks = np.prod([block[f"prefill_{name}"] for name in _RANKS], axis=0).astype(float)
    costs = ((found.own + found.transfer).value, found.each.value * ranks, ranks)
    table = np.stack([np.broadcast_to(cost, ranks.shape) for cost in costs], axis=1)
    table = np.round(np.log(np.maximum(table, 1e-30)) / CLOSE).reshape(size, -1)
    return np.sort(front(np.nan_to_num(table, nan=np.inf)))


def _fitting(design: Design, registry: Registry, found: Columns) -> tuple[Columns, dict[str, int]]:
    size = one_each(found)
    over = ((limit.name, where) for limit, where in unfit(design, registry, size, tokens=min(CHUNKS)))
    counts, left = counted(over, size)
    return taken(found, left), counts


def _replicas(design: Design, task: Task) -> Sequence[int] | None:
    """Return the numbers of replicas that a fixed load can use; None where the load is searched over too."""
    if task.wish.free:
        return None
    clients = design.load.concurrency if design.load.concurrency is not None else design.load.batch
    return doubling(round(number(clients) or 1))


def _loads(fitting: Columns, design: Design, task: Task) -> Columns:
    choices: dict[str, Sequence[int]] = {}
    if task.wish.free:
        choices[task.wish.free] = LOADS
    if design.load.concurrency is not None and not task.variant.pools:
        choices["chunk"] = CHUNKS
    return times(fitting, **choices)


def _factor(design: Design, task: Task) -> int:
    """Return how many candidates each layout stands for."""
    loads = len(LOADS) if task.wish.free else 1
    return loads * (len(CHUNKS) if design.load.concurrency is not None and not task.variant.pools else 1)
