"""What networks between network cards share, and the plain one: full bisection and one switch on every way."""

from __future__ import annotations

from attrs import evolve, frozen

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Fabric
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.term import Term
from accelscope.core.plugin.records import InterconnectModel
from accelscope.plugins.interconnect.alphabeta import (
    NetworkPath,
    build_network_path,
    chain_time,
    collective_usage,
    direct_time,
    fastest_time,
    hop_latency,
    multicast_time,
    reduces_in_network,
    ring_time,
    send_time,
    sent_bytes,
    tree_time,
    unknown_collective_error,
)


@frozen(kw_only=True, eq=False)
class NetworkContention:
    """What a network does to the messages of one collective, and of those that run beside it.

    Attributes:
        switches: on the longest way between two ranks.
        neighbours: how many times slower than over free links, where every rank sends to the next one.
        all_to_all_slowdown: the same where every rank sends to all others.
    """

    switches: Term = ONE
    neighbours: Term = ONE
    all_to_all_slowdown: Term = ONE


def cost_over_network(network: NetworkContention, fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs on a network of cards: no shared memory, the fastest of the known algorithms."""
    way = evolve(build_network_path(fabric), hop=hop_latency(fabric, network.switches))
    near = evolve(way, bandwidth=way.bandwidth / network.neighbours)
    wide = evolve(way, bandwidth=way.bandwidth / network.all_to_all_slowdown)
    return collective_usage(fabric, collective, _time(fabric, near, wide, collective), sent_bytes(collective))


def _in_network_tree_time(way: NetworkPath, collective: Collective) -> Term:
    """Switches add on the way up their tree and send the sum down: every rank sends and gets each byte once.

    Source: Graham et al., "Scalable hierarchical aggregation protocol (SHArP)", COMHPC 2016.
    """
    return (way.startup * 2.0 + way.hop + way.time(collective.bytes, collective.bytes)).named("in-network")


def _time(fabric: Fabric, near: NetworkPath, wide: NetworkPath, collective: Collective) -> Term:
    if collective.kind == CollectiveKind.ALL_REDUCE:
        times = [ring_time(near, collective, rounds=2.0), tree_time(wide, collective, rounds=2.0)]
        return fastest_time(
            *times, *([_in_network_tree_time(near, collective)] if reduces_in_network(fabric) else [])
        )
    if collective.kind in (CollectiveKind.ALL_GATHER, CollectiveKind.REDUCE_SCATTER):
        return fastest_time(
            ring_time(near, collective, rounds=1.0), direct_time(wide, collective, rounds=1.0)
        )
    if collective.kind == CollectiveKind.ALL_TO_ALL:
        return direct_time(wide, collective, rounds=1.0)
    if collective.kind == CollectiveKind.SEND_RECV:
        return send_time(near, collective)
    if collective.kind in (CollectiveKind.BROADCAST, CollectiveKind.REDUCE):
        return fastest_time(multicast_time(fabric, wide, collective), chain_time(near, collective))
    raise unknown_collective_error(fabric, collective)


def cost_on_scale_out(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs over a network of full bisection; a hop is the link, the card and one switch."""
    return cost_over_network(NetworkContention(), fabric, collective)


SCALE_OUT = InterconnectModel(
    name="scale_out",
    doc="Network cards behind a network of full bisection: ring or tree, whichever is faster.",
    patterns=("flat", "scale_out"),
    transfer=cost_on_scale_out,
)
