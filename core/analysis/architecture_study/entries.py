"""From the blocks of a folder to entries: each device with each model, on its natural systems, in its own precision."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from attrs import frozen

from accelscope.core.analysis.architecture_study.cells import Entry, Rung
from accelscope.core.analysis.architecture_study.folder import Folder, components_of
from accelscope.core.analysis.architecture_study.systems import (
    Subject,
    System,
    package_path,
    splits_of,
    system_of,
    systems_of,
)
from accelscope.core.analysis.compare.candidates import Entrant
from accelscope.core.analysis.jobs.jobs import Job
from accelscope.core.assemble.machine import machine_of
from accelscope.core.assemble.spec_sheet import SYSTEMS
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.study import Architecture, Selection
from accelscope.core.library.definitions import items
from accelscope.core.numeric.dtypes import BITS
from accelscope.dsl.values.values import Attribute, Symbol

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

ASKED = "bf16"
"""Type of weights where the scenario names none."""


@frozen(kw_only=True, eq=False)
class Kin:
    """A device of a study: its architecture, and its systems from the smallest to the largest."""

    device: Component
    architecture: str
    systems: tuple[System, ...]


@frozen(kw_only=True, eq=False)
class Cast:
    """Everything that takes part in a study.

    Attributes:
        titles: of architectures, by name; selections: title and names of devices, by name.
    """

    titles: Mapping[str, str]
    kin: tuple[Kin, ...]
    selections: Mapping[str, tuple[str, frozenset[str]]]

    def of(self, device: str) -> Kin | None:
        """Return a device by name."""
        return next((item for item in self.kin if item.device.name == device), None)


def cast_of(folder: Folder) -> Cast:
    """Return the architectures of a folder with their devices, each of these once."""
    registry = folder.session.registry
    shelf = [item.component for item in items(folder.session) if item.component.kind in SYSTEMS]
    shelf += [component for kind in SYSTEMS for component in folder.components(kind)]
    known = [found for component in shelf if (found := system_of(component, registry, ASKED)) is not None]
    titles: dict[str, str] = {}
    kin: dict[str, Kin] = {}
    for name, block in folder.blocks(Architecture):
        titles[name] = block.title or name
        for device in components_of(block.devices, f"{name}.devices", "package"):
            systems = systems_of(device, known, registry, ASKED)
            kin.setdefault(device.name, Kin(device=device, architecture=name, systems=systems))
    selections = {
        name: (
            block.title or name,
            frozenset(item.name for item in components_of(block.devices, f"{name}.devices", "package")),
        )
        for name, block in folder.blocks(Selection)
    }
    return Cast(titles=titles, kin=tuple(kin.values()), selections=selections)


def entries_of(
    folder: Folder,
    cast: Cast,
    scenario: Component,
    subjects: Sequence[Subject],
    *,
    measures: tuple[str, ...],
    streamed: bool = False,
) -> Iterator[Entry]:
    """Yield each device with each model; systems whose memory is smaller than the weights are left out.

    Args:
        scenario: what is asked.
        measures: metrics; the first one chooses splits.
        streamed: whether weights may come from behind the devices' memory where no system holds them.
    """
    asked = asked_dtype(scenario)
    for kin in cast.kin:
        for subject in subjects:
            weights = subject.facts.parameters * BITS[asked] / 8
            large = [system for system in kin.systems if system.memory > weights]
            rungs = [_rung(folder, scenario, system, subject, asked) for system in large]
            if streamed and (behind := [system for system in kin.systems if system.tiered]):
                rungs += [
                    _rung(folder, scenario, system, subject, asked, streamed=True) for system in behind[:2]
                ]
            yield Entry(
                device=kin.device.name,
                model=subject.component.name,
                rungs=tuple(rungs),
                measures=measures,
            )


def asked_dtype(scenario: Component) -> str:
    """Return the type of weights that a scenario's deployment asks for."""
    deployment = scenario.get("deployment")
    block = deployment.value if isinstance(deployment, Attribute) else deployment
    for inner in getattr(block, "children", lambda kind: ())("precision"):
        weights = inner.get("weights")
        if isinstance(weights, Attribute) and isinstance(weights.value, Symbol):
            return weights.value.name
    return ASKED


def pairs_of(
    folder: Folder, name: str, systems: Any, models: Any, dtype: str
) -> Iterator[tuple[Component, System, Component]]:
    """Yield each system of a block, as written and as it is known, with each of its models.

    Args:
        name: of the block; systems, models: its listings; dtype: that products are in.
    """
    for component in components_of(systems, f"{name}.systems", "package", *SYSTEMS):
        system = system_of(component, folder.session.registry, dtype)
        if system is not None:
            for model in components_of(models, f"{name}.models", "model"):
                yield component, system, model


def job_on(
    folder: Folder,
    scenario: Component,
    system: System,
    model: Component,
    asked: str,
    *,
    streamed: bool = False,
    deployment: Component | None = None,
) -> Job:
    """Return the question of a scenario about a model on a system, in the closest precision that its devices have."""
    used = folder.used(system.component)
    in_asked = system_of(system.component, folder.session.registry, asked) or system
    entrant = Entrant(used=used, kind=system.component.kind, facts=in_asked.facts)
    weights, products = entrant.precision(asked)
    blocks: dict[str, dict[str, str]] = {"precision": {"weights": weights, "activations": products}}
    if streamed:
        blocks["memory"] = {"weights": "streamed"}
    return Job(
        folder=str(folder.path),
        scenario=folder.used(scenario),
        deployment=None if deployment is None else folder.used(deployment),
        fields={"system": used, "model": folder.used(model)},
        blocks=blocks,
    )


def _rung(
    folder: Folder,
    scenario: Component,
    system: System,
    subject: Subject,
    asked: str,
    *,
    streamed: bool = False,
) -> Rung:
    job = job_on(folder, scenario, system, subject.component, asked, streamed=streamed)
    return Rung(
        label=system.component.name,
        job=job,
        groups=tuple(splits_of(system, subject)),
        resources=_resources(folder, system.component),
        above=package_path(system.component),
        streamed=streamed,
    )


def _resources(folder: Folder, component: Component) -> dict[str, str]:
    """Return what each engine and memory of a system's device is, by name."""
    machine = machine_of(component, Binder(folder.session.registry))
    if machine is None:
        return {}
    found = {part.name: "memory" for part in machine.device.memories}
    return found | {part.name: "compute" for part in machine.device.engines}
