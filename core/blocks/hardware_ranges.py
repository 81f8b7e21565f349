"""What packages, links and systems have in practice: ranges of quantities that follow from several of their fields.

The ranges hold the parts that the library describes, from a phone's chip to a wafer, and some room around them; they
catch slips of units and counts, not wrong digits.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import TYPE_CHECKING

from accelscope.core.blocks import bandwidth_headroom as achieved
from accelscope.core.spec.derived import (
    QuantityReader,
    count_block_instances,
    declare_derived,
    extract_number,
    make_field_reader,
    make_ratio_reader,
    read_field_number,
    walk_nested_blocks,
)

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

_LIBRARY = "the accelerators that ship with accelscope, from 12 nm to 3 nm, with room on both sides"


def _area(package: Component) -> float | None:
    """Return the area in m^2 of all dies, or None where one has none."""
    dies = [(read_field_number(die, "area"), count) for die, count, _ in walk_nested_blocks(package, "die")]
    if not dies or any(area is None for area, _ in dies):
        return None
    return sum((area or 0.0) * count for area, count in dies)


def _peak(package: Component) -> float | None:
    """Return the op/s of all engines in 16 bit."""
    rates = [
        (_rate(engine, clock), count)
        for engine, count, clock in walk_nested_blocks(package, "engine")
        if _wide(engine)
    ]
    known = [(rate or 0.0) * count for rate, count in rates]
    return max(known) if known and max(known) > 0 else None


def _rate(engine: Component, clock: float | None) -> float | None:
    """Return the op/s of one engine in 16 bit."""
    for ops in engine.children("ops"):
        for dtype in ("bf16", "fp16"):
            attribute = ops.attributes().get(dtype)
            rate = extract_number(attribute.value) if attribute is not None else None
            if attribute is None or rate is None:
                continue
            if "cycle" in str(attribute.value.dimension):
                return None if clock is None else rate * clock
            return rate
    return None


def _wide(engine: Component) -> bool:
    return any({"bf16", "fp16"} & set(ops.attributes()) for ops in engine.children("ops"))


def _engine_power(package: Component) -> float | None:
    """Return the W of the busiest engine at its peak: operations a second times energy of one."""
    powers = [
        count * rate * energy
        for engine, count, clock in walk_nested_blocks(package, "engine")
        if (rate := _rate(engine, clock)) and (energy := read_field_number(engine, "energy"))
    ]
    return max(powers, default=None)


def _memory_power(package: Component) -> float | None:
    """Return the W of moving data to and from the memory beside the dies at its peak bandwidth."""
    powers = [
        rate * energy * count_block_instances(memory)
        for memory in package.children("memory")
        if (rate := read_field_number(memory, "bandwidth"))
        and (energy := read_field_number(memory, "energy"))
    ]
    return max(powers, default=None)


def _cache_bytes(package: Component) -> float | None:
    """Return the bytes of all caches on the dies, those of cores apart."""
    found = [(read_field_number(memory, "capacity"), count) for memory, count, _ in _die_caches(package)]
    return sum((each or 0.0) * count for each, count in found) or None


def _cache_rates(package: Component) -> list[float]:
    """Return the B/s of each level of cache on the dies; one without a clock is left out."""
    found = []
    for memory, count, clock in _die_caches(package):
        rate = read_field_number(memory, "bandwidth")
        cycles = clock if rate and _a_cycle(memory, "bandwidth") else 1.0
        if rate and cycles:
            found.append(rate * count * cycles)
    return found


def _fastest(package: Component) -> float | None:
    return max(_cache_rates(package), default=None)


def _slowest(package: Component) -> float | None:
    return min(_cache_rates(package), default=None)


def _die_caches(package: Component) -> Iterator[tuple[Component, float, float | None]]:
    for die, dies, clock in walk_nested_blocks(package, "die"):
        for memory in die.children("memory"):
            chosen = memory.attributes().get("class")
            if chosen is not None and str(getattr(chosen.value, "name", "")) == "cache":
                yield memory, dies * count_block_instances(memory), clock


def _a_cycle(block: Component, field: str) -> bool:
    return "cycle" in str(getattr(block.attributes()[field].value, "dimension", ""))


def _memory_rate(package: Component) -> float | None:
    """Return the B/s of the fastest memory beside the dies."""
    rates = [
        rate * count_block_instances(memory)
        for memory in package.children("memory")
        if (rate := read_field_number(memory, "bandwidth")) and not _a_cycle(memory, "bandwidth")
    ]
    return max(rates, default=None)


def _tdp_inside(system: Component) -> float | None:
    """Return the W of all packages in a node or rack."""
    found = [
        (read_field_number(package, "tdp"), count_block_instances(package))
        for package in system.children("package")
    ]
    known = [tdp * count for tdp, count in found if tdp is not None]
    return sum(known) if known and len(known) == len(found) else None


def _of(kind: str, field: str) -> QuantityReader:
    """Return a reader of a field of the block's child of a kind, such as `power.max`."""

    def read(block: Component) -> float | None:
        return next((read_field_number(child, field) for child in block.children(kind)), None)

    return read


_TDP = make_field_reader("tdp")

PACKAGE_RANGES = (
    declare_derived("power over the area of the dies", "W/mm^2", make_ratio_reader(_TDP, _area), usual=(0.05, 1.6), at="tdp", source=_LIBRARY),
    declare_derived("16-bit peak over the area of the dies", "TFLOP/s/mm^2", make_ratio_reader(_peak, _area), usual=(0.02, 3.5), at="tdp", source=_LIBRARY),
    declare_derived("16-bit peak over the power", "TFLOP/s/W", make_ratio_reader(_peak, _TDP), usual=(0.08, 4), at="tdp", source=_LIBRARY),
    declare_derived("power of the engines at their peak, over `tdp`,", "", make_ratio_reader(_engine_power, _TDP), usual=(0.1, 1.6), at="tdp", source=_LIBRARY),
    declare_derived("power of the memory at its peak, over `tdp`,", "", make_ratio_reader(_memory_power, _TDP), usual=(0.01, 0.6), at="tdp", source=_LIBRARY),
    declare_derived("cache over the area of the dies", "kB/mm^2", make_ratio_reader(_cache_bytes, _area), usual=(3, 350), source=_LIBRARY),
    declare_derived("bandwidth of the fastest cache over that of the memory", "", make_ratio_reader(_fastest, _memory_rate), usual=(0.5, 15), source=_LIBRARY),
    declare_derived("bandwidth of the slowest cache over that of the memory", "", make_ratio_reader(_slowest, _memory_rate), usual=(0.5, 15), source=_LIBRARY),
    declare_derived(
        "achieved bandwidth of the slowest shared SRAM over that of the memory behind", "", achieved.compute_headroom,
        usual=(1.0, math.inf), source="bytes of DRAM pass the caches in front of it; true of all accelerators that ship with accelscope",
        notes=achieved.describe_headroom, help="scale the one in front with the memory, or cite why: a source of its `bandwidth` that "
        "names the memory behind, such as `@\"measured: slower than hbm\"`, silences this",
    ),
    declare_derived("idle power over `tdp`", "", make_ratio_reader(make_field_reader("idle"), _TDP), usual=(0.02, 0.6), at="idle", source=_LIBRARY),
    declare_derived("price over the power", "USD/W", make_ratio_reader(make_field_reader("price"), _TDP), usual=(0.9, 150), at="price", source=_LIBRARY),
)  # fmt: skip

SYSTEM_RANGES = (
    declare_derived("power of the system over that of its packages", "", make_ratio_reader(_of("power", "max"), _tdp_inside), usual=(1.0, 4.0), source=_LIBRARY),
    declare_derived("idle power of the system over its maximum", "", make_ratio_reader(_of("power", "idle"), _of("power", "max")), usual=(0.05, 0.7), source=_LIBRARY),
    declare_derived("capex over the power of the packages", "USD/W", make_ratio_reader(_of("cost", "capex"), _tdp_inside), usual=(5, 240), source=_LIBRARY),
)  # fmt: skip

_WIRES = (
    "serial links across a board 1 to 8 pJ/bit, wires of an interposer 0.2 to 2, hybrid bonds 0.02 to 0.5"
)
_WAY = "an empty message: 0.3 to 3 us between chips of a node, 1 to 50 us between nodes, nanoseconds between dies"

LINK_RANGES = (
    declare_derived(
        "bandwidth of one link in one direction", "GB/s/dir", make_field_reader("bandwidth"), by="protocol", at="bandwidth",
        usual={
            "nvlink": (14, 500), "infinity_fabric": (25, 80), "ici": (25, 110), "pcie": (7, 130), "xe_link": (20, 60),
            "infiniband": (12, 110), "ethernet": (1, 160), "neuronlink": (20, 350),
        },
        source="generations in use: NVLink 3 (also of cards) to 5 and C2C, Infinity Fabric 3 and 4, TPU v3 to v7, PCI Express 3 x8 to 6 "
        "x16, InfiniBand EDR to XDR, Ethernet of 10 to 1200 Gb/s a bundle",
    ),
    declare_derived(
        "energy of moving one bit", "pJ/b", make_field_reader("energy"), by="protocol", at="energy", source=_WIRES,
        usual={"nvlink": (0.5, 10), "infinity_fabric": (0.5, 10), "ici": (0.5, 10), "pcie": (1, 15)},
    ),
    declare_derived(
        "energy of moving one bit", "pJ/b", make_field_reader("energy"), by="kind", at="energy", source=_WIRES,
        usual={"stacked_3d": (0.02, 1), "interposer": (0.1, 3)},
    ),
    declare_derived(
        "latency", "us", make_field_reader("latency"), by="protocol", at="latency", source=_WAY,
        usual={
            "nvlink": (0.2, 4), "infinity_fabric": (0.2, 4), "ici": (0.3, 5), "pcie": (0.2, 4), "infiniband": (0.5, 8),
            "ethernet": (0.4, 80),
        },
    ),
    declare_derived(
        "latency", "ns", make_field_reader("latency"), by="kind", at="latency", source=_WAY,
        usual={"stacked_3d": (0.5, 30), "interposer": (1, 60)},
    ),
)  # fmt: skip
