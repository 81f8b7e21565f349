"""Dragonflies: groups of routers that are joined all to all, with a few global links between each pair of groups.

Source: Kim, Dally, Scott and Abts, "Technology-driven, highly-scalable dragonfly topology", ISCA 2008.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from accelscope.core.errors import UsageError
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Fabric
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.numeric.term import Term, ceil, maximum, minimum, where
from accelscope.core.plugin.records import InterconnectModel
from accelscope.plugins.interconnect.alphabeta import connection_setting
from accelscope.plugins.interconnect.scale_out import NetworkContention, cost_over_network


@frozen(kw_only=True, eq=False)
class Dragonfly:
    """Sizes of a dragonfly, by the names of Kim et al.

    Attributes:
        groups: number of groups, g.
        routers: routers of a group, a.
        endpoints: endpoints of a router, p.
        global_links_per_router: global links of a router, h.
    """

    groups: Term
    routers: Term
    endpoints: Term
    global_links_per_router: Term

    @property
    def group(self) -> Term:
        """Endpoints of a group."""
        return self.routers * self.endpoints

    @property
    def links_between_groups(self) -> Term:
        """Global links between two groups."""
        return self.routers * self.global_links_per_router / maximum(self.groups - 1.0, 1.0)


def cost_on_dragonfly(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs on `dragonfly(groups, routers, endpoints)` with shortest paths.

    Ranks fill a router, then the routers of a group, then groups; all endpoints between them send as well.
    """
    sizes = _sizes(fabric)
    apart = maximum(collective.stride, 1.0) * maximum(fabric.cards, 1.0)
    ports = apart * maximum(collective.ranks, 1.0)
    switches = where(ports > sizes.group, ONE * 4.0, where(ports > sizes.endpoints, ONE * 2.0, ONE)).named(
        "routers on the way"
    )
    detours = connection_setting(fabric, "routing") == "adaptive"
    network = NetworkContention(
        switches=switches,
        neighbours=maximum(*_to_the_next(sizes, apart, ports, detours), 1.0).named("flows on a link"),
        all_to_all_slowdown=maximum(*_to_all(sizes, collective, apart, ports, detours), 1.0).named(
            "load of a link"
        ),
    )
    return cost_over_network(network, fabric, collective)


def _sizes(fabric: Fabric) -> Dragonfly:
    if len(fabric.shape) != 3:
        raise UsageError(
            f"`{fabric.name}`: a dragonfly takes groups, routers of a group and endpoints of a router, "
            "such as `as dragonfly(9, 4, 2)`"
        )
    groups, routers, endpoints = fabric.shape
    given: Any = connection_setting(fabric, "global_links")
    outward = endpoints if given is None else given
    return Dragonfly(groups=groups, routers=routers, endpoints=endpoints, global_links_per_router=outward)


def _to_the_next(sizes: Dragonfly, apart: Term, ports: Term, detours: bool) -> tuple[Term, Term]:
    """Flows on one link between routers and between groups, where every rank sends to the next one."""
    nothing = apart * 0.0
    flows = minimum(apart, sizes.group)
    outside = flows / sizes.links_between_groups
    if detours:
        outside = minimum(outside, flows * 2.0 / (sizes.routers * sizes.global_links_per_router))
    return (
        where(ports > sizes.endpoints, minimum(apart, sizes.endpoints), nothing),
        where(ports > sizes.group, outside, nothing),
    )


def _to_all(
    sizes: Dragonfly, collective: Collective, apart: Term, ports: Term, detours: bool
) -> tuple[Term, Term]:
    """Load of links between routers and between groups in a uniform all-to-all, over what an endpoint sends.

    Only links between the groups in use carry shortest paths: a h / (g - 1) for each pair. With detours over a third
    group all a h of them do, and every byte crosses two (Valiant; section 4.2 of the source).
    """
    ranks = maximum(collective.ranks, 1.0)
    in_router, in_group = (
        maximum(minimum(ranks, size / apart), 1.0) for size in (sizes.endpoints, sizes.group)
    )
    peers = maximum(ranks - 1.0, 1.0)
    away, across = (ranks - in_group) / peers, (in_group - in_router) / peers
    used = minimum(ceil(ports / sizes.group), sizes.groups)
    outside = sizes.group * away / (maximum(used - 1.0, 1.0) * sizes.links_between_groups)
    if detours:
        outside = minimum(outside, sizes.endpoints * away * 2.0 / sizes.global_links_per_router)
    busy = maximum(minimum(sizes.routers, ceil(ports / sizes.endpoints)) - 1.0, 1.0)
    towards = where(sizes.routers > 1.0, sizes.endpoints * away * 2.0 / sizes.routers, away * 0.0)
    return sizes.endpoints * across / busy + towards, outside


DRAGONFLY = InterconnectModel(
    name="dragonfly",
    doc="Groups of routers, few global links between groups; shortest paths, or with `routing = adaptive` detours.",
    patterns=("dragonfly",),
    transfer=cost_on_dragonfly,
)
