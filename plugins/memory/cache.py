"""Hardware-managed caches, at the cores or at the memory: what hits is not asked of the levels behind."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Part
from accelscope.core.ir.usage import Traffic, Usage
from accelscope.core.numeric.curve import evaluate_curve
from accelscope.core.numeric.term import Term, exp, maximum, minimum
from accelscope.core.plugin.records import MemoryModel
from accelscope.core.spec.spec import choice, fraction, spec
from accelscope.plugins.memory import plausible
from accelscope.plugins.memory.level import (
    MemoryLevel,
    exposed_latency,
    instances_capacity,
    read_rate,
    traffic_energy,
    traffic_time,
)

_NEVER = 100.0  # ratio beyond which no hit is left, and exp would underflow


@spec(
    kind="memory",
    select={"class": ("cache",)},
    default=False,
    derived=plausible.CACHE_RANGES,
)
class Cache(MemoryLevel):
    """A cache; one in a `core` is private and keeps nothing from one operation to the next."""

    class_: str | None = choice("cache", doc="type of memory", optional=True)
    efficiency: Any = fraction(
        doc="achieved fraction of peak bandwidth: a number, or a curve over the bytes transferred",
        over="B",
        default=0.7,
        source="microbenchmarks over the peaks of the white papers: A100 L2 4.8 of 7.2 TB/s, MI300X Infinity Cache 11.9 "
        "of 17.2 TB/s",
    )
    reuse_capacity_fraction: Term = fraction(
        aliases=("keeps",),
        doc="effective capacity of the cache for reuse, as a fraction of its capacity",
        default=0.9,
        source="assumption: code, descriptors and partial lines take a tenth",
    )


def serve_cache(part: Part[Any], traffic: Traffic) -> Usage:
    """Return what passing a cache costs and what of the traffic goes on.

    All traffic passes at instances x bandwidth x efficiency. Weights and KV are read again after `footprint` bytes,
    activations after the operation's own bytes: each hits with `hit_rate` of that distance.
    """
    time = traffic_time(part, traffic, evaluate_curve(part.spec.efficiency, traffic.bytes)) + exposed_latency(
        part, traffic
    )
    return Usage(
        time=time.named(f"{part.name} time"),
        energy=traffic_energy(part, traffic),
        onward=traffic if part.level == "core" else _missed(part, traffic),
    )


def hit_rate(distance: Term, room: Term) -> Term:
    """Return the share of hits when bytes are used again after `distance` bytes in a cache of `room` bytes.

    Under random replacement a line survives each of the m misses in between with 1 - 1/room, so a cyclic scan settles
    where h = exp(-r (1 - h)) with r = distance / room: 1 up to r = 1, falling smoothly beyond. Solved by one step from
    exp(2 (1 - r)), whose slope at r = 1 is exact; the error is below 0.04. Our derivation, for want of published
    replacement policies; strict LRU would fall to 0 just beyond r = 1.
    """
    ratio = minimum(maximum(distance / room, 1.0), _NEVER)
    start = exp((1.0 - ratio) * 2.0)
    return exp(-ratio * (1.0 - start))


def cache_room(part: Part[Any]) -> Term:
    """Return the bytes in which data of all cores is kept; partitions hold copies of the same bytes."""
    partitions: Term = part.spec.partitions if part.spec.partitions is not None else ONE
    kept: Term = part.spec.reuse_capacity_fraction
    return (instances_capacity(part) * kept / partitions).named(f"{part.name} room")


def no_cache_capacity(part: Part[Any]) -> Term | None:
    """A cache holds copies only."""
    return None


def _missed(part: Part[Any], traffic: Traffic) -> Traffic:
    space = cache_room(part)
    again = hit_rate(traffic.footprint + traffic.activations, space).named(
        f"{part.name} hits of weights and KV"
    )
    produced = hit_rate(traffic.bytes, space).named(f"{part.name} hits of activations")
    return evolve(
        traffic,
        weights=traffic.weights * (1.0 - again),
        kv=traffic.kv * (1.0 - again),
        activations=traffic.activations * (1.0 - produced),
    )


CACHE = MemoryModel(
    name="cache",
    doc="A cache: what fits between two uses is not read from the level behind.",
    spec=Cache,
    order=20,
    serve=serve_cache,
    capacity=no_cache_capacity,
    peak=read_rate,
)
