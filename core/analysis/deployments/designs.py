"""The layouts that a variant may have: those that can hold the model, and designs with them along one array dimension. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve

from accelscope.core.analysis.deployments.feasible_layouts import counted, first_of, laid_out, one_each, unfit
from accelscope.core.analysis.deployments.layouts import (
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
from accelscope.core.analysis.deployments.task import POOLS, Task
from accelscope.core.assemble.design import Design
from accelscope.core.assemble.spec_sheet import number
from accelscope.core.evaluate.pass_cost import plain, plan_of
from accelscope.core.evaluate.serving.disaggregated import prompts_of
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Step
from accelscope.core.numeric.term import term
from accelscope.core.query.pareto import front

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

Array = np.ndarray[Any, np.dtype[Any]]

CLOSE = 0.03
"""Relative difference below which two layouts of a prefill pool count as the same."""
_RANKS = ("tp", "pp", "dp", "dp_attention")
"""Degrees whose product is the devices of a pool."""


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


def shared_layouts(design: Design, registry: Registry, task: Task) -> tuple[Columns, dict[str, int]]:
    """Return the layouts on shared devices that hold the model, and how many do not for which reason."""
    found = splits(_sizes(design, task), _replicas(design, task))
    return _fitting(laid_out(design, found), registry, found)


def pooled_layouts(design: Design, registry: Registry, task: Task) -> tuple[Columns, dict[str, int]]:
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
    names, first = first_of(over, size)
    return taken(found, first < 0), counted(names, first)


def _replicas(design: Design, task: Task) -> Sequence[int] | None:
    """Return the numbers of replicas that a fixed load can use; None where the load is searched over too."""
    if task.wish.free:
        return None
    clients = design.load.concurrency if design.load.concurrency is not None else design.load.batch
    return doubling(round(number(clients) or 1))


def loads_of(fitting: Columns, design: Design, task: Task) -> Columns:
    """Return the candidates: layouts that hold the model, with every load and chunk."""
    choices: dict[str, Sequence[int]] = {}
    if task.wish.free:
        choices[task.wish.free] = LOADS
    if design.load.concurrency is not None and not task.variant.pools:
        choices["chunk"] = CHUNKS
    return times(fitting, **choices)


def loads_each(design: Design, task: Task) -> int:
    """Return how many candidates each layout stands for."""
    loads = len(LOADS) if task.wish.free else 1
    return loads * (len(CHUNKS) if design.load.concurrency is not None and not task.variant.pools else 1)
