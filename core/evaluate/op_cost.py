"""What one operation costs on one device: compute and memory at once, and what starting it takes."""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.assemble.engine_selection import (
    compute_dtypes,
    compute_peak_op_rate,
    find_engine,
    first_peak_rate,
)
from accelscope.core.blocks.calibration import CalibratedKernel, Kernel, overlap_times
from accelscope.core.blocks.runtime import (
    NO_OVERHEAD_PROFILE,
    EngineProfile,
    scale_time_by_rate,
    select_compute_rate,
    select_memory_rate,
)
from accelscope.core.evaluate.launch import compute_launch_time, compute_operand_transfer
from accelscope.core.ir.constants import NO_BYTES, ONE
from accelscope.core.ir.hardware import Device, EnginePart, MemoryPart
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Plan
from accelscope.core.ir.usage import Limit, Traffic, Usage
from accelscope.core.ir.vocabulary import OpKind
from accelscope.core.numeric.term import Term, maximum, minimum, term, where

_NONE = term(0.0)


@frozen(kw_only=True, eq=False)
class PassContext:
    """What holds for all operations of a pass.

    Attributes:
        tier: the memory behind the device's own that weights or KV cache may lie in, or None where they may not.
        weights, kv: shares of weights and KV cache that come from there.
        places: equal places of a die that operations lie on side by side; 1 where each has all of it.
        pace: what the runtime reaches of the kernels' rates.
    """

    tier: MemoryPart[Any] | None = None
    weights: Term = _NONE
    kv: Term = _NONE
    places: Term = ONE
    pace: EngineProfile = NO_OVERHEAD_PROFILE


@frozen(kw_only=True, eq=False)
class OpCost:
    """The cost of one execution of an operation, and of all executions of a pass.

    Attributes:
        parts: name of each resource to the time that it alone needs; the longest decides.
        work: time of one execution without its kernel start.
        each: time of one execution with its kernel start.
        seconds: time of all executions of one micro-batch on one stage.
        peak: op/s of the engine that runs it, or None without one.
        home_bytes: bytes of one execution that reach the memory that holds the weights.
        known: what was measured of its kernel, and of which devices.
        in_memory: s of one execution in a memory that computes it itself, or None.
        compute_energy, memory_energy: of all executions, or None where unknown.
    """

    op: Op
    parts: tuple[tuple[str, Term], ...]
    work: Term
    each: Term
    seconds: Term
    peak: Term | None
    home_bytes: Term
    compute_energy: Term | None
    memory_energy: Term | None
    known: CalibratedKernel
    limits: tuple[Limit, ...] = ()
    in_memory: Term | None = None

    @property
    def name(self) -> str:
        """Name of the operation."""
        return self.op.name

    @property
    def component(self) -> str:
        """What a breakdown groups it by."""
        return self.op.component


def compute_op_cost(op: Op, plan: Plan, device: Device, setting: PassContext) -> OpCost:
    """Return what an operation of a plan costs on a device: its work, then its start.

    Its engine, each memory level and the tier behind them work at once: the longest decides. If it was measured how well
    computing and moving overlap, the shorter of the two adds to it. Bytes stream through all levels together. A memory
    that computes takes the operation away from all of them at points where it is faster.

    Args:
        op: sizes of one execution on one device.
        plan: that it is part of.
        device: that runs it.
        setting: what holds for all operations of the pass.

    Returns:
        Times in s, energies in J and limits, with one array dimension for each swept axis.
    """
    known = device.kernels.of(op) if device.kernels is not None else CalibratedKernel()
    work = _compute_in_memory(_compute_on_engine(op, plan, device, setting, known), op, device)
    parts = list(work.parts)
    each = work.time
    for name, start in _starts(op, plan, device, setting, known.kernel):
        parts.append((name, start))
        each = each + start
    each = each.named(op.name)
    return OpCost(
        op=op,
        parts=tuple(parts),
        work=work.time,
        each=each,
        seconds=(each * op.repeat).named(f"{op.name} × {_times(op.repeat)}"),
        peak=work.peak,
        home_bytes=work.home_bytes,
        compute_energy=_times_repeat(work.compute_energy, op),
        memory_energy=_times_repeat(work.memory_energy, op),
        known=known,
        limits=work.limits,
        in_memory=work.in_memory,
    )


@frozen(kw_only=True, eq=False)
class _Work:
    """One execution of an operation without its start.

    Attributes:
        parts: name of each resource to the time that it alone needs.
        time: s of all of them together.
        peak: op/s of the engine, or None without one.
        home_bytes: bytes that reach the memory that holds the weights.
        compute_energy: J, or None if unknown.
        memory_energy: J, or None if unknown.
        limits: resources with a capacity.
        in_memory: s that a memory needs which computes the operation itself, or None.
    """

    parts: tuple[tuple[str, Term], ...]
    time: Term
    peak: Term | None
    home_bytes: Term
    compute_energy: Term | None
    memory_energy: Term | None
    limits: tuple[Limit, ...]
    in_memory: Term | None = None


def _compute_on_engine(
    op: Op, plan: Plan, device: Device, setting: PassContext, known: CalibratedKernel
) -> _Work:
    """Return the work of an operation on the fastest engine, fed through the memory hierarchy."""
    parts: list[tuple[str, Term]] = []
    limits: list[Limit] = []
    engine = find_engine(op, device)
    compute_energy = None
    if engine is not None:
        usage = engine.run(op, device)
        time = scale_time_by_rate(
            _no_slower(usage.time, engine, op, device), select_compute_rate(setting.pace, op)
        )
        parts.append((engine.name, time.named(f"{engine.name} time")))
        limits.extend(usage.limits)
        compute_energy = usage.energy
    computing = [time for _, time in parts]
    moving: list[Term] = []
    services = compute_memory_services(op, plan, device, setting, known.kernel.bandwidth_efficiency)
    for part, arriving, usage in services:
        rate = select_memory_rate(setting.pace, op) if arriving.home else None
        moving.append(scale_time_by_rate(usage.time, rate).named(f"{part.name} time"))
        parts.append((part.name, moving[-1]))
        limits.extend(usage.limits)
    slowest = (maximum(*moving),) if moving else ()
    return _Work(
        parts=tuple(parts),
        time=overlap_times((*computing, *slowest), known.kernel.overlap_exponent).named(f"{op.name} work"),
        peak=compute_peak_op_rate(engine, op),
        home_bytes=_home_bytes(services, device.home),
        compute_energy=compute_energy,
        memory_energy=_memory_energy(services),
        limits=tuple(limits),
    )


def _compute_in_memory(work: _Work, op: Op, device: Device) -> _Work:
    """Return the work of an operation with that of the fastest memory that computes it, at points where it is faster.

    Bytes that the memory works on reach neither a level nor an engine.
    """
    for part in device.memories:
        usage = part.execute(op, device)
        if usage is None:
            continue
        time = usage.time.named(f"{op.name} in {part.name}")
        faster = np.asarray(time.value < work.time.value)
        energy = work.compute_energy
        if usage.energy is not None:
            energy = where(faster, usage.energy, usage.energy * 0.0 if energy is None else energy)
        work = _Work(
            parts=(
                *((name, where(faster, other * 0.0, other)) for name, other in work.parts),
                (f"{part.name} compute", where(faster, time, time * 0.0)),
            ),
            time=where(faster, time, work.time).named(f"{op.name} work"),
            peak=work.peak,
            home_bytes=where(faster, work.home_bytes * 0.0, work.home_bytes),
            compute_energy=energy,
            memory_energy=None
            if work.memory_energy is None
            else where(faster, work.memory_energy * 0.0, work.memory_energy),
            limits=(*work.limits, *usage.limits),
            in_memory=time if work.in_memory is None else minimum(time, work.in_memory),
        )
    return work


def _no_slower(time: Term, chosen: EnginePart[Any], op: Op, device: Device) -> Term:
    """Return the time of a product on its engine, or of a single row on another that is faster, such as a vector unit."""
    if op.kind != OpKind.GEMM:
        return time
    others = (part for part in device.engines if part is not chosen)
    able = (part for part in others if op.kind in part.model.kinds)
    for part in able:
        if first_peak_rate(part, compute_dtypes(op)) is not None:
            other = part.run(op, device).time
            time = where(op.m > 1.0, time, minimum(time, other))
    return time


def _starts(
    op: Op, plan: Plan, device: Device, setting: PassContext, kernel: Kernel
) -> tuple[tuple[str, Term], ...]:
    start = compute_launch_time(op, plan, device.package, kernel.fixed_overhead)
    if setting.pace.kernels_per_op is not None:
        start = start * setting.pace.kernels_per_op
    found: tuple[tuple[str, Term], ...] = (("launch", start),)
    if kernel.gather_scatter_passes is not None:
        found = (*found, ("gather", _gathering(op, device, kernel.gather_scatter_passes)))
    if device.fabric is None:
        return found
    return (*found, (device.fabric.name, compute_operand_transfer(op, device, setting.places)))


def _gathering(op: Op, device: Device, passes: Term) -> Term:
    """Return the time of moving the rows of an operation so many times more, at the peak of the home memory."""
    home = device.home
    return (op.reads + op.writes) * passes / home.peak


def compute_min_op_time(cost: OpCost, device: Device) -> Term:
    """Return the time that all executions of an operation take at least: at full peaks, nothing lost."""
    home = device.home
    moving = cost.home_bytes / home.peak
    least = moving if cost.peak is None else maximum(moving, cost.op.flops / cost.peak)
    if cost.in_memory is not None:
        least = minimum(least, cost.in_memory)
    return least * cost.op.repeat


MemoryService = tuple[MemoryPart[Any], Traffic, Usage]


def compute_memory_services(
    op: Op, plan: Plan, device: Device, setting: PassContext, share: Term | None = None
) -> list[MemoryService]:
    """Return the traffic of an operation at each level of the memory hierarchy and its cost, from the inside outwards.

    The tier behind the device serves the share of weights and KV cache that lies there, whatever the levels before it.

    Args:
        op: the operation.
        plan: plan of the pass that the operation is in.
        device: device that runs it.
        setting: what holds for all operations of the pass.
        share: measured share of the peak bandwidth that the kernel reaches at the memory that holds the weights.
    """
    whole = Traffic(
        weights=op.weights,
        activations=op.reads + op.writes,
        kv=op.kv_read + op.kv_write,
        footprint=(plan.residency.weights + plan.residency.kv).named("bytes touched in a pass"),
        op=op,
    )
    home = device.home
    traffic: Traffic | None = whole
    found: list[MemoryService] = []
    for part in device.memories:
        if traffic is None or (part is not home and part.is_tier):
            break
        arriving = evolve(traffic, home=part is home, share=share if part is home else None)
        usage = part.serve(arriving)
        found.append((part, arriving, usage))
        traffic = usage.onward
    if setting.tier is not None:
        away = evolve(
            whole, weights=whole.weights * setting.weights, activations=NO_BYTES, kv=whole.kv * setting.kv
        )
        found.append((setting.tier, away, setting.tier.serve(away)))
    return found


def _home_bytes(services: list[MemoryService], home: MemoryPart[Any]) -> Term:
    reached = (traffic.bytes for part, traffic, _ in services if part is home)
    return next(reached, NO_BYTES)


def _memory_energy(services: list[MemoryService]) -> Term | None:
    known = [usage.energy for _, _, usage in services if usage.energy is not None]
    if not known:
        return None
    energy = known[0]
    for item in known[1:]:
        energy = energy + item
    return energy


def _times_repeat(energy: Term | None, op: Op) -> Term | None:
    return None if energy is None else energy * op.repeat


def _times(repeat: Term) -> str:
    return f"{float(repeat.value.flat[0]):g}" if repeat.value.size == 1 else "n"
