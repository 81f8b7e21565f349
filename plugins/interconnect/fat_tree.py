"""Fat trees of switches, plain and rail-optimised: stages by radix, and fewer links upwards than downwards."""

from __future__ import annotations

from attrs import frozen

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Fabric
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.usage import Usage
from accelscope.core.numeric.term import Term, ceil, floor, log2, maximum, minimum, where
from accelscope.core.plugin.records import InterconnectModel
from accelscope.plugins.interconnect.alphabeta import connection_term
from accelscope.plugins.interconnect.scale_out import NetworkContention, cost_over_network


@frozen(kw_only=True, eq=False)
class TreeExtent:
    """Where a collective lies in a tree, in ports of leaf switches.

    Attributes:
        apart: ports from a rank to the next.
        ports: from the first to the last rank, with all collectives that run beside it.
        leaf: ports of a leaf switch towards ranks.
    """

    apart: Term
    ports: Term
    leaf: Term


def cost_on_fat_tree(fabric: Fabric, collective: Collective) -> Usage:
    """Return what a collective costs on a fat tree, or on one whose leaf switches are rails.

    Cards of a node meet the same leaf switch in a plain tree; on rails each leaf switch joins the cards of one place in
    all nodes, so that a collective between ranks of the same place sees the ports of its rail only.
    """
    where_ = _extent(fabric, collective)
    return cost_over_network(_network(fabric, collective, where_), fabric, collective)


def count_switch_levels(extent: TreeExtent, radix: Term) -> Term:
    """Return how many levels of switches a collective goes up.

    L levels of radix R hold 2 l (R/2)^(L-1) ports where a leaf has l towards them, which is R (R/2)^(L-1) with l = R/2:
    Al-Fares et al., "A scalable, commodity data center network architecture", SIGCOMM 2008, section 3.
    """
    above = log2(maximum(extent.ports / (extent.leaf * 2.0), 1.0)) / log2(maximum(radix / 2.0, 2.0))
    return where(extent.ports > extent.leaf, maximum(ceil(above), 1.0) + 1.0, ONE).named("levels of switches")


def _extent(fabric: Fabric, collective: Collective) -> TreeExtent:
    cards = ONE if fabric.pattern == "rail" else maximum(fabric.cards, 1.0)
    apart = maximum(collective.stride, 1.0) * cards
    return TreeExtent(
        apart=apart, ports=apart * maximum(collective.ranks, 1.0), leaf=_leaf(fabric, fabric.size * cards)
    )


def _leaf(fabric: Fabric, ports: Term) -> Term:
    """Ports of a leaf switch towards ranks: R o / (1 + o) of R, or all where one switch is enough; 1 if unknown."""
    radix = fabric.switch.radix if fabric.switch is not None else None
    if radix is None:
        return ONE
    over_ = connection_term(fabric, "oversubscription")
    down = maximum(floor(radix * over_ / (over_ + 1.0)), 1.0)
    return where(ports <= radix, radix, down).named("ports of a leaf switch")


def _network(fabric: Fabric, collective: Collective, extent: TreeExtent) -> NetworkContention:
    excess = connection_term(fabric, "oversubscription")
    changes = maximum(collective.positions, 1.0)
    leaves = extent.ports > extent.leaf
    crossing = where(leaves, excess * minimum(extent.apart, extent.leaf) / extent.leaf, ONE)
    return NetworkContention(
        switches=_switches(fabric, extent, changes),
        neighbours=maximum(crossing, 1.0).named("flows on a link out of a leaf"),
        all_to_all_slowdown=maximum(excess * _leaving(collective, extent, changes), 1.0).named(
            "load out of a leaf"
        ),
    )


def _switches(fabric: Fabric, extent: TreeExtent, changes: Term) -> Term:
    """Switches up and down the levels; a message to another rail goes up to a spine switch at least."""
    radix = fabric.switch.radix if fabric.switch is not None else None
    if radix is None:
        return ONE
    levels = count_switch_levels(extent, radix)
    levels = where(changes > 1.0, maximum(levels, 2.0), levels)
    return (levels * 2.0 - 1.0).named("switches on the way")


def _leaving(collective: Collective, extent: TreeExtent, changes: Term) -> Term:
    """Share of an all-to-all that leaves its leaf switch: to other leaves, and all that changes its rail."""
    ranks = maximum(collective.ranks, 1.0)
    inside = maximum(minimum(ranks, extent.leaf / extent.apart), 1.0)
    away = (ranks - inside) / maximum(ranks - 1.0, 1.0)
    return 1.0 - (1.0 - away) / changes


FAT_TREE = InterconnectModel(
    name="fat_tree",
    doc="Levels of switches between network cards, plain or with a rail for each place in a node.",
    patterns=("fat_tree", "rail"),
    transfer=cost_on_fat_tree,
)
