"""Hardware as models see it: parts, devices, network tiers and the machine that they form."""

from __future__ import annotations

from typing import Any, Generic, TypeVar

from attrs import field, frozen

from accelscope.core.ir.constants import ONE
from accelscope.core.numeric.term import Term

S = TypeVar("S")

OUTSIDE = "outside"
"""Level of a memory that belongs to the host or the system around a device."""


@frozen(kw_only=True, eq=False)
class Part(Generic[S]):
    """A bound block in its place on a device or system.

    Attributes:
        name: the label, such as `hbm`.
        path: dotted labels from the device, such as `gh100.sm.tensor`.
        spec: the bound spec.
        model: name of the model that serves it.
        count: how many there are on one device, all levels multiplied.
        cores: how many cores of the kind that it stands in there are on one device; 1 outside any core.
        clock: cycle/s of the nearest enclosing clock, or None where none is given.
        level: the kind of block that it stands in, such as `package`, `die` or `core`, or `outside` of the package.
    """

    name: str
    path: str
    spec: S
    model: str
    count: Term = ONE
    cores: Term = ONE
    clock: Term | None = None
    level: str = "package"


@frozen(kw_only=True, eq=False)
class Fabric:
    """One tier of the network: `size` endpoints that reach each other over links.

    Attributes:
        pattern: `switch`, `clique`, `ring`, `mesh`, `torus`, `flat`, ...: selects the interconnect model.
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
    link: Any
    links: Term
    size: Term
    cards: Term = ONE
    shape: tuple[Term, ...] = ()
    switch: Any = None
    settings: Any = field(factory=dict)
    clock: Term | None = None


@frozen(kw_only=True, eq=False)
class Device:
    """One accelerator: what the compute and memory models see.

    Attributes:
        name: of its definition, such as `H100_SXM`.
        engines: compute parts; memories: from the innermost to the outermost level, tiers of the system behind them.
        package: the bound `package` spec.
        fabric: what joins the cores of a die, where the description says so.
        kernels: what was measured of its kernels, a `kernels.Kernels`.
    """

    name: str
    engines: tuple[Part[Any], ...]
    memories: tuple[Part[Any], ...]
    package: Any
    fabric: Fabric | None = None
    kernels: Any = None


@frozen(kw_only=True, eq=False)
class Machine:
    """Devices and the tiers that join them, innermost first."""

    device: Device
    devices: Term
    tiers: tuple[Fabric, ...]
