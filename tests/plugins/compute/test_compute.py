"""Matrix engines and vector units: the conformance kit, and how they behave."""

# ruff: noqa: RUF012 - samples of the conformance kit are class attributes that nothing changes
from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.blocks.calibration import CalibrationLayer, DeviceKernels, Kernel
from accelscope.core.errors import ModelError
from accelscope.core.numeric.term import term
from accelscope.core.spec.spec import fields_of
from accelscope.core.testing.builders import make_device, make_op, make_part
from accelscope.core.testing.conformance import ComputeConformance
from accelscope.plugins.compute.grouped import count_row_tiles
from accelscope.plugins.compute.matrix import MATRIX
from accelscope.plugins.compute.vector import VECTOR

TENSOR = {"ops": {"bf16": "512 MAC/cycle", "fp8": "1024 MAC/cycle"}, "tile": [16, 8, 16]}
ON_H100 = {"count": "528", "cores": "132", "clock": "1.83 GHz", "level": "core"}
VECTORS = {"ops": {"fp32": "128 MAC/cycle", "fp16": "256 MAC/cycle"}, "special": "16 op/cycle"}
ON_SM = {"count": "132", "cores": "132", "clock": "1.83 GHz", "level": "core"}
WAFER = {"ops": {"fp16": "8 MAC/cycle", "int8": "16 MAC/cycle"}}
ON_WAFER = {"count": "900000", "cores": "900000", "clock": "0.875 GHz", "level": "core"}


class TestMatrix(ComputeConformance):
    model = MATRIX
    sample = TENSOR
    place = ON_H100


class TestMatrixInFp8(ComputeConformance):
    model = MATRIX
    sample = TENSOR
    place = ON_H100
    dtype = "fp8"


class TestMatrixOfARateASecond(ComputeConformance):
    model = MATRIX
    sample = {"kind": "matrix", "ops": {"fp16": "350 TFLOP/s"}, "energy": "1 pJ/op"}
    place = {"clock": None}


class TestVector(ComputeConformance):
    model = VECTOR
    sample = VECTORS
    place = ON_SM


class TestVectorOfAWafer(ComputeConformance):
    model = VECTOR
    sample = WAFER
    place = ON_WAFER
    dtype = "fp16"


class TestVectorWithLanes(ComputeConformance):
    model = VECTOR
    sample = {"lanes": [8, 128], "ops": {"fp32": "4096 op/cycle", "bf16": "4096 op/cycle"}}
    place = {"count": "2", "clock": "1.75 GHz"}


def seconds(model=MATRIX, sample=TENSOR, place=ON_H100, **shape):
    part = make_part(model, sample, **place)
    return model.run(part, make_op(**shape), make_device()).time.value


def test_the_peak_is_that_of_the_data_sheet():
    assert MATRIX.peak(make_part(MATRIX, TENSOR, **ON_H100), "bf16").to("TFLOP/s") == pytest.approx(
        989.4, rel=1e-3
    )


def test_a_dtype_answers_for_its_twin_only():
    part = make_part(MATRIX, TENSOR, **ON_H100)
    assert MATRIX.peak(part, "fp16").value == MATRIX.peak(part, "bf16").value
    assert MATRIX.peak(part, "mxfp8").value == MATRIX.peak(part, "fp8").value
    assert MATRIX.peak(part, "fp64") is None


def test_running_what_cannot_be_computed_is_an_error():
    with pytest.raises(ModelError, match="fp64"):
        seconds(m=1.0, n=1.0, k=1.0, dtype="fp64")


def test_a_large_product_achieves_its_share_of_peak():
    share = 2 * 8192**3 / 989.4e12 / seconds(m=8192.0, n=8192.0, k=8192.0)
    assert 0.78 < share < 0.87


def test_one_tile_more_than_a_wave_costs_a_wave_where_the_last_is_waited_for():
    whole = TENSOR | {"wave_quantization": 1.0}
    one_wave = seconds(sample=whole, m=128.0 * 132, n=256.0, k=8192.0)
    more = seconds(sample=whole, m=128.0 * 133, n=256.0, k=8192.0)
    assert more > 1.25 * one_wave
    assert seconds(sample=whole, m=128.0 * 131, n=256.0, k=8192.0) == pytest.approx(one_wave)


def test_work_that_spreads_evenly_takes_as_long_as_there_is_of_it():
    even = TENSOR | {"wave_quantization": 0.0}
    one_wave = seconds(sample=even, m=128.0 * 132, n=256.0, k=8192.0)
    more = seconds(sample=even, m=128.0 * 133, n=256.0, k=8192.0)
    assert more / one_wave == pytest.approx(133 / 132)


def test_a_tile_below_the_least_takes_no_less_time():
    shape = {"m": 8.0, "n": 64.0, "k": 4096.0}
    small, large = (seconds(sample=TENSOR | {"min_tile_dim": size}, **shape) for size in (16, 128))
    assert large > 4.0 * small
    assert seconds(sample=TENSOR | {"min_tile_dim": 128}, **(shape | {"m": 100.0})) == large


def test_a_calibrated_kernel_goes_before_the_fields_of_the_engine():
    part, op = make_part(MATRIX, TENSOR, **ON_H100), make_op(m=64.0, n=64.0, k=65536.0)
    told = {
        "op": "gemm",
        "compute_efficiency": term(0.5),
        "min_split_k": term(1e6),
        "min_tile_dim": term(128.0),
    }
    kernel = Kernel(**(dict.fromkeys(fields_of(Kernel)) | told))
    layer = CalibrationLayer(origin="device", runtime=None, kernels={"gemm": (kernel,)})
    known = evolve(make_device(), kernels=DeviceKernels((layer,)))
    time = MATRIX.run(part, op, known).time.value
    tile = 2 * 128 * 128 * (65536 + 96) / (989.4e12 / 132 * 0.5)
    assert time == pytest.approx(tile * (64 + 8) / 64 / ((256 / 3 + 8) / (256 / 3)), rel=1e-3)


def test_split_k_keeps_a_tall_product_fast():
    whole = {"ops": TENSOR["ops"], "tile": TENSOR["tile"], "min_split_k": 1_000_000}
    assert seconds(m=16.0, n=128.0, k=65536.0) < 0.1 * seconds(sample=whole, m=16.0, n=128.0, k=65536.0)


def test_small_rows_cost_the_same_up_to_a_tile():
    times = seconds(m=np.arange(1.0, 17.0), n=8192.0, k=8192.0)
    assert np.all(times == times[0])


def test_groups_of_few_rows_cost_more_than_one_product_of_all_rows():
    assert seconds(kind="grouped_gemm", m=4.0, n=1024.0, k=4096.0, groups=64.0) > seconds(
        m=256.0, n=1024.0, k=4096.0
    )


def test_decode_attention_splits_the_context_of_one_sequence():
    whole = TENSOR | {"min_split_context": 1_000_000}
    shape = {"kind": "attention", "m": 8.0, "n": 65536.0, "k": 128.0}
    assert seconds(**shape) < 0.02 * seconds(sample=whole, **shape)
    assert seconds(**shape) < 20e-6


def with_power(tdp):
    device = make_device()
    return evolve(device, package=evolve(device.package, tdp=term(tdp, "W")))


def share_of_peak(dtype, tdp):
    part = make_part(MATRIX, TENSOR, **ON_H100)
    op = make_op(m=8192.0, n=8192.0, k=8192.0, dtype=dtype)
    return float((op.flops / MATRIX.peak(part, dtype) / MATRIX.run(part, op, with_power(tdp)).time).value)


def test_fp8_is_faster_by_less_than_two_at_the_power_limit():
    assert 1.4 < 2.0 * share_of_peak("fp8", 700.0) / share_of_peak("bf16", 700.0) < 2.0


def test_a_low_power_limit_makes_types_differ_by_the_root_of_their_bits():
    assert share_of_peak("bf16", 50.0) == pytest.approx(50.0 / 0.48e-12 / 989.4e12, rel=0.05)
    ratio = 2.0 * share_of_peak("fp8", 50.0) / share_of_peak("bf16", 50.0)
    assert ratio == pytest.approx(2.0**0.5, rel=0.02)


def test_power_that_is_never_reached_changes_nothing():
    part, op = make_part(MATRIX, TENSOR, **ON_H100), make_op(m=8192.0, n=8192.0, k=8192.0)
    assert MATRIX.run(part, op, with_power(70000.0)).time.value == pytest.approx(
        MATRIX.run(part, op, make_device()).time.value, rel=1e-6
    )


def test_energy_is_operations_times_energy_an_operation():
    part = make_part(MATRIX, TENSOR | {"energy": "0.5 pJ/op"}, **ON_H100)
    assert MATRIX.run(part, make_op(m=1000.0, n=1000.0, k=1000.0), make_device()).energy.to(
        "mJ"
    ) == pytest.approx(1.0)


def test_narrow_floats_are_computed_in_fp32_by_a_vector_unit():
    part = make_part(VECTOR, {"ops": {"fp32": "128 MAC/cycle"}}, **ON_SM)
    assert VECTOR.peak(part, "bf16") is None
    wide, narrow = (
        VECTOR.run(part, make_op(kind="elementwise", dtype=dtype), make_device())
        for dtype in ("fp32", "bf16")
    )
    assert narrow.time.value == wide.time.value


def test_a_machine_of_simd_cores_runs_products():
    time = seconds(VECTOR, WAFER, ON_WAFER, m=1024.0, n=8192.0, k=8192.0, dtype="fp16")
    assert time == pytest.approx(2 * 1024 * 8192**2 / (12.6e15 * 0.75))


def test_exponentials_add_to_attention_on_a_vector_unit():
    plain = {"ops": VECTORS["ops"]}
    shape = {"kind": "attention", "m": 128.0, "n": 4096.0, "k": 128.0, "dtype": "fp16"}
    added = seconds(VECTOR, VECTORS, ON_SM, **shape) - seconds(VECTOR, plain, ON_SM, **shape)
    assert added == pytest.approx(128 * 4096 / (132 * 16 * 1.83e9))


@pytest.mark.parametrize(("rows", "mean", "tiles"), [(64, 1, 1.0), (64, 6400, 100.5), (64, 64, 1.582)])
def test_groups_of_unlike_sizes_take_half_a_tile_more_than_their_mean(rows, mean, tiles):
    op = make_op("grouped_gemm", m=float(mean), groups=32.0)
    assert float(count_row_tiles(op, float(rows)).value) == pytest.approx(32 * tiles, rel=1e-3)


def test_alike_groups_take_whole_tiles():
    assert float(count_row_tiles(make_op("gemm", m=65.0, groups=32.0), 64.0).value) == 64
