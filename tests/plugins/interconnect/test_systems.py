"""Networks as descriptions write them: from the text to the tiers of a machine, and collectives over several tiers."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.bind.binder import Binder
from accelscope.core.evaluate.collective_cost import compute_collective_cost
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.plan import Collective
from accelscope.core.numeric.term import term
from accelscope.core.testing.builders import make_device, make_fabric
from accelscope.plugins.interconnect.clique import pair_bandwidth
from tests.support.paths import STD
from tests.support.sessions import open_session

KINDS = ("all_reduce", "all_gather", "reduce_scatter", "all_to_all", "send_recv", "broadcast", "reduce")
FREE = {"startup": term(0.0, "s"), "collective_efficiency": term(1.0)}
INNER = {"bandwidth": "400 GB/s/dir", "efficiency": "100%"}
OUTER = {"bandwidth": "50 GB/s/dir", "efficiency": "100%"}
CHIP = """
link Wire { bandwidth = 100 GB/s/dir @"test", latency = 1 us @"test", efficiency = 100% @"test" }
package Chip {
  die d { clock = 1 GHz @"test", core c { engine e { kind = systolic, shape = [128, 128], ops { bf16 = 1 MAC/cycle } } } }
  memory hbm { class = hbm3, capacity = 80 GB @"test", bandwidth = 3 TB/s @"test" }
}
"""


def machine(path, name):
    program, _ = open_session().load(str(path))
    assert program is not None
    binder = Binder(open_session().registry)
    found = assemble_machine(program.lookup(name), binder)
    assert found is not None
    return found


@pytest.fixture
def described(tmp_path):
    def describe(text, name="system"):
        path = tmp_path / "system.accel"
        path.write_text(CHIP + text)
        return machine(path, name)

    return describe


def cost(found, kind, size=1e12, ranks=8.0, stride=1.0):
    item = Collective(name="test", kind=kind, bytes=term(size, "B"), ranks=term(ranks), stride=term(stride))
    return compute_collective_cost(found, item).time.value


def served_fabric(pattern, *args, **named):
    return make_fabric(pattern, *args, model=open_session().registry.interconnect_for(pattern), **named)


def machine_with(*tiers):
    devices = term(float(np.prod([tier.size.value for tier in tiers])))
    return Machine(device=make_device(), devices=devices, tiers=tiers)


def two_tiers(outer="rail", **settings):
    inner = served_fabric("switch", INNER, settings=FREE)
    return machine_with(inner, served_fabric(outer, OUTER, size=16.0, settings={**FREE, **settings}))


# ---- from the text
def test_a_pair_of_mi300x_moves_64_gb_s_one_way():
    tier = machine(STD / "amd.accel", "MI300X_platform").tiers[0]
    assert pair_bandwidth(tier).to("GB/s") == pytest.approx(64)
    alone = Collective(name="test", kind="send_recv", bytes=term(64e9, "B"), ranks=term(2.0))
    seconds = open_session().registry.interconnect_for(tier.pattern).transfer(tier, alone).time.value
    assert 64e9 / seconds == pytest.approx(64e9 * float(tier.link.efficiency.value), rel=1e-3)


def test_eight_mi300x_send_448_gb_s_each():
    tier = machine(STD / "amd.accel", "MI300X_platform").tiers[0]
    reached = float((tier.link.efficiency * tier.settings.collective_efficiency).value)
    found = machine(STD / "amd.accel", "MI300X_platform")
    assert 7 / 8 * 1e15 / cost(found, "all_gather", size=1e15) == pytest.approx(448e9 * reached, rel=1e-3)


@pytest.mark.parametrize(
    ("system", "ranks", "factor"), [("TPUv5p_pod", 8, 2), ("TPUv5p_pod", 6, 1), ("TPUv5e_pod", 8, 1)]
)
def test_optical_switches_close_slices_of_a_v5p_pod_and_none_of_a_v5e_pod(system, ranks, factor):
    found = machine(STD / "google.accel", system)
    link = float((found.tiers[0].link.bandwidth * found.tiers[0].link.efficiency).value)
    expected = (ranks - 1) / ranks * 1e15 / (link * factor)
    assert cost(found, "all_gather", size=1e15, ranks=float(ranks)) == pytest.approx(expected, rel=1e-3)


def test_a_dragonfly_is_written_as_a_pattern(described):
    found = described(
        "switch router { latency = 200 ns, radix = 7 }\n"
        "cluster system { package chip[72] : Chip, "
        "connect chip[*] as dragonfly(9, 4, 2) via Wire { switch = router, routing = adaptive, startup = 0 us } }"
    )
    assert [float(size.value) for size in found.tiers[0].shape] == [9, 4, 2]
    assert cost(found, "send_recv", size=1e-3, ranks=2.0, stride=8.0) == pytest.approx(1e-6 + 4 * 200e-9)


def test_cards_count_as_ports_of_a_fat_tree(described):
    found = described(
        "node Box { package chip[4] : Chip, nic card[8] { bandwidth = 100 GB/s/dir }, connect chip[*] as clique(4) via Wire }\n"
        "cluster system { node box[64] : Box, switch leaf[32] { radix = 32, latency = 1 us }, "
        "connect box[*].card[*] <-> leaf[*] via Wire { layout = fat_tree, oversubscription = 3 } }"
    )
    outer = found.tiers[1]
    assert (float(outer.links.value), float(outer.cards.value)) == (2, 8)
    assert float(outer.settings.oversubscription.value) == 3


def test_devices_that_only_their_host_joins_go_through_it(described):
    found = described(
        "node system { package chip[4] : Chip, host cpu {}, "
        "connect cpu <-> chip[*] via Wire { startup = 0 us, host_bandwidth = 50 GB/s } }"
    )
    assert found.tiers[0].pattern == "host"
    assert cost(found, "send_recv", size=1e-3, ranks=2.0) == pytest.approx(2e-6)
    assert cost(found, "send_recv", ranks=2.0) == pytest.approx(1e12 / 50e9, rel=1e-3)


def test_a_network_of_the_devices_comes_before_a_faster_way_through_the_host(described):
    found = described(
        "link Fast extends Wire { bandwidth = 900 GB/s/dir }\n"
        "node system { package chip[4] : Chip, host cpu {}, "
        "connect cpu <-> chip[*] via Fast, connect chip[*] as ring(4) via Wire }"
    )
    assert found.tiers[0].pattern == "ring"


# ---- over several tiers
@pytest.mark.parametrize("kind", KINDS)
def test_two_tiers_with_one_group_are_one_tier(kind):
    both = two_tiers()
    flat = machine_with(both.tiers[0])
    assert cost(both, kind) == cost(flat, kind)
    swept = np.array([8.0, 16.0])
    assert cost(both, kind, ranks=swept)[0] == pytest.approx(cost(flat, kind))


@pytest.mark.parametrize("kind", KINDS)
def test_no_bytes_take_no_time_over_two_tiers(kind):
    assert cost(two_tiers(), kind, size=0.0, ranks=64.0) == 0.0


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("all_reduce", 2 * 7 / 8 / 400 + 2 * 3 / 4 / 8 / 50),
        ("all_gather", 7 / 8 / 400 + 3 / 4 / 8 / 50),
        ("reduce_scatter", 7 / 8 / 400 + 3 / 4 / 8 / 50),
        ("broadcast", 2 * 7 / 8 / 400 + 1 / 8 / 50),
        ("reduce", 2 * 7 / 8 / 400 + 1 / 8 / 50),
        ("all_to_all", 7 / 8 / 400 / 4 + 3 / 4 / 50),
        ("send_recv", 1 / 50),
    ],
)
def test_all_cards_of_a_node_carry_their_share(kind, expected):
    assert cost(two_tiers(), kind, size=1e9, ranks=32.0) == pytest.approx(expected)


def test_a_small_broadcast_goes_through_one_rank_of_each_node():
    settings = {**FREE, "startup": "4 us"}
    near, far = {**INNER, "latency": "1 us"}, {**OUTER, "latency": "5 us"}
    found = machine_with(
        served_fabric("switch", near, settings=settings), served_fabric("flat", far, settings=settings)
    )
    whole, divided = (8 + 3 * 5 + 8 + 3 * 1) * 1e-6, (8 + 1 + 8 + 3 * 5 + 8 + 1) * 1e-6
    assert whole < divided
    assert cost(found, "broadcast", size=1e-3, ranks=64.0) == pytest.approx(whole)


def test_an_all_to_all_changes_rails_inside_the_node_where_the_spine_is_narrow():
    direct = 7 / 8 / 400 / 4 + 4 * (1 - (1 - 1) / 8) / 50 * 3 / 4
    detour = 7 / 8 / 400 + 3 / 4 / 50
    found = machine_with(
        served_fabric("switch", INNER, settings=FREE),
        served_fabric(
            "rail", OUTER, size=16.0, switch={"radix": 32}, settings={**FREE, "oversubscription": "4"}
        ),
    )
    assert detour < direct
    assert cost(found, "all_to_all", size=1e9, ranks=32.0) == pytest.approx(detour)


def test_a_free_spine_spares_the_way_over_the_inner_tier():
    found = two_tiers()
    plain = two_tiers("flat")
    assert cost(found, "all_to_all", ranks=32.0) == cost(plain, "all_to_all", ranks=32.0)


def test_ranks_that_fill_no_whole_nodes_are_spread_evenly():
    """Twelve ranks are six in each of two nodes."""
    expected = 2 * 5 / 6 / 400 + 2 * 1 / 2 / 6 / 50
    assert cost(two_tiers(), "all_reduce", size=1e9, ranks=12.0) == pytest.approx(expected)


def test_ranks_a_node_apart_use_the_outer_tier_only():
    assert cost(two_tiers(), "all_reduce", size=1e9, ranks=4.0, stride=8.0) == pytest.approx(2 * 3 / 4 / 50)
