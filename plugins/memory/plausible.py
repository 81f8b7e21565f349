"""What memories have in practice, by their class: rate of a pin, bytes of a stack, time to read all of it, energy."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.core.spec.derived import (
    QuantityReader,
    declare_derived,
    make_field_reader,
    make_ratio_reader,
    read_field_number,
)

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component
    from accelscope.dsl.schema.schema import DerivedQuantity

_STACK_BITS = 1024.0  # data pins of one stack of HBM to HBM3e: JESD235D, JESD238B
_JEDEC = "JEDEC JESD235D (HBM2, HBM2e) and JESD238B (HBM3), HBM3e as sold, with room for parts that run below their grade"
_SOLD = "stacks and chips as sold since 2016, 4 to 16 dies high"
_LIBRARY = "the accelerators that ship with accelscope"


def _pin_rate(memory: Component) -> float | None:
    """Return the rate of one data pin of a stack, in B/s like every rate in base units."""
    rate, stacks = read_field_number(memory, "bandwidth"), read_field_number(memory, "stacks")
    return rate / (stacks * _STACK_BITS) if rate and stacks else None


def _of_host(field: str) -> QuantityReader:
    """Return a reader of a field that reads the memory of a host only."""
    return lambda memory: (
        read_field_number(memory, field)
        if memory.parent is not None and memory.parent.kind == "host"
        else None
    )


def _in_core(field: str) -> QuantityReader:
    return lambda memory: read_field_number(memory, field) if _private(memory) else None


def _core_rate(memory: Component) -> float | None:
    return _a_cycle(memory) if _private(memory) else None


def _core_scan(memory: Component) -> float | None:
    return _cycles(memory) if _private(memory) else None


def _shared_scan(memory: Component) -> float | None:
    return None if _private(memory) else _cycles(memory)


def _cycles(memory: Component) -> float | None:
    """Return the cycles in which one instance is read once."""
    held, rate = read_field_number(memory, "capacity"), _a_cycle(memory)
    return held / rate if held and rate else None


def _a_cycle(memory: Component) -> float | None:
    """Return the B/cycle of one instance, or None where its bandwidth is one a second."""
    attribute = memory.attributes().get("bandwidth")
    if attribute is None or "cycle" not in str(getattr(attribute.value, "dimension", "")):
        return None
    return read_field_number(memory, "bandwidth")


def _private(memory: Component) -> bool:
    return memory.parent is not None and memory.parent.kind == "core"


_PER_STACK = make_ratio_reader(make_field_reader("capacity"), make_field_reader("stacks"))
_SCAN = make_ratio_reader(make_field_reader("capacity"), make_field_reader("bandwidth"))

DRAM_RANGES = (
    declare_derived(
        "rate of a pin", "Gb/s", _pin_rate, by="class", at="bandwidth", source=_JEDEC,
        usual={"hbm": (0.8, 1.1), "hbm2": (1.4, 2.6), "hbm2e": (2.2, 3.8), "hbm3": (3, 7), "hbm3e": (5, 10)},
    ),
    declare_derived(
        "capacity of a stack", "GB", _PER_STACK, by="class", at="capacity", source=_SOLD,
        usual={"hbm": (0.9, 4.4), "hbm2": (3.9, 17.3), "hbm2e": (7.9, 26), "hbm3": (15, 26), "hbm3e": (14, 52), "hbm4": (22, 70)},
    ),
    declare_derived(
        "bandwidth of all chips", "GB/s", make_field_reader("bandwidth"), by="class", at="bandwidth", source=_LIBRARY,
        usual={
            "gddr5": (80, 500), "gddr6": (200, 1000), "gddr6x": (400, 1100), "gddr7": (300, 2000), "lpddr4": (20, 150),
            "lpddr4x": (20, 250), "lpddr5": (40, 900), "lpddr5x": (60, 900), "unified": (50, 1000),
        },
    ),
    declare_derived(
        "capacity over bandwidth, the time to read all of it,", "ms", _SCAN, by="class", at="capacity", source=_LIBRARY,
        usual={
            "": (5, 20_000), "hbm2": (10, 60), "hbm2e": (10, 70), "hbm3": (15, 60), "hbm3e": (18, 60), "gddr6": (12, 110),
            "gddr6x": (10, 50), "gddr7": (10, 80), "lpddr5": (80, 1500), "lpddr5x": (80, 1500), "unified": (60, 500),
        },
    ),
    declare_derived(
        "energy of moving one bit", "pJ/b", make_field_reader("energy"), by="class", at="energy",
        usual={"": (1.5, 20), "hbm2": (2.5, 8), "hbm2e": (2.5, 7), "hbm3": (2.5, 6), "hbm3e": (2, 6), "gddr6": (4, 12)},
        source="O'Connor et al., Fine-Grained DRAM, MICRO 2017: HBM2 3.9 and GDDR5 14 pJ/bit; LPDDR between them",
    ),
    declare_derived(
        "latency", "ns", make_field_reader("latency"), at="latency", usual=(70, 1500),
        source="pointer chases on GPUs and CPUs: 80 ns (DDR5) to some 1000 ns (GPUs over several dies)",
    ),
    declare_derived(
        "bandwidth of the memory of a host", "GB/s", _of_host("bandwidth"), at="bandwidth", usual=(40, 1200),
        source="two to sixteen channels of DDR4 to MRDIMM",
    ),
    declare_derived(
        "time to read all memory of a host", "s", make_ratio_reader(_of_host("capacity"), _of_host("bandwidth")), at="capacity",
        usual=(0.3, 30), source="two to sixteen channels of DDR4 to MRDIMM",
    ),
)  # fmt: skip
"""Of DRAM beside the processor."""

_MODULES = "from the LPDDR5X of a Grace CPU (1 s) and DDR of servers (1 to 6 s) to flash drives (hours)"

FAR_MEMORY_RANGES = (
    declare_derived(
        "capacity over bandwidth, the time to read all of it,", "s", _SCAN, by="class", at="capacity", source=_MODULES,
        usual={"": (0.1, 3e4), "host_lpddr5x": (0.3, 5), "ddr3": (0.5, 40), "ddr4": (0.5, 40), "ddr5": (0.3, 40)},
    ),
    declare_derived(
        "energy of moving one bit", "pJ/b", make_field_reader("energy"), by="class", at="energy", source=_MODULES,
        usual={"": (2, 200), "host_lpddr5x": (2, 20), "ddr4": (5, 40), "ddr5": (4, 40)},
    ),
    declare_derived(
        "latency", "us", make_field_reader("latency"), by="class", at="latency", source=_MODULES,
        usual={"": (0.07, 1000), "host_lpddr5x": (0.15, 4), "ddr4": (0.07, 4), "ddr5": (0.07, 4), "cxl": (0.15, 5)},
    ),
)  # fmt: skip
"""Of memory modules and flash."""

_SRAM = "SRAM from a register file to a wafer: arrays of 7 nm to 3 nm take 0.005 to 0.3 pJ/bit, with wires across a die 3"


def derive_sram_ranges(low: float, high: float) -> tuple[DerivedQuantity, ...]:
    """Return ranges of an on-chip memory whose one instance holds `low` to `high` bytes."""
    usual = (low / 2**10, high / 2**10)
    return (
        declare_derived("capacity of one instance", "KiB", make_field_reader("capacity"), at="capacity", usual=usual, source=_LIBRARY),
        declare_derived("energy of moving one bit", "pJ/b", make_field_reader("energy"), at="energy", usual=(0.002, 4), source=_SRAM),
        declare_derived("bytes a cycle of one instance", "B/cycle", _a_cycle, at="bandwidth", usual=(4, 20_000), source=_LIBRARY),
        declare_derived("time to read all of one in a core", "cycle", _core_scan, at="capacity", usual=(200, 15_000), source=_LIBRARY),
        declare_derived("time to read all of one shared by cores", "cycle", _shared_scan, at="capacity", usual=(900, 19_000), source=_LIBRARY),
    )  # fmt: skip


CACHE_RANGES = (
    *derive_sram_ranges(2**10, 2**29),
    declare_derived("capacity of a cache in a core", "KiB", _in_core("capacity"), at="capacity", usual=(4, 512), source=_LIBRARY),
    declare_derived("bytes a cycle of a cache in a core", "B/cycle", _core_rate, at="bandwidth", usual=(16, 600), source=_LIBRARY),
    declare_derived("time to read all of a cache in a core", "cycle", _core_scan, at="capacity", usual=(150, 5000), source=_LIBRARY),
)  # fmt: skip
"""Of caches; those in cores are small."""
