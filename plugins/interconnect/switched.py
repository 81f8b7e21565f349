"""Devices around switches that give every device its full bandwidth to any other (NVSwitch, UALink, Ethernet pods)."""

from __future__ import annotations

from accelscope.core.ir.constants import NO_TIME
from accelscope.core.ir.hardware import Fabric
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.term import Term, maximum
from accelscope.core.plugin.records import InterconnectModel
from accelscope.plugins.interconnect.alphabeta import (
    NetworkPath,
    allows_one_shot,
    build_kernel_path,
    collective_usage,
    direct_time,
    fastest_time,
    multicast_time,
    one_shot_time,
    reduces_in_network,
    ring_or_tree_time,
    ring_time,
    send_time,
    sent_bytes,
    unknown_collective_error,
)


def cost_on_switches(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs with the fastest of the known algorithms.

    All-reduce: one-shot, two-shot, ring, tree and, where the switch adds, in-network. All-gather and reduce-scatter:
    direct (one step) or ring. All-to-all: direct. Send: one hop. Broadcast and reduction: one copy, or a tree.
    """
    way = build_kernel_path(fabric, collective)
    return collective_usage(fabric, collective, _time(fabric, way, collective), sent_bytes(collective))


def _in_network_switch_time(way: NetworkPath, collective: Collective) -> Term:
    """Switches add: up and down one hop each; a rank sends its bytes and 1 / n of the sum to be multicast.

    Source: Klenk et al., "An in-network architecture for accelerating shared-memory multiprocessor collectives", ISCA
    2020, and NCCL's NVLS algorithm: (n + 1) / n bytes in each direction. NCCL has no protocol for small messages of it.
    """
    ranks = maximum(collective.ranks, 1.0)
    sent = collective.bytes * (ranks + 1.0) / ranks
    later = NO_TIME if way.bulk is None else way.bulk
    return (way.start(2.0) + way.hop * 2.0 + later + way.time(sent, collective.bytes / ranks)).named(
        "in-network"
    )


def _time(fabric: Fabric, way: NetworkPath, collective: Collective) -> Term:
    if collective.kind == CollectiveKind.ALL_REDUCE:
        return _all_reduce(fabric, way, collective)
    if collective.kind in (CollectiveKind.ALL_GATHER, CollectiveKind.REDUCE_SCATTER):
        return fastest_time(direct_time(way, collective, rounds=1.0), ring_time(way, collective, rounds=1.0))
    if collective.kind == CollectiveKind.ALL_TO_ALL:
        return direct_time(way, collective, rounds=1.0)
    if collective.kind == CollectiveKind.SEND_RECV:
        return send_time(way, collective)
    if collective.kind in (CollectiveKind.BROADCAST, CollectiveKind.REDUCE):
        return multicast_time(fabric, way, collective)
    raise unknown_collective_error(fabric, collective)


def _all_reduce(fabric: Fabric, way: NetworkPath, collective: Collective) -> Term:
    choices = [ring_or_tree_time(way, collective)]
    if allows_one_shot(fabric, collective):
        choices += [one_shot_time(way, collective), direct_time(way, collective, rounds=2.0)]
    if reduces_in_network(fabric):
        choices.append(_in_network_switch_time(way, collective))
    return fastest_time(*choices)


SWITCHED = InterconnectModel(
    name="switched",
    doc="Full bandwidth between any two devices through switches; the fastest of five all-reduce algorithms.",
    patterns=("switch",),
    transfer=cost_on_switches,
)
