"""Power and energy of a device, and the time that a power cap costs.

While it runs, a device draws a standing power (leakage, clocks, everything that runs whatever the work), and energy for
each operation and each byte on top. Where a description does not give the energy of an operation, it follows from the
thermal design power: computing at the dense peak while memory moves at its peak draws what the device is designed for.
Work whose mean power would be above the thermal design power takes longer: the clock falls until it is not. The energy
of an operation is taken as the same at the lower clock, which is on the high side.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np

from accelscope.core.evaluate.op_cost import OpCost
from accelscope.core.ir.hardware import Device
from accelscope.core.ir.usage import Usage
from accelscope.core.numeric.term import Term, maximum, term, total

STANDING_SHARE = 0.45
"""Standing power of a running device over its thermal design power: with it an A100 40 GB draws what LLM-Inference-Bench
(Argonne, 2024) measured on Llama-3-8B in 16 bit, 233 W at batch 1 to 296 W at batch 64."""
IDLE_SHARE = 0.12
"""Idle power over thermal design power where a description gives none: an estimate from boards that idle between 60
and 120 W of 400 to 750 W."""
MIN_CAP_HEADROOM_SHARE = 0.05
"""Share of the thermal design power that is left for work at least, so that a cap below the standing power is slow and
not endless."""


def standing_power(package: Any) -> Term | None:
    """Return what a running device draws whatever it does, in W, or None without a thermal design power."""
    if package.tdp is None:
        return None
    given: Term = package.static_power if package.static_power is not None else package.tdp * STANDING_SHARE
    return given.named("standing power")


def idle_power(package: Any) -> Term | None:
    """Return what a device draws that waits, in W, or None without a thermal design power."""
    if package.tdp is None:
        return None
    given: Term = package.idle if package.idle is not None else package.tdp * IDLE_SHARE
    return given.named("idle power")


def dynamic_energy(ops: Iterable[OpCost], moved: Iterable[tuple[Usage, Term]], device: Device) -> Term:
    """Return the energy of operations and communication beyond the standing power, in J.

    Args:
        ops: costed operations.
        moved: what each collective costs, with how often it runs.
        device: device that runs them.
    """
    pieces = [_op_energy(cost, device) for cost in ops]
    pieces += [usage.energy * repeat for usage, repeat in moved if usage.energy is not None]
    return total(pieces).named("dynamic energy")


def apply_power_cap(work: Term, energy: Term | None, device: Device) -> Term:
    """Return the time of work under the power cap of a device: energy over what the cap leaves, where that is longer."""
    standing = standing_power(device.package)
    if energy is None or standing is None:
        return work
    tdp: Term = device.package.tdp
    left = maximum(tdp - standing, tdp * MIN_CAP_HEADROOM_SHARE).named("power left for work")
    return maximum(work, (energy / left).named("time at the power cap"))


def _op_energy(cost: OpCost, device: Device) -> Term:
    compute = cost.compute_energy
    if compute is None:
        compute = _energy_per_op(cost, device) * cost.op.flops * cost.op.repeat
    compute = compute.named("energy of computing")
    memory = cost.memory_energy
    energy = compute if memory is None else compute + memory.named("energy of moving bytes")
    return energy.named(f"{cost.name} energy")


def _energy_per_op(cost: OpCost, device: Device) -> Term:
    standing = standing_power(device.package)
    if cost.peak is None or standing is None:
        return term(0.0, "J/op")
    left = device.package.tdp - standing - _memory_power(device)
    return (maximum(left, term(0.0, "W")) / cost.peak).named("energy per op")


def _memory_power(device: Device) -> Term:
    home = device.home
    energy: Term | None = getattr(home.spec, "energy", None)
    peak = home.peak
    if energy is None or not np.all(np.isfinite(peak.value)):
        return term(0.0, "W")
    return energy * peak
