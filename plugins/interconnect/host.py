"""Devices that cannot reach each other but by their host: every message goes up to host memory and down again."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Fabric
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.term import Term, maximum, minimum
from accelscope.core.plugin.records import InterconnectModel
from accelscope.plugins.interconnect.alphabeta import (
    NetworkPath,
    build_kernel_path,
    collective_usage,
    connection_setting,
    direct_time,
    link_latency,
    ring_or_tree_time,
    send_time,
    sent_bytes,
    tree_time,
    unknown_collective_error,
)


def cost_through_host(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs by way of the host.

    Up and down use the two directions of a link, in pieces, so that a device sends at its link's rate and each message
    crosses two links (the shared-memory transport of NCCL). What all devices send at once shares `host_bandwidth`.
    """
    senders = collective.stride * (ONE if collective.kind == CollectiveKind.SEND_RECV else collective.ranks)
    way = _path(fabric, collective, senders)
    return collective_usage(fabric, collective, _time(fabric, way, collective), sent_bytes(collective))


def _path(fabric: Fabric, collective: Collective, senders: Term) -> NetworkPath:
    way = build_kernel_path(fabric, collective)
    if not way.measured:
        way = evolve(way, hop=(way.hop + link_latency(fabric)).named(f"{fabric.name} up and down"))
    passed: Term | None = connection_setting(fabric, "host_bandwidth")
    if passed is None:
        return way
    share = (passed / maximum(senders, 1.0)).named("share of what the host passes on")
    return evolve(way, bandwidth=minimum(way.bandwidth, share))


def _time(fabric: Fabric, way: NetworkPath, collective: Collective) -> Term:
    if collective.kind == CollectiveKind.ALL_REDUCE:
        return ring_or_tree_time(way, collective)
    if collective.kind in (
        CollectiveKind.ALL_GATHER,
        CollectiveKind.REDUCE_SCATTER,
        CollectiveKind.ALL_TO_ALL,
    ):
        return direct_time(way, collective, rounds=1.0)
    if collective.kind == CollectiveKind.SEND_RECV:
        return send_time(way, collective)
    if collective.kind in (CollectiveKind.BROADCAST, CollectiveKind.REDUCE):
        return tree_time(way, collective, rounds=1.0)
    raise unknown_collective_error(fabric, collective)


HOST = InterconnectModel(
    name="host",
    doc="Devices without peer access: messages go through the host's memory, whose bandwidth they share.",
    patterns=("host",),
    transfer=cost_through_host,
)
