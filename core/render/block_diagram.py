"""The block structure of a package or system: blocks in blocks with their counts, and the links between them. Pure.

This is what both pictures, the text and the SVG, are drawn from.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.assemble.spec_sheet import compute_matmul_peak, extract_finite_number, find_matmul_dtype
from accelscope.core.bind.binder import Binder
from accelscope.core.ir.hardware import Device
from accelscope.core.library.definitions import format_resolved_value
from accelscope.core.numeric.term import Term
from accelscope.core.render.library_tables import format_si_number, is_float_dtype
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.connections import evaluate_connections
from accelscope.dsl.values.units import format_quantity
from accelscope.dsl.values.values import Attribute, Quantity

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry
    from accelscope.dsl.interpret.connections import Connection

DIAGRAM_KINDS = (
    "cluster",
    "rack",
    "node",
    "host",
    "package",
    "die",
    "core",
    "engine",
    "memory",
    "switch",
    "nic",
)
"""Kinds of block that a picture shows, outermost first."""
_DTYPES = ("bf16", "fp16", "fp8", "int8", "fp4", "fp32")
_OPS = 3


@frozen(kw_only=True)
class DiagramLink:
    """A link between two blocks that stand in the same one, or among the instances of one block.

    Attributes:
        left, right: names of the blocks; `right` is None for a pattern such as a mesh.
        text: what joins them.
    """

    left: str
    right: str | None
    text: str


@frozen(kw_only=True)
class DiagramBlock:
    """One block of a picture.

    Attributes:
        count: number of these blocks in each instance of the block around them.
        dims: the same number as a grid, such as (900, 1000).
        base: what it is one of, such as `H100_SXM`; empty where the label says it.
        facts: of one of them.
        total: of all of them in a device.
    """

    kind: str
    name: str
    count: int = 1
    dims: tuple[int, ...] = ()
    base: str = ""
    facts: tuple[str, ...] = ()
    total: str = ""
    children: tuple[DiagramBlock, ...] = ()
    links: tuple[DiagramLink, ...] = ()

    @property
    def told(self) -> tuple[str, ...]:
        """Facts and total."""
        return (*self.facts, self.total) if self.total else self.facts

    @property
    def times(self) -> str:
        """The count as it is drawn: empty for one."""
        if len(self.dims) > 1:
            return "×" + "×".join(f"{size}" for size in self.dims)
        return f"×{self.count}" if self.count != 1 else ""

    @property
    def label(self) -> str:
        """Kind, name, count and base."""
        base = f": {self.base}" if self.base and self.base != self.name else ""
        return " ".join(part for part in (self.kind, self.name, self.times) if part) + base


def build_block_diagram(component: Component, registry: Registry) -> DiagramBlock:
    """Return the structure of a package or of a system, or of a part of one such as a die."""
    machine = assemble_machine(component, Binder(registry))
    totals = dict(_totals(machine.device)) if machine is not None else {}
    return _block(component, totals, None)


def _block(component: Component, totals: Mapping[str, str], around: str | None) -> DiagramBlock:
    """Return a block.

    Args:
        component: the block.
        totals: what all instances of a part of the device give, by path in the package.
        around: path in the package of the block around it, None outside of a package.
    """
    own = f"{around}.{component.name}".lstrip(".") if around is not None else None
    if component.kind == "package":
        own = ""
    children = [child for child in component.children() if child.kind in DIAGRAM_KINDS]
    kept = {child.name for child in children}
    definition = component.definition
    return DiagramBlock(
        kind=component.kind,
        name=component.name,
        count=_count(component.count),
        dims=tuple(_count(size) for size in component.shape),
        base=definition if component.parent is not None else "",
        facts=tuple(_facts(component)),
        total=totals.get(own, "") if own else "",
        children=tuple(_block(child, totals, own) for child in children),
        links=tuple(_wires(evaluate_connections(component), component, kept)),
    )


def _count(value: Quantity) -> int:
    return round(float(np.asarray(value.magnitude).flat[0]))


def _facts(component: Component) -> Iterator[str]:
    """Yield what is told of one block: few words, in the units of the description."""
    for part in _TOLD.get(component.kind, ()):
        text = part(component)
        if text:
            yield text


def _given(name: str, before: str = "") -> Callable[[Component], str]:
    def told(component: Component) -> str:
        attribute = component.get(name)
        return before + _format_short_number(attribute.value) if isinstance(attribute, Attribute) else ""

    return told


def _storage(component: Component) -> str:
    """Return class, capacity and bandwidth of a memory, such as `hbm3 80 GiB at 3.352 TB/s`."""
    chosen, capacity = (_given(name)(component) for name in ("class", "capacity"))
    bandwidth = component.get("bandwidth")
    if isinstance(bandwidth, Component):
        rates = [
            f"{_format_short_number(item.value)} {name}" for name, item in bandwidth.attributes().items()
        ]
        speed = " and ".join(rates)
    else:
        speed = _given("bandwidth")(component)
    held = " ".join(part for part in (chosen, capacity) if part)
    return f"{held} at {speed}" if speed else held


def _rates(component: Component) -> str:
    """Return the rates of an engine in a few data types."""
    ops = component.get("ops")
    if not isinstance(ops, Component):
        return ""
    given = ops.attributes()
    named = [name for name in _DTYPES if name in given] or list(given)
    if "bf16" in named and "fp16" in named:
        named.remove("fp16")
    return ", ".join(f"{name} {_format_short_number(given[name].value)}" for name in named[:_OPS])


_TOLD: Mapping[str, tuple[Callable[[Component], str], ...]] = {
    "package": (_given("tdp"),),
    "die": (_given("clock"), _given("area")),
    "core": (_given("clock"),),
    "engine": (_given("kind"), _given("shape"), _rates),
    "memory": (_storage,),
    "switch": (_given("radix", "radix "), _given("latency")),
    "nic": (_given("bandwidth"),),
    "host": (_given("model"),),
}


def _format_short_number(value: Any) -> str:
    """Return a value as a picture shows it: four digits are enough."""
    if not isinstance(value, Quantity):
        return format_resolved_value(value)
    text = format_resolved_value(value)
    figure, _, unit = text.partition(" ")
    try:
        return f"{float(figure):.4g} {unit}".strip() if abs(float(figure)) < 1e4 else text
    except ValueError:
        return format_quantity(float(value.magnitude), value.dimension)


def _wires(connections: Iterable[Connection], owner: Component, kept: set[str]) -> Iterator[DiagramLink]:
    """Yield the links of a block between blocks that are drawn."""
    for item in connections:
        ends = [_nearest(end.component, owner) for end in (item.left, item.right) if end is not None]
        if any(end not in kept for end in ends):
            continue
        right = ends[1] if len(ends) > 1 else None
        yield DiagramLink(left=ends[0], right=right, text=_link(item))


def _nearest(component: Component, owner: Component) -> str:
    """Return the name of the block just below an owner that a component stands in."""
    while component.parent is not None and component.parent is not owner:
        component = component.parent
    return component.name


def _link(item: Connection) -> str:
    """Return pattern, number of links, name, bandwidth and latency of a connection."""
    layout = item.settings.get("layout")
    pattern = item.pattern or (format_resolved_value(layout.value) if isinstance(layout, Attribute) else "")
    if item.args:
        pattern += f"({', '.join(map(format_resolved_value, item.args))})"
    if item.via is None:
        return pattern or "joined"
    links = item.settings.get("links_per_source")
    many = f"{format_resolved_value(links.value)} × " if isinstance(links, Attribute) else ""
    rates = [_given(name)(item.via) for name in ("bandwidth", "latency")]
    details = ", ".join(part for part in rates if part)
    return " ".join(part for part in (pattern, f"{many}{item.via.definition}", details) if part)


def _totals(device: Device) -> Iterator[tuple[str, str]]:
    """Yield path and total of each engine and memory level of a device."""
    for engine in device.engines:
        if "gemm" not in engine.model.kinds:
            continue
        alone = evolve(device, engines=(engine,))
        dtype = find_matmul_dtype(alone, "bf16")
        rate = compute_matmul_peak(alone, dtype) if dtype else None
        if rate is not None:
            yield (
                engine.path,
                f"all: {format_si_number(rate, 'FLOP/s' if is_float_dtype(dtype) else 'op/s')} {dtype}",
            )
    for part in device.memories:
        if (extract_finite_number(part.count) or 1) <= 1:
            continue
        capacity: Term | None = getattr(part.spec, "capacity", None)
        peak = extract_finite_number(part.peak)
        held = None if capacity is None else extract_finite_number(capacity * part.count)
        texts = [
            "" if held is None or capacity is None else format_quantity(held, capacity.dimension),
            "" if peak is None else format_si_number(peak, "B/s"),
        ]
        told = " at ".join(text for text in texts if text)
        if told:
            yield part.path, f"all: {told}"
