"""DRAM of any kind: stacks, chips and modules behind one aggregate bandwidth."""

from __future__ import annotations

from typing import Any

from accelscope.core.ir.hardware import Part
from accelscope.core.ir.usage import Traffic, Usage
from accelscope.core.numeric.curve import evaluate_curve
from accelscope.core.numeric.term import Term
from accelscope.core.plugin.records import MemoryModel
from accelscope.core.spec.spec import choice, count, fraction, quantity, spec
from accelscope.plugins.memory import plausible
from accelscope.plugins.memory.level import (
    MemoryLevel,
    exposed_latency,
    instances_capacity,
    read_rate,
    traffic_energy,
    traffic_time,
)

_NEAR = [
    "dram",
    "hbm",
    "hbm2",
    "hbm2e",
    "hbm3",
    "hbm3e",
    "hbm4",
    "gddr5",
    "gddr6",
    "gddr6x",
    "gddr7",
    "lpddr4",
    "lpddr4x",
    "lpddr5",
    "lpddr5x",
    "unified",
]
_FAR = ["ddr3", "ddr4", "ddr5", "host_lpddr5x", "cxl", "dram_flash", "flash"]
_MEASURED = (
    "fit to half of 254 public bf16 GEMMs of H100 SXM (aiconfigurator, Apache-2.0), held-out median error 7 %; its own system "
    "files assume 0.80, and other public sets give 0.69 (A100) to 0.89 (Vidur, MIT)"
)


@spec(kind="memory", select={"class": tuple(_NEAR)}, default=True, derived=plausible.DRAM_RANGES)
class Dram(MemoryLevel):
    """DRAM beside the processor, reached at one aggregate bandwidth."""

    class_: str | None = choice(*_NEAR, doc="memory technology", optional=True)
    stacks: Term | None = count(
        doc="number of stacks or chips; informative, as all totals already include them", optional=True
    )
    bandwidth: Term | None = quantity(
        "B/s",
        "B/cycle",
        doc="peak bandwidth of one instance, all its stacks or chips together",
        gt=0,
        optional=True,
    )
    efficiency: Any = fraction(
        doc="achieved fraction of peak bandwidth: a number, or a curve over the bytes transferred",
        over="B",
        default=0.79,
        source=_MEASURED,
    )


@spec(kind="memory", select={"class": tuple(_FAR)}, default=False, derived=plausible.FAR_MEMORY_RANGES)
class FarMemory(MemoryLevel):
    """Memory modules or flash behind a slower bus: a tier behind the DRAM of an accelerator."""

    class_: str | None = choice(*_FAR, doc="memory technology", optional=True)
    efficiency: Any = fraction(
        doc="achieved fraction of peak bandwidth: a number, or a curve over the bytes transferred",
        over="B",
        default=0.8,
        source="STREAM triad on DDR5 servers reaches about 80 % of peak: McCalpin, STREAM benchmark results",
    )


def serve_dram(part: Part[Any], traffic: Traffic) -> Usage:
    """Return what DRAM traffic costs.

    time = latency + bytes / (instances x bandwidth x efficiency), energy = bits x energy a bit. A measured share of the
    kernel goes before the efficiency of the level. The latency is that of the first access; further ones overlap (Little's law), and starting the operation is counted by the core.
    """
    efficiency = (
        evaluate_curve(part.spec.efficiency, traffic.bytes) if traffic.share is None else traffic.share
    )
    time = exposed_latency(part, traffic) + traffic_time(part, traffic, efficiency)
    return Usage(time=time.named(f"{part.name} time"), energy=traffic_energy(part, traffic))


DRAM = MemoryModel(
    name="dram",
    doc="DRAM beside the processor: bytes over the achieved share of an aggregate bandwidth.",
    spec=Dram,
    order=40,
    serve=serve_dram,
    capacity=instances_capacity,
    peak=read_rate,
)

FAR_MEMORY = MemoryModel(
    name="far_memory",
    doc="Memory behind a slower bus, such as DDR modules, CXL or flash.",
    spec=FarMemory,
    order=50,
    serve=serve_dram,
    capacity=instances_capacity,
    peak=read_rate,
)
