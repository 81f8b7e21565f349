"""Systolic arrays: the conformance kit, golden cycle counts, and how they behave."""

# ruff: noqa: RUF012 - samples of the conformance kit are class attributes that nothing changes
from __future__ import annotations

import pytest

from accelscope.core.numeric.term import term
from accelscope.core.testing.builders import make_device, make_op, make_part
from accelscope.core.testing.conformance import ComputeConformance
from accelscope.plugins.compute.systolic import SYSTOLIC, systolic_cycles

MXU = {
    "kind": "systolic",
    "shape": [128, 128],
    "dataflow": "weight_stationary",
    "ops": {"bf16": "16384 MAC/cycle", "int8": "32768 MAC/cycle"},
}
ON_TPU = {"count": "8", "cores": "2", "clock": "1.75 GHz", "level": "core"}

# (rows, columns, m, n, k, dataflow, cycles) of runs of SCALE-Sim 3.0.0 (MIT licence) with unlimited bandwidth.
GOLDEN = [
    (4, 4, 5, 5, 100, "output_stationary", 423),
    (16, 8, 64, 64, 256, "output_stationary", 8895),
    (8, 8, 36, 4, 9, "output_stationary", 114),
    (8, 8, 196, 16, 72, "output_stationary", 4299),
    (4, 4, 12, 12, 64, "output_stationary", 629),
    (16, 8, 196, 16, 64, "output_stationary", 2235),
    (16, 16, 36, 4, 9, "output_stationary", 116),
    (8, 16, 36, 7, 45, "output_stationary", 334),
    (16, 16, 49, 6, 75, "weight_stationary", 474),
    (16, 16, 128, 64, 32, "weight_stationary", 1391),
    (4, 4, 196, 16, 64, "weight_stationary", 13183),
    (8, 8, 64, 64, 256, "weight_stationary", 22015),
    (16, 8, 31, 33, 17, "weight_stationary", 689),
    (16, 8, 5, 5, 100, "weight_stationary", 300),
    (16, 8, 49, 64, 72, "weight_stationary", 3479),
    (16, 16, 196, 32, 27, "weight_stationary", 967),
    (16, 16, 196, 16, 72, "input_stationary", 4029),
    (16, 16, 196, 16, 64, "input_stationary", 3223),
    (8, 8, 16, 64, 64, "input_stationary", 1375),
    (8, 8, 128, 64, 32, "input_stationary", 5503),
    (4, 4, 128, 32, 64, "input_stationary", 21503),
    (8, 16, 1, 64, 64, "input_stationary", 751),
    (8, 8, 33, 32, 31, "input_stationary", 1079),
    (16, 16, 49, 64, 72, "input_stationary", 2199),
]


class TestSystolic(ComputeConformance):
    model = SYSTOLIC
    sample = MXU
    place = ON_TPU


class TestOutputStationaryWithoutBuffers(ComputeConformance):
    model = SYSTOLIC
    sample = MXU | {"dataflow": "output_stationary", "double_buffered": False}
    place = ON_TPU


class TestSystolicWithATileOnly(ComputeConformance):
    model = SYSTOLIC
    sample = {
        "kind": "systolic",
        "tile": [16, 8, 16],
        "ops": {"bf16": "512 MAC/cycle"},
        "energy": "0.5 pJ/op",
    }
    place = {"count": "528", "cores": "132", "clock": "1.83 GHz", "level": "core"}


@pytest.mark.parametrize(("rows", "columns", "m", "n", "k", "dataflow", "expected"), GOLDEN)
def test_cycles_are_those_of_scale_sim(rows, columns, m, n, k, dataflow, expected):
    found = systolic_cycles(*(term(float(value)) for value in (m, n, k, rows, columns)), dataflow)
    assert expected == float(found.value)


def seconds(sample, **shape):
    part = make_part(SYSTOLIC, sample, **ON_TPU)
    return float(SYSTOLIC.run(part, make_op(**shape), make_device()).time.value)


def test_a_large_product_nears_the_peak():
    ideal = 2 * 8192**3 / 459e12
    assert 1.1 < seconds(MXU, m=8192.0, n=8192.0, k=8192.0) / ideal < 1.2


def test_a_single_row_waits_for_the_weights_to_be_loaded():
    folds_of_an_array = 64 * 64 / 8
    expected = folds_of_an_array * 128 / 1.75e9 / 0.89
    assert seconds(MXU, m=1.0, n=8192.0, k=8192.0) == pytest.approx(expected, rel=0.01)


def test_sizes_are_padded_to_the_array():
    assert seconds(MXU, m=4096.0, n=129.0, k=128.0) > 1.4 * seconds(MXU, m=4096.0, n=128.0, k=128.0) * 0.5
    assert seconds(MXU, m=4096.0, n=1025.0, k=1024.0) > seconds(MXU, m=4096.0, n=1024.0, k=1024.0)


def test_loading_weights_behind_the_computation_saves_time():
    exposed = MXU | {"double_buffered": False}
    assert seconds(MXU, m=64.0, n=4096.0, k=4096.0) < 0.5 * seconds(exposed, m=64.0, n=4096.0, k=4096.0)


def test_int8_runs_at_its_own_rate():
    bf16, int8 = (seconds(MXU, m=8192.0, n=4096.0, k=4096.0, dtype=dtype) for dtype in ("bf16", "int8"))
    assert bf16 == pytest.approx(2 * int8, rel=0.01)


def test_a_wide_port_loads_a_tile_in_fewer_cycles_than_rows():
    """A TSP takes 409,600 weights in 40 cycles: Abts et al., "Think Fast", ISCA 2020; here 32 instead of 128."""
    op = make_op(m=1.0, n=128.0 * 800, k=128.0)
    narrow = SYSTOLIC.run(make_part(SYSTOLIC, MXU, **ON_TPU), op, make_device()).time
    wide = SYSTOLIC.run(
        make_part(SYSTOLIC, MXU | {"stationary_load_rate": "1024 B/cycle"}, **ON_TPU), op, make_device()
    ).time
    assert float((narrow / wide).value) == pytest.approx((100 * 128 + 254) / (100 * 32 + 254))


def test_filling_takes_as_many_clocks_at_any_rate():
    half = MXU | {"ops": {"bf16": "8192 MAC/cycle"}}
    op = make_op(m=1.0, n=128.0, k=128.0)
    full, slow = (
        SYSTOLIC.run(make_part(SYSTOLIC, sample, **ON_TPU), op, make_device()).time for sample in (MXU, half)
    )
    assert float((slow / full).value) == pytest.approx((2 * 128 + 254) / (128 + 254))
