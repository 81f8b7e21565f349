"""Rings, meshes and tori: links to neighbours only, one or more dimensions."""

from __future__ import annotations

from typing import Any

from attrs import evolve, frozen

from accelscope.core.ir.constants import NO_TIME, ONE
from accelscope.core.ir.hardware import Fabric
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.curve import evaluate_curve
from accelscope.core.numeric.term import (
    Array,
    Term,
    as_term,
    ceil,
    floor,
    maximum,
    minimum,
    term,
    total,
    where,
)
from accelscope.core.plugin.records import InterconnectModel
from accelscope.plugins.interconnect.alphabeta import (
    collective_usage,
    connection_setting,
    connection_term,
    hop_latency,
    link_bandwidth,
    remote_share,
    sent_bytes,
    startup_time,
    unknown_collective_error,
)

_SMALLEST = term(1.0, "B")


@frozen(kw_only=True, eq=False)
class GridDimension:
    """One dimension of a grid as a collective uses it.

    Attributes:
        ranks: along the dimension.
        bandwidth: peak B/s that a rank sends along it, both directions together.
        apart: hops between neighbouring ranks.
        detour: 1 on a closed ring, 2 on an open line, where all bytes turn back over the same links.
        traversal_latency: s of an empty message from the first rank past every other one to the last.
        diameter_latency: s of an empty message between the two ranks that are farthest from each other.
    """

    ranks: Term
    bandwidth: Term
    apart: Term
    detour: Term
    traversal_latency: Term
    diameter_latency: Term


def cost_on_grid(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs on a grid.

    Ranks fill the dimensions in order, after those that `stride` skips. All dimensions work at once on their share of
    the bytes (bucket algorithm: Chan et al., "Collective communication: theory, practice, and experience", 2007), so
    the bandwidths of the dimensions in use add up; the steps along them follow each other.
    """
    sides = _sides(fabric, collective)
    return collective_usage(fabric, collective, _time(fabric, sides, collective), sent_bytes(collective))


def _time(fabric: Fabric, sides: tuple[GridDimension, ...], collective: Collective) -> Term:
    if collective.kind == CollectiveKind.ALL_REDUCE:
        return _buckets(fabric, sides, collective, 2.0)
    if collective.kind in (CollectiveKind.ALL_GATHER, CollectiveKind.REDUCE_SCATTER):
        return _buckets(fabric, sides, collective, 1.0)
    if collective.kind == CollectiveKind.ALL_TO_ALL:
        return _exchange(fabric, sides, collective)
    if collective.kind in (CollectiveKind.BROADCAST, CollectiveKind.REDUCE):
        return _spread(fabric, sides, collective)
    if collective.kind == CollectiveKind.SEND_RECV:
        return _step(fabric, sides, collective)
    raise unknown_collective_error(fabric, collective)


def _buckets(fabric: Fabric, sides: tuple[GridDimension, ...], collective: Collective, turns: float) -> Term:
    """turns x (the way along every side + bytes (n - 1) / n / sum of bandwidths in use)."""
    chunk = maximum(collective.bytes / maximum(collective.ranks, 1.0), _SMALLEST)
    rate = _used(sides) * evaluate_curve(fabric.link.efficiency, chunk)
    return (
        startup_time(fabric) * 2.0
        + total(side.traversal_latency for side in sides) * turns
        + collective.bytes * remote_share(collective) * turns / rate
    )


def _spread(fabric: Fabric, sides: tuple[GridDimension, ...], collective: Collective) -> Term:
    """Broadcast, and its mirror image, the reduction: pieces follow each other along every side, each once.

    Over the links of the source at once on a torus; one after the other on a line from its end. Source: Luczynski et
    al., "Near-optimal wafer-scale reduce", HPDC 2024 (chain and flooding broadcast), without its start-ups of a core.
    """
    rate = _used(sides) * evaluate_curve(fabric.link.efficiency, maximum(collective.bytes, _SMALLEST))
    return (
        startup_time(fabric) * 2.0 + total(side.traversal_latency for side in sides) + collective.bytes / rate
    )


def _exchange(fabric: Fabric, sides: tuple[GridDimension, ...], collective: Collective) -> Term:
    """All-to-all with dimension-ordered routing: as slow as the dimension whose links carry the most.

    On a closed ring of n a byte travels floor(n^2 / 4) / n hops on average, with shortest paths both ways; on an open
    line as much goes each way over the link in the middle: Dally and Towles, "Principles and Practices of
    Interconnection Networks", 2004, chapter 5.
    """
    message = maximum(collective.bytes / maximum(collective.ranks, 1.0), _SMALLEST)
    share = evaluate_curve(fabric.link.efficiency, message)
    loads = [
        collective.bytes
        * (floor(side.ranks * side.ranks / 4.0) / side.ranks * side.detour)
        / (side.bandwidth * share)
        for side in sides
    ]
    return startup_time(fabric) * 2.0 + total(side.diameter_latency for side in sides) + maximum(*loads)


def _step(fabric: Fabric, sides: tuple[GridDimension, ...], collective: Collective) -> Term:
    """A message to the next rank: one way along one dimension, over links that the ranks in between use as well."""
    apart = maximum(*(where(side.ranks > 1.0, side.apart, ONE) for side in sides))
    efficiency = evaluate_curve(fabric.link.efficiency, maximum(collective.bytes, _SMALLEST))
    rate = link_bandwidth(fabric) * efficiency / apart
    return startup_time(fabric) + hop_latency(fabric) * apart + collective.bytes / rate


def _used(sides: tuple[GridDimension, ...]) -> Term:
    """Bandwidth of the dimensions in use; an open line has half of it for each direction of a folded ring."""
    nothing = sides[0].bandwidth * 0.0
    used = total(where(side.ranks > 1.0, side.bandwidth / side.detour, nothing) for side in sides)
    return where(used > nothing, used, sides[0].bandwidth)


def _sides(fabric: Fabric, collective: Collective) -> tuple[GridDimension, ...]:
    shape = fabric.shape or (fabric.size,)
    each = maximum(fabric.links, 2.0 * len(shape)) / len(shape) * _slowest_link(fabric)
    skip, left = maximum(collective.stride, 1.0), maximum(collective.ranks, 1.0)
    sides: list[GridDimension] = []
    for length in shape:
        apart = minimum(skip, length)
        ranks = minimum(left, maximum(length / apart, 1.0))
        sides.append(_side(fabric, each, length, ranks, apart))
        skip, left = maximum(skip / apart, 1.0), ceil(left / ranks)
    return tuple(sides)


def _side(fabric: Fabric, each: Term, length: Term, ranks: Term, apart: Term) -> GridDimension:
    closed = _closed(fabric, length, ranks * apart)
    steps = ranks - 1.0
    along = hop_latency(fabric) * steps * apart + _optical(fabric, ranks * apart, closed)
    share = where(closed, floor(ranks / 2.0) / maximum(steps, 1.0), ONE)
    along = where(ranks > 1.0, along, NO_TIME)
    return GridDimension(
        ranks=ranks,
        bandwidth=each / apart,
        apart=apart,
        detour=where(closed, ONE, ONE * 2.0),
        traversal_latency=along.named("way along a side"),
        diameter_latency=along * share,
    )


def _closed(fabric: Fabric, length: Term, extent: Term) -> Array:
    """Return where ranks over an extent are a ring: a whole side, or any number of cubes that optical links join.

    Optical switches join faces of whole cubes, so a side shorter than a cube in any dimension closes none of them.
    """
    if fabric.pattern not in ("ring", "torus"):
        return as_term(0.0) > 0.0
    if _wrap(fabric) is None:
        return extent >= length
    unit = connection_term(fabric, "wrap_unit")
    cubes = [floor(side / unit) * unit >= side for side in (extent, *fabric.shape)]
    whole = cubes[0]
    for each in cubes[1:]:
        whole = whole & each
    return whole


def _optical(fabric: Fabric, extent: Term, closed: Array) -> Term:
    """s that optical links add to the way along a side: one between two cubes, and one that closes the ring."""
    wrap = _wrap(fabric)
    if wrap is None:
        return NO_TIME
    more = maximum(hop_latency(evolve(fabric, link=wrap)) - hop_latency(fabric), NO_TIME)
    passed = ceil(extent / connection_term(fabric, "wrap_unit")) - 1.0
    return more * where(closed, passed + 1.0, passed)


def _slowest_link(fabric: Fabric) -> Term:
    wrap = _wrap(fabric)
    own = link_bandwidth(fabric)
    return own if wrap is None else minimum(own, link_bandwidth(evolve(fabric, link=wrap)))


def _wrap(fabric: Fabric) -> Any:
    """Return the bound link of the wrap-around, or None where a torus is wired as it is."""
    return connection_setting(fabric, "wrap")


def _model(name: str, doc: str) -> InterconnectModel:
    return InterconnectModel(name=name, doc=doc, patterns=(name,), transfer=cost_on_grid)


RING = _model("ring", "Links to two neighbours, closed to a ring.")
MESH = _model("mesh", "Links to the neighbours of every dimension, open at the edges.")
TORUS = _model(
    "torus", "Links to the neighbours of every dimension, closed to rings; part of a torus may be used."
)
