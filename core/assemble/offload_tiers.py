"""Memories behind a device: of its host, its node or its cluster, as one device sees them over the link in between."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve

from accelscope.core.blocks.hardware import ConnectSettings, Link
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import OUTSIDE, MemoryPart
from accelscope.core.numeric.term import Term, minimum, term
from accelscope.dsl.interpret.connections import evaluate_connections

if TYPE_CHECKING:
    from accelscope.core.bind.binder import Binder
    from accelscope.dsl.interpret.component import Component
    from accelscope.dsl.interpret.connections import Connection, Endpoint

_ONE_WAY = term(1.0, "dir")


def assemble_offload_tiers(chain: tuple[Component, ...], binder: Binder) -> list[MemoryPart[Any]]:
    """Return the memories outside of a package that a connection joins with it, nearest first, each as the share of one device.

    Capacity and bandwidth of a memory are shared by the devices around it, and no device is faster than its links. A
    memory that broadcasts sends the same weights to all, so that its bandwidth is not shared.

    Args:
        chain: components from the system down to the package.
        binder: binds the blocks of memories and links.
    """
    found: list[MemoryPart[Any]] = []
    for depth, place in reversed(list(enumerate(chain[:-1]))):
        sharing = binder.counts(chain[depth + 1 :])
        for item in evaluate_connections(place):
            found.extend(_joined(item, chain[depth + 1 :], sharing, binder))
    return found


def _joined(
    item: Connection, below: tuple[Component, ...], sharing: Term, binder: Binder
) -> list[MemoryPart[Any]]:
    if item.right is None or item.via is None:
        return []
    ends = (item.left, item.right)
    names = {component.name for component in below}
    inner = next((end for end in ends if end.component.name in names), None)
    outer = next((end for end in ends if end is not inner), None)
    if inner is None or outer is None or not _memories(outer):
        return []
    link, settings = binder.bind_as(item.via, Link), binder.bind_as(item.settings, ConnectSettings)
    if link is None or settings is None:
        return []
    rate = link.bandwidth * _ONE_WAY * (settings.links_per_source or ONE)
    depth = [component.name for component in below].index(inner.component.name)
    inside = binder.counts(below[depth + 1 :])
    share = ONE if settings.broadcast else sharing
    parts = (binder.part(memory) for memory in _memories(outer))
    return [_seen(part, rate / inside, share, sharing) for part in parts if isinstance(part, MemoryPart)]


def _memories(end: Endpoint) -> tuple[Component, ...]:
    if end.component.kind == "memory":
        return (end.component,)
    return tuple(end.component.children("memory")) if end.component.kind == "host" else ()


def _seen(part: MemoryPart[Any], rate: Term, share: Term, sharing: Term) -> MemoryPart[Any]:
    """Return a memory as one device sees it: a count of 1, its share of capacity and bandwidth, and its link's rate."""
    given = part.spec.bandwidth
    bandwidth = rate if given is None else minimum(given * part.count / share, rate)
    spec = evolve(
        part.spec,
        bandwidth=bandwidth.named(f"{part.name} bandwidth of a device"),
        capacity=(part.spec.capacity * part.count / sharing).named(f"{part.name} share of a device"),
    )
    return evolve(part, spec=spec, count=ONE, level=OUTSIDE)
