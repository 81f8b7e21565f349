"""Collectives over the tiers of a machine: each tier by its interconnect model, several tiers by composition.

With r0 ranks inside the inner tier and r1 groups of them, the hierarchical forms are those of Thakur, Rabenseifner and
Gropp, "Optimization of collective communication operations in MPICH", 2005, section 4.5: an all-reduce is a
reduce-scatter inside, an all-reduce of 1/r0 of the bytes across, and an all-gather inside.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import evolve

from accelscope.core.term import Term, maximum, minimum, total, where
from accelscope.core.work import NO_TIME, ONE, Collective, Fabric, Machine, Usage

if TYPE_CHECKING:
    from accelscope.core.registry import Registry


def transfer(machine: Machine, collective: Collective, registry: Registry) -> Usage:
    """Return what a collective costs on a machine; ranks beyond the machine are a limit elsewhere."""
    return _over(machine.tiers, collective, registry)


def _over(tiers: tuple[Fabric, ...], item: Collective, registry: Registry) -> Usage:
    if not tiers:
        return Usage(time=NO_TIME)
    if len(tiers) == 1 or not np.any(item.ranks * item.stride > tiers[0].size):
        return _tier(tiers[0], item, item.ranks, registry)
    if item.kind == "send_recv":
        return _neighbours(tiers, item, registry)
    return _hierarchical(tiers, item, registry)


def _tier(fabric: Fabric, item: Collective, ranks: Term, registry: Registry) -> Usage:
    return registry.interconnect_for(fabric.pattern).transfer(fabric, evolve(item, ranks=ranks))


def _neighbours(tiers: tuple[Fabric, ...], item: Collective, registry: Registry) -> Usage:
    """A chain of ranks is as slow as its slowest link, which is the outer one where it leaves a group."""
    inner = _tier(tiers[0], item, item.ranks, registry)
    outer = _over(tiers[1:], _outwards(item, tiers[0], item.ranks, item.bytes), registry)
    crosses = item.ranks * item.stride > tiers[0].size
    return Usage(time=where(crosses, outer.time, inner.time), energy=_added(inner.energy, outer.energy))


def _hierarchical(tiers: tuple[Fabric, ...], item: Collective, registry: Registry) -> Usage:
    inside = maximum(minimum(item.ranks, tiers[0].size / item.stride), 1.0).named(
        "ranks inside the inner tier"
    )
    across = (item.ranks / inside).named("groups of ranks")
    crosses = across > 1.0
    flat = _tier(tiers[0], item, where(crosses, 1.0, inside), registry)
    within = where(crosses, inside, 1.0)
    pieces = [flat]
    share = item.bytes / inside
    if item.kind == "all_reduce":
        pieces += [
            _tier(tiers[0], evolve(item, kind="reduce_scatter"), within, registry),
            _over(tiers[1:], _outwards(item, tiers[0], across, share), registry),
            _tier(tiers[0], evolve(item, kind="all_gather"), within, registry),
        ]
    elif item.kind == "all_to_all":
        pieces += [
            _tier(tiers[0], evolve(item, bytes=item.bytes / across), within, registry),
            _over(tiers[1:], _outwards(item, tiers[0], across, item.bytes), registry),
        ]
    else:
        pieces += [
            _tier(tiers[0], item, within, registry),
            _over(tiers[1:], _outwards(item, tiers[0], across, share), registry),
        ]
    energy = None
    for piece in pieces:
        energy = _added(energy, piece.energy)
    return Usage(time=total(piece.time for piece in pieces).named(f"{item.name} time"), energy=energy)


def _outwards(item: Collective, inner: Fabric, ranks: Term, payload: Term) -> Collective:
    """Return the same collective as the next tier sees it, whose endpoints are groups of the inner tier."""
    stride = maximum(item.stride / inner.size, ONE)
    return evolve(item, ranks=ranks, stride=stride, bytes=payload)


def _added(left: Term | None, right: Term | None) -> Term | None:
    if left is None or right is None:
        return left or right
    return left + right
