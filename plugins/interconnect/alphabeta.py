"""What all network tiers share: hops, achieved bandwidth, start-up, and the cost forms of algorithms.

Every form is steps x latency + bytes / bandwidth (the alpha-beta model of Thakur, Rabenseifner and Gropp, "Optimization
of collective communication operations in MPICH", 2005). `n` is the number of ranks and `bytes` the full tensor. A kernel
that was measured has its own start, time of a step and share of the links, and two protocols (NCCL: LL and Simple; Hu et
al., "Demystifying NCCL", arXiv 2507.04786): one for small messages that reaches less, one for large that starts later.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from accelscope.core.blocks.calibration import value_or_default
from accelscope.core.blocks.hardware import ConnectSettings
from accelscope.core.errors import ModelError
from accelscope.core.evaluate.collective_cost import find_collective_kernel
from accelscope.core.ir.constants import NO_BYTES, NO_TIME, ONE
from accelscope.core.ir.hardware import Fabric
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.curve import evaluate_curve
from accelscope.core.numeric.term import Term, ceil, log2, maximum, minimum, term, where
from accelscope.core.spec.spec import fields_of

_ONE_WAY = term(1.0, "dir")
_CYCLE_RATE = term(1.0, "B/cycle/dir")
_CYCLE = term(1.0, "cycle")
_SMALLEST = term(1.0, "B")


@frozen(kw_only=True, eq=False)
class NetworkPath:
    """How a rank reaches the others.

    Attributes:
        bandwidth: peak B/s that one rank sends, all its links together.
        hop: s of an empty message to a neighbour.
        startup: s of one synchronisation of all ranks, which each step of an algorithm for shared memory begins with;
            a ring or tree of a library costs two, whatever its steps, since those are pipelined.
        efficiency: achieved share of peak, a term or a curve over the bytes of a message.
        kernels: further share that the kernels of a collective reach, 1 where they are none (DMA, network cards).
        measured: whether `startup` and `hop` are those of a measured kernel: all that starts, and each step.
        eager, bulk: share of the rate with the protocol for small messages, and the later start of that for large ones.
        own: time for a byte of the rank's own part over that of sending one.
    """

    bandwidth: Term
    hop: Term
    startup: Term
    efficiency: Any
    kernels: Term = ONE
    measured: bool = False
    eager: Term | None = None
    bulk: Term | None = None
    own: Term | None = None

    def time(self, sent: Term, message: Term) -> Term:
        """Return the s of sending bytes in messages of a size."""
        return sent / (
            self.bandwidth * evaluate_curve(self.efficiency, maximum(message, _SMALLEST)) * self.kernels
        )

    def start(self, synchronisations: float) -> Term:
        """Return the s before anything is sent: of so many synchronisations, or as measured."""
        return self.startup if self.measured else self.startup * synchronisations

    def moving(self, sent: Term, message: Term) -> Term:
        """Return the s of sending bytes with the faster protocol; `message` is a rank's own part as well."""
        if self.own is not None:
            sent = sent + message * self.own
        time = self.time(sent, message)
        if self.eager is None or self.bulk is None:
            return time
        return minimum(time / self.eager, time + self.bulk)


def link_bandwidth(fabric: Fabric) -> Term:
    """Return the B/s of one link in one direction."""
    given: Term = fabric.link.bandwidth
    if given.dimension == _CYCLE_RATE.dimension:
        given = given * _clock(fabric, "bandwidth is B/s/dir")
    return given * _ONE_WAY


def hop_latency(fabric: Fabric, switches: Term = ONE) -> Term:
    """Return the s of an empty message over a link, and through the switches on the way where there are any."""
    through = fabric.switch.latency if fabric.switch is not None else None
    return (link_latency(fabric) + (NO_TIME if through is None else through * switches)).named(
        f"{fabric.name} hop"
    )


def link_latency(fabric: Fabric) -> Term:
    """Return the s of an empty message over a link alone."""
    given: Term | None = fabric.link.latency
    if given is None:
        return NO_TIME
    return given / _clock(fabric, "latency is s") if given.dimension == _CYCLE.dimension else given


def _clock(fabric: Fabric, instead: str) -> Term:
    if fabric.clock is None:
        raise ModelError(
            f"what link `{fabric.name}` joins has no clock, so its {instead}, not counted by cycle"
        )
    return fabric.clock


def build_network_path(fabric: Fabric) -> NetworkPath:
    """Return how a rank reaches the others over all its links at once."""
    bandwidth = (fabric.links * link_bandwidth(fabric)).named(f"{fabric.name} bandwidth of a device")
    return NetworkPath(
        bandwidth=bandwidth,
        hop=hop_latency(fabric),
        startup=startup_time(fabric),
        efficiency=fabric.link.efficiency,
    )


def build_kernel_path(fabric: Fabric, collective: Collective) -> NetworkPath:
    """Return the same for devices whose own kernels move and add the data; a plain send is a copy."""
    way, kernel = build_network_path(fabric), find_collective_kernel(collective)
    if collective.kind != CollectiveKind.SEND_RECV:
        share = connection_term(fabric, "collective_efficiency").named("share that kernels reach")
        way = evolve(way, kernels=share)
    if kernel is None:
        return way
    if kernel.bandwidth_efficiency is not None:
        way = evolve(way, efficiency=kernel.bandwidth_efficiency, kernels=ONE)
    if kernel.fixed_overhead is not None:
        way = evolve(way, startup=kernel.fixed_overhead.named("measured start"), measured=True)
    return evolve(
        way,
        hop=value_or_default(kernel.step_latency, way.hop),
        eager=kernel.small_message_efficiency,
        bulk=kernel.large_message_startup,
        own=kernel.local_copy_cost,
    )


def startup_time(fabric: Fabric) -> Term:
    """Return the s of one synchronisation of all ranks, from the settings of the connection or else their default."""
    return connection_term(fabric, "startup").named("collective start-up")


def allows_one_shot(fabric: Fabric, collective: Collective) -> bool:
    """Return whether a one-shot or two-shot all-reduce may be chosen: not by the kernels of a library such as NCCL."""
    return has_peer_access(fabric) and collective.kernel != "all_reduce"


def has_peer_access(fabric: Fabric) -> bool:
    """Return whether kernels may read the memory of other devices; so where nothing is said."""
    return connection_setting(fabric, "peer_access") is not False


def reduces_in_network(fabric: Fabric) -> bool:
    """Return whether the switches add values on the way, up and down a tree of them."""
    return fabric.switch is not None and bool(fabric.switch.in_network_reduction)


def has_multicast(fabric: Fabric) -> bool:
    """Return whether the network copies what one rank sends to all; switches that add send the sum to all, too."""
    return bool(
        connection_setting(fabric, "broadcast") or connection_setting(fabric, "multicast")
    ) or reduces_in_network(fabric)


def connection_term(fabric: Fabric, name: str) -> Term:
    """Return a number of the settings of the connection, or else its default."""
    given = connection_setting(fabric, name)
    field = fields_of(ConnectSettings)[name]
    return term(field.default, field.units[0]) if given is None else given


def connection_setting(fabric: Fabric, name: str) -> Any:
    """Return a value of the settings of the connection, or None."""
    settings = fabric.settings
    return settings.get(name) if isinstance(settings, dict) else getattr(settings, name, None)


def collective_usage(fabric: Fabric, collective: Collective, time: Term, sent: Term) -> Usage:
    """Return time and energy of a collective whose start-ups are in its time; one rank, or no bytes, cost nothing."""
    happens = (collective.ranks > 1.0) & (collective.bytes > NO_BYTES)
    seconds = where(happens, time, NO_TIME).named(f"{collective.name} over {fabric.name}")
    energy = None
    if fabric.link.energy is not None:
        energy = where(happens, sent, NO_BYTES) * fabric.link.energy
    return Usage(time=seconds, energy=energy)


def remote_share(collective: Collective) -> Term:
    """Return the share (n - 1) / n of a tensor that a rank gets from or sends to the others."""
    ranks = maximum(collective.ranks, 1.0)
    return (ranks - 1.0) / ranks


def sent_bytes(collective: Collective) -> Term:
    """Return the bytes that one rank sends at least: the bus traffic of the NCCL tests' documentation."""
    if collective.kind == CollectiveKind.ALL_REDUCE:
        return collective.bytes * remote_share(collective) * 2.0
    return (
        collective.bytes
        if collective.kind == CollectiveKind.SEND_RECV
        else collective.bytes * remote_share(collective)
    )


def ring_time(way: NetworkPath, collective: Collective, *, rounds: float) -> Term:
    """Ring: in each of `rounds` turns n - 1 steps of bytes / n (2 turns reduce and gather, 1 does either)."""
    steps = maximum(collective.ranks, 1.0) - 1.0
    chunk = collective.bytes / maximum(collective.ranks, 1.0)
    return (way.start(2.0) + way.hop * steps * rounds + way.moving(chunk * steps * rounds, chunk)).named(
        "ring"
    )


def direct_time(way: NetworkPath, collective: Collective, *, rounds: float) -> Term:
    """All to all at once: `rounds` steps, in each of which a rank exchanges bytes / n with every other.

    Kernels that were measured take a step for each rank, since they send to one after the other; the two-shot
    all-reduce does not.
    """
    chunk = collective.bytes / maximum(collective.ranks, 1.0)
    steps = maximum(collective.ranks, 1.0) - 1.0
    each = steps if way.measured and collective.kind != CollectiveKind.ALL_REDUCE else ONE
    return (way.start(2.0) + way.hop * each * rounds + way.moving(chunk * steps * rounds, chunk)).named(
        "direct"
    )


def send_time(way: NetworkPath, collective: Collective) -> Term:
    """One message to one other rank."""
    return way.start(1.0) + way.hop + way.time(collective.bytes, collective.bytes)


def one_shot_time(way: NetworkPath, collective: Collective) -> Term:
    """Every rank reads the whole tensor of all others and adds by itself: one step, (n - 1) bytes."""
    steps = maximum(collective.ranks, 1.0) - 1.0
    return (way.start(1.0) + way.hop + way.time(collective.bytes * steps, collective.bytes)).named("one-shot")


def tree_time(way: NetworkPath, collective: Collective, *, rounds: float) -> Term:
    """Double binary tree: in each of `rounds` turns, up or down, log2(n) steps, each tree with half of the bytes.

    One turn is a broadcast or a reduction, two are an all-reduce. Source: Sanders, Speck and Traff, "Two-tree
    algorithms for full bandwidth broadcast, reduction and scan", 2009.
    """
    depth = ceil(log2(maximum(collective.ranks, 1.0)))
    return (
        way.start(2.0) + way.hop * depth * rounds + way.moving(collective.bytes * rounds, NO_BYTES)
    ).named("tree")


def ring_or_tree_time(way: NetworkPath, collective: Collective) -> Term:
    """Return the all-reduce of a library: measured ones are rings, since NCCL's trees join nodes and are chains within."""
    around = ring_time(way, collective, rounds=2.0)
    return around if way.measured else fastest_time(around, tree_time(way, collective, rounds=2.0))


def chain_time(way: NetworkPath, collective: Collective) -> Term:
    """Broadcast or reduction from rank to rank in many small pieces, as NCCL's rings do: n - 1 steps, all bytes once."""
    steps = maximum(collective.ranks, 1.0) - 1.0
    return (way.start(2.0) + way.hop * steps + way.moving(collective.bytes, NO_BYTES)).named("chain")


def multicast_time(fabric: Fabric, way: NetworkPath, collective: Collective) -> Term:
    """Broadcast, or its mirror image, the reduction: one copy leaves each sender where the network copies or adds."""
    helps = (
        has_multicast(fabric) if collective.kind == CollectiveKind.BROADCAST else reduces_in_network(fabric)
    )
    return send_time(way, collective).named("one copy") if helps else tree_time(way, collective, rounds=1.0)


def fastest_time(*times: Term) -> Term:
    """Return the time of the fastest algorithm at each point, as communication libraries choose it."""
    return minimum(*times).named("fastest algorithm")


def unknown_collective_error(fabric: Fabric, collective: Collective) -> ModelError:
    """Return the error of a kind of collective that no form is known for."""
    return ModelError(f"no cost of `{collective.kind}` over `{fabric.pattern}` is known")
