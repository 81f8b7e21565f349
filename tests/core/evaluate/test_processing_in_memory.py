"""A memory that computes takes operations away from engines and levels, point by point, where it is faster."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.evaluate.op_cost import PassContext, compute_min_op_time, compute_op_cost
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import OpKind
from accelscope.core.numeric.term import term
from accelscope.core.testing.builders import make_device, make_op, make_part
from accelscope.core.testing.conformance_plans import make_plan
from accelscope.plugins.compute.matrix import MATRIX
from accelscope.plugins.memory.dram import DRAM

HBM = {"class": "hbm3", "capacity": "80 GB", "bandwidth": "3.35 TB/s", "energy": "3.9 pJ/bit"}
TENSOR = {"ops": {"bf16": "1024 MAC/cycle"}, "tile": [16, 8, 16]}
INTERNAL_RATE = term(30.0, "TB/s")
BANK_RATE = term(60e12, "op/s")


def multiply_in_banks(part, op, device):
    if op.kind is not OpKind.GEMM:
        return None
    seconds = op.weights / INTERNAL_RATE + op.flops / BANK_RATE
    return Usage(time=seconds, energy=op.flops * term(0.1, "pJ/op"))


def cost(op, **changes):
    engine = make_part(MATRIX, TENSOR, count="528", cores="132", clock="1.8 GHz", level="core")
    memory = make_part(evolve(DRAM, **changes), HBM)
    return compute_op_cost(op, make_plan(), make_device((engine,), (memory,)), PassContext())


def test_a_row_is_faster_in_the_banks_and_many_rows_are_not():
    rows = np.array([1.0, 4096.0])
    op = make_op("gemm", m=rows, n=8192.0, k=8192.0)
    plain, banked = cost(op), cost(op, execute=multiply_in_banks)
    assert banked.work.value[0] < plain.work.value[0] / 5
    assert banked.work.value[1] == pytest.approx(plain.work.value[1], rel=0)


def test_what_is_computed_in_the_banks_is_bound_by_nothing_else():
    banked = cost(make_op("gemm", m=1.0, n=8192.0, k=8192.0), execute=multiply_in_banks)
    times = {name: float(time.value) for name, time in banked.parts}
    assert times["part compute"] == pytest.approx(float(banked.work.value))
    assert times["part"] == 0.0  # neither the engine nor the memory's port, which are called alike here


def test_bytes_that_stay_in_the_banks_cost_no_energy_of_moving():
    op = make_op("gemm", m=1.0, n=8192.0, k=8192.0)
    plain, banked = cost(op), cost(op, execute=multiply_in_banks)
    assert plain.memory_energy.value > 0.0
    assert banked.memory_energy.value == 0.0
    assert banked.compute_energy.to("pJ") == pytest.approx(2.0 * 8192.0**2 * 0.1)
    assert banked.home_bytes.value == 0.0


def test_the_least_time_is_not_above_that_of_the_banks():
    banked = cost(make_op("gemm", m=1.0, n=8192.0, k=8192.0), execute=multiply_in_banks)
    device = make_device(
        (make_part(MATRIX, TENSOR, count="528", cores="132", clock="1.8 GHz", level="core"),),
        (make_part(DRAM, HBM),),
    )
    assert compute_min_op_time(banked, device).value <= banked.work.value


def test_an_operation_that_the_memory_refuses_costs_what_it_did():
    op = make_op("attention", m=1.0, n=4096.0, k=128.0, groups=8.0)
    assert cost(op, execute=multiply_in_banks).each.value == cost(op).each.value
