"""Network tiers: switches, cliques, rings, meshes, tori and scale-out networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.records import InterconnectModel


@hookimpl
def accelscope_interconnects() -> Iterable[InterconnectModel]:
    """Yield the built-in models of network tiers."""
    from accelscope.plugins.interconnect.clique import CLIQUE
    from accelscope.plugins.interconnect.grid import MESH, RING, TORUS
    from accelscope.plugins.interconnect.scale_out import SCALE_OUT
    from accelscope.plugins.interconnect.switched import SWITCHED

    yield from (SWITCHED, CLIQUE, RING, MESH, TORUS, SCALE_OUT)
