"""Collectives over the tiers of a machine: each tier by its interconnect model, several tiers by composition.

With r0 ranks inside the inner tier and r1 groups of them, the hierarchical forms are those of Thakur, Rabenseifner and
Gropp, "Optimization of collective communication operations in MPICH", 2005, section 4.5: an all-reduce is a
reduce-scatter inside, an all-reduce of 1/r0 of the bytes across, and an all-gather inside. A broadcast and a reduction
go the same three ways, or whole through one rank of each group. An all-to-all goes out as it is; on rails, which join
cards of the same place only below their spine, it may first change its place over the inner tier (PXN of NCCL 2.12). Tokens of
experts may go once to each group and be copied on over the inner tier (DeepEP; Hybrid-EP of Megatron Core).
"""

from __future__ import annotations

import numpy as np
from attrs import evolve

from accelscope.core.blocks.calibration import Kernel
from accelscope.core.ir.constants import NO_TIME, ONE
from accelscope.core.ir.hardware import Fabric, Machine
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.term import Term, ceil, maximum, minimum, power, total, where

_KERNELS = {
    "all_reduce": ("custom_all_reduce", "all_reduce"),
    "reduce_scatter": ("reduce_scatter", "all_gather"),
}
"""Kind of collective to the classes of kernel that may do it, those that engines prefer first."""


def compute_collective_cost(machine: Machine, collective: Collective) -> Usage:
    """Return what a collective costs on a machine; ranks beyond the machine are a limit elsewhere.

    What was measured of its kernel on the device goes before what the description says of the network.
    """
    if machine.device.kernels is not None and collective.known is None:
        collective = _known(machine, collective)
    return _over(machine.tiers, collective)


def _known(machine: Machine, collective: Collective) -> Collective:
    """Return a collective with the nearest calibration of the classes of kernel that may do it."""
    by_kind = _KERNELS.get(collective.kind, (collective.kind,))
    for name in (collective.kernel, collective.kind) if collective.kernel else by_kind:
        known = machine.device.kernels.named(name)
        if known.origin != "none":
            return evolve(collective, kernel=name, known=known)
    return collective


def find_collective_kernel(collective: Collective) -> Kernel | None:
    """Return what was measured of the kernel of a collective, or None."""
    kernel: Kernel | None = None if collective.known is None else collective.known.kernel
    return kernel


def _over(tiers: tuple[Fabric, ...], item: Collective) -> Usage:
    if not tiers:
        return Usage(time=NO_TIME)
    if len(tiers) == 1 or not np.any(item.ranks * item.stride > tiers[0].size):
        return _tier(tiers[0], item, item.ranks)
    if item.kind == CollectiveKind.SEND_RECV:
        return _neighbours(tiers, item)
    return _hierarchical(tiers, item)


def _tier(fabric: Fabric, item: Collective, ranks: Term) -> Usage:
    return fabric.model.transfer(fabric, evolve(item, ranks=ranks))


def _neighbours(tiers: tuple[Fabric, ...], item: Collective) -> Usage:
    """A chain of ranks is as slow as its slowest link, which is the outer one where it leaves a group."""
    inner = _tier(tiers[0], item, item.ranks)
    groups = _divided(item, tiers[0])[1]
    outer = _over(tiers[1:], _outwards(item, tiers[0], groups, item.bytes))
    crosses = item.ranks * item.stride > tiers[0].size
    return Usage(time=where(crosses, outer.time, inner.time), energy=_added(inner.energy, outer.energy))


def _hierarchical(tiers: tuple[Fabric, ...], item: Collective) -> Usage:
    inside, across = _divided(item, tiers[0])
    crosses = across > 1.0
    flat = _tier(tiers[0], item, where(crosses, 1.0, inside))

    def inner(ranks: Collective) -> Usage:
        return _tier(tiers[0], ranks, where(crosses, inside, 1.0))

    def outer(payload: Term, positions: Term = ONE) -> Usage:
        beyond = _outwards(evolve(item, positions=positions), tiers[0], across, payload)
        return _over(tiers[1:], beyond)

    share = item.bytes / inside
    ways: list[tuple[Usage, ...]]
    if item.kind == CollectiveKind.ALL_TO_ALL:
        ways = [(inner(evolve(item, bytes=item.bytes / across)), outer(item.bytes, inside))]
        if item.picks is not None:
            once = item.bytes * _visited(across, item.picks) / _visited(item.ranks, item.picks)
            ways.append((inner(item), outer(once)))
        if tiers[1].pattern == "rail":
            ways.append((inner(item), outer(item.bytes)))
    elif item.kind in (CollectiveKind.ALL_GATHER, CollectiveKind.REDUCE_SCATTER):
        ways = [(inner(item), outer(share))]
    else:
        halves = (
            inner(evolve(item, kind=CollectiveKind.REDUCE_SCATTER)),
            inner(evolve(item, kind=CollectiveKind.ALL_GATHER)),
        )
        ways = [(halves[0], outer(share), halves[1])]
        if item.kind in (CollectiveKind.BROADCAST, CollectiveKind.REDUCE):
            ways.append((inner(item), outer(item.bytes)))
    return _fastest(item, tuple(_sum((flat, *way)) for way in ways))


def _visited(places: Term, picks: Term) -> Term:
    """Return how many of some places a token goes to that picks a few of them by chance: n (1 - (1 - 1/n)^k)."""
    missed = maximum(1.0 - 1.0 / places, 1e-300)
    return places * (1.0 - power(missed, picks))


def _divided(item: Collective, inner: Fabric) -> tuple[Term, Term]:
    """Return the ranks inside a group of the inner tier and the number of such groups; all groups alike."""
    room = maximum(inner.size / item.stride, 1.0)
    across = ceil(item.ranks / room).named("groups of ranks")
    return (item.ranks / across).named("ranks inside the inner tier"), across


def _outwards(item: Collective, inner: Fabric, ranks: Term, payload: Term) -> Collective:
    """Return the same collective as the next tier sees it, whose endpoints are groups of the inner tier."""
    stride = maximum(item.stride / inner.size, ONE)
    return evolve(item, ranks=ranks, stride=stride, bytes=payload)


def _sum(parts: tuple[Usage, ...]) -> Usage:
    energy = parts[0].energy
    for part in parts[1:]:
        energy = _added(energy, part.energy)
    return Usage(time=total(part.time for part in parts), energy=energy)


def _fastest(item: Collective, ways: tuple[Usage, ...]) -> Usage:
    """Return the fastest of several ways at each point, with the energy of the first, whose bytes are the least."""
    time = ways[0].time if len(ways) == 1 else minimum(*(way.time for way in ways))
    return evolve(ways[0], time=time.named(f"{item.name} time"))


def _added(left: Term | None, right: Term | None) -> Term | None:
    if left is None or right is None:
        return left or right
    return left + right
