"""Names in tables of measurements to definitions of the library: devices, systems of them, models, runtimes.

A name is that of a definition or one of its `aliases`, in any case; `*-GCD`, `*-stack` and `*-core` are packages of their
own in the library, half of what is sold. What the library lacks gives a reason, never a guess.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import define, evolve, field, frozen

from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.assemble.calibration_lookup import find_device_kernels
from accelscope.core.assemble.design import Model
from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.assemble.parts import PrecisionRequest
from accelscope.core.assemble.scenario_reader import read_data_types
from accelscope.core.assemble.spec_sheet import SYSTEM_KINDS
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.runtime import kernels_name
from accelscope.core.ir.hardware import Machine
from accelscope.core.library.definitions import LibraryDefinition, find_definitions, list_definitions
from accelscope.core.numeric.term import Term, term
from accelscope.dsl.values.values import Origin

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry
    from accelscope.core.workspace import Workspace

ENGINE_ALIASES: Mapping[str, str] = {"trtllm": "tensorrt_llm"}
"""Engines that measurements know by a shorter name than the library does."""


def backend_of(kernel: str) -> str | None:
    """Return which of an engine's implementations the name of a measured kernel is, or None where it names a layer."""
    return kernel.casefold() if re.fullmatch(r"\w+", kernel) else None


@frozen(kw_only=True, eq=False)
class PublishedModel:
    """A model with the data types that its publisher gives it, as far as the library has them."""

    model: Model
    precision: PrecisionRequest


@frozen(eq=False)
class _System:
    item: LibraryDefinition
    machine: Machine

    @property
    def size(self) -> int:
        return int(np.asarray(self.machine.devices.value).flat[0])

    @property
    def joins_nodes(self) -> bool:
        """Whether it has a network from node to node."""
        return self.item.component.kind != "node" and len(self.machine.tiers) > 1


@define(eq=False)
class LibraryNames:
    """Looks names up in a session's library; everything found is kept.

    Attributes:
        trace: whether numbers keep how they were computed, so that the prediction of one row can be explained.
    """

    session: Workspace
    trace: bool = False
    _items: tuple[LibraryDefinition, ...] = field(init=False)
    _found: dict[Any, Any] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._items = tuple(list_definitions(self.session))

    @property
    def registry(self) -> Registry:
        """The plugins."""
        return self.session.registry

    def device(self, hw: str) -> tuple[LibraryDefinition | None, str]:
        """Return the package of a name, or None and the reason."""
        return self._only(hw, ("package",), "device")

    def system(
        self, hw: str, devices: int = 1, nodes: int = 1, network: str = ""
    ) -> tuple[LibraryDefinition | None, str]:
        """Return the package of one device, or the smallest system of several; or None and the reason.

        Args:
            hw: name of the device in the table.
            devices: number of devices.
            nodes: number of nodes that the devices are in.
            network: the name of a system that goes before others, where the library knows it.
        """
        package, reason = self.device(hw)
        if package is None or devices <= 1:
            return package, reason
        systems = self._systems(package.component.name)
        for system in (*(item for item in systems if network in item.item.names), *systems):
            if system.size >= devices and (nodes <= 1 or system.joins_nodes):
                return system.item, ""
        spread = f" in {nodes} nodes" if nodes > 1 else ""
        return None, f"the library has no system of {devices} {hw}{spread}"

    def machine(
        self, hw: str, devices: int = 1, nodes: int = 1, *, network: str = ""
    ) -> tuple[Machine | None, str]:
        """Return a system of some devices, without calibrated kernels; or None and the reason.

        One device is its package alone. Several are the smallest system of the library that has as many; where they
        are spread over nodes, its innermost network joins those of a node only.

        Args:
            hw: name of the device.
            devices: how many of them.
            nodes: over which the devices are spread.
            network: what a measurement calls the system.
        """
        system = self.system(hw, devices, nodes, network)
        key = ("machine", hw, devices, nodes, id(system[0]))
        if key not in self._found:
            self._found[key] = self._machine(system, devices, nodes)
        machine: tuple[Machine | None, str] = self._found[key]
        return machine

    def kernel_machine(
        self,
        hw: str,
        devices: int = 1,
        nodes: int = 1,
        *,
        engine: str = "",
        kernel: str = "",
        release: str = "",
        network: str = "",
    ) -> tuple[Machine | None, str]:
        """Return a system on which single kernels were measured, with their calibrations; or None and the reason.

        Args:
            hw: name of the device.
            devices: how many of them.
            nodes: over which the devices are spread.
            engine: name of the software that runs on it.
            kernel: name of the kernel of it that was measured.
            release: of the software.
            network: what a measurement calls the system.
        """
        machine, reason = self.machine(hw, devices, nodes, network=network)
        if machine is None:
            return None, reason
        key = ("kernels", id(machine), engine, backend_of(kernel), release)
        if key not in self._found:
            binder = Binder(self.registry, trace=self.trace)
            kernels = find_device_kernels(
                machine.device, None, self.runtime(engine), binder, backend_of(kernel), release or None
            )
            self._found[key] = evolve(machine, device=evolve(machine.device, kernels=kernels))
        return self._found[key], ""

    def model(self, name: str) -> tuple[PublishedModel | None, str]:
        """Return a model by its name, or None and the reason."""
        key = ("model", name)
        if key not in self._found:
            self._found[key] = self._model(name)
        found: tuple[PublishedModel | None, str] = self._found[key]
        return found

    def size(self, rows: MeasurementTable, column: str, unit: str = "") -> Term:
        """Return a column of numbers as a term, which says where it is from while tracing."""
        values = rows.number(column)
        if not self.trace or not len(rows):
            return term(values, unit)
        origin = Origin(span=None, how="set", text=f"{rows.places[0]}")
        return term(values, unit, origin=origin, label=column)

    def runtime(self, engine: str) -> str | None:
        """Return what calibrations call the kernels of an engine; None for none."""
        known = self.runtime_definition(engine)
        return (kernels_name(known.component) if known is not None else _word(engine)) if engine else None

    def runtime_definition(self, engine: str) -> LibraryDefinition | None:
        """Return the runtime of the library that an engine is, or None."""
        ways = (find_definitions(self._items, name, ("runtime",)) for name in (engine, _word(engine)) if name)
        return next((found[0] for found in ways if found), None)

    def model_definition(self, name: str) -> tuple[LibraryDefinition | None, str]:
        """Return the definition of a model, or None and the reason."""
        return self._only(name, ("model",), "model")

    def _only(self, name: str, kinds: tuple[str, ...], what: str) -> tuple[LibraryDefinition | None, str]:
        found = find_definitions(self._items, name, kinds)
        if len(found) == 1:
            return found[0], ""
        if found:
            return None, f"{what} {name} is any of {', '.join(item.name for item in found)}"
        return None, f"the library has no {what} {name}"

    def _machine(
        self, system: tuple[LibraryDefinition | None, str], devices: int, nodes: int
    ) -> tuple[Machine | None, str]:
        item, reason = system
        binder = Binder(self.registry, trace=self.trace)
        machine = None if item is None else assemble_machine(item.component, binder)
        if machine is None:
            return (
                None,
                reason
                or f"installed plugins do not serve all of {item.name if item else ''}{self.registry.describe_absent()}",
            )
        if nodes > 1 and devices > 1:
            inner, *outer = machine.tiers
            machine = evolve(machine, tiers=(evolve(inner, size=term(max(devices // nodes, 1))), *outer))
        return machine, ""

    def _systems(self, device: str) -> list[_System]:
        """Return the systems of a device, the smallest first."""
        if "systems" not in self._found:
            shelf = [item for item in self._items if item.component.kind in SYSTEM_KINDS]
            made = [(item, assemble_machine(item.component, Binder(self.registry))) for item in shelf]
            known = [_System(item, machine) for item, machine in made if machine is not None]
            self._found["systems"] = sorted(known, key=lambda system: system.size)
        return [system for system in self._found["systems"] if system.machine.device.name == device]

    def _model(self, name: str) -> tuple[PublishedModel | None, str]:
        item, reason = self.model_definition(name)
        if item is None:
            return None, reason
        binder = Binder(self.registry)
        bound, record = binder.bind(item.component)
        if bound is None or record is None or binder.problems:
            return None, f"model {name} of the library has no sizes"
        return PublishedModel(
            model=Model(name=item.component.name, spec=bound, record=record),
            precision=read_data_types((item.component,), binder),
        ), ""


def _word(engine: str) -> str:
    """Return the name of an engine as one word."""
    word = re.sub(r"\W+", "_", engine.casefold()).strip("_")
    return ENGINE_ALIASES.get(word, word)
