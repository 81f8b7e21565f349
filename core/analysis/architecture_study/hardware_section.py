"""Tables of the devices of a study: memory hierarchy, compute fabric and interconnect, from their descriptions alone."""

from __future__ import annotations

from collections.abc import Iterator

from accelscope.core.analysis.architecture_study.entries import StudyDevice, StudyParticipants
from accelscope.core.analysis.architecture_study.folder import StudyFolder
from accelscope.core.analysis.architecture_study.section import SectionTable, StudySection, TableCell
from accelscope.core.analysis.architecture_study.systems import sum_die_area
from accelscope.core.analysis.jobs.phrases import format_short_number
from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.assemble.spec_sheet import compute_matmul_peak, extract_finite_number
from accelscope.core.bind.binder import Binder
from accelscope.core.ir.hardware import Device

_PEAK_DTYPES = ("fp32", "bf16", "fp8", "int8", "fp4")
"""Data types whose peaks the table of compute gives."""


def build_hardware_section(folder: StudyFolder, cast: StudyParticipants) -> StudySection:
    """Return the section of the three tables, and what they say of each architecture."""
    memory: list[tuple[TableCell, ...]] = []
    compute: list[tuple[TableCell, ...]] = []
    network: list[tuple[TableCell, ...]] = []
    for kin in cast.devices:
        machine = assemble_machine(kin.device, Binder(folder.session.registry))
        if machine is not None:
            memory.extend(_levels(folder, cast, kin, machine.device))
            compute.append(_compute(folder, cast, kin, machine.device))
        network.extend(_networks(folder, cast, kin))
    return StudySection(
        name="hardware",
        title="The devices",
        findings=tuple(_findings(cast)),
        parts=(
            SectionTable(
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
                collapsed=True,
            ),
            SectionTable(
                name="compute_fabric",
                title="Compute fabric",
                heads=(
                    "architecture",
                    "device",
                    "engines",
                    "clock [GHz]",
                    *(f"{name} [Tera-op/s]" for name in _PEAK_DTYPES),
                    "on-chip network",
                    "tdp [W]",
                    "silicon [mm²]",
                ),
                rows=tuple(compute),
                note="Dense peaks of the fastest engine that multiplies matrices.",
                collapsed=True,
            ),
            SectionTable(
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
                collapsed=True,
            ),
        ),
    )


def _levels(
    folder: StudyFolder, cast: StudyParticipants, kin: StudyDevice, device: Device
) -> Iterator[tuple[TableCell, ...]]:
    home = device.home if device.weight_memories else None
    for part in device.memories:
        capacity, peak = extract_finite_number(part.capacity), extract_finite_number(part.peak)
        each = extract_finite_number(getattr(part.spec, "capacity", None))
        held = (
            capacity
            if capacity is not None
            else None
            if each is None
            else each * (extract_finite_number(part.count) or 1)
        )
        yield (
            cast.titles[kin.architecture],
            kin.device.name,
            part.name,
            str(getattr(part.spec, "class_", None) or part.model.name),
            None if held is None else held / 1e6,
            None if peak is None else peak / 1e12,
            "yes" if part is home else "no",
        )


def _compute(
    folder: StudyFolder, cast: StudyParticipants, kin: StudyDevice, device: Device
) -> tuple[TableCell, ...]:
    engines = ", ".join(
        f"{format_short_number(extract_finite_number(part.count) or 1)} {part.model.name} {part.name}"
        for part in device.engines
    )
    clock = next(
        (extract_finite_number(part.clock) for part in device.engines if part.clock is not None), None
    )
    peaks = [compute_matmul_peak(device, name) for name in _PEAK_DTYPES]
    fabric = "-" if device.fabric is None else f"{device.fabric.pattern} {device.fabric.name}"
    return (
        cast.titles[kin.architecture],
        kin.device.name,
        engines,
        None if clock is None else clock / 1e9,
        *(None if peak is None else peak / 1e12 for peak in peaks),
        fabric,
        extract_finite_number(device.package.tdp),
        sum_die_area(kin.device),
    )


def _networks(
    folder: StudyFolder, cast: StudyParticipants, kin: StudyDevice
) -> Iterator[tuple[TableCell, ...]]:
    for system in kin.systems:
        machine = assemble_machine(system.component, Binder(folder.session.registry))
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
            " > ".join(
                f"{tier.pattern} of {format_short_number(extract_finite_number(tier.size) or 1)}"
                for tier in tiers
            )
            or "-",
        )


def _findings(cast: StudyParticipants) -> Iterator[str]:
    """Yield what separates the architectures: memory that holds weights, and bytes a second for each operation."""
    parts = []
    for name, title in cast.titles.items():
        facts = [kin.systems[0].facts for kin in cast.devices if kin.architecture == name and kin.systems]
        memory = [item.memory / 1e9 for item in facts if item.memory]
        ratio = [item.peak / item.bandwidth for item in facts if item.peak and item.bandwidth]
        if memory and ratio:
            parts.append(f"{title} {_range(memory)} GB and {_range(ratio)} op/B")
    if parts:
        yield (
            f"Memory of a device that holds weights, and bf16 operations for each byte that it delivers: {'; '.join(parts)}."
        )


def _range(values: list[float]) -> str:
    low, high = format_short_number(min(values), 2), format_short_number(max(values), 2)
    return low if low == high else f"{low} to {high}"
