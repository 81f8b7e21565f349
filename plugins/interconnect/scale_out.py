"""Scale-out networks with full bisection: fat trees, rails and flat data-centre networks between network cards."""

from __future__ import annotations

from accelscope.core.records import InterconnectModel
from accelscope.core.term import Term
from accelscope.core.work import Collective, Fabric, Usage
from accelscope.plugins.interconnect.alphabeta import (
    Path,
    direct,
    fastest,
    path,
    ring,
    sent_bytes,
    tree,
    unknown,
    usage,
)


def transfer(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs over network cards: ring or tree, whichever is faster; no shared memory.

    A hop is the link, the card and the switch; further stages of a fat tree are part of the link's latency.
    """
    way = path(fabric)
    return usage(fabric, collective, _time(fabric, way, collective), sent_bytes(collective))


def _time(fabric: Fabric, way: Path, collective: Collective) -> Term:
    if collective.kind == "all_reduce":
        return fastest(ring(way, collective, rounds=2.0), tree(way, collective))
    if collective.kind in ("all_gather", "reduce_scatter"):
        return fastest(ring(way, collective, rounds=1.0), direct(way, collective, rounds=1.0))
    if collective.kind == "all_to_all":
        return direct(way, collective, rounds=1.0)
    if collective.kind == "send_recv":
        return way.startup + way.hop + way.time(collective.bytes, collective.bytes)
    raise unknown(fabric, collective)


SCALE_OUT = InterconnectModel(
    name="scale_out",
    doc="Network cards behind a network of full bisection: ring or tree, whichever is faster.",
    patterns=("flat", "fat_tree", "rail", "scale_out"),
    transfer=transfer,
)
