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

from accelscope.core.bind import Binder
from accelscope.core.calibrations import kernels_of
from accelscope.core.design import Model
from accelscope.core.facts import SYSTEMS
from accelscope.core.machine import machine_of
from accelscope.core.scenario import PrecisionBlock
from accelscope.core.show.shelf import Item, items, named
from accelscope.core.term import term
from accelscope.core.work import Machine
from accelscope.dsl.values import Symbol

if TYPE_CHECKING:
    from accelscope.core.registry import Registry
    from accelscope.core.session import Session

SAME: Mapping[str, str] = {"trtllm": "tensorrt_llm", "deepspeed_mii": "deepspeed_mii", "neuronx": "neuron"}
"""Engines that measurements know by a shorter name than the library does."""


@frozen(kw_only=True, eq=False)
class Published:
    """A model with the data types that its publisher gives it, by role; empty where the library does not say."""

    model: Model
    precision: Mapping[str, str]


@define(eq=False)
class Names:
    """Looks names up in a session's library; everything found is kept."""

    session: Session
    _items: tuple[Item, ...] = field(init=False)
    _found: dict[Any, Any] = field(factory=dict, init=False)

    def __attrs_post_init__(self) -> None:
        self._items = tuple(items(self.session))

    @property
    def registry(self) -> Registry:
        """The plugins."""
        return self.session.registry

    def device(self, hw: str) -> tuple[Item | None, str]:
        """Return the package of a name, or None and the reason."""
        return self._only(hw, ("package",), "device")

    def machine(
        self, hw: str, devices: int = 1, nodes: int = 1, engine: str = ""
    ) -> tuple[Machine | None, str]:
        """Return a system of some devices, with what was measured of its kernels; or None and the reason.

        One device is its package alone. Several are the smallest system of the library that has as many; where they
        are spread over nodes, its innermost network joins those of a node only.

        Args:
            hw: name of the device.
            engine: name of the software that runs on it.
        """
        key = ("machine", hw, devices, nodes, engine)
        if key not in self._found:
            self._found[key] = self._machine(hw, devices, nodes, engine)
        found: tuple[Machine | None, str] = self._found[key]
        return found

    def model(self, name: str) -> tuple[Published | None, str]:
        """Return a model by its name, or None and the reason."""
        key = ("model", name)
        if key not in self._found:
            self._found[key] = self._model(name)
        found: tuple[Published | None, str] = self._found[key]
        return found

    def runtime(self, engine: str) -> str | None:
        """Return what the library calls an engine, or its name as a word where the library lacks it; None for none."""
        if not engine:
            return None
        word = re.sub(r"\W+", "_", engine.casefold()).strip("_")
        word = SAME.get(word, word)
        for name in (engine, word):
            found = named(self._items, name, ("runtime",))
            if found:
                return found[0].component.name
        return word

    def _only(self, name: str, kinds: tuple[str, ...], what: str) -> tuple[Item | None, str]:
        found = named(self._items, name, kinds)
        if len(found) == 1:
            return found[0], ""
        if found:
            return None, f"{what} {name} is any of {', '.join(item.name for item in found)}"
        return None, f"the library has no {what} {name}"

    def _machine(self, hw: str, devices: int, nodes: int, engine: str) -> tuple[Machine | None, str]:
        package, reason = self.device(hw)
        if package is None:
            return None, reason
        if devices <= 1:
            machine = machine_of(package.component, Binder(self.registry))
        else:
            machine = _fitting(self._systems(package.component.name), devices, nodes)
        if machine is None:
            spread = f" in {nodes} nodes" if nodes > 1 else ""
            return None, f"the library has no system of {devices} {hw}{spread}"
        binder = Binder(self.registry)
        kernels = kernels_of(machine.device, None, self.runtime(engine), binder)
        return evolve(machine, device=evolve(machine.device, kernels=kernels)), ""

    def _systems(self, device: str) -> list[Machine]:
        """Return the systems of a device, the smallest first."""
        if "systems" not in self._found:
            components = [item.component for item in self._items if item.component.kind in SYSTEMS]
            made = (machine_of(component, Binder(self.registry)) for component in components)
            self._found["systems"] = sorted((item for item in made if item is not None), key=_size)
        return [item for item in self._found["systems"] if item.device.name == device]

    def _model(self, name: str) -> tuple[Published | None, str]:
        item, reason = self._only(name, ("model",), "model")
        if item is None:
            return None, reason
        binder = Binder(self.registry)
        bound, record = binder.bind(item.component)
        if bound is None or record is None or binder.problems:
            return None, f"model {name} of the library has no sizes"
        given: dict[str, str] = {}
        for inner in item.component.children("precision"):
            binder.bind_as(inner, PrecisionBlock)
            given |= {
                role: attribute.value.name
                for role, attribute in inner.attributes().items()
                if isinstance(attribute.value, Symbol)
            }
        return Published(
            model=Model(name=item.component.name, spec=bound, record=record), precision=given
        ), ""


def _fitting(systems: list[Machine], devices: int, nodes: int) -> Machine | None:
    for machine in systems:
        if _size(machine) < devices or (nodes > 1 and len(machine.tiers) < 2):
            continue
        if nodes <= 1:
            return machine
        inner, *outer = machine.tiers
        return evolve(machine, tiers=(evolve(inner, size=term(max(devices // nodes, 1))), *outer))
    return None


def _size(machine: Machine) -> int:
    return int(np.asarray(machine.devices.value).flat[0])
