"""Rings, meshes and tori: links to neighbours only, one or more dimensions."""

from __future__ import annotations

from attrs import frozen

from accelscope.core.curve import at
from accelscope.core.records import InterconnectModel
from accelscope.core.term import Term, as_term, ceil, maximum, minimum, term, total, where
from accelscope.core.work import ONE, Collective, Fabric, Usage
from accelscope.plugins.interconnect.alphabeta import (
    hop,
    link_bandwidth,
    others,
    sent_bytes,
    startup,
    unknown,
    usage,
)

_SMALLEST = term(1.0, "B")


@frozen(kw_only=True, eq=False)
class Side:
    """One dimension of a grid as a collective uses it.

    Attributes:
        ranks: along the dimension.
        bandwidth: peak B/s that a rank sends along it, both directions together.
        apart: hops between neighbouring ranks.
        detour: 1 on a closed ring, 2 on an open line, where all bytes turn back over the same links.
    """

    ranks: Term
    bandwidth: Term
    apart: Term
    detour: Term


def transfer(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs on a grid.

    Ranks fill the dimensions in order, after those that `stride` skips. All dimensions work at once on their share of
    the bytes (bucket algorithm: Chan et al., "Collective communication: theory, practice, and experience", 2007), so
    the bandwidths of the dimensions in use add up; the steps along them follow each other.
    """
    sides = _sides(fabric, collective)
    return usage(fabric, collective, _time(fabric, sides, collective), sent_bytes(collective))


def _time(fabric: Fabric, sides: tuple[Side, ...], collective: Collective) -> Term:
    if collective.kind == "all_reduce":
        return _buckets(fabric, sides, collective, 2.0)
    if collective.kind in ("all_gather", "reduce_scatter"):
        return _buckets(fabric, sides, collective, 1.0)
    if collective.kind == "all_to_all":
        return _exchange(fabric, sides, collective)
    if collective.kind == "send_recv":
        rate = link_bandwidth(fabric) * at(fabric.link.efficiency, maximum(collective.bytes, _SMALLEST))
        return startup(fabric) + hop(fabric) * sides[0].apart + collective.bytes / rate
    raise unknown(fabric, collective)


def _buckets(fabric: Fabric, sides: tuple[Side, ...], collective: Collective, turns: float) -> Term:
    """turns x (sum of (n_i - 1) hops + bytes (n - 1) / n / sum of bandwidths in use)."""
    steps = total((side.ranks - 1.0) * side.apart for side in sides)
    chunk = maximum(collective.bytes / maximum(collective.ranks, 1.0), _SMALLEST)
    rate = _used(sides) * at(fabric.link.efficiency, chunk)
    return (
        startup(fabric) * 2.0
        + hop(fabric) * steps * turns
        + collective.bytes * others(collective) * turns / rate
    )


def _exchange(fabric: Fabric, sides: tuple[Side, ...], collective: Collective) -> Term:
    """All-to-all with dimension-ordered routing: the busiest dimension carries bytes x n_i / 4 for each rank.

    A byte travels n_i / 4 hops on average on a closed ring with shortest paths, and about twice the load meets in the
    middle of an open line: Dally and Towles, "Principles and Practices of Interconnection Networks", 2004,
    chapter 5.
    """
    message = maximum(collective.bytes / maximum(collective.ranks, 1.0), _SMALLEST)
    share = at(fabric.link.efficiency, message)
    loads = [
        where(
            side.ranks > 1.0,
            collective.bytes * maximum(side.ranks / 4.0, 0.5) * side.detour,
            collective.bytes * 0.0,
        )
        / (side.bandwidth * share)
        for side in sides
    ]
    farthest = total(side.ranks * side.apart * side.detour / 2.0 for side in sides)
    return startup(fabric) * 2.0 + hop(fabric) * farthest + maximum(*loads)


def _used(sides: tuple[Side, ...]) -> Term:
    """Bandwidth of the dimensions in use; an open line has half of it for each direction of a folded ring."""
    nothing = sides[0].bandwidth * 0.0
    used = total(where(side.ranks > 1.0, side.bandwidth / side.detour, nothing) for side in sides)
    return where(used > nothing, used, sides[0].bandwidth)


def _sides(fabric: Fabric, collective: Collective) -> tuple[Side, ...]:
    shape = fabric.shape or (fabric.size,)
    each = maximum(fabric.links, 2.0 * len(shape)) / len(shape) * link_bandwidth(fabric)
    skip, left = maximum(collective.stride, 1.0), maximum(collective.ranks, 1.0)
    sides: list[Side] = []
    for length in shape:
        apart = minimum(skip, length)
        ranks = minimum(left, maximum(length / apart, 1.0))
        closed = (ranks * apart >= length) if fabric.pattern in ("ring", "torus") else as_term(0.0) > 0.0
        sides.append(
            Side(
                ranks=ranks,
                bandwidth=each / apart,
                apart=apart,
                detour=where(closed, ONE, ONE * 2.0),
            )
        )
        skip, left = maximum(skip / apart, 1.0), ceil(left / ranks)
    return tuple(sides)


def _model(name: str, doc: str) -> InterconnectModel:
    return InterconnectModel(name=name, doc=doc, patterns=(name,), transfer=transfer)


RING = _model("ring", "Links to two neighbours, closed to a ring.")
MESH = _model("mesh", "Links to the neighbours of every dimension, open at the edges.")
TORUS = _model(
    "torus", "Links to the neighbours of every dimension, closed to rings; part of a torus may be used."
)
