"""Hardware as models see it: parts, devices, network tiers and the machine that they form, and the models that serve them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any, Generic, TypeVar

from attrs import field, frozen

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.record import CONTRACT, RECORD_NAME
from accelscope.core.ir.usage import Traffic, Usage
from accelscope.core.numeric.term import Term

S = TypeVar("S")
OUTSIDE = "outside"
"""Level of a memory that belongs to the host or the system around a device."""
FIRST_TIER_ORDER = 50
"""Order from which on a memory is a tier behind the device: reached over a slower bus, and no home of weights."""


@frozen(kw_only=True, eq=False)
class Part(Generic[S]):
    """A bound block in its place on a device or system.

    Attributes:
        name: the label, such as `hbm`.
        path: dotted labels from the device, such as `gh100.sm.tensor`.
        spec: the bound spec.
        count: how many there are on one device, all levels multiplied.
        cores: how many cores of the kind that it stands in there are on one device; 1 outside any core.
        clock: cycle/s of the nearest enclosing clock, or None where none is given.
        level: the kind of block that it stands in, such as `package`, `die` or `core`, or `outside` of the package.
    """

    name: str
    path: str
    spec: S
    count: Term = ONE
    cores: Term = ONE
    clock: Term | None = None
    level: str = "package"


@frozen(kw_only=True, eq=False)
class EnginePart(Part[S]):
    """An engine in its place on a device.

    Attributes:
        model: the compute model that serves it.
    """

    model: ComputeModel

    def peak(self, dtype: str) -> Term | None:
        """Return the op/s of all instances in a data type, or None if they cannot compute in it."""
        return self.model.peak(self, dtype)

    def run(self, op: Op, device: Device) -> Usage:
        """Return what an operation costs on all instances."""
        return self.model.run(self, op, device)


@frozen(kw_only=True, eq=False)
class MemoryPart(Part[S]):
    """A memory in its place on a device, or behind it.

    Attributes:
        model: the memory model that serves it.
    """

    model: MemoryModel

    @property
    def capacity(self) -> Term | None:
        """Bytes of all instances that can hold weights and KV cache, or None for a level that holds copies only."""
        return self.model.capacity(self)

    @property
    def peak(self) -> Term:
        """Peak bytes a second of all instances."""
        return self.model.peak(self)

    @property
    def is_tier(self) -> bool:
        """Whether it lies behind the memory of the device: outside of the package, or of an order from 50 on."""
        return self.level == OUTSIDE or self.model.order >= FIRST_TIER_ORDER

    def serve(self, traffic: Traffic) -> Usage:
        """Return what the traffic that arrives at this level costs."""
        return self.model.serve(self, traffic)

    def execute(self, op: Op, device: Device) -> Usage | None:
        """Return what an operation costs that the memory itself computes, or None if it cannot."""
        return None if self.model.execute is None else self.model.execute(self, op, device)


@frozen(kw_only=True, eq=False)
class Fabric:
    """One tier of the network: `size` endpoints that reach each other over links.

    Attributes:
        pattern: `switch`, `clique`, `ring`, `mesh`, `torus`, `flat`, ...
        model: the interconnect model that serves the pattern.
        link: the bound link spec (bandwidth of one link in one direction, latency, efficiency).
        links: links of one endpoint into this tier.
        size: endpoints of one group: devices for the innermost tier.
        cards: links of one endpoint with all its devices, into this tier.
        shape: sizes along the dimensions of a mesh or torus; groups, routers and endpoints of a dragonfly.
        switch: the bound switch spec, or None.
        settings: further fields of the `connect` block, by name.
        clock: cycle/s of what the fabric joins, for links that give rates a cycle; None between devices.
    """

    name: str
    pattern: str
    model: InterconnectModel
    link: Any
    links: Term
    size: Term
    cards: Term = ONE
    shape: tuple[Term, ...] = ()
    switch: Any = None
    settings: Any = field(factory=dict)
    clock: Term | None = None


@frozen(kw_only=True, eq=False)
class HardwareBlock:
    """A block of a package as described, for what looks at areas, processes and the tree: the package, a die, a core.

    Attributes:
        kind: such as `package`, `die` or `core`.
        name: its label.
        path: dotted labels from the package.
        spec: the bound spec, such as that of a die with its area and process.
        count: how many there are on one device, all levels multiplied.
        parts: engines and memories directly in it.
        children: blocks directly in it.
    """

    kind: str
    name: str
    path: str
    spec: Any
    count: Term
    parts: tuple[Part[Any], ...] = ()
    children: tuple[HardwareBlock, ...] = ()

    def walk(self) -> Iterator[HardwareBlock]:
        """Yield this block and all blocks in it, outer ones first."""
        yield self
        for child in self.children:
            yield from child.walk()


@frozen(kw_only=True, eq=False)
class Device:
    """One accelerator: what the compute and memory models see.

    Attributes:
        name: of its definition, such as `H100_SXM`.
        engines: compute parts.
        memories: from the innermost to the outermost level, then the tiers of the system behind them.
        package: the bound `package` spec.
        tree: the package with its dies and cores as described, or None for a device that no description gives.
        fabric: what joins the cores of a die, where the description says so.
        kernels: what was measured of its kernels, a `kernels.Kernels`.
    """

    name: str
    engines: tuple[EnginePart[Any], ...]
    memories: tuple[MemoryPart[Any], ...]
    package: Any
    tree: HardwareBlock | None = None
    fabric: Fabric | None = None
    kernels: Any = None

    @cached_property
    def weight_memories(self) -> tuple[MemoryPart[Any], ...]:
        """The memories of the device itself that can hold weights, from the inside outwards."""
        return tuple(part for part in self.memories if part.level != OUTSIDE and part.capacity is not None)

    @cached_property
    def home(self) -> MemoryPart[Any]:
        """The level that holds weights and KV cache: the outermost one that is not a tier behind the device's own.

        Assembly makes sure that there is one.
        """
        near = [part for part in self.weight_memories if not part.is_tier]
        return (near or self.weight_memories)[-1]

    @cached_property
    def tiers(self) -> tuple[MemoryPart[Any], ...]:
        """The memories behind `home` that a policy can put weights or KV cache into, nearest first."""
        return tuple(part for part in self.memories if part is not self.home and part.is_tier)


@frozen(kw_only=True, eq=False)
class Machine:
    """Devices and the tiers that join them, innermost first."""

    device: Device
    devices: Term
    tiers: tuple[Fabric, ...]


@frozen(kw_only=True)
class MemoryModel:
    """Serves the traffic of one level of the memory hierarchy.

    Attributes:
        spec: a spec class of kind `memory`; its `select` says which classes of memory it reads.
        order: place in the hierarchy, small is near the engines (registers 0, scratchpad 10, cache 20,
            memory-side cache 30, DRAM 40, tiers behind it 50 and up).
        serve: (part, traffic) to what it costs; `Usage.onward` is what the next level has to serve.
        execute: (part, op, device) to what an operation costs that the memory itself computes (processing in memory), or
            None if it cannot; nothing of it then passes through the levels or an engine. At each point the faster of
            both ways counts. Without this function the level only moves bytes.
        capacity: (part) to the bytes of all instances on a device that can hold weights and KV, or None for a level
            that holds copies only.
        peak: (part) to the peak bytes a second of all instances on a device.
    """

    name: str = field(validator=RECORD_NAME)
    doc: str
    spec: type
    order: int
    serve: Callable[[MemoryPart[Any], Traffic], Usage]
    capacity: Callable[[MemoryPart[Any]], Term | None]
    peak: Callable[[MemoryPart[Any]], Term]
    execute: Callable[[MemoryPart[Any], Op, Device], Usage | None] | None = None
    contract: int = CONTRACT


@frozen(kw_only=True)
class ComputeModel:
    """Runs operations on one kind of engine.

    Attributes:
        spec: a spec class of kind `engine`.
        kinds: kinds of `Op` that the engine can run.
        peak: (part, dtype) to the op/s of all instances on a device, or None where it cannot compute in a dtype.
        run: (part, op, device) to what it costs.
    """

    name: str = field(validator=RECORD_NAME)
    doc: str
    spec: type
    kinds: tuple[str, ...]
    peak: Callable[[EnginePart[Any], str], Term | None]
    run: Callable[[EnginePart[Any], Op, Device], Usage]
    contract: int = CONTRACT


@frozen(kw_only=True)
class InterconnectModel:
    """Moves a collective over one tier of the network.

    Attributes:
        patterns: connection patterns it serves, such as `switch` or `torus`.
        spec: spec class of the settings that its `connect` block takes, or None.
        transfer: (fabric, collective with its ranks in this tier) to what it costs.
    """

    name: str = field(validator=RECORD_NAME)
    doc: str
    patterns: tuple[str, ...]
    transfer: Callable[[Fabric, Collective], Usage]
    spec: type | None = None
    contract: int = CONTRACT
