"""Attention on cores that run thread blocks: what the blocks, waves and limits of the form say."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.blocks.calibration import CalibrationLayer, DeviceKernels, Kernel
from accelscope.core.ir.operation import Op
from accelscope.core.numeric.term import Term, term
from accelscope.core.spec.spec import fields_of
from accelscope.core.testing.builders import make_device, make_op, make_part
from accelscope.plugins.compute.matrix import MATRIX
from accelscope.plugins.compute.vector import VECTOR

CORES = 132
TENSOR = {"ops": {"bf16": "512 MAC/cycle"}, "tile": [16, 8, 16]}
PLACE = {"count": "528", "cores": str(CORES), "clock": "1.83 GHz", "level": "core"}
VECTORS = {"ops": {"fp32": "128 MAC/cycle"}, "special": "16 op/cycle"}
ON_CORE = {"count": str(CORES), "cores": str(CORES), "clock": "1.83 GHz", "level": "core"}


def kernels(name: str, **values: Term) -> DeviceKernels:
    told: dict[str, Any] = dict.fromkeys(fields_of(Kernel)) | {"op": name} | values
    return DeviceKernels(
        (CalibrationLayer(origin="device", runtime=None, kernels={name: (Kernel(**told),)}),)
    )


def causal(
    tokens: float, heads: float, *, kv_heads: float = 1.0, sequences: float = 1.0, width: float = 128.0
) -> Op:
    """Return the attention of prompts, each of whose tokens sees those before it and itself."""
    group = heads / kv_heads
    found = make_op(kind="attention", m=group * tokens, n=tokens, k=width, groups=sequences * kv_heads)
    seen = (tokens + 1.0) / 2.0 / tokens
    return evolve(found, kernel="attention_prefill", flops=found.flops * seen, queries=term(group))


def decode(
    context: float, heads: float, *, kv_heads: float = 1.0, sequences: float = 1.0, width: float = 128.0
) -> Op:
    group = heads / kv_heads
    found = make_op(kind="attention", m=group, n=context, k=width, groups=sequences * kv_heads)
    return evolve(found, kernel="attention_decode", queries=term(group))


def seconds(op: Op, *, special: bool = False, **values: Term) -> Any:
    part = make_part(MATRIX, TENSOR, **PLACE)
    device = make_device()
    if special:
        device = evolve(device, engines=(*device.engines, make_part(VECTOR, VECTORS, **ON_CORE)))
    if values:
        device = evolve(device, kernels=kernels(op.kernel, **values))
    return MATRIX.run(part, op, device).time.value


def test_a_long_prompt_runs_at_the_share_of_the_peak_that_the_kernel_reaches():
    op = causal(32768.0, 32.0)
    ideal = op.flops.value / 989e12
    assert seconds(op, compute_efficiency=term(0.6), block_overhead=term(0.0, "s")) == pytest.approx(
        ideal / 0.6, rel=0.02
    )


def test_exponentials_hold_back_narrow_heads_more_than_wide_ones():
    def slower(width: float) -> float:
        op = causal(8192.0, 32.0, width=width)
        return float(seconds(op, special=True) / seconds(op))

    assert slower(64.0) > 1.1 * slower(256.0)
    assert slower(256.0) < 1.02


def test_a_prompt_shorter_than_a_block_takes_a_whole_block():
    short, whole = (seconds(causal(tokens, 1.0, sequences=4096.0)) for tokens in (8.0, 128.0))
    assert short > 0.6 * whole


def test_one_block_more_than_the_cores_starts_another_wave():
    start = {"block_overhead": term(5e-6, "s")}
    full = seconds(causal(128.0, 1.0, sequences=float(CORES)), **start)
    more = seconds(causal(128.0, 1.0, sequences=CORES + 1.0), **start)
    assert more == pytest.approx(2.0 * full, rel=1e-6)


def test_the_last_rows_of_a_prompt_alone_bound_its_time_on_a_large_device():
    few = seconds(causal(4096.0, 1.0))
    assert few >= 128 * 4096 * 128 * 4 / (989e12 / CORES * 0.52)


def test_heads_that_do_not_share_blocks_take_blocks_of_their_own():
    start = {"block_overhead": term(2e-6, "s"), "kv_read_rate_per_core": term(1e14, "B/s")}
    op = decode(2.0, 64.0, sequences=1024.0)
    shared, alone = seconds(op, **start), seconds(op, max_heads_per_block=term(32.0), **start)
    assert alone == pytest.approx(64.0 * shared, rel=0.1)
    assert seconds(
        decode(2.0, 32.0, sequences=1024.0), max_heads_per_block=term(32.0), **start
    ) == pytest.approx(shared)


def test_a_block_of_one_head_may_start_faster_than_one_of_a_group():
    start = {
        "block_overhead": term(5e-6, "s"),
        "kv_read_rate_per_core": term(1e14, "B/s"),
        "query_rows_per_block": term(16.0),
    }
    group, single = decode(2.0, 8.0, sequences=4096.0), decode(2.0, 1.0, sequences=4096.0)
    assert seconds(group, single_head_overhead_ratio=term(0.2), **start) == seconds(group, **start)
    assert seconds(single, single_head_overhead_ratio=term(0.2), **start) < 0.5 * seconds(single, **start)


def test_a_core_alone_reads_no_faster_than_its_stream():
    whole = {
        "min_split_context": term(1e9),
        "kv_read_rate_per_core": term(2e10, "B/s"),
        "block_overhead": term(0.0, "s"),
    }
    op = decode(65536.0, 8.0)
    assert seconds(op, **whole) == pytest.approx(op.kv_read.value / 2e10, rel=0.05)


def test_split_contexts_use_all_cores_but_pay_for_their_combination():
    split = {"kv_read_rate_per_core": term(2e10, "B/s"), "block_overhead": term(2e-6, "s")}
    op = decode(131072.0, 8.0)
    assert seconds(op, **split) < 0.02 * seconds(op, min_split_context=term(1e9), **split)
    assert seconds(op, **split) > 3 * 2e-6


def test_a_few_keys_cost_as_much_as_a_tile_of_them():
    free = {"kv_read_rate_per_core": term(1e14, "B/s")}
    times = [float(seconds(decode(keys, 8.0, sequences=512.0), **free)) for keys in (1.0, 64.0, 128.0, 129.0)]
    assert times[0] == pytest.approx(times[2], rel=1e-3)
    assert times[3] > 1.2 * times[2]


def test_wide_latents_are_taken_in_smaller_tiles():
    free = {"kv_read_rate_per_core": term(1e14, "B/s"), "block_overhead": term(0.0, "s")}
    op = evolve(decode(61.0, 64.0, sequences=512.0, width=544.0), kernel="mla_decode")
    less = evolve(decode(60.0, 64.0, sequences=512.0, width=544.0), kernel="mla_decode")
    assert seconds(op, **free) > 1.5 * seconds(less, **free)


def test_a_kernel_that_computes_what_a_window_hides_takes_as_long_as_without_a_window():
    plain = causal(8192.0, 16.0)
    window = evolve(plain, flops=plain.flops / 32.0, outside=term(31.0))
    assert seconds(window) < 0.1 * seconds(plain)
    assert seconds(window, masked_compute_fraction=term(1.0)) == pytest.approx(seconds(plain), rel=1e-6)


def test_chunks_that_follow_each_other_take_as_long_as_the_chain():
    def scan(states: float) -> Op:
        op = make_op(kind="attention", m=64.0, n=64.0, k=700.0, groups=states * 512.0)
        return evolve(op, kernel="linear_attention", steps=term(512.0))

    start = {"block_overhead": term(1e-6, "s")}
    after = seconds(scan(4.0), max_sequential_chunks=term(1e6), **start)
    assert after > 20 * seconds(scan(4.0), **start)
    assert seconds(scan(float(CORES)), max_sequential_chunks=term(1e6), **start) == pytest.approx(after)


def test_a_sweep_of_calibrated_kernels_equals_its_points():
    contexts = np.array([2.0, 500.0, 8192.0, 131072.0])
    values = {
        "max_heads_per_block": term(4.0),
        "query_rows_per_block": term(16.0),
        "compute_efficiency": term(0.4),
    }
    swept = seconds(decode(contexts, 16.0, kv_heads=2.0, sequences=8.0), **values)
    alone = [float(seconds(decode(one, 16.0, kv_heads=2.0, sequences=8.0), **values)) for one in contexts]
    assert np.allclose(swept, alone, rtol=1e-12)


def test_no_work_takes_no_time():
    assert seconds(evolve(decode(128.0, 8.0), flops=term(0.0, "op"))) == 0.0
