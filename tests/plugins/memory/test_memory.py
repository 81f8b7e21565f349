"""Memory models: the conformance kit, and how they behave."""

# ruff: noqa: RUF012 - samples of the conformance kit are class attributes that nothing changes
from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.errors import ModelError
from accelscope.core.numeric.term import term
from accelscope.core.testing.builders import make_op, make_part, make_traffic
from accelscope.core.testing.conformance import MemoryConformance
from accelscope.plugins.memory.cache import CACHE, hit_rate
from accelscope.plugins.memory.dram import DRAM, FAR_MEMORY
from accelscope.plugins.memory.scratchpad import REGFILE, SCRATCHPAD

HBM = {
    "class": "hbm3",
    "capacity": "16 GB",
    "bandwidth": "669.44 GB/s",
    "latency": "480 ns",
    "energy": "3.9 pJ/bit",
}
L2 = {"class": "cache", "capacity": "50 MiB", "bandwidth": "5.5 TB/s", "partitions": "2"}
MALL = {"class": "cache", "capacity": "32 MiB", "bandwidth": "2.15 TB/s", "side": "memory"}
WAFER = {
    "class": "scratchpad",
    "capacity": "48 KiB",
    "bandwidth": {"read": "16 B/cycle", "write": "8 B/cycle"},
}
ON_WAFER = {"count": "900000", "clock": "0.875 GHz", "level": "core"}


class TestDram(MemoryConformance):
    model = DRAM
    sample = HBM
    place = {"count": "5"}


class TestDramWithACurve(MemoryConformance):
    model = DRAM
    sample = {
        "capacity": "80 GB",
        "bandwidth": "3 TB/s",
        "efficiency": {"4 KiB": "20%", "1 MiB": "60%", "1 GiB": "90%"},
    }


class TestFarMemory(MemoryConformance):
    model = FAR_MEMORY
    sample = {"class": "dram_flash", "capacity": "12 TB", "bandwidth": "600 GB/s"}


class TestCache(MemoryConformance):
    model = CACHE
    sample = L2
    place = {"level": "die"}


class TestMemorySideCache(MemoryConformance):
    model = CACHE
    sample = MALL
    place = {"count": "8", "level": "die"}


class TestPrivateCache(MemoryConformance):
    model = CACHE
    sample = {"class": "cache", "capacity": "32 KiB", "bandwidth": "64 B/cycle"}
    place = {"count": "304", "level": "core", "clock": "2.1 GHz"}


class TestScratchpad(MemoryConformance):
    model = SCRATCHPAD
    sample = {"class": "scratchpad", "capacity": "228 KiB", "bandwidth": "128 B/cycle", "shared_with": "l1"}
    place = {"count": "132", "level": "core"}


class TestWaferMemory(MemoryConformance):
    model = SCRATCHPAD
    sample = WAFER
    place = ON_WAFER


class TestRegfile(MemoryConformance):
    model = REGFILE
    sample = {"class": "regfile", "capacity": "256 KiB"}


def test_dram_takes_bytes_over_achieved_bandwidth():
    part = make_part(DRAM, {"capacity": "80 GB", "bandwidth": "1 TB/s", "efficiency": "50%"}, count=4)
    assert DRAM.serve(part, make_traffic("2 GB")).time.to("ms") == pytest.approx(1.0)


def test_dram_peak_and_capacity_count_every_stack():
    part = make_part(DRAM, HBM, count=5)
    assert DRAM.peak(part).to("TB/s") == pytest.approx(3.347, rel=1e-3)
    assert DRAM.capacity(part).to("GB") == pytest.approx(80.0)


def test_latency_shows_in_small_transfers_only():
    part = make_part(DRAM, HBM, count=5)
    assert DRAM.serve(part, make_traffic("1 kB")).time.to("ns") == pytest.approx(480, rel=0.01)
    assert DRAM.serve(part, make_traffic("1 GB")).time.to("us") == pytest.approx(378, rel=0.01)


def test_dram_energy_is_bits_times_energy_a_bit():
    part = make_part(DRAM, HBM, count=5)
    assert DRAM.serve(part, make_traffic("1 GB")).energy.to("mJ") == pytest.approx(31.2)


def test_weights_that_fit_in_a_cache_are_not_read_from_dram():
    cache = make_part(CACHE, L2, level="die")
    onward = CACHE.serve(cache, make_traffic("10 MB", footprint="20 MB")).onward
    assert onward.weights.to("MB") == pytest.approx(0.0)


def test_weights_far_beyond_a_cache_are_all_read_from_dram():
    cache = make_part(CACHE, L2, level="die")
    onward = CACHE.serve(cache, make_traffic("10 MB", footprint="10 GB")).onward
    assert onward.weights.to("MB") == pytest.approx(10.0)


def test_a_cache_keeps_small_activations_between_operations():
    cache = make_part(CACHE, L2, level="die")
    traffic = make_traffic("1 MB", activations="1 MB", footprint="10 GB")
    assert CACHE.serve(cache, traffic).onward.activations.to("MB") == pytest.approx(0.0)


def test_hits_fall_smoothly_and_never_rise_with_the_footprint():
    footprints = np.linspace(0.1, 20.0, 400)
    hits = hit_rate(term(footprints, "MB"), term(1.0, "MB")).value
    assert hits[0] == 1.0
    assert np.all(np.diff(hits) <= 1e-15)
    assert np.max(np.abs(np.diff(hits))) < 0.1


@pytest.mark.parametrize("ratio", [1.0, 1.1, 1.5, 2.0, 3.0, 8.0])
def test_hits_solve_the_equation_of_random_replacement(ratio):
    exact = 0.0
    for _ in range(2000):
        exact = np.exp(-ratio * (1.0 - exact))
    found = float(hit_rate(term(ratio, "B"), term(1.0, "B")).value)
    assert found == pytest.approx(exact, abs=0.04)


def test_a_private_cache_passes_everything_on():
    cache = make_part(CACHE, {"class": "cache", "capacity": "1 GiB"}, level="core")
    traffic = make_traffic("1 MB", footprint="1 MB")
    assert CACHE.serve(cache, traffic).onward is traffic


def test_a_machine_without_dram_has_the_capacity_of_its_sram():
    part = make_part(SCRATCHPAD, WAFER, **ON_WAFER)
    assert SCRATCHPAD.capacity(part).to("GB") == pytest.approx(44.2, rel=0.01)
    assert SCRATCHPAD.peak(part).to("PB/s") == pytest.approx(12.6, rel=0.01)


def test_read_and_write_ports_work_at_once():
    part = make_part(SCRATCHPAD, WAFER | {"efficiency": "100%"}, clock="1 GHz")
    op = make_op(m=1000.0, n=1000.0, k=1000.0)  # 4 MB read, 2 MB written
    time = SCRATCHPAD.serve(part, make_traffic("6 MB", op=op)).time
    assert time.to("us") == pytest.approx(250.0)


PINNED = {
    "class": "scratchpad",
    "capacity": "2 GB",
    "bandwidth": "100 TB/s",
    "reuse_capacity_fraction": "50%",
}


def test_software_pins_the_share_of_the_weights_that_fits():
    part = make_part(SCRATCHPAD, PINNED)
    onward = SCRATCHPAD.serve(part, make_traffic("1 GB", footprint="4 GB")).onward
    assert onward.weights.to("GB") == pytest.approx(0.75)


def test_a_scratchpad_that_keeps_nothing_passes_everything_on():
    part = make_part(SCRATCHPAD, PINNED | {"reuse_capacity_fraction": "0%"})
    onward = SCRATCHPAD.serve(part, make_traffic("1 GB", activations="1 MB", footprint="1 GB")).onward
    assert (onward.weights.to("GB"), onward.activations.to("MB")) == (1.0, 1.0)


def test_activations_that_fit_stay_on_chip():
    part = make_part(SCRATCHPAD, PINNED)
    fits, spills = (
        SCRATCHPAD.serve(part, make_traffic("0 B", activations=size, footprint="4 GB")).onward.activations
        for size in ("1 GB", "4 GB")
    )
    assert (fits.to("GB"), spills.to("GB")) == (0.0, pytest.approx(3.0))


def test_activations_are_spread_over_all_cores():
    part = make_part(SCRATCHPAD, WAFER, **ON_WAFER)
    alone, resident = (
        SCRATCHPAD.serve(part, make_traffic("0 B", activations="1 MB", footprint=size, home=True)).time.value
        for size in ("0 B", "40 GB")
    )
    assert alone == resident


def test_a_bandwidth_a_cycle_without_a_clock_is_an_error_that_names_the_part():
    part = make_part(
        SCRATCHPAD,
        {"class": "scratchpad", "capacity": "1 MiB", "bandwidth": "8 B/cycle"},
        name="vmem",
        clock=None,
    )
    with pytest.raises(ModelError, match="vmem"):
        SCRATCHPAD.serve(part, make_traffic("1 MB"))
