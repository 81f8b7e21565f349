"""Software-managed SRAM and register files: copies of what lies in DRAM, or the main memory where there is no DRAM."""

from __future__ import annotations

from typing import Any

from accelscope.core.curve import at
from accelscope.core.records import MemoryModel
from accelscope.core.spec import choice, fraction, spec
from accelscope.core.term import Term, maximum, minimum, term
from accelscope.core.work import Part, Traffic, Usage
from accelscope.plugins.memory.level import Level, instances_capacity, moving_energy, moving_time, read_rate

_SOME = term(1.0, "B")


@spec(kind="memory", select={"class": ("scratchpad", "sram")}, default=False)
class Scratchpad(Level):
    """SRAM that software fills, private to a core or shared by a package."""

    class_: str | None = choice("scratchpad", "sram", doc="sort of memory", optional=True)
    efficiency: Any = fraction(
        doc="achieved share of the peak, also over the bytes moved",
        over="B",
        default=0.9,
        source="Jia et al., Dissecting the NVIDIA Volta GPU Architecture via Microbenchmarking, 2018, table 3.1: "
        "measured shared-memory bandwidth is about 90 % of the theoretical one",
    )


@spec(kind="memory", select={"class": ("regfile",)}, default=False)
class Regfile(Level):
    """Registers of a core; their bandwidth is part of what an engine achieves."""

    class_: str | None = choice("regfile", doc="sort of memory", optional=True)


def serve(part: Part[Any], traffic: Traffic) -> Usage:
    """Return what passing or reading bytes costs; everything goes on to the level behind, if there is one.

    time = bytes / (instances x bandwidth x efficiency x share of instances that hold the bytes). Where it is the home
    of weights (no DRAM), each core holds its own part of the model, so that one operation is served by those
    cores only that hold its weights and KV cache: share = (weights + KV) / footprint of the pass. This is the placement of
    wafer-scale and dataflow machines: Lie, Cerebras Architecture Deep Dive, IEEE Micro 43(3), 2023.
    """
    efficiency = at(part.spec.efficiency, traffic.bytes)
    time = moving_time(part, traffic, efficiency)
    if traffic.home and part.level == "core":
        time = time / _holding(traffic).named(f"share of {part.name} that holds the bytes")
    return Usage(time=time.named(f"{part.name} time"), energy=moving_energy(part, traffic), onward=traffic)


def pass_on(part: Part[Any], traffic: Traffic) -> Usage:
    """Hand traffic on: registers are fast enough for their engine by construction."""
    return Usage(time=traffic.bytes / read_rate(part), energy=moving_energy(part, traffic), onward=traffic)


def holds_nothing(part: Part[Any]) -> Term | None:
    """Registers hold operands, not weights."""
    return None


def _holding(traffic: Traffic) -> Term:
    """Return which share of the cores holds an operation's weights and KV, at least its share of the activations."""
    own = maximum(traffic.weights + traffic.kv, _SOME)
    return minimum(own / maximum(traffic.footprint, own), 1.0)


SCRATCHPAD = MemoryModel(
    name="scratchpad",
    doc="Software-managed SRAM: passes traffic at its bandwidth, and is the main memory where there is no DRAM.",
    spec=Scratchpad,
    order=10,
    serve=serve,
    capacity=instances_capacity,
    peak=read_rate,
)

REGFILE = MemoryModel(
    name="regfile",
    doc="Register files: hold operands only.",
    spec=Regfile,
    order=0,
    serve=pass_on,
    capacity=holds_nothing,
    peak=read_rate,
)
