"""From the blocks of a folder to entries: each device with each model, on its natural systems, in its own precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from accelscope.core.analysis.architecture_study.cells import GridEntry, StudySystem
from accelscope.core.analysis.architecture_study.folder import StudyFolder, read_component_list
from accelscope.core.analysis.architecture_study.systems import (
    DeviceSystem,
    StudyModel,
    enumerate_split_axes,
    find_package_path,
    list_device_systems,
    read_device_system,
)
from accelscope.core.analysis.jobs.candidates import ComparedSystem
from accelscope.core.analysis.jobs.jobs import ScenarioJob
from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.assemble.spec_sheet import SYSTEM_KINDS
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.study import Architecture, Selection
from accelscope.core.library.definitions import list_definitions
from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.dsl.values.values import Attribute, Symbol

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

_DEFAULT_DTYPE = "bf16"
"""Type of weights where the scenario names none."""


@frozen(kw_only=True, eq=False)
class StudyDevice:
    """A device of a study: its architecture, and its systems from the smallest to the largest."""

    device: Component
    architecture: str
    systems: tuple[DeviceSystem, ...]


@frozen(kw_only=True, eq=False)
class StudyParticipants:
    """Everything that takes part in a study.

    Attributes:
        titles: titles of architectures, by name.
        selections: title and names of devices of each selection, by name.
    """

    titles: Mapping[str, str]
    devices: tuple[StudyDevice, ...]
    selections: Mapping[str, tuple[str, frozenset[str]]]

    def of(self, device: str) -> StudyDevice | None:
        """Return a device by name."""
        return next((item for item in self.devices if item.device.name == device), None)


def collect_participants(folder: StudyFolder) -> StudyParticipants:
    """Return the architectures of a folder with their devices, each of these once."""
    registry = folder.session.registry
    shelf = [
        item.component for item in list_definitions(folder.session) if item.component.kind in SYSTEM_KINDS
    ]
    shelf += [component for kind in SYSTEM_KINDS for component in folder.components(kind)]
    known = [
        found
        for component in shelf
        if (found := read_device_system(component, registry, _DEFAULT_DTYPE)) is not None
    ]
    titles: dict[str, str] = {}
    kin: dict[str, StudyDevice] = {}
    for name, block in folder.blocks(Architecture):
        titles[name] = block.title or name
        for device in read_component_list(block.devices, f"{name}.devices", "package"):
            systems = list_device_systems(device, known, registry, _DEFAULT_DTYPE)
            kin.setdefault(device.name, StudyDevice(device=device, architecture=name, systems=systems))
    selections = {
        name: (
            block.title or name,
            frozenset(item.name for item in read_component_list(block.devices, f"{name}.devices", "package")),
        )
        for name, block in folder.blocks(Selection)
    }
    return StudyParticipants(titles=titles, devices=tuple(kin.values()), selections=selections)


def list_grid_entries(
    folder: StudyFolder,
    cast: StudyParticipants,
    scenario: Component,
    subjects: Sequence[StudyModel],
    *,
    measures: tuple[str, ...],
    streamed: bool = False,
) -> Iterator[GridEntry]:
    """Yield each device with each model; systems whose memory is smaller than the weights are left out.

    Args:
        folder: folder of the study.
        cast: devices that take part.
        scenario: what is asked.
        subjects: models that take part.
        measures: metrics; the first one chooses splits.
        streamed: whether weights may come from behind the devices' memory where no system holds them.
    """
    asked = read_requested_dtype(scenario)
    for kin in cast.devices:
        for subject in subjects:
            weights = subject.facts.parameters * DTYPE_BITS[asked] / 8
            large = [system for system in kin.systems if system.memory > weights]
            rungs = [_rung(folder, scenario, system, subject, asked) for system in large]
            if streamed and (behind := [system for system in kin.systems if system.has_offload_tier]):
                rungs += [
                    _rung(folder, scenario, system, subject, asked, streamed=True) for system in behind[:2]
                ]
            yield GridEntry(
                device=kin.device.name,
                model=subject.component.name,
                candidates=tuple(rungs),
                measures=measures,
            )


def read_requested_dtype(scenario: Component) -> str:
    """Return the type of weights that a scenario's deployment asks for."""
    deployment = scenario.get("deployment")
    block = deployment.value if isinstance(deployment, Attribute) else deployment
    for inner in getattr(block, "children", lambda kind: ())("precision"):
        weights = inner.get("weights")
        if isinstance(weights, Attribute) and isinstance(weights.value, Symbol):
            return weights.value.name
    return _DEFAULT_DTYPE


def pair_systems_with_models(
    folder: StudyFolder, name: str, systems: Any, models: Any, dtype: str
) -> Iterator[tuple[Component, DeviceSystem, Component]]:
    """Yield each system of a block, as written and as it is known, with each of its models.

    Args:
        folder: folder of the study.
        name: name of the block, for messages.
        systems: listing of its systems, as written.
        models: listing of its models, as written.
        dtype: data type that products are in.
    """
    for component in read_component_list(systems, f"{name}.systems", "package", *SYSTEM_KINDS):
        system = read_device_system(component, folder.session.registry, dtype)
        if system is not None:
            for model in read_component_list(models, f"{name}.models", "model"):
                yield component, system, model


def build_scenario_job(
    folder: StudyFolder,
    scenario: Component,
    system: DeviceSystem,
    model: Component,
    asked: str,
    *,
    streamed: bool = False,
    deployment: Component | None = None,
) -> ScenarioJob:
    """Return the question of a scenario about a model on a system, in the closest precision that its devices have."""
    used = folder.used(system.component)
    in_asked = read_device_system(system.component, folder.session.registry, asked) or system
    entrant = ComparedSystem(used=used, kind=system.component.kind, facts=in_asked.facts)
    weights, products = entrant.precision(asked)
    blocks: dict[str, dict[str, str]] = {"precision": {"weights": weights, "activations": products}}
    if streamed:
        blocks["memory"] = {"weights": "full_offload"}
    return ScenarioJob(
        folder=str(folder.path),
        scenario=folder.used(scenario),
        deployment=None if deployment is None else folder.used(deployment),
        fields={"system": used, "model": folder.used(model)},
        blocks=blocks,
    )


def _rung(
    folder: StudyFolder,
    scenario: Component,
    system: DeviceSystem,
    subject: StudyModel,
    asked: str,
    *,
    streamed: bool = False,
) -> StudySystem:
    job = build_scenario_job(folder, scenario, system, subject.component, asked, streamed=streamed)
    return StudySystem(
        label=system.component.name,
        job=job,
        groups=tuple(enumerate_split_axes(system, subject)),
        resources=_resources(folder, system.component),
        package_path=find_package_path(system.component),
        streamed=streamed,
    )


def _resources(folder: StudyFolder, component: Component) -> dict[str, str]:
    """Return what each engine and memory of a system's device is, by name."""
    machine = assemble_machine(component, Binder(folder.session.registry))
    if machine is None:
        return {}
    found = {part.name: "memory" for part in machine.device.memories}
    return found | {part.name: "compute" for part in machine.device.engines}
