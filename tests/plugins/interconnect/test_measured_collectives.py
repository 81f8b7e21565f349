"""Collectives whose kernels were measured: their start, steps, protocols and own part go before the network's settings."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.blocks.calibration import CalibratedKernel, CalibrationLayer, DeviceKernels, Kernel
from accelscope.core.evaluate.collective_cost import compute_collective_cost
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.plan import Collective
from accelscope.core.numeric.term import term
from accelscope.core.spec.spec import fields_of
from accelscope.core.testing.builders import make_device, make_fabric
from accelscope.plugins.interconnect.clique import CLIQUE
from accelscope.plugins.interconnect.host import HOST
from accelscope.plugins.interconnect.switched import SWITCHED

LINK = {"bandwidth": "25 GB/s/dir", "latency": "0.8 us", "efficiency": "80%"}
RATE = 18 * 25e9
RING = {"fixed_overhead": (8.0, "us"), "step_latency": (1.0, "us"), "bandwidth_efficiency": (0.5, "")}
TWO = {**RING, "small_message_efficiency": (0.5, ""), "large_message_startup": (50.0, "us")}


def kernel(**values: tuple[float, str]) -> Kernel:
    told: dict[str, Any] = dict.fromkeys(fields_of(Kernel)) | {"op": "all_reduce"}
    return Kernel(**(told | {name: term(value, unit) for name, (value, unit) in values.items()}))


def collective(kind="all_reduce", size=1024.0, ranks=8.0, name="all_reduce", **values) -> Collective:
    known = CalibratedKernel(kernel=kernel(**values), origin="device") if values else None
    size, ranks = term(size, "B"), term(ranks)
    return Collective(name="test", kind=kind, bytes=size, ranks=ranks, kernel=name, known=known)


def seconds(item: Collective, model=SWITCHED, **switch) -> Any:
    fabric = make_fabric("switch", LINK, links=18, switch={"latency": "100 ns", **switch})
    value = model.transfer(fabric, item).time.value
    return float(value) if value.size == 1 else value


@pytest.mark.parametrize("model", [SWITCHED, CLIQUE, HOST])
@pytest.mark.parametrize("ranks", [2.0, 4.0, 8.0])
def test_an_all_reduce_of_a_library_takes_a_step_for_each_rank_there_and_back(model, ranks):
    assert seconds(collective(size=1.0, ranks=ranks, **RING), model) == pytest.approx(
        8e-6 + 2 * (ranks - 1) * 1e-6, rel=1e-4
    )


def test_a_large_one_moves_at_the_measured_share_of_the_links_peak():
    assert seconds(collective(size=8e9, **RING)) == pytest.approx(2 * 7 / 8 * 8e9 / (RATE * 0.5), rel=0.01)


def test_the_protocol_for_small_messages_reaches_less_and_that_for_large_ones_starts_later():
    sizes = np.array([1e4, 1e6, 1e9])
    found = seconds(collective(size=sizes, **TWO))
    moving = 2 * 7 / 8 * sizes / (RATE * 0.5)
    assert found == pytest.approx(22e-6 + np.minimum(moving / 0.5, moving + 50e-6))
    assert found[1] - 22e-6 == pytest.approx(moving[1] / 0.5)
    assert found[2] - 22e-6 == pytest.approx(moving[2] + 50e-6)


def test_a_rank_takes_time_for_its_own_part():
    without, with_own = (
        seconds(collective("all_gather", 1e9, 2.0, **{**RING, **own}))
        for own in ({}, {"local_copy_cost": (0.5, "")})
    )
    assert with_own - without == pytest.approx(0.5 * 1e9 / 2 / (RATE * 0.5))


def test_an_all_to_all_takes_a_step_for_each_other_rank():
    few, many = (seconds(collective("all_to_all", 1.0, ranks, **RING)) for ranks in (2.0, 8.0))
    assert many - few == pytest.approx(6e-6, rel=1e-3)


def test_a_custom_kernel_reads_all_others_in_one_step():
    assert seconds(collective(size=1.0, name="custom_all_reduce", **RING)) == pytest.approx(9e-6, rel=1e-3)


def test_adding_in_the_switch_has_no_protocol_for_small_messages():
    small, large = (
        [seconds(collective(size=size, **TWO), in_network_reduction=adds) for adds in (False, True)]
        for size in (1e4, 1e9)
    )
    assert small[0] == small[1]
    assert large[1] < large[0]


def test_a_library_makes_no_one_shot_all_reduce_even_where_nothing_was_measured():
    library, any_ = (seconds(collective(size=1024.0, name=name)) for name in ("all_reduce", ""))
    assert library > any_


def machine(**kernels: Kernel) -> Machine:
    layer = CalibrationLayer(
        origin="device", runtime=None, kernels={name: (item,) for name, item in kernels.items()}
    )
    fabric = make_fabric("switch", LINK, links=18, switch={"latency": "100 ns"}, model=SWITCHED)
    device = evolve(make_device(), kernels=DeviceKernels((layer,)))
    return Machine(device=device, tiers=(fabric,), devices=term(8.0))


def on(place: Machine, kind: str, name: str = "") -> float:
    item = collective(kind, 1.0, name=name)
    return float(compute_collective_cost(place, item).time.value)


def test_engines_prefer_their_own_all_reduce_to_a_library_s():
    slow = kernel(**RING | {"fixed_overhead": (90.0, "us")})
    both = machine(all_reduce=slow, custom_all_reduce=kernel(**RING))
    assert on(both, "all_reduce") == pytest.approx(9e-6, rel=1e-3)
    assert on(both, "all_reduce", "all_reduce") == pytest.approx(104e-6, rel=1e-3)


def test_what_was_not_measured_is_the_nearest_kind_or_the_network_s_own():
    known = machine(all_gather=kernel(**RING), all_to_all=kernel(**RING))
    assert on(known, "reduce_scatter") == on(known, "all_gather") == pytest.approx(15e-6, rel=1e-3)
    assert on(known, "all_to_all", "experts_dispatch") == on(known, "all_to_all")
    assert on(known, "broadcast") == on(machine(), "broadcast")
