"""Network tiers: switches, cliques, hosts, rings, meshes, tori, fat trees, dragonflies and flat networks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from accelscope.core.plugin.hookspecs import hookimpl

if TYPE_CHECKING:
    from accelscope.core.plugin.records import InterconnectModel


@hookimpl
def accelscope_interconnects() -> Iterable[InterconnectModel]:
    """Yield the built-in models of network tiers."""
    from accelscope.plugins.interconnect.clique import CLIQUE
    from accelscope.plugins.interconnect.dragonfly import DRAGONFLY
    from accelscope.plugins.interconnect.fat_tree import FAT_TREE
    from accelscope.plugins.interconnect.grid import MESH, RING, TORUS
    from accelscope.plugins.interconnect.host import HOST
    from accelscope.plugins.interconnect.scale_out import SCALE_OUT
    from accelscope.plugins.interconnect.switched import SWITCHED

    yield from (SWITCHED, CLIQUE, HOST, RING, MESH, TORUS, SCALE_OUT, FAT_TREE, DRAGONFLY)
