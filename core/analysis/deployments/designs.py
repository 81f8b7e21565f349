"""The layouts that a variant may have: those that can hold the model, and designs with them along one array dimension. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve

from accelscope.core.analysis.deployments.feasible_layouts import (
    apply_layouts,
    count_layouts,
    count_reasons,
    find_broken_limits,
)
from accelscope.core.analysis.deployments.layouts import (
    TRIED_CHUNKS,
    TRIED_LOADS,
    LayoutColumns,
    LayoutSizes,
    cross_layouts,
    expand_choices,
    list_layouts,
    list_powers_of_two,
    take_layouts,
)
from accelscope.core.analysis.deployments.task import POOL_NAMES, DeploymentTask
from accelscope.core.assemble.design import Design
from accelscope.core.assemble.spec_sheet import extract_finite_number
from accelscope.core.evaluate.pass_cost import build_step_plan
from accelscope.core.evaluate.serving.disaggregated import solve_prefill_pool
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Step
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.term import strip_count_unit, term
from accelscope.core.query.feasibility import find_first_broken
from accelscope.core.query.pareto import find_pareto_front

_Array = np.ndarray[Any, np.dtype[Any]]

_CLOSE = 0.03
"""Relative difference below which two layouts of a prefill pool count as the same."""
_RANKS = ("tp", "pp", "dp", "dp_attention")
"""Degrees whose product is the devices of a pool."""


def build_candidate_designs(design: Design, block: LayoutColumns, task: DeploymentTask) -> Design:
    """Return a design with the layouts and loads of candidates, all along one array dimension."""
    if task.wish.free:
        design = evolve(design, load=_changed(design.load, **{task.wish.free: term(block[task.wish.free])}))
    if design.pools is not None:
        first, second = (
            evolve(apply_layouts(pool, _of(block, name)), load=design.load)
            for name, pool in zip(POOL_NAMES, (design.pools.prefill, design.pools.decode), strict=True)
        )
        return evolve(design, pools=evolve(design.pools, prefill=first, decode=second))
    if "chunk" in block:
        chunked = _changed(design.scheduler, chunked_prefill=term(block["chunk"], "tok"))
        design = evolve(design, scheduler=chunked)
    return apply_layouts(design, block)


def _changed(spec: Any, **values: Any) -> Any:
    """Return an instance of a spec class with other values."""
    return evolve(spec, **values)


def _of(block: Mapping[str, _Array], pool: str) -> LayoutColumns:
    start = f"{pool}_"
    return {name.removeprefix(start): column for name, column in block.items() if name.startswith(start)}


def _sizes(design: Design, task: DeploymentTask) -> LayoutSizes:
    step = Step(phase=Phase.DECODE, sequences=ONE, tokens=ONE, context=ONE)
    built = build_step_plan(design, step).workload
    machine = design.machine
    devices = min(round(extract_finite_number(machine.devices) or 1), task.most)
    group = round(extract_finite_number(machine.tiers[0].size) or 1) if machine.tiers else 1
    return LayoutSizes(
        devices=devices,
        group=1 if design.money.by_device else min(group, devices),
        heads=round(extract_finite_number(built.heads) or 1),
        layers=round(extract_finite_number(built.layers) or 1),
        experts=round(extract_finite_number(built.experts) or 0),
    )


def shared_layouts(design: Design, task: DeploymentTask) -> tuple[LayoutColumns, dict[str, int]]:
    """Return the layouts on shared devices that hold the model, and how many do not for which reason."""
    found = list_layouts(_sizes(design, task), _replicas(design, task))
    return _fitting(apply_layouts(design, found), found)


def pooled_layouts(design: Design, task: DeploymentTask) -> tuple[LayoutColumns, dict[str, int]]:
    """Return the pairs of layouts of two pools; a prefill pool is as large as it takes to keep up, so its replicas are one."""
    assert design.pools is not None  # the text has pools
    sizes = _sizes(design, task)
    out: dict[str, int] = {}
    tables = []
    for name in POOL_NAMES:
        found = list_layouts(sizes, [1] if name == "prefill" else _replicas(design, task))
        found = take_layouts(found, found["cp"] == 1)
        left, counts = _fitting(apply_layouts(getattr(design.pools, name), found), found)
        out |= {f"{reason} in the {name} pool": count for reason, count in counts.items()}
        tables.append({f"{name}_{key}": column for key, column in left.items()})
    if not all(count_layouts(table) for table in tables):
        return take_layouts(cross_layouts(*tables), np.empty(0, dtype=np.int64)), out
    worth = _worth(design, task, tables[0])
    beaten = count_layouts(tables[0]) - len(worth)
    if beaten:
        out["prefill pool is beaten by another"] = beaten
    pairs = cross_layouts(take_layouts(tables[0], worth), tables[1])
    ranks = [np.prod([pairs[f"{name}_{degree}"] for degree in _RANKS], axis=0) for name in POOL_NAMES]
    small = ranks[0] + ranks[1] <= sizes.devices
    if (~small).any():
        out["devices"] = int((~small).sum())
    return take_layouts(pairs, small), out


def _worth(design: Design, task: DeploymentTask, layouts: LayoutColumns) -> _Array:
    """Return the places of the prefill layouts that no other beats in all of: time of a prompt, device time, devices.

    Decoding sees a prefill pool that keeps up only by these, so each layout is looked at without it, under the least and
    the most load.
    """
    size, loads = count_layouts(layouts), (TRIED_LOADS[0], TRIED_LOADS[-1]) if task.wish.free else (0,)
    block = expand_choices(layouts, **{task.wish.free: loads}) if task.wish.free else layouts
    pools = build_candidate_designs(design, block, task).pools
    clients = term(block[task.wish.free]) if task.wish.free else design.load.concurrency
    assert pools is not None and clients is not None  # pools are evaluated under a concurrency
    with np.errstate(all="ignore"):
        found = solve_prefill_pool(pools, strip_count_unit(design.load.prompt), clients)
    ranks = np.prod([block[f"prefill_{name}"] for name in _RANKS], axis=0).astype(float)
    costs = ((found.own + found.transfer).value, found.each.value * ranks, ranks)
    table = np.stack([np.broadcast_to(cost, ranks.shape) for cost in costs], axis=1)
    table = np.round(np.log(np.maximum(table, 1e-30)) / _CLOSE).reshape(size, -1)
    return np.sort(find_pareto_front(np.nan_to_num(table, nan=np.inf)))


def _fitting(design: Design, found: LayoutColumns) -> tuple[LayoutColumns, dict[str, int]]:
    size = count_layouts(found)
    over = (
        (limit.name, where) for limit, where in find_broken_limits(design, size, tokens=min(TRIED_CHUNKS))
    )
    names, index = find_first_broken(over)
    first = np.broadcast_to(index, (size,))
    return take_layouts(found, first < 0), count_reasons(names, first)


def _replicas(design: Design, task: DeploymentTask) -> Sequence[int] | None:
    """Return the numbers of replicas that a fixed load can use; None where the load is searched over too."""
    if task.wish.free:
        return None
    clients = design.load.concurrency if design.load.concurrency is not None else design.load.batch
    return list_powers_of_two(round(extract_finite_number(clients) or 1))


def expand_loads(fitting: LayoutColumns, design: Design, task: DeploymentTask) -> LayoutColumns:
    """Return the candidates: layouts that hold the model, with every load and chunk."""
    choices: dict[str, Sequence[int]] = {}
    if task.wish.free:
        choices[task.wish.free] = TRIED_LOADS
    if design.load.concurrency is not None and not task.variant.pools:
        choices["chunk"] = TRIED_CHUNKS
    return expand_choices(fitting, **choices)


def count_loads_per_layout(design: Design, task: DeploymentTask) -> int:
    """Return how many candidates each layout stands for."""
    loads = len(TRIED_LOADS) if task.wish.free else 1
    return loads * (
        len(TRIED_CHUNKS) if design.load.concurrency is not None and not task.variant.pools else 1
    )
