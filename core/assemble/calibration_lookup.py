"""Calibrations that ship with libraries: found by the name, the family and the engine model of a device.

A library folder may hold `calibration/device/NAME.accel`, `calibration/family/NAME.accel` and
`calibration/model/NAME.accel`, with what holds whatever the runtime; beside each a folder NAME with `RUNTIME.accel` for
what holds for one runtime, and `RUNTIME_kernels.accel` for single backends and releases of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from attrs import define, field

from accelscope.core.blocks.calibration import (
    Calibration,
    CalibrationLayer,
    DeviceKernels,
    build_calibration_layer,
)
from accelscope.core.errors import DescriptionError
from accelscope.core.library.sources import CALIBRATION_FOLDER, Library
from accelscope.dsl.check.program import Program, load_program
from accelscope.dsl.diagnostics.diagnostics import has_errors
from accelscope.dsl.interpret.interpreter import Interpreter
from accelscope.dsl.values.operations import ScalarOperations

if TYPE_CHECKING:
    from accelscope.core.bind.binder import Binder
    from accelscope.core.ir.hardware import Device
    from accelscope.core.plugin.registry import Registry
    from accelscope.dsl.interpret.component import Component


@define(eq=False)
class CalibrationLibrary:
    """The calibrations of the plugins' libraries, each text read and bound when first needed."""

    registry: Registry
    _programs: dict[str, tuple[Program, ...]] = field(factory=dict)
    _layers: dict[tuple[str, bool], tuple[CalibrationLayer, ...]] = field(factory=dict)
    _library: Library | None = None

    def of(self, module: str, binder: Binder) -> tuple[CalibrationLayer, ...]:
        """Return what a module such as `device.H100_SXM` or `family.hopper.vllm` knows of kernels.

        Args:
            module: module of a calibration, below the folder of calibrations.
            binder: what is bound is kept for all that trace, and for all that do not.

        Raises:
            DescriptionError: a shipped text cannot be parsed.
        """
        key = (module, binder.trace)
        if key not in self._layers:
            origin = module.partition(".")[0]
            bound = (binder.bind_as(block, Calibration) for block in self._blocks(module))
            self._layers[key] = tuple(
                build_calibration_layer(item, origin) for item in bound if item is not None
            )
        return self._layers[key]

    def _blocks(self, module: str) -> Iterable[Component]:
        if module not in self._programs:
            self._programs[module] = tuple(self._load(module))
        for program in self._programs[module]:
            yield from program.definitions("calibration")

    def _load(self, module: str) -> Iterable[Program]:
        if self._library is None:
            self._library = Library.of(self.registry.libraries.values())
        library = self._library
        for namespace in sorted(library.folders):
            source = library.library(f"{namespace}.{CALIBRATION_FOLDER}.{module}")
            if source is None:
                continue
            session = Interpreter(library, self.registry.units, self.registry.schemas(), ScalarOperations())
            program = load_program(source, session)
            if has_errors(program.diagnostics):
                raise DescriptionError(program.diagnostics)
            yield program


def calibration_module_name(
    origin: str, name: str, runtime: str | None = None, *, detailed: bool = False
) -> str:
    """Return the module of a shipped calibration, below the folder of calibrations.

    Args:
        origin: `device`, `family` or `model`.
        name: name of the device, family or model.
        runtime: that it holds for, or None for any.
        detailed: whether it is of a backend or a release of the runtime.
    """
    if runtime is None:
        return f"{origin}.{name}"
    return f"{origin}.{name}.{runtime}{'_kernels' if detailed else ''}"


def find_device_kernels(
    device: Device,
    explicit: Calibration | None,
    runtime: str | None,
    binder: Binder,
    backend: str | None = None,
    release: str | None = None,
) -> DeviceKernels:
    """Return what was measured and holds for the kernels of a runtime on a device, nearest first.

    Args:
        device: device that runs the kernels.
        explicit: calibration that a deployment names, which goes before all others.
        runtime: name of the software whose kernels run, or None.
        binder: binds the blocks of calibrations.
        backend: backend whose kernels run, or None.
        release: release of the runtime, or None.
    """
    calibrations = binder.registry.shared(CalibrationLibrary)
    found: list[CalibrationLayer] = [] if explicit is None else [build_calibration_layer(explicit, "given")]
    for origin, name in _names(device):
        modules = [calibration_module_name(origin, name)]
        if runtime is not None:
            modules.append(calibration_module_name(origin, name, runtime))
            if backend is not None or release is not None:
                modules.append(calibration_module_name(origin, name, runtime, detailed=True))
        layers = (layer for module in modules for layer in calibrations.of(module, binder))
        found.extend(
            sorted((layer for layer in layers if _holds(layer, runtime, backend, release)), key=_narrowest)
        )
    return DeviceKernels(tuple(found))


def _holds(layer: CalibrationLayer, runtime: str | None, backend: str | None, release: str | None) -> bool:
    return (
        layer.runtime in (None, runtime)
        and layer.backend in (None, backend)
        and layer.release in (None, release)
    )


def _narrowest(layer: CalibrationLayer) -> int:
    """Return a key that sorts layers: with a backend first, then with a release, then any of a runtime, then any."""
    return (layer.runtime is None) * 4 + (layer.backend is None) * 2 + (layer.release is None)


def _names(device: Device) -> Iterable[tuple[str, str]]:
    """Yield what a device is, nearest first; the class only where kernels are started one by one, as on GPUs."""
    yield "device", device.name
    if device.package.family is not None:
        yield "family", device.package.family
    if device.package.launch_granularity == "op" and device.package.layer_mapping == "all_cores":
        for model in dict.fromkeys(part.model.name for part in device.engines):
            yield "model", model
