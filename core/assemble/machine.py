"""The hardware side of a design: from the blocks of a system to a device and the network tiers around it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.assemble.offload_tiers import assemble_offload_tiers
from accelscope.core.assemble.on_die_fabric import bind_on_die_fabric
from accelscope.core.bind.binder import Binder
from accelscope.core.blocks.hardware import ConnectSettings, Link, Package, Switch
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import (
    Device,
    EnginePart,
    Fabric,
    HardwareBlock,
    Machine,
    MemoryPart,
    Part,
)
from accelscope.core.numeric.term import Term, minimum
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.connections import evaluate_connections

if TYPE_CHECKING:
    from accelscope.dsl.interpret.connections import Connection

_PLACES = ("package", "die", "core")
_LAYOUT_PATTERNS = {"rail_optimized": "rail", "fat_tree": "fat_tree"}


@frozen(kw_only=True)
class _Place:
    """Where the walk down a package is: counts multiplied, nearest clock, cores."""

    path: str
    level: str
    count: Term
    cores: Term
    clock: Term | None


def assemble_machine(system: Component, binder: Binder) -> Machine | None:
    """Return the machine that a system describes; None with problems in the binder where it cannot be told.

    The device is the nearest package below the system that has engines; blocks between them multiply its count.
    """
    chain = _device_chain(system)
    if chain is None:
        binder.problems.append(_no_device(system))
        return None
    package = chain[-1]
    device = _device(package, binder, assemble_offload_tiers(chain, binder))
    if device is None:
        return None
    devices = binder.counts(chain[1:]).named("devices")
    return Machine(device=device, devices=devices, tiers=_tiers(chain, binder))


def _device_chain(system: Component) -> tuple[Component, ...] | None:
    """Return the components from a system down to its device package, breadth first."""
    queue: list[tuple[Component, ...]] = [(system,)]
    while queue:
        chain = queue.pop(0)
        if chain[-1].kind == "package" and _has_engine(chain[-1]):
            return chain
        queue.extend(
            (*chain, child) for child in chain[-1].children() if child.kind not in ("die", "core", "host")
        )
    return None


def _has_engine(component: Component) -> bool:
    return any(
        child.kind == "engine" or (child.kind in _PLACES and _has_engine(child))
        for child in component.children()
    )


def _device(package: Component, binder: Binder, tiers: list[MemoryPart[Any]]) -> Device | None:
    bound = binder.bind_as(package, Package)
    if bound is None:
        return None
    start = _Place(path="", level="package", count=ONE, cores=ONE, clock=bound.clock)
    tree = _block(package, bound, start, binder)
    parts = [part for block in tree.walk() for part in block.parts]
    own = [part for part in parts if isinstance(part, MemoryPart)]
    memories = [*sorted(own, key=lambda part: part.model.order), *tiers]
    engines = tuple(part for part in parts if isinstance(part, EnginePart))
    return Device(
        name=package.definition or package.name,
        engines=engines,
        memories=tuple(memories),
        package=bound,
        tree=tree,
        fabric=bind_on_die_fabric(package, binder),
    )


def _block(component: Component, spec: Any, place: _Place, binder: Binder) -> HardwareBlock:
    """Return a package, die or core with all that is in it."""
    parts: list[Part[Any]] = []
    blocks: list[HardwareBlock] = []
    for child in component.children():
        if child.kind in ("engine", "memory"):
            part = binder.part(child)
            if part is not None:
                parts.append(_placed(part, place))
        elif child.kind in _PLACES:
            blocks.append(_block(child, binder.bind(child)[0], _inside(child, place, binder), binder))
    return HardwareBlock(
        kind=component.kind,
        name=component.name,
        path=place.path,
        spec=spec,
        count=place.count,
        parts=tuple(parts),
        children=tuple(blocks),
    )


def _placed(part: Part[Any], place: _Place) -> Part[Any]:
    return evolve(
        part,
        path=f"{place.path}.{part.name}".lstrip("."),
        count=(part.count * place.count).named(f"{part.name} instances"),
        cores=place.cores,
        clock=place.clock,
        level=place.level,
    )


def _inside(component: Component, place: _Place, binder: Binder) -> _Place:
    count = binder.count(component) * place.count
    clock = component.attributes().get("clock")
    own = binder.quantity(component, clock) if clock is not None else None
    return _Place(
        path=f"{place.path}.{component.name}".lstrip("."),
        level=component.kind,
        count=count,
        cores=count if component.kind == "core" else place.cores,
        clock=own or place.clock,
    )


def _tiers(chain: tuple[Component, ...], binder: Binder) -> tuple[Fabric, ...]:
    """Return the tiers from the innermost outwards: one for each level of the chain that connects something."""
    tiers: list[Fabric] = []
    for depth in range(len(chain) - 2, -1, -1):
        below = chain[depth + 1 :]
        candidates = [_fabric(item, below, binder) for item in evaluate_connections(chain[depth])]
        fabrics = [item for item in candidates if item is not None]
        if fabrics:
            tiers.append(max(fabrics, key=_speed))
    return tuple(tiers)


def _speed(fabric: Fabric) -> tuple[bool, float]:
    """Return what networks of one level are compared by: those of devices come before the way through a host."""
    value = (fabric.link.bandwidth * fabric.links).value
    return fabric.pattern != "host", float(np.asarray(value).flat[0])


def _fabric(item: Connection, below: tuple[Component, ...], binder: Binder) -> Fabric | None:
    """Return the tier that a connection makes among the devices below, or None where it joins something else."""
    ends = [_way(end.component, item.owner) for end in (item.left, item.right) if end is not None]
    inner = next((end for end in ends if end[0].name == below[0].name), None)
    if inner is None or not isinstance(item.via, Component):
        return None
    others = [end[-1] for end in ends if end is not inner]
    if any(other.kind not in ("switch", "host", below[-1].kind, below[0].kind) for other in others):
        return None
    link = binder.bind_as(item.via, Link)
    settings = binder.bind_as(item.settings, ConnectSettings)
    if link is None or settings is None:
        return None
    return _joined(item, inner, below, others, link, settings, binder)


def _way(component: Component, owner: Component) -> tuple[Component, ...]:
    """Return the components from just below an owner down to one."""
    way = [component]
    while way[0].parent is not None and way[0].parent is not owner:
        way.insert(0, way[0].parent)
    return tuple(way)


def _joined(
    item: Connection,
    inner: tuple[Component, ...],
    below: tuple[Component, ...],
    others: list[Component],
    link: Link,
    settings: Any,
    binder: Binder,
) -> Fabric:
    switch = _bound(
        next((other for other in others if other.kind == "switch"), settings.switch), Switch, binder
    )
    links = settings.links_per_source or ONE
    if inner[-1].kind == "nic":
        links, link = _through_nic(inner[-1], below, links, link, binder)
    inside = binder.counts(below[1:])
    pattern = item.pattern or _LAYOUT_PATTERNS.get(settings.layout or "", _plain(others))
    return Fabric(
        name=item.via.name if isinstance(item.via, Component) else item.owner.name,
        pattern=pattern,
        model=binder.registry.interconnect_for(pattern),
        link=link,
        links=links.named("links per device"),
        size=binder.count(below[0]).named(f"{below[0].name} in one group"),
        cards=(links * inside).named(f"links of one {below[0].name}"),
        shape=tuple(binder.plain(value) for value in item.args),
        switch=switch,
        settings=evolve(settings, switch=None, wrap=_bound(settings.wrap, Link, binder)),
    )


def _plain(others: list[Component]) -> str:
    """Return the pattern of a connection that names none."""
    kinds = {other.kind for other in others}
    return "switch" if "switch" in kinds else "host" if "host" in kinds else "clique"


def _bound(block: Component | None, cls: type, binder: Binder) -> Any:
    return None if block is None else binder.bind_as(block, cls)


def _through_nic(
    nic: Component, below: tuple[Component, ...], links: Term, link: Any, binder: Binder
) -> tuple[Term, Any]:
    """Return links per device and the link, no faster than the card, of a tier that starts at network cards."""
    per_node = binder.counts(below[1:])
    bound = binder.bind(nic)[0]
    links = links * binder.count(nic) / per_node
    if bound is None:
        return links, link
    latency = link.latency if bound.latency is None else (link.latency or bound.latency * 0) + bound.latency
    return links, evolve(link, bandwidth=minimum(link.bandwidth, bound.bandwidth), latency=latency)


def _no_device(system: Component) -> Diagnostic:
    return Diagnostic(
        code="A304",
        message=f"`{system.kind} {system.name}` has no package with engines, so nothing can compute",
        span=system.span,
        label="this system",
        help="add `package chip[8] : SOME_CHIP` to it",
    )
