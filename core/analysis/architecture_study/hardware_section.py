"""Tables of the devices of a study: memory hierarchy, compute fabric and interconnect, from their descriptions alone."""

from __future__ import annotations

from collections.abc import Iterator

from accelscope.core.analysis.architecture_study.entries import Cast, Kin
from accelscope.core.analysis.architecture_study.folder import Folder
from accelscope.core.analysis.architecture_study.section import Cell, Section, Table
from accelscope.core.analysis.architecture_study.systems import area_of
from accelscope.core.analysis.jobs.phrases import few
from accelscope.core.assemble.machine import machine_of
from accelscope.core.assemble.spec_sheet import number, peak_of
from accelscope.core.bind.binder import Binder
from accelscope.core.evaluate.op_cost import holders_of, home_memory
from accelscope.core.ir.hardware import Device

DTYPES = ("fp32", "bf16", "fp8", "int8", "fp4")
"""Data types whose peaks the table of compute gives."""


def hardware(folder: Folder, cast: Cast) -> Section:
    """Return the section of the three tables, and what they say of each architecture."""
    memory: list[tuple[Cell, ...]] = []
    compute: list[tuple[Cell, ...]] = []
    network: list[tuple[Cell, ...]] = []
    for kin in cast.kin:
        machine = machine_of(kin.device, Binder(folder.session.registry))
        if machine is not None:
            memory.extend(_levels(folder, cast, kin, machine.device))
            compute.append(_compute(folder, cast, kin, machine.device))
        network.extend(_networks(folder, cast, kin))
    return Section(
        name="hardware",
        title="The devices",
        findings=tuple(_findings(cast)),
        parts=(
            Table(
                name="memory_hierarchy",
                title="Memory hierarchy",
                heads=(
                    "architecture",
                    "device",
                    "level",
                    "class",
                    "capacity [MB]",
                    "peak bandwidth [TB/s]",
                    "holds weights",
                ),
                rows=tuple(memory),
                note="Levels from the inside outwards; capacity and bandwidth of all instances of a device together.",
                folded=True,
            ),
            Table(
                name="compute_fabric",
                title="Compute fabric",
                heads=(
                    "architecture",
                    "device",
                    "engines",
                    "clock [GHz]",
                    *(f"{name} [Tera-op/s]" for name in DTYPES),
                    "on-chip network",
                    "tdp [W]",
                    "silicon [mm²]",
                ),
                rows=tuple(compute),
                note="Dense peaks of the fastest engine that multiplies matrices.",
                folded=True,
            ),
            Table(
                name="interconnect",
                title="Interconnect and natural systems",
                heads=(
                    "architecture",
                    "device",
                    "system",
                    "kind",
                    "devices",
                    "innermost pattern",
                    "devices joined",
                    "bandwidth of a device [GB/s/dir]",
                    "tiers",
                ),
                rows=tuple(network),
                note="Every system of the library that is made of the device; a grid takes the smallest that holds the model.",
                folded=True,
            ),
        ),
    )


def _levels(folder: Folder, cast: Cast, kin: Kin, device: Device) -> Iterator[tuple[Cell, ...]]:
    registry = folder.session.registry
    home = home_memory(device, registry) if holders_of(device, registry) else None
    for part in device.memories:
        record = registry.memories[part.model]
        capacity, peak = number(record.capacity(part)), number(record.peak(part))
        each = number(getattr(part.spec, "capacity", None))
        held = (
            capacity if capacity is not None else None if each is None else each * (number(part.count) or 1)
        )
        yield (
            cast.titles[kin.architecture],
            kin.device.name,
            part.name,
            str(getattr(part.spec, "class_", None) or record.name),
            None if held is None else held / 1e6,
            None if peak is None else peak / 1e12,
            "yes" if part is home else "no",
        )


def _compute(folder: Folder, cast: Cast, kin: Kin, device: Device) -> tuple[Cell, ...]:
    registry = folder.session.registry
    engines = ", ".join(f"{few(number(part.count) or 1)} {part.model} {part.name}" for part in device.engines)
    clock = next((number(part.clock) for part in device.engines if part.clock is not None), None)
    peaks = [peak_of(device, registry, name) for name in DTYPES]
    fabric = "-" if device.fabric is None else f"{device.fabric.pattern} {device.fabric.name}"
    return (
        cast.titles[kin.architecture],
        kin.device.name,
        engines,
        None if clock is None else clock / 1e9,
        *(None if peak is None else peak / 1e12 for peak in peaks),
        fabric,
        number(device.package.tdp),
        area_of(kin.device),
    )


def _networks(folder: Folder, cast: Cast, kin: Kin) -> Iterator[tuple[Cell, ...]]:
    for system in kin.systems:
        machine = machine_of(system.component, Binder(folder.session.registry))
        tiers = machine.tiers if machine is not None else ()
        bandwidth = system.facts.network_bandwidth
        yield (
            cast.titles[kin.architecture],
            kin.device.name,
            system.component.name,
            system.component.kind,
            system.facts.devices,
            tiers[0].pattern if tiers else "-",
            system.facts.nearest,
            None if bandwidth is None else bandwidth / 1e9,
            " > ".join(f"{tier.pattern} of {few(number(tier.size) or 1)}" for tier in tiers) or "-",
        )


def _findings(cast: Cast) -> Iterator[str]:
    """Yield what separates the architectures: memory that holds weights, and bytes a second for each operation."""
    parts = []
    for name, title in cast.titles.items():
        facts = [kin.systems[0].facts for kin in cast.kin if kin.architecture == name and kin.systems]
        memory = [item.memory / 1e9 for item in facts if item.memory]
        ratio = [item.peak / item.bandwidth for item in facts if item.peak and item.bandwidth]
        if memory and ratio:
            parts.append(f"{title} {_range(memory)} GB and {_range(ratio)} op/B")
    if parts:
        yield (
            f"Memory of a device that holds weights, and bf16 operations for each byte that it delivers: {'; '.join(parts)}."
        )


def _range(values: list[float]) -> str:
    low, high = few(min(values), 2), few(max(values), 2)
    return low if low == high else f"{low} to {high}"
