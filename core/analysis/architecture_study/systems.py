"""The natural systems of a device, from itself to the largest that is described, and the splits that each allows."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from accelscope.core.analysis.architecture_study.cells import PARALLEL_PREFIX
from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.assemble.spec_sheet import (
    SYSTEM_KINDS,
    DeviceFacts,
    ModelFacts,
    device_facts,
    extract_finite_number,
    model_facts,
)
from accelscope.core.bind.binder import Binder
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import FIRST_TIER_ORDER
from accelscope.core.ir.operation import Precision, Step
from accelscope.core.ir.vocabulary import Phase
from accelscope.dsl.values.values import Attribute, Quantity

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry
    from accelscope.dsl.interpret.component import Component

_KINDS = ("package", *SYSTEM_KINDS)


@frozen(kw_only=True, eq=False)
class DeviceSystem:
    """A system of devices of one sort.

    Attributes:
        has_offload_tier: whether a memory stands behind the devices' own, which weights can come from.
    """

    component: Component
    facts: DeviceFacts
    has_offload_tier: bool

    @property
    def memory(self) -> float:
        """Bytes that hold weights, of all devices."""
        return (self.facts.memory or 0.0) * self.facts.devices


@frozen(kw_only=True, eq=False)
class StudyModel:
    """A model, with what splits depend on."""

    component: Component
    facts: ModelFacts
    experts: int


def read_study_model(component: Component, registry: Registry) -> StudyModel | None:
    """Return a model with its facts; None where it has no sizes."""
    facts = model_facts(component, registry)
    if facts is None:
        return None
    spec, record = Binder(registry).bind(component)
    step = Step(phase=Phase.DECODE, sequences=ONE, tokens=ONE, context=ONE)
    built = record.build(spec, step, Precision(weights="bf16", activations="bf16", kv="bf16"))
    return StudyModel(
        component=component, facts=facts, experts=round(extract_finite_number(built.experts) or 0)
    )


def list_device_systems(
    device: Component, everything: Iterable[DeviceSystem], registry: Registry, dtype: str
) -> tuple[DeviceSystem, ...]:
    """Return a device and the systems made of it, the smallest first.

    Of systems with as many devices, the one whose innermost network is fastest stands for all; a node of one device goes
    before the bare device, since it has a price and a host.
    """
    alone = read_device_system(device, registry, dtype)
    found = [item for item in everything if item.facts.device == device.name]
    best: dict[int, DeviceSystem] = {}
    for item in sorted([*([alone] if alone else []), *found], key=_rank):
        best[item.facts.devices] = item
    return tuple(best[count] for count in sorted(best))


def read_device_system(component: Component, registry: Registry, dtype: str) -> DeviceSystem | None:
    """Return a package or a system with its facts; None where nothing in it multiplies matrices."""
    facts = device_facts(component, registry, dtype)
    if facts is None or facts.dtype is None:
        return None
    machine = assemble_machine(component, Binder(registry))
    memories = machine.device.memories if machine is not None else ()
    tiered = any(part.model.order >= FIRST_TIER_ORDER for part in memories)
    return DeviceSystem(component=component, facts=facts, has_offload_tier=tiered)


def find_package_path(system: Component) -> tuple[str, ...]:
    """Return the labels of the blocks from below a system down to its first package; none for a package."""
    for child in system.children():
        if child.kind == "package":
            return (child.name,)
        if child.kind in SYSTEM_KINDS and (below := find_package_path(child)):
            return (child.name, *below)
    return ()


def sum_die_area(package: Component) -> float | None:
    """Return the mm² of all dies of a package; None where the area of one is not known."""
    dies = package.children("die")
    total = 0.0
    for die in dies:
        area = die.get("area")
        if not isinstance(area, Attribute) or not isinstance(area.value, Quantity):
            return None
        total += float(area.value.magnitude) * float(die.count.magnitude) * 1e6
    return total if dies else None


def enumerate_split_axes(system: DeviceSystem, subject: StudyModel) -> Iterator[tuple[str, ...]]:
    """Yield groups of axes, as texts of `--set`: each group is one grid of splits, legal or not.

    Tensor-parallel degrees divide the heads; pipeline degrees are those that make stages of another size. A model with
    experts spreads them over the tensor-parallel ranks, or, in a second grid, over replicas of the attention.
    """
    devices = system.facts.devices
    tp = tuple(
        n for n in range(1, min(max(subject.facts.heads, 1), devices) + 1) if subject.facts.heads % n == 0
    )
    pp = _stages(subject.facts.layers, devices)
    if subject.experts <= 1:
        yield _axes(tp=tp or (1,), pp=pp)
        return
    ep = tuple(n for n in _doubling(devices) if subject.experts % n == 0)
    yield _axes(tp=tp or (1,), pp=pp, ep=tuple(n for n in ep if n <= max(tp or (1,)))[-3:])
    if devices > 1:
        yield _axes(tp=tuple(n for n in tp if n <= 16), dp_attention=_doubling(devices), ep=ep)


def _stages(layers: int, devices: int) -> tuple[int, ...]:
    """Return the pipeline degrees up to some devices that are the fewest for the layers of their largest stage."""
    most = max(1, min(layers, devices))
    degrees = {-(-layers // size) for size in range(1, layers + 1)}
    return tuple(sorted(degree for degree in degrees if degree <= most)) or (1,)


def _doubling(most: int) -> tuple[int, ...]:
    return tuple(2**n for n in range(int(np.log2(max(most, 1))) + 1))


def _axes(**degrees: Sequence[int]) -> tuple[str, ...]:
    return tuple(
        f"{PARALLEL_PREFIX}{name} = [{', '.join(map(str, values))}]"
        for name, values in degrees.items()
        if values
    )


def _rank(item: DeviceSystem) -> tuple[int, float, int]:
    kind = _KINDS.index(item.component.kind) if item.component.kind in _KINDS else 0
    return item.facts.devices, item.facts.network_bandwidth or 0.0, kind
