"""Fat trees, rails, dragonflies, slices of a torus, wafers and hosts against closed forms worked out by hand.

Links are 100 GB/s one way, without losses and start-ups, and a hop takes 1 us, so that a test reads as arithmetic.
"""

# ruff: noqa: RUF012 - samples of the conformance kit are class attributes that nothing changes
from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.blocks.hardware import Link
from accelscope.core.errors import ModelError, UsageError
from accelscope.core.ir.plan import Collective
from accelscope.core.numeric.term import term
from accelscope.core.testing.builders import make_fabric, make_spec
from accelscope.core.testing.conformance import InterconnectConformance
from accelscope.plugins.interconnect.clique import CLIQUE
from accelscope.plugins.interconnect.dragonfly import DRAGONFLY
from accelscope.plugins.interconnect.fat_tree import FAT_TREE
from accelscope.plugins.interconnect.grid import MESH, RING, TORUS
from accelscope.plugins.interconnect.host import HOST
from accelscope.plugins.interconnect.scale_out import SCALE_OUT
from accelscope.plugins.interconnect.switched import SWITCHED

LINK = {"bandwidth": "100 GB/s/dir", "latency": "1 us", "efficiency": "100%"}
FREE = {"startup": term(0.0, "s"), "collective_efficiency": term(1.0)}
OCS = make_spec(Link, {"bandwidth": "100 GB/s/dir", "latency": "1.5 us", "efficiency": "100%"})
KINDS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv", "broadcast", "reduce")
RATE, HOP = 1e11, 1e-6
BIG = 1e15
"""Bytes of a message for which hops do not count."""


def fabric(pattern, *, cards=1.0, clock=None, link=LINK, settings=None, **given):
    made = make_fabric(pattern, link, settings={**FREE, **(settings or {})}, **given)
    return evolve(made, cards=term(cards), clock=clock)


def cost(model, tier, kind, size=BIG, ranks=8.0, stride=1.0, positions=1.0):
    item = Collective(
        name="test",
        kind=kind,
        bytes=term(size, "B"),
        ranks=term(ranks),
        stride=term(stride),
        positions=term(positions),
    )
    return model.transfer(tier, item).time.value


def copies(model, tier, kind, **given):
    """Return how many times the bytes of a collective cross one link of 100 GB/s in its time."""
    return cost(model, tier, kind, **given) * RATE / BIG


def hops(model, tier, kind, **given):
    return cost(model, tier, kind, size=1e-9, **given) / HOP


class AllKinds(InterconnectConformance):
    kinds = KINDS
    sample = LINK


class TestSwitchedInAllKinds(AllKinds):
    model = SWITCHED
    fabric = {"links": 18, "switch": {"latency": "100 ns"}}


class TestAddingSwitchInAllKinds(AllKinds):
    model = SWITCHED
    fabric = {"links": 18, "switch": {"in_network_reduction": True}}


class TestCliqueInAllKinds(AllKinds):
    model = CLIQUE
    fabric = {"links": 7}


class TestHost(AllKinds):
    model = HOST
    fabric = {"settings": {"host_bandwidth": "150 GB/s"}}


class TestRingInAllKinds(AllKinds):
    model = RING


class TestMeshInAllKinds(AllKinds):
    model = MESH
    fabric = {"shape": (4, 2)}


class TestTorusInAllKinds(AllKinds):
    model = TORUS
    fabric = {"size": 64, "shape": (4, 4, 4), "settings": {"wrap": OCS}}


class TestScaleOutInAllKinds(AllKinds):
    model = SCALE_OUT


class TestFatTree(AllKinds):
    model = FAT_TREE
    fabric = {"size": 64, "switch": {"radix": 8, "latency": "200 ns"}, "settings": {"oversubscription": "3"}}


class TestDragonfly(AllKinds):
    model = DRAGONFLY
    fabric = {"size": 72, "shape": (9, 4, 2), "settings": {"routing": "adaptive"}}


FLY = {"size": 72.0, "shape": (9, 4, 2)}
EVERY = (
    (SWITCHED, fabric("switch")),
    (CLIQUE, fabric("clique", links=7)),
    (HOST, fabric("host")),
    (RING, fabric("ring")),
    (MESH, fabric("mesh", shape=(4, 2))),
    (TORUS, fabric("torus", shape=(4, 2))),
    (SCALE_OUT, fabric("flat")),
    (FAT_TREE, fabric("fat_tree", switch={"radix": 16})),
    (FAT_TREE, fabric("rail", switch={"radix": 16})),
    (DRAGONFLY, fabric("dragonfly", **FLY)),
)


# ---- bandwidth of all-reduce: 2 (n - 1) / n of the bytes over what a rank sends
@pytest.mark.parametrize(
    ("model", "tier", "sends"),
    [
        (SWITCHED, fabric("switch", links=4), 4),
        (CLIQUE, fabric("clique", links=7), 7),
        (HOST, fabric("host"), 1),
        (RING, fabric("ring"), 2),
        (TORUS, fabric("torus", shape=(8,)), 2),
        (TORUS, fabric("torus", shape=(4, 2)), 4),
        (MESH, fabric("mesh", shape=(8,)), 1),
        (MESH, fabric("mesh", shape=(4, 2)), 2),
        (SCALE_OUT, fabric("flat"), 1),
        (FAT_TREE, fabric("fat_tree", switch={"radix": 4}), 1),
        (FAT_TREE, fabric("rail", switch={"radix": 4}), 1),
        (DRAGONFLY, fabric("dragonfly", **FLY), 1),
    ],
    ids=lambda value: getattr(value, "name", getattr(value, "pattern", value)),
)
def test_a_large_all_reduce_moves_two_shares_of_its_bytes(model, tier, sends):
    assert copies(model, tier, "all_reduce") == pytest.approx(2 * 7 / 8 / sends)
    assert copies(model, tier, "all_gather") == pytest.approx(7 / 8 / sends)
    assert copies(model, tier, "reduce_scatter") == pytest.approx(7 / 8 / sends)


@pytest.mark.parametrize("pattern", ["switch", "host", "flat", "fat_tree", "rail"])
@pytest.mark.parametrize("kind", ["all_reduce", "all_gather", "all_to_all", "broadcast"])
def test_more_ranks_are_never_faster_where_each_sends_at_one_rate(pattern, kind):
    model = next(model for model, tier in EVERY if tier.pattern == pattern)
    tier = fabric(pattern, size=64.0, switch={"radix": 8}, settings={"oversubscription": term(2.0)})
    times = cost(model, tier, kind, size=1e9, ranks=np.arange(1.0, 65.0))
    assert np.all(np.diff(times) >= -1e-12 * times[1:])


@pytest.mark.parametrize(("model", "tier"), EVERY, ids=lambda value: getattr(value, "pattern", ""))
def test_a_reduction_costs_what_a_broadcast_costs(model, tier):
    assert cost(model, tier, "reduce", size=1e6) == pytest.approx(cost(model, tier, "broadcast", size=1e6))


# ---- broadcast
def test_a_switch_that_copies_sends_a_broadcast_once():
    plain, copying = (fabric("switch", settings={"broadcast": flag}) for flag in (False, True))
    assert copies(SWITCHED, copying, "broadcast") == pytest.approx(1.0)
    assert hops(SWITCHED, copying, "broadcast", ranks=64.0) == pytest.approx(1.0)
    assert copies(SWITCHED, plain, "broadcast") == pytest.approx(1.0)
    assert hops(SWITCHED, plain, "broadcast", ranks=64.0) == pytest.approx(6.0)


def test_copying_is_no_adding():
    copying = fabric("switch", settings={"multicast": True})
    adding = fabric("switch", switch={"in_network_reduction": True})
    assert hops(SWITCHED, copying, "reduce", ranks=64.0) == pytest.approx(6.0)
    assert hops(SWITCHED, adding, "reduce", ranks=64.0) == pytest.approx(1.0)


def test_a_broadcast_in_a_clique_goes_half_a_way_by_other_devices():
    platform = fabric("clique", links=7)
    assert copies(CLIQUE, platform, "broadcast") == pytest.approx(2 / 8)
    assert hops(CLIQUE, platform, "broadcast") == pytest.approx(1.0)
    assert copies(CLIQUE, platform, "broadcast", ranks=2.0) == pytest.approx(1.0)


def test_a_broadcast_leaves_a_torus_over_all_links_and_a_line_from_its_end():
    assert copies(TORUS, fabric("torus", shape=(4, 4), size=16.0), "broadcast", ranks=16.0) == pytest.approx(
        1 / 4
    )
    assert copies(MESH, fabric("mesh", shape=(8,)), "broadcast") == pytest.approx(1.0)
    assert hops(MESH, fabric("mesh", shape=(8,)), "broadcast") == pytest.approx(7.0)


def test_an_adding_network_of_cards_sends_every_byte_once():
    sharp = fabric("fat_tree", size=64.0, switch={"radix": 8, "in_network_reduction": True})
    assert copies(FAT_TREE, sharp, "all_reduce", ranks=64.0) == pytest.approx(1.0)
    assert hops(FAT_TREE, sharp, "all_reduce", ranks=64.0) == pytest.approx(1.0)


# ---- all-to-all on grids: the busiest link
@pytest.mark.parametrize(
    ("pattern", "size", "crossing"),
    [("ring", 2, 1 / 4), ("ring", 3, 1 / 3), ("ring", 4, 1 / 2), ("ring", 8, 1), ("mesh", 2, 1 / 2), ("mesh", 3, 2 / 3), ("mesh", 8, 2)],
)  # fmt: skip
def test_an_all_to_all_is_as_slow_as_the_busiest_link(pattern, size, crossing):
    model = RING if pattern == "ring" else MESH
    tier = fabric(pattern, size=float(size), shape=() if pattern == "ring" else (size,))
    assert copies(model, tier, "all_to_all", ranks=float(size)) == pytest.approx(crossing)
    assert copies(model, tier, "all_to_all", ranks=float(size)) == pytest.approx(busiest(pattern, size))


def busiest(pattern, size):
    """Return the load of the busiest link by walking every message of an all-to-all, in bytes of one rank."""
    load = dict.fromkeys(((at, way) for at in range(size) for way in (1, -1)), 0.0)
    for start in range(size):
        for end in range(size):
            ahead = (end - start) % size
            tie = pattern == "ring" and 2 * ahead == size
            for way, share in ((1, 0.5), (-1, 0.5)) if tie else ((_way(pattern, start, end, size), 1.0),):
                at = start
                while at != end:
                    load[at, way] += share / size
                    at = (at + way) % size
    return max(load.values())


def _way(pattern, start, end, size):
    if pattern == "ring":
        return 1 if 2 * ((end - start) % size) < size else -1
    return 1 if end > start else -1


def test_dimension_order_loads_the_longest_side_most():
    tier = fabric("torus", size=32.0, shape=(4, 8))
    assert copies(TORUS, tier, "all_to_all", ranks=32.0) == pytest.approx(1.0)
    assert hops(TORUS, tier, "all_to_all", ranks=32.0) == pytest.approx(2 + 4)


def test_unused_sides_add_no_hops():
    tier = fabric("torus", size=64.0, shape=(4, 4, 4))
    assert hops(TORUS, tier, "all_to_all", ranks=4.0) == pytest.approx(2.0)
    assert hops(TORUS, tier, "send_recv", ranks=2.0, stride=16.0) == pytest.approx(1.0)


def test_messages_to_a_rank_further_on_share_the_links_in_between():
    tier = fabric("torus", size=16.0, shape=(16,))
    assert copies(TORUS, tier, "send_recv", ranks=2.0, stride=4.0) == pytest.approx(4.0)


# ---- slices of a torus
POD = {"size": 8960.0, "shape": (16, 20, 28)}


@pytest.mark.parametrize(
    ("ranks", "sends"), [(2.0, 1), (3.0, 1), (4.0, 2), (6.0, 1), (8.0, 2), (12.0, 2), (16.0, 2), (64.0, 4), (320.0, 4)]
)  # fmt: skip
def test_optical_links_close_slices_of_whole_cubes(ranks, sends):
    pod = fabric("torus", **POD, settings={"wrap": OCS})
    assert copies(TORUS, pod, "all_gather", ranks=ranks) == pytest.approx((ranks - 1) / ranks / sends)


@pytest.mark.parametrize(("ranks", "sends"), [(4.0, 1), (8.0, 1), (16.0, 2), (256.0, 4)])
def test_without_optical_links_only_a_whole_side_is_closed(ranks, sends):
    pod = fabric("torus", size=256.0, shape=(16, 16))
    assert copies(TORUS, pod, "all_gather", ranks=ranks) == pytest.approx((ranks - 1) / ranks / sends)


def test_a_slice_thinner_than_a_cube_is_not_closed_by_optical_links():
    thin = fabric("torus", size=32.0, shape=(4, 4, 2), settings={"wrap": OCS})
    assert copies(TORUS, thin, "all_gather", ranks=32.0) == pytest.approx(31 / 32 / 3)


def test_a_ring_over_cubes_passes_an_optical_link_for_each():
    pod = fabric("torus", **POD, settings={"wrap": OCS})
    assert hops(TORUS, pod, "all_gather", ranks=4.0) == pytest.approx(3 + 0.5)
    assert hops(TORUS, pod, "all_gather", ranks=16.0) == pytest.approx(15 + 4 * 0.5)
    assert hops(TORUS, pod, "all_gather", ranks=6.0) == pytest.approx(5 + 0.5)


def test_a_slow_optical_link_slows_the_ring():
    slow = make_spec(Link, {"bandwidth": "50 GB/s/dir"})
    pod = fabric("torus", **POD, settings={"wrap": slow})
    assert copies(TORUS, pod, "all_gather", ranks=4.0) == pytest.approx(3 / 4)


# ---- fat trees: a radix of 8 gives leaves of 4 ports down, two levels of 32 ports, three of 128 (k^3 / 4)
TREE = {"switch": {"radix": 8, "latency": "1 us"}, "link": {**LINK, "latency": "0 s"}}


@pytest.mark.parametrize(
    ("ranks", "switches"), [(4.0, 1), (5.0, 3), (32.0, 3), (33.0, 5), (128.0, 5), (129.0, 7), (512.0, 7)]
)
def test_levels_follow_from_the_radix(ranks, switches):
    tree = fabric("fat_tree", size=512.0, **TREE)
    assert hops(FAT_TREE, tree, "all_to_all", ranks=ranks) == pytest.approx(switches)


def test_eight_ports_need_one_switch_of_eight():
    assert hops(FAT_TREE, fabric("fat_tree", size=8.0, **TREE), "all_to_all", ranks=8.0) == pytest.approx(1)


def test_cards_of_one_node_meet_one_leaf_or_a_rail_each():
    tree, rails = (fabric(name, size=8.0, cards=8.0, **TREE) for name in ("fat_tree", "rail"))
    assert hops(FAT_TREE, tree, "all_to_all") == pytest.approx(5)
    assert hops(FAT_TREE, rails, "all_to_all") == pytest.approx(1)
    assert hops(FAT_TREE, rails, "all_to_all", positions=8.0) == pytest.approx(3)


def test_oversubscription_divides_what_leaves_a_leaf():
    tree = fabric("fat_tree", size=32.0, switch={"radix": 8}, settings={"oversubscription": term(3.0)})
    assert copies(FAT_TREE, tree, "all_to_all", ranks=6.0) == pytest.approx(5 / 6)
    assert copies(FAT_TREE, tree, "all_to_all", ranks=24.0) == pytest.approx(3 * (24 - 6) / 24)


def test_one_ring_over_leaves_does_not_feel_oversubscription_but_many_do():
    tree = fabric("fat_tree", size=32.0, switch={"radix": 8}, settings={"oversubscription": term(3.0)})
    assert copies(FAT_TREE, tree, "all_gather", ranks=24.0) == pytest.approx(23 / 24)
    assert copies(FAT_TREE, tree, "all_gather", ranks=4.0, stride=6.0) == pytest.approx(3 * 3 / 4)
    assert copies(FAT_TREE, tree, "send_recv", ranks=2.0, stride=6.0) == pytest.approx(3)


def test_what_changes_its_rail_crosses_the_oversubscribed_spine():
    rails = fabric("rail", size=8.0, switch={"radix": 8}, settings={"oversubscription": term(2.0)})
    assert copies(FAT_TREE, rails, "all_to_all") == pytest.approx(7 / 8)
    assert copies(FAT_TREE, rails, "all_to_all", positions=8.0) == pytest.approx(7 / 8 * 2 * 7 / 8)


def test_where_the_radix_is_unknown_everything_counts_as_leaving():
    tree = fabric("fat_tree", settings={"oversubscription": term(2.0)})
    assert copies(FAT_TREE, tree, "all_to_all") == pytest.approx(2 * 7 / 8)


# ---- dragonflies: 9 groups of 4 routers of 2 endpoints and 2 global links, the example of Kim et al., figure 5
@pytest.mark.parametrize(("ranks", "routers"), [(2.0, 1), (8.0, 2), (9.0, 4), (72.0, 4)])
def test_shortest_paths_pass_four_routers_at_most(ranks, routers):
    fly = fabric("dragonfly", **FLY, **TREE)
    assert hops(DRAGONFLY, fly, "all_to_all", ranks=ranks) == pytest.approx(routers)


def test_a_balanced_dragonfly_carries_an_all_to_all_of_all_at_full_rate():
    fly = fabric("dragonfly", **FLY)
    away, across = 64 / 71, 6 / 71
    load = max(1.0, 8 * away / (8 * 8 / 8), 2 * across / 3 + 2 * 2 * away / 4)
    assert copies(DRAGONFLY, fly, "all_to_all", ranks=72.0) == pytest.approx(71 / 72 * load)
    assert load == pytest.approx(1.0)


def test_two_groups_have_one_global_link_between_them():
    fly = fabric("dragonfly", **FLY)
    assert copies(DRAGONFLY, fly, "all_to_all", ranks=16.0) == pytest.approx(15 / 16 * 8 * 8 / 15)


def test_the_worst_pattern_has_a_group_send_over_one_link():
    """All endpoints to the next group: throughput 1 / (a p) on shortest paths, 1/2 with detours (Kim et al., 4.2)."""
    shortest, detours = (
        fabric("dragonfly", **FLY, settings={"routing": routing}) for routing in (None, "adaptive")
    )
    given = {"ranks": 2.0, "stride": 8.0}
    assert copies(DRAGONFLY, shortest, "send_recv", **given) == pytest.approx(8)
    assert copies(DRAGONFLY, detours, "send_recv", **given) == pytest.approx(2)


def test_more_global_links_lift_the_limit_between_groups():
    fly = fabric("dragonfly", size=40.0, shape=(5, 4, 2), settings={"global_links": term(4.0)})
    assert copies(DRAGONFLY, fly, "all_to_all", ranks=16.0) == pytest.approx(15 / 16 * 8 * 8 / 15 / 4)


def test_a_dragonfly_says_which_sizes_it_takes():
    with pytest.raises(UsageError, match="groups, routers of a group and endpoints"):
        cost(DRAGONFLY, fabric("dragonfly", shape=(9, 4)), "all_reduce")


# ---- through the host
def test_a_message_through_the_host_crosses_two_links():
    assert hops(HOST, fabric("host"), "send_recv", ranks=2.0) == pytest.approx(2.0)


def test_all_devices_share_what_the_host_passes_on():
    shared = fabric("host", settings={"host_bandwidth": term(200.0, "GB/s")})
    assert copies(HOST, shared, "send_recv", ranks=2.0) == pytest.approx(1.0)
    assert copies(HOST, shared, "all_reduce", ranks=2.0) == pytest.approx(1.0)
    assert copies(HOST, shared, "all_reduce") == pytest.approx(2 * 7 / 8 * 8 / 2)


# ---- on a wafer: bytes and latency by the cycle
WAFER = {
    "link": {"bandwidth": "4 B/cycle/dir", "latency": "1 cycle", "efficiency": "100%"},
    "clock": term(1.0, "GHz"),
    "size": 900_000.0,
    "shape": (900, 1000),
}


@pytest.mark.parametrize("kind", ["broadcast", "reduce"])
def test_a_row_of_a_wafer_takes_a_cycle_a_core_and_a_cycle_a_word(kind):
    assert cost(MESH, fabric("mesh", **WAFER), kind, size=4000.0, ranks=900.0) == pytest.approx(
        899e-9 + 1000e-9
    )


def test_a_whole_wafer_reduces_over_rows_and_columns():
    found = cost(MESH, fabric("mesh", **WAFER), "all_reduce", size=4000.0, ranks=900_000.0)
    assert found == pytest.approx(2 * (899e-9 + 999e-9) + 2 * 4000 / 8e9)


def test_rates_by_the_cycle_need_a_clock():
    bare = {**WAFER, "clock": None}
    with pytest.raises(ModelError, match="has no clock"):
        cost(MESH, fabric("mesh", **bare), "broadcast")
