"""Software-managed SRAM and register files: copies of what lies in DRAM, or the main memory where there is no DRAM."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from accelscope.core.curve import at
from accelscope.core.records import MemoryModel
from accelscope.core.spec import choice, fraction, spec
from accelscope.core.term import Term, maximum, term
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
        default=0.88,
        source="Jia et al., Dissecting the NVIDIA Volta GPU Architecture via Microbenchmarking, 2018: shared memory of "
        "V100 reaches 12,080 of 13,800 GiB/s",
    )
    keeps: Term = fraction(
        doc="share of the capacity in which software keeps weights and KV cache from one operation to the next",
        default=0.0,
        source="scratchpads of GPUs and tensor cores hold the tiles of one operation",
    )


@spec(kind="memory", select={"class": ("regfile",)}, default=False)
class Regfile(Level):
    """Registers of a core; their bandwidth is part of what an engine achieves."""

    class_: str | None = choice("regfile", doc="sort of memory", optional=True)


def serve(part: Part[Any], traffic: Traffic) -> Usage:
    """Return what passing or reading bytes costs; everything goes on to the level behind, if there is one.

    time = bytes / (instances x bandwidth x efficiency). Where it is the home of weights (no DRAM) and private to cores,
    each core holds its own part of the model, so that the weights and KV cache of one operation are read by those cores
    only that hold them: a share (weights + KV) / footprint of all, which makes their time footprint / bandwidth for any
    operation. Assumption, after the placement that Cerebras describes ("Introducing Cerebras Inference", 2024): layers
    are laid out over the wafer and stay where they are. Activations are spread over all cores.
    """
    efficiency = at(part.spec.efficiency, traffic.bytes)
    placed = _in_place(traffic) if traffic.home and part.level == "core" else traffic
    time = moving_time(part, placed, efficiency)
    return Usage(time=time.named(f"{part.name} time"), energy=moving_energy(part, traffic), onward=traffic)


def pass_on(part: Part[Any], traffic: Traffic) -> Usage:
    """Hand traffic on: registers are fast enough for their engine by construction."""
    return Usage(time=traffic.bytes / read_rate(part), energy=moving_energy(part, traffic), onward=traffic)


def holds_nothing(part: Part[Any]) -> Term | None:
    """Registers hold operands, not weights."""
    return None


def _in_place(traffic: Traffic) -> Traffic:
    """Return the traffic of all cores that takes as long as that of the few which hold the weights and KV cache."""
    own = traffic.weights + traffic.kv
    fewer = maximum(maximum(traffic.footprint, own) / maximum(own, _SOME), 1.0)
    idle = fewer.named("cores for one that holds the bytes")
    return evolve(traffic, weights=traffic.weights * idle, kv=traffic.kv * idle)


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
