"""Calibrations that ship with libraries: found by the name, the family and the engine model of a device.

A library folder may hold `calibration/device/NAME.accel`, `calibration/family/NAME.accel` and
`calibration/model/NAME.accel`; each text holds blocks `calibration`, one for each runtime and one for any.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import define, field

from accelscope.core.errors import DescriptionError
from accelscope.core.kernels import Calibration, Kernels, Layer, layer_of
from accelscope.core.library import Library
from accelscope.dsl.diagnostics import has_errors
from accelscope.dsl.operations import ScalarOperations
from accelscope.dsl.program import Program, load
from accelscope.dsl.session import Session

if TYPE_CHECKING:
    from accelscope.core.bind import Binder
    from accelscope.core.registry import Registry
    from accelscope.core.work import Device
    from accelscope.dsl.component import Component

FOLDER = "calibration"
ORIGINS = ("device", "family", "model")
"""What a shipped calibration may be of, nearest first."""


@define(eq=False)
class Calibrations:
    """The calibrations of the plugins' libraries, each text read when first needed."""

    registry: Registry
    _programs: dict[tuple[str, str], tuple[Program, ...]] = field(factory=dict)

    def of(self, origin: str, name: str) -> tuple[Component, ...]:
        """Return the blocks that are of a device, a family or a model of engines.

        Raises:
            DescriptionError: a shipped text has errors.
        """
        key = (origin, name)
        if key not in self._programs:
            self._programs[key] = tuple(self._load(origin, name))
        return tuple(block for program in self._programs[key] for block in program.definitions("calibration"))

    def _load(self, origin: str, name: str) -> Iterable[Program]:
        library = Library.of(self.registry.libraries.values())
        for namespace in sorted(library.folders):
            source = library.library(f"{namespace}.{FOLDER}.{origin}.{name}")
            if source is None:
                continue
            session = Session(library, self.registry.units, self.registry.schemas(), ScalarOperations())
            program = load(source, session)
            found = program.check()
            if has_errors(found):
                raise DescriptionError(found)
            yield program


def kernels_of(
    device: Device,
    explicit: Component | None,
    runtime: str | None,
    binder: Binder,
    backend: str | None = None,
    release: str | None = None,
) -> Kernels:
    """Return what was measured and holds for the kernels of a runtime on a device, nearest first.

    Args:
        explicit: calibration that a deployment names, which goes before all others.
        runtime: name of the software whose kernels run, or None.
        backend: which of its kernels, or None; release: of the runtime, or None.
    """
    found: list[Layer] = []
    if explicit is not None:
        bound = binder.bind_as(explicit, Calibration)
        found.extend(() if bound is None else (layer_of(bound, "given"),))
    for origin, name in _names(device):
        blocks = binder.registry.calibrations.of(origin, name)
        layers = [
            layer_of(bound, origin) for block in blocks if (bound := binder.bind_as(block, Calibration))
        ]
        found.extend(
            sorted((layer for layer in layers if _holds(layer, runtime, backend, release)), key=_narrowest)
        )
    return Kernels(tuple(found))


def _holds(layer: Layer, runtime: str | None, backend: str | None, release: str | None) -> bool:
    return (
        layer.runtime in (None, runtime)
        and layer.backend in (None, backend)
        and layer.release in (None, release)
    )


def _narrowest(layer: Layer) -> int:
    """Return a key that sorts layers: with a backend first, then with a release, then any of a runtime, then any."""
    return (layer.runtime is None) * 4 + (layer.backend is None) * 2 + (layer.release is None)


def _names(device: Device) -> Iterable[tuple[str, str]]:
    yield "device", device.name
    if device.package.family is not None:
        yield "family", device.package.family
    for model in dict.fromkeys(part.model for part in device.engines):
        yield "model", model
