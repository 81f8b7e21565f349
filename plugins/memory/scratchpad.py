"""Software-managed SRAM and register files: copies of what lies in DRAM, or the main memory where there is no DRAM."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from accelscope.core.ir.constants import NO_BYTES
from accelscope.core.ir.hardware import Part
from accelscope.core.ir.usage import Traffic, Usage
from accelscope.core.numeric.curve import evaluate_curve
from accelscope.core.numeric.term import Term, maximum, minimum, term
from accelscope.core.plugin.records import MemoryModel
from accelscope.core.spec.spec import choice, fraction, spec
from accelscope.plugins.memory.level import (
    MemoryLevel,
    instances_capacity,
    read_rate,
    traffic_energy,
    traffic_time,
)
from accelscope.plugins.memory.plausible import derive_sram_ranges

_SOME = term(1.0, "B")


@spec(
    kind="memory",
    select={"class": ("scratchpad", "sram")},
    default=False,
    derived=derive_sram_ranges(2**13, 2**36),
)
class Scratchpad(MemoryLevel):
    """SRAM that software fills, private to a core or shared by a package."""

    class_: str | None = choice("scratchpad", "sram", doc="type of memory", optional=True)
    efficiency: Any = fraction(
        doc="achieved fraction of peak bandwidth: a number, or a curve over the bytes transferred",
        over="B",
        default=0.88,
        source="Jia et al., Dissecting the NVIDIA Volta GPU Architecture via Microbenchmarking, 2018: shared memory of "
        "V100 reaches 12,080 of 13,800 GiB/s",
    )
    reuse_capacity_fraction: Term = fraction(
        aliases=("keeps",),
        doc="fraction of the capacity that holds weights, KV cache and activations across operations",
        default=0.0,
        source="scratchpads of GPUs and tensor cores hold the tiles of one operation",
    )


@spec(kind="memory", select={"class": ("regfile",)}, default=False, derived=derive_sram_ranges(2**8, 2**20))
class RegisterFile(MemoryLevel):
    """Registers of a core; their bandwidth is part of what an engine achieves."""

    class_: str | None = choice("regfile", doc="type of memory", optional=True)


def serve_scratchpad(part: Part[Any], traffic: Traffic) -> Usage:
    """Return what passing or reading bytes costs, and what goes on to the level behind, if there is one.

    time = bytes / (instances x bandwidth x efficiency). In front of another memory, activations of an operation stay
    here as far as they fit into what software keeps, and after them the first bytes of weights and KV cache, always the
    same ones: a share min(1, room / footprint) of them is not read from behind. (A hardware cache loses nearly all of a
    scan that is longer than itself; a placement by software does not.)
    """
    efficiency = evaluate_curve(part.spec.efficiency, traffic.bytes)
    time = traffic_time(part, traffic, efficiency)
    return Usage(
        time=time.named(f"{part.name} time"),
        energy=traffic_energy(part, traffic),
        onward=_onward(part, traffic),
    )


def _onward(part: Part[Any], traffic: Traffic) -> Traffic:
    room = (instances_capacity(part) * part.spec.reuse_capacity_fraction).named(f"{part.name} room")
    produced = minimum(room / maximum(traffic.activations, _SOME), 1.0)
    left = maximum(room - traffic.activations, NO_BYTES)
    pinned = minimum(left / maximum(traffic.footprint, _SOME), 1.0).named(f"share pinned in {part.name}")
    return evolve(
        traffic,
        weights=traffic.weights * (1.0 - pinned),
        kv=traffic.kv * (1.0 - pinned),
        activations=traffic.activations * (1.0 - produced),
    )


def forward_traffic(part: Part[Any], traffic: Traffic) -> Usage:
    """Hand traffic on: registers are fast enough for their engine by construction."""
    return Usage(time=traffic.bytes / read_rate(part), energy=traffic_energy(part, traffic), onward=traffic)


def no_register_capacity(part: Part[Any]) -> Term | None:
    """Registers hold operands, not weights."""
    return None


SCRATCHPAD = MemoryModel(
    name="scratchpad",
    doc="Software-managed SRAM: passes traffic at its bandwidth, and is the main memory where there is no DRAM.",
    spec=Scratchpad,
    order=10,
    serve=serve_scratchpad,
    capacity=instances_capacity,
    peak=read_rate,
)

REGFILE = MemoryModel(
    name="regfile",
    doc="Register files: hold operands only.",
    spec=RegisterFile,
    order=0,
    serve=forward_traffic,
    capacity=no_register_capacity,
    peak=read_rate,
)
