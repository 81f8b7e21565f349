"""What a device, a system or a model is at a glance: dense peak, memory, power, parameters. Pure.

These are numbers of a description alone; how fast anything runs, only an evaluation says.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from accelscope.core.assemble.engine_selection import find_matrix_engine
from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.hardware import Power
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Device, Fabric
from accelscope.core.ir.operation import Precision, Step
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.core.numeric.term import Term

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry
    from accelscope.dsl.interpret.component import Component

SYSTEM_KINDS = ("node", "rack", "cluster")
"""Kinds of block that are made of devices."""


@frozen(kw_only=True)
class DeviceFacts:
    """A device, or a system of several of one sort; None where a description does not say.

    Attributes:
        devices: how many; the other numbers are of one.
        dtype: data type of the peak: the one asked for, or the closest one that matrices are multiplied in.
        peak: op/s, dense.
        engine: kind of engine with this peak, such as systolic.
        memory: bytes of the level that holds weights, of class `memory_class`.
        bandwidth: peak bandwidth of this level, B/s.
        tdp: thermal design power, W.
        power: what the supplies of the whole system deliver, W.
        nearest: devices that the innermost network joins, 1 without one.
        network: what joins the nearest devices, with bytes a second and direction of one of them.
    """

    device: str
    devices: int
    dtype: str | None
    peak: float | None
    engine: str | None
    memory_class: str | None
    memory: float | None
    bandwidth: float | None
    tdp: float | None
    power: float | None
    nearest: int
    network: str | None
    network_bandwidth: float | None


@frozen(kw_only=True)
class ModelFacts:
    """A model.

    Attributes:
        parameters: number of all parameters.
        active: number of parameters that one token uses.
        heads: of the attention, which a tensor-parallel degree divides.
        kv_per_token: bytes of KV cache in 16 bit, all layers.
    """

    parameters: float
    active: float
    layers: int
    heads: int
    kv_per_token: float


def device_facts(component: Component, registry: Registry, dtype: str = "bf16") -> DeviceFacts | None:
    """Return the facts of a package or of a system of packages; None where nothing in it computes."""
    binder = Binder(registry)
    machine = assemble_machine(component, binder)
    if machine is None:
        return None
    device = machine.device
    chosen = find_matmul_dtype(device, dtype)
    engine = find_matrix_engine(device, chosen) if chosen else None
    home = device.home if device.weight_memories else None
    tier = machine.tiers[0] if machine.tiers else None
    return DeviceFacts(
        device=device.name,
        devices=round(extract_finite_number(machine.devices) or 1),
        dtype=chosen,
        peak=compute_matmul_peak(device, chosen) if chosen else None,
        engine=engine.model.name if engine else None,
        memory_class=getattr(home.spec, "class_", None) if home is not None else None,
        memory=extract_finite_number(home.capacity) if home is not None else None,
        bandwidth=extract_finite_number(home.peak) if home is not None else None,
        tdp=extract_finite_number(device.package.tdp),
        power=_supply(component, binder),
        nearest=round(extract_finite_number(tier.size) or 1) if tier else 1,
        network=tier.name if tier else None,
        network_bandwidth=_outward(tier) if tier else None,
    )


def model_facts(component: Component, registry: Registry) -> ModelFacts | None:
    """Return the facts of a model; None where it lacks sizes, as a base of others does."""
    binder = Binder(registry)
    spec, record = binder.bind(component)
    if spec is None or record is None or binder.problems:
        return None
    step = Step(phase=Phase.DECODE, sequences=ONE, tokens=ONE, context=ONE)
    built = record.build(spec, step, Precision(weights="bf16", activations="bf16", kv="bf16"))
    return ModelFacts(
        parameters=extract_finite_number(built.parameters) or 0.0,
        active=extract_finite_number(built.active_parameters) or 0.0,
        layers=round(extract_finite_number(built.layers) or 0),
        heads=round(extract_finite_number(built.heads) or 0),
        kv_per_token=extract_finite_number(built.kv_per_token) or 0.0,
    )


def find_matmul_dtype(device: Device, asked: str) -> str | None:
    """Return the data type that a device multiplies matrices in, closest to the one asked for.

    That is the type itself where any engine has it. Else it is one of the engine with the highest peak of all: a wider
    one, 16 bit before others as weight-only quantisation has it, then the narrowest; or else the widest narrower one.
    None where no engine multiplies matrices.
    """
    peaks = {name: rate for name in DTYPE_BITS if (rate := compute_matmul_peak(device, name)) is not None}
    if asked in peaks or not peaks:
        return asked if peaks else None
    main = find_matrix_engine(device, max(peaks, key=lambda name: peaks[name]))
    known = [name for name in peaks if main and main.peak(name) is not None]
    wider = [name for name in known if DTYPE_BITS[name] > DTYPE_BITS[asked]]
    if wider:
        return "bf16" if "bf16" in wider else min(wider, key=lambda name: DTYPE_BITS[name])
    return max(known, key=lambda name: DTYPE_BITS[name])


def compute_matmul_peak(device: Device, dtype: str) -> float | None:
    """Return the dense op/s of the fastest engine that multiplies matrices in a data type, or None without one."""
    part = find_matrix_engine(device, dtype)
    return None if part is None else extract_finite_number(part.peak(dtype))


def extract_finite_number(value: Term | None) -> float | None:
    """Return a single finite number in SI units, or None."""
    if value is None:
        return None
    single = float(np.asarray(value.value).flat[0])
    return single if np.isfinite(single) else None


def _outward(tier: Fabric) -> float | None:
    """Return the bytes a second that one endpoint sends over all its links into a tier."""
    bandwidth = extract_finite_number(tier.link.bandwidth)
    links = extract_finite_number(tier.links)
    if bandwidth is None or links is None or "cycle" in str(tier.link.bandwidth.dimension):
        return None
    return bandwidth * links


def _supply(component: Component, binder: Binder) -> float | None:
    blocks = component.children("power")
    bound = binder.bind_as(blocks[0], Power) if blocks else None
    return extract_finite_number(bound.max) if bound is not None else None
