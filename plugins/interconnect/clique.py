"""Devices with a direct link to every other one: a pair has its own links only and cannot borrow those of others."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.hardware import Fabric
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.term import Term, maximum, minimum
from accelscope.core.plugin.records import InterconnectModel
from accelscope.plugins.interconnect.alphabeta import (
    NetworkPath,
    allows_one_shot,
    build_kernel_path,
    collective_usage,
    direct_time,
    fastest_time,
    link_bandwidth,
    one_shot_time,
    ring_time,
    send_time,
    sent_bytes,
    unknown_collective_error,
)


def cost_on_clique(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs over point-to-point pairs.

    n ranks of a larger clique use n - 1 pairs of each device. All-reduce: one-shot, two-shot (all pairs in both
    steps) or rings over disjoint pairs, which need an even share of every pair: the same bytes with more steps.
    Broadcast and reduction: whole over the pairs of one device, or a part by way of each other device.
    """
    way = _among(fabric, collective)
    return collective_usage(fabric, collective, _time(fabric, way, collective), sent_bytes(collective))


def pair_bandwidth(fabric: Fabric) -> Term:
    """Return the B/s between two devices: the links of a device divided by the number of its peers.

    One link a device means that the description gives the link of a pair, so that every pair has it.
    """
    peers = maximum(fabric.size - 1.0, 1.0)
    return (maximum(fabric.links / peers, 1.0) * link_bandwidth(fabric)).named(
        f"{fabric.name} pair bandwidth"
    )


def _among(fabric: Fabric, collective: Collective) -> NetworkPath:
    pairs = maximum(minimum(collective.ranks, fabric.size) - 1.0, 1.0)
    return evolve(build_kernel_path(fabric, collective), bandwidth=pair_bandwidth(fabric) * pairs)


def _time(fabric: Fabric, way: NetworkPath, collective: Collective) -> Term:
    if collective.kind == CollectiveKind.ALL_REDUCE:
        library = ring_time(way, collective, rounds=2.0)
        if not allows_one_shot(fabric, collective):
            return library
        return fastest_time(one_shot_time(way, collective), direct_time(way, collective, rounds=2.0), library)
    if collective.kind in (
        CollectiveKind.ALL_GATHER,
        CollectiveKind.REDUCE_SCATTER,
        CollectiveKind.ALL_TO_ALL,
    ):
        return direct_time(way, collective, rounds=1.0)
    pair = evolve(way, bandwidth=pair_bandwidth(fabric))
    if collective.kind == CollectiveKind.SEND_RECV:
        return send_time(pair, collective)
    if collective.kind in (CollectiveKind.BROADCAST, CollectiveKind.REDUCE):
        return fastest_time(send_time(pair, collective), direct_time(way, collective, rounds=2.0))
    raise unknown_collective_error(fabric, collective)


CLIQUE = InterconnectModel(
    name="clique",
    doc="Point-to-point links between all pairs; a pair moves no more than its own link.",
    patterns=("clique",),
    transfer=cost_on_clique,
)
