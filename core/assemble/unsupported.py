"""What a scenario may not ask: each refusal says why no number would be right, and what to write instead."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import fields

from accelscope.core.assemble.design import Design
from accelscope.core.assemble.engine_selection import find_matrix_engine
from accelscope.core.assemble.parts import PartPlaces
from accelscope.core.ir.hardware import Machine
from accelscope.dsl.diagnostics.diagnostics import Diagnostic

if TYPE_CHECKING:
    from accelscope.core.bind.binder import Binder

TRAINING_ONLY_FIELDS = ("zero_stage",)
"""Fields of a split that shard what only training has: gradients. 0 and 1 ask for nothing, 3 for weights."""
ZERO_GRADIENT_STAGE = 2
"""ZeRO stage whose gradients serving has not."""


def refuse_missing_memory(machine: Machine, places: PartPlaces, binder: Binder) -> None:
    """Refuse a device without a memory for weights, or with one whose bandwidth is not given."""
    if binder.problems:
        return
    device = machine.device
    if not device.weight_memories:
        binder.problems.append(
            Diagnostic(
                code="A304",
                message=f"`{device.name}` has no memory that can hold weights",
                span=places.system,
                label="in this system",
                help="add a `memory` with a `class` such as hbm3 or scratchpad to the package",
            )
        )
        return
    home = device.home
    if not np.all(np.isfinite(home.peak.value)):
        binder.problems.append(
            Diagnostic(
                code="A106",
                message=f"`memory {home.name}` of `{device.name}` holds the weights and needs `bandwidth`",
                span=places.system,
                label="in this system",
                help="add `bandwidth = ...` to the memory",
            )
        )


def refuse_unsupported_dtype(design: Design, places: PartPlaces, binder: Binder) -> None:
    """Refuse a data type that no engine of the device computes in."""
    dtype = design.precision.activations
    device = design.machine.device
    if binder.problems or find_matrix_engine(device, dtype) is not None:
        return
    known = sorted({name for part in device.engines for name in _entry_names(part.spec)})
    binder.problems.append(
        Diagnostic(
            code="A306",
            message=f"`{device.name}` has no engine that computes in {dtype}",
            span=places.precision,
            notes=(f"its engines compute in {', '.join(known)}",),
            help="set `activations` in the `precision` block to one of them",
        )
    )


def refuse_training_degrees(design: Design, places: PartPlaces, binder: Binder) -> None:
    """Refuse degrees that shard what only training has, if the model serves."""
    if design.training is not None:
        return
    for _, spec in design.strategies:
        for name in TRAINING_ONLY_FIELDS:
            stage = getattr(spec, name, None)
            if stage is not None and np.any(stage.value == ZERO_GRADIENT_STAGE):
                binder.problems.append(
                    Diagnostic(
                        code="A303",
                        message=f"`{name}` is modelled in training only, so no number would be right",
                        span=places.degrees.get(name),
                        label="asked for here",
                        help="leave it out, or ask for training: `workload w { kind = training, ... }`",
                    )
                )


def refuse_missing_tier(design: Design, places: PartPlaces, binder: Binder) -> None:
    """Refuse a policy that puts bytes into a tier which the system does not have."""
    if binder.problems or design.memory.is_resident:
        return
    tiers = [part.name for part in design.machine.device.tiers]
    named = design.memory.tier
    name = design.machine.device.name
    if tiers and named is not None and named not in tiers:
        binder.problems.append(
            Diagnostic(
                code="A304",
                message=f"no memory behind `{name}` is called `{named}`",
                span=places.memory,
                label="this policy puts bytes there",
                help=f"there is {', '.join(f'`{tier}`' for tier in tiers)}",
            )
        )
    if tiers:
        return
    binder.problems.append(
        Diagnostic(
            code="A304",
            message=f"nothing stands behind the memory of `{name}` that could hold what does not fit",
            span=places.memory,
            label="this policy puts bytes there",
            help="connect a memory of the host or the system to the device, such as "
            "`connect gpu[*] <-> host via PCIe5x16` with `memory` of class ddr5 in the host",
        )
    )


def _entry_names(spec: Any) -> Iterable[str]:
    ops = getattr(spec, "ops", None)
    for item in fields(type(ops)) if ops is not None else ():
        value = getattr(ops, item.name)
        if isinstance(value, dict):
            yield from value
