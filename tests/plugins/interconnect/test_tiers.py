"""Network tiers: the conformance kit, and how they behave."""

# ruff: noqa: RUF012 - samples of the conformance kit are class attributes that nothing changes
from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.errors import ModelError
from accelscope.core.ir.plan import Collective
from accelscope.core.numeric.term import term
from accelscope.core.testing.builders import make_fabric
from accelscope.core.testing.conformance import InterconnectConformance
from accelscope.plugins.interconnect.alphabeta import build_network_path, one_shot_time, ring_time
from accelscope.plugins.interconnect.clique import CLIQUE
from accelscope.plugins.interconnect.grid import MESH, RING, TORUS
from accelscope.plugins.interconnect.scale_out import SCALE_OUT
from accelscope.plugins.interconnect.switched import SWITCHED

NVLINK = {"bandwidth": "25 GB/s/dir", "latency": "0.8 us", "efficiency": "80%", "energy": "1.3 pJ/bit"}
IF4 = {"bandwidth": "64 GB/s/dir", "latency": "0.5 us", "efficiency": "100%"}
ICI = {"bandwidth": "100 GB/s/dir", "latency": "1 us", "efficiency": "90%"}
CURVE = {
    "bandwidth": "25 GB/s/dir",
    "efficiency": {"128 B": "45%", "4 KiB": "70%", "1 MiB": "83%", "1 GiB": "84%"},
}
ADDING = {"latency": "100 ns", "in_network_reduction": True}


class TestSwitched(InterconnectConformance):
    model = SWITCHED
    sample = NVLINK
    fabric = {"links": 18, "switch": ADDING}


class TestSwitchedWithACurve(InterconnectConformance):
    model = SWITCHED
    sample = CURVE
    fabric = {"links": 18}


class TestSwitchedWithoutPeerAccess(InterconnectConformance):
    model = SWITCHED
    sample = NVLINK
    fabric = {"links": 1, "settings": {"peer_access": False, "startup": "8 us"}}


class TestClique(InterconnectConformance):
    model = CLIQUE
    sample = IF4
    fabric = {"links": 7}


class TestRing(InterconnectConformance):
    model = RING
    sample = ICI
    fabric = {"links": 2}


class TestMesh(InterconnectConformance):
    model = MESH
    sample = ICI
    fabric = {"links": 4, "shape": (4, 2)}


class TestTorus(InterconnectConformance):
    model = TORUS
    sample = ICI
    fabric = {"links": 6, "size": 64, "shape": (4, 4, 4)}


class TestScaleOut(InterconnectConformance):
    model = SCALE_OUT
    sample = {"bandwidth": "50 GB/s/dir", "latency": "2.7 us"}


def seconds(model, fabric, kind, size, ranks=8.0, stride=1.0):
    item = Collective(name="test", kind=kind, bytes=term(size, "B"), ranks=term(ranks), stride=term(stride))
    return model.transfer(fabric, item).time.value


def nvswitch(adding=True, **settings):
    return make_fabric(
        "switch", NVLINK, links=18, switch=ADDING if adding else {"latency": "100 ns"}, settings=settings
    )


def test_one_shot_beats_the_ring_for_small_messages_only():
    way = build_network_path(nvswitch())
    small, large = (
        Collective(name="test", kind="all_reduce", bytes=term(size, "B"), ranks=term(8.0))
        for size in (65536.0, 1e8)
    )
    assert one_shot_time(way, small).value < ring_time(way, small, rounds=2.0).value
    assert one_shot_time(way, large).value > ring_time(way, large, rounds=2.0).value


def test_a_small_all_reduce_takes_about_five_microseconds():
    assert 4e-6 < seconds(SWITCHED, nvswitch(), "all_reduce", 16384.0) < 9e-6


def test_adding_in_the_switch_beats_adding_at_the_ranks():
    size = 2.0**30
    adding, plain = (seconds(SWITCHED, nvswitch(adding=given), "all_reduce", size) for given in (True, False))
    assert plain / adding == pytest.approx((2 * 7 / 8) / (9 / 8), rel=0.01)


def test_without_peer_access_a_small_all_reduce_is_a_ring_or_tree():
    assert seconds(SWITCHED, nvswitch(peer_access=False), "all_reduce", 1024.0) > 2 * 3.7e-6


def test_the_start_up_is_a_setting_of_the_connection():
    slow = nvswitch(startup=term(10.0, "us"))
    added = seconds(SWITCHED, slow, "all_reduce", 1024.0) - seconds(
        SWITCHED, nvswitch(), "all_reduce", 1024.0
    )
    assert added == pytest.approx(6.3e-6, rel=1e-3)


def test_a_large_all_gather_moves_what_the_others_hold():
    time = seconds(SWITCHED, nvswitch(), "all_gather", 2.0**30)
    assert time == pytest.approx(2.0**30 * 7 / 8 / (18 * 25e9 * 0.8 * 0.73), rel=0.01)


def test_a_pair_of_a_clique_moves_its_own_link_only():
    platform = make_fabric("clique", IF4, links=7)
    assert seconds(CLIQUE, platform, "send_recv", 64e9) == pytest.approx(1.0, rel=1e-3)


def test_one_link_a_device_in_a_clique_is_the_link_of_a_pair():
    given, each = (make_fabric("clique", IF4, links=links) for links in (1, 7))
    assert seconds(CLIQUE, given, "all_reduce", 1e8) == seconds(CLIQUE, each, "all_reduce", 1e8)


def test_two_ranks_of_a_clique_use_one_pair():
    platform = make_fabric("clique", IF4, links=7, settings={"collective_efficiency": "100%"})
    assert seconds(CLIQUE, platform, "all_reduce", 64e9, ranks=2.0) == pytest.approx(1.0, rel=1e-3)


def test_an_open_line_has_half_the_bandwidth_of_a_ring():
    torus, mesh = (make_fabric(name, ICI, links=2, shape=(8,)) for name in ("torus", "mesh"))
    ratio = seconds(MESH, mesh, "all_reduce", 1e10) / seconds(TORUS, torus, "all_reduce", 1e10)
    assert ratio == pytest.approx(2.0, rel=0.01)


def test_part_of_a_torus_is_an_open_line():
    cube = make_fabric("torus", ICI, links=6, size=512, shape=(8, 8, 8))
    half, whole = (seconds(TORUS, cube, "all_gather", 1e10, ranks=ranks) for ranks in (4.0, 8.0))
    assert whole == pytest.approx(1e10 * 7 / 8 / (2 * 100e9 * 0.9), rel=0.01)
    assert half == pytest.approx(1e10 * 3 / 4 / (100e9 * 0.9), rel=0.01)


def test_all_dimensions_of_a_torus_work_at_once():
    cube = make_fabric("torus", ICI, links=6, size=64, shape=(4, 4, 4))
    expected = 2 * 1e10 * 63 / 64 / (6 * 100e9 * 0.9)
    assert seconds(TORUS, cube, "all_reduce", 1e10, ranks=64.0) == pytest.approx(expected, rel=0.01)


def test_strided_ranks_go_along_an_outer_dimension():
    cube = make_fabric("torus", ICI, links=6, size=64, shape=(4, 4, 4))
    inner, outer = (
        seconds(TORUS, cube, "all_reduce", 1e9, ranks=4.0, stride=stride) for stride in (1.0, 4.0)
    )
    assert inner == pytest.approx(outer)


def test_a_collective_takes_no_more_time_on_more_dimensions():
    line, cube = (
        make_fabric("torus", ICI, links=links, size=64, shape=shape)
        for links, shape in ((2, (64,)), (6, (4, 4, 4)))
    )
    assert seconds(TORUS, cube, "all_to_all", 1e8, ranks=64.0) < seconds(
        TORUS, line, "all_to_all", 1e8, ranks=64.0
    )


def test_scale_out_has_no_one_shot():
    network = make_fabric("flat", {"bandwidth": "50 GB/s/dir", "latency": "2.7 us"})
    assert seconds(SCALE_OUT, network, "all_reduce", 1024.0) > 2 * 3.7e-6 + 2 * 3 * 2.7e-6 * 0.99


def test_kernels_of_a_collective_reach_less_than_a_copy():
    size = 1e10
    copied, gathered = (
        seconds(SWITCHED, nvswitch(), kind, size, ranks=2.0) for kind in ("send_recv", "all_gather")
    )
    assert copied / gathered == pytest.approx(0.73 / 0.5, rel=0.01)


def test_energy_counts_what_a_rank_sends():
    item = Collective(name="test", kind="all_gather", bytes=term(8e9, "B"), ranks=term(8.0))
    assert SWITCHED.transfer(nvswitch(), item).energy.to("mJ") == pytest.approx(7e9 * 8 * 1.3e-12 * 1e3)


def test_an_unknown_collective_is_an_error():
    with pytest.raises(ValueError, match="gossip"):
        seconds(SWITCHED, nvswitch(), "gossip", 1.0)


def test_a_link_between_devices_has_no_clock():
    with pytest.raises(ModelError, match="B/s/dir"):
        seconds(RING, make_fabric("ring", {"bandwidth": "32 bit/cycle/dir"}, links=2), "all_reduce", 1.0)


def test_all_reduce_never_falls_with_more_ranks_of_a_switch():
    times = seconds(SWITCHED, nvswitch(adding=False), "all_reduce", 1e6, ranks=np.arange(1.0, 9.0))
    assert np.all(np.diff(times) >= 0.0)
