"""What all levels of memory share: the fields of their blocks, and rates of all instances on a device.

A level has `count` instances that work at once; a bandwidth a cycle is turned into one a second by the nearest clock.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from accelscope.core.errors import ModelError
from accelscope.core.ir.constants import NO_TIME
from accelscope.core.ir.hardware import Part
from accelscope.core.ir.usage import Traffic
from accelscope.core.numeric.term import Term, maximum, term, where
from accelscope.core.spec.spec import block, choice, count, quantity, spec

_SECOND = term(1.0, "s")
_PER_SECOND = term(1.0, "B/s")
_UNBOUNDED_RATE = term(np.inf, "B/s")
"""Bandwidth of a level whose description gives none: it never decides."""


@spec(kind="bandwidth", within=("memory",))
class ReadWrite:
    """Bandwidth of one instance, where reading and writing have ports of their own."""

    read: Term = quantity("B/s", "B/cycle", doc="peak read bandwidth of one instance", gt=0)
    write: Term = quantity("B/s", "B/cycle", doc="peak write bandwidth of one instance", gt=0)


@spec(kind="memory", default=False)
class MemoryLevel:
    """Fields that every level of memory takes."""

    capacity: Term = quantity("B", doc="usable bytes of one instance", gt=0)
    bandwidth: Term | None = quantity(
        "B/s", "B/cycle", doc="peak bandwidth of one instance", gt=0, optional=True
    )
    ports: ReadWrite | None = block(
        "bandwidth", doc="read and write bandwidth apart, in place of `bandwidth = ...`"
    )
    latency: Term | None = quantity("s", "cycle", doc="access latency", ge=0, optional=True)
    energy: Term | None = quantity(
        "J/b", doc="energy of transferring one bit", ge=0, optional=True, plausible=(1e-16, 1e-10)
    )
    partitions: Term | None = count(
        doc="number of partitions, each with its own copy of data that all cores read", optional=True
    )
    side: str | None = choice(
        "core",
        "memory",
        doc="core-side or memory-side cache; follows from where the block is written",
        optional=True,
        planned=True,
    )
    shared_with: str | None = choice(doc="memory that shares the same storage", optional=True, planned=True)
    coherence: str | None = choice(doc="coherence domain", optional=True, planned=True)


def read_rate(part: Part[Any]) -> Term:
    """Return the peak B/s that all instances read together."""
    ports = part.spec.ports
    return _rate(part, ports.read if ports is not None else part.spec.bandwidth)


def write_rate(part: Part[Any]) -> Term:
    """Return the peak B/s that all instances write together."""
    ports = part.spec.ports
    return _rate(part, ports.write if ports is not None else part.spec.bandwidth)


def access_latency(part: Part[Any]) -> Term:
    """Return the latency of one access in s; none given counts as none."""
    given: Term | None = part.spec.latency
    if given is None or given.dimension == _SECOND.dimension:
        return NO_TIME if given is None else given
    return given / memory_clock(part)


def memory_clock(part: Part[Any]) -> Term:
    """Return the clock that a part runs at.

    Raises:
        ModelError: no block around the part gives one.
    """
    if part.clock is None:
        raise ModelError(f"`{part.path}` gives a rate a cycle, but no block around it gives a `clock`")
    return part.clock


def traffic_time(part: Part[Any], traffic: Traffic, efficiency: Term) -> Term:
    """Return the time in s of traffic at the achieved share of peak; ports of their own work at once.

    Without read and write ports, reads and writes share one bandwidth: bytes / (peak x efficiency).
    """
    if part.spec.ports is None:
        return traffic.bytes / (read_rate(part) * efficiency).named(f"achieved {part.name} bandwidth")
    written = traffic.bytes * write_share(traffic)
    reading = ((traffic.bytes - written) / (read_rate(part) * efficiency)).named(f"{part.name} reading")
    writing = (written / (write_rate(part) * efficiency)).named(f"{part.name} writing")
    return maximum(reading, writing)


def write_share(traffic: Traffic) -> Term:
    """Return which share of an operation's bytes is written, as the operation has it before any cache."""
    op = traffic.op
    written = op.writes + op.kv_write
    everything = written + op.reads + op.kv_read + op.weights
    return written / where(everything > term(0.0, "B"), everything, term(1.0, "B"))


def exposed_latency(part: Part[Any], traffic: Traffic) -> Term:
    """Return the latency in s that the first access of any traffic waits for."""
    return where(traffic.bytes > term(0.0, "B"), access_latency(part), NO_TIME).named(f"{part.name} latency")


def traffic_energy(part: Part[Any], traffic: Traffic) -> Term | None:
    """Return the energy in J of moving traffic, or None where the description gives none."""
    if part.spec.energy is None:
        return None
    a_bit: Term = part.spec.energy
    return (traffic.bytes * a_bit).named(f"{part.name} energy")


def instances_capacity(part: Part[Any]) -> Term:
    """Return the bytes of all instances on a device."""
    each: Term = part.spec.capacity
    return (part.count * each).named(f"{part.name} capacity")


def _rate(part: Part[Any], given: Term | None) -> Term:
    if given is None:
        return _UNBOUNDED_RATE
    each = given if given.dimension == _PER_SECOND.dimension else given * memory_clock(part)
    return (part.count * each).named(f"peak {part.name} bandwidth")
