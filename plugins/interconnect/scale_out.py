"""What networks between network cards share, and the plain one: full bisection and one switch on every way."""

from __future__ import annotations

from attrs import evolve, frozen

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Fabric
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.numeric.term import Term
from accelscope.core.plugin.records import InterconnectModel
from accelscope.plugins.interconnect.alphabeta import (
    Path,
    adds,
    chain,
    direct,
    fastest,
    hop,
    one_copy,
    path,
    ring,
    send,
    sent_bytes,
    tree,
    unknown,
    usage,
)


@frozen(kw_only=True, eq=False)
class Network:
    """What a network does to the messages of one collective, and of those that run beside it.

    Attributes:
        switches: on the longest way between two ranks.
        neighbours: how many times slower than over free links, where every rank sends to the next one.
        everyone: the same where every rank sends to all others.
    """

    switches: Term = ONE
    neighbours: Term = ONE
    everyone: Term = ONE


def over(network: Network, fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs on a network of cards: no shared memory, the fastest of the known algorithms."""
    way = evolve(path(fabric), hop=hop(fabric, network.switches))
    near = evolve(way, bandwidth=way.bandwidth / network.neighbours)
    wide = evolve(way, bandwidth=way.bandwidth / network.everyone)
    return usage(fabric, collective, _time(fabric, near, wide, collective), sent_bytes(collective))


def in_network(way: Path, collective: Collective) -> Term:
    """Switches add on the way up their tree and send the sum down: every rank sends and gets each byte once.

    Source: Graham et al., "Scalable hierarchical aggregation protocol (SHArP)", COMHPC 2016.
    """
    return (way.startup * 2.0 + way.hop + way.time(collective.bytes, collective.bytes)).named("in-network")


def _time(fabric: Fabric, near: Path, wide: Path, collective: Collective) -> Term:
    if collective.kind == "all_reduce":
        times = [ring(near, collective, rounds=2.0), tree(wide, collective, rounds=2.0)]
        return fastest(*times, *([in_network(near, collective)] if adds(fabric) else []))
    if collective.kind in ("all_gather", "reduce_scatter"):
        return fastest(ring(near, collective, rounds=1.0), direct(wide, collective, rounds=1.0))
    if collective.kind == "all_to_all":
        return direct(wide, collective, rounds=1.0)
    if collective.kind == "send_recv":
        return send(near, collective)
    if collective.kind in ("broadcast", "reduce"):
        return fastest(one_copy(fabric, wide, collective), chain(near, collective))
    raise unknown(fabric, collective)


def transfer(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs over a network of full bisection; a hop is the link, the card and one switch."""
    return over(Network(), fabric, collective)


SCALE_OUT = InterconnectModel(
    name="scale_out",
    doc="Network cards behind a network of full bisection: ring or tree, whichever is faster.",
    patterns=("flat", "scale_out"),
    transfer=transfer,
)
