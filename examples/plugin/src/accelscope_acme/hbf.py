"""High-bandwidth flash: stacks of flash dies that read whole pages at the rate of DRAM and write much slower."""

from __future__ import annotations

from typing import Any

from accelscope.core.ir.constants import NO_BYTES, NO_TIME
from accelscope.core.ir.hardware import Part
from accelscope.core.ir.usage import Traffic, Usage
from accelscope.core.numeric.term import Term, ceil, term, where
from accelscope.core.plugin.records import MemoryModel
from accelscope.core.spec.spec import choice, fraction, quantity, spec


@spec(kind="memory", select={"class": ("hbf",)}, default=False)
class HighBandwidthFlash:
    """Stacked flash beside the processor."""

    class_: str | None = choice("hbf", doc="sort of memory", optional=True)
    capacity: Term = quantity("B", doc="usable bytes of one stack", gt=0)
    bandwidth: Term = quantity("B/s", doc="peak read bandwidth of one stack", gt=0)
    write_bandwidth: Term = quantity("B/s", doc="program bandwidth of one stack", gt=0)
    latency: Term = quantity(
        "s",
        doc="time of reading one page",
        ge=0,
        default=5e-6,
        source="assumption: a tenth of TLC flash's 50 us",
    )
    page: Term = quantity(
        "B",
        doc="bytes of one page over all planes of a stack",
        gt=0,
        default=65536,
        source="assumption: 16 planes of 4 KiB",
    )
    efficiency: Term = fraction(
        doc="achieved share of the read bandwidth", default=0.8, source="assumption: as measured of HBM"
    )
    energy: Term | None = quantity("J/b", doc="energy of moving one bit", ge=0, optional=True)


def serve(part: Part[Any], traffic: Traffic) -> Usage:
    """Return what traffic costs: latency, whole pages at the read rate, what is written at the program rate."""
    flash: HighBandwidthFlash = part.spec
    written = (traffic.bytes * _written_share(traffic)).named("written bytes")
    row = (part.count * flash.page).named("one page of every stack")
    pages = (ceil((traffic.bytes - written) / row) * row).named("bytes of whole pages")
    reading = (pages / (part.count * flash.bandwidth * flash.efficiency)).named(f"{part.name} reading")
    writing = (written / (part.count * flash.write_bandwidth)).named(f"{part.name} writing")
    waiting = where(traffic.bytes > NO_BYTES, flash.latency, NO_TIME).named(f"{part.name} latency")
    energy = None if flash.energy is None else (pages + written) * flash.energy
    return Usage(time=(waiting + reading + writing).named(f"{part.name} time"), energy=energy)


def capacity(part: Part[Any]) -> Term:
    """Return the bytes of all stacks."""
    each: Term = part.spec.capacity
    return (part.count * each).named(f"{part.name} capacity")


def peak(part: Part[Any]) -> Term:
    """Return the peak read bandwidth of all stacks."""
    each: Term = part.spec.bandwidth
    return (part.count * each).named(f"peak {part.name} bandwidth")


def _written_share(traffic: Traffic) -> Term:
    """Return which share of an operation's bytes it writes."""
    op = traffic.op
    written = op.writes + op.kv_write
    everything = written + op.reads + op.kv_read + op.weights
    return written / where(everything > NO_BYTES, everything, term(1.0, "B"))


HBF = MemoryModel(
    name="hbf",
    doc="High-bandwidth flash: reads whole pages, writes at the program rate.",
    spec=HighBandwidthFlash,
    order=40,
    serve=serve,
    capacity=capacity,
    peak=peak,
)
