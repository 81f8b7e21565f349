"""Kernels as models: the operation that a layer of a decoder has, and how visits fall on experts."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Precision, Step
from accelscope.core.numeric.term import term
from accelscope.plugins.workload.decoder.decoder import DECODER
from accelscope.plugins.workload.decoder.expert_popularity import ExpertPopularity, measured_popularity
from accelscope.plugins.workload.kernels.attention import ATTENTION_KERNELS as ATTENTIONS
from accelscope.plugins.workload.kernels.common import GEMM_KERNELS as PRODUCTS
from accelscope.plugins.workload.kernels.common import build_kernel_decoder
from accelscope.plugins.workload.kernels.moe import MOE_KERNELS as EXPERTS
from accelscope.plugins.workload.kernels.row_wise import ROW_KERNELS as ROWS

RECORDS = {record.name: record for record in (*PRODUCTS, *ATTENTIONS, *EXPERTS, *ROWS)}
BF16 = Precision(weights="bf16", activations="bf16", kv="bf16")
FP8 = Precision(weights="fp8", activations="fp8", kv="fp8")
STEP = Step(phase="decode", sequences=ONE, tokens=ONE, context=ONE * 0.0)


def built(family: str, precision: Precision = BF16, **fields):
    record = RECORDS[family]
    sizes = {name: value if isinstance(value, str | bool) else term(value) for name, value in fields.items()}
    return record.build(record.spec(**sizes), STEP, precision)


def test_a_product_is_2mnk_operations_and_reads_its_weights():
    (op,) = built("gemm", m=3, n=5, k=7).ops
    assert op.flops.to("op") == 2 * 3 * 5 * 7
    assert op.weights.to("B") == 5 * 7 * 2
    assert (op.reads.to("B"), op.writes.to("B")) == (3 * 7 * 2, 3 * 5 * 2)


def test_a_product_of_narrow_types_may_include_the_narrowing_of_its_input():
    assert [op.name for op in built("gemm", FP8, m=3, n=5, k=7).ops] == ["gemm"]
    narrow, product = built("gemm", FP8, m=3, n=5, k=7, quantize_input=True).ops
    assert (narrow.kernel, narrow.reads.to("B"), narrow.writes.to("B")) == ("quantize", 3 * 7 * 2, 3 * 7)
    assert product.reads.to("B") == 3 * 7


def test_grouped_products_are_of_each_expert():
    (op,) = built("grouped_gemm", m=3, n=5, k=7, experts=4).ops
    assert op.flops.to("op") == 4 * 2 * 3 * 5 * 7
    assert (op.kind, op.groups.value, op.m.value) == ("grouped_gemm", 4, 3)


@pytest.mark.parametrize("phase", ["prefill", "decode"])
def test_attention_is_that_of_a_layer(phase):
    tokens = 512 if phase == "prefill" else 1
    kernel = built(
        "attention", phase=phase, batch=4, seq_q=tokens, kv_len=512, heads=32, kv_heads=8, head_dim=128
    )
    step = Step(phase=phase, sequences=term(4), tokens=term(tokens), context=term(512 - tokens))
    layer = DECODER.build(
        build_kernel_decoder(hidden=term(4096), heads=term(32), kv_heads=term(8), head_dim=term(128)),
        step,
        BF16,
    )
    whole = next(op for op in layer.ops if op.name == "attention")
    (op,) = kernel.ops
    for name in ("flops", "reads", "writes", "kv_read", "m", "n", "k", "groups"):
        assert getattr(op, name).value == getattr(whole, name).value
    assert (op.kernel, op.stored) == (whole.kernel, whole.stored)


def test_attention_of_8_bit_computes_and_reads_in_it():
    sizes = {"batch": 1, "seq_q": 64, "kv_len": 64, "heads": 8, "kv_heads": 8, "head_dim": 64}
    (narrow,) = built("attention", FP8, phase="prefill", **sizes).ops
    (wide,) = built("attention", phase="prefill", **sizes).ops
    assert (narrow.dtype, wide.dtype) == ("fp8", "bf16")
    assert narrow.reads.to("B") * 2 == wide.reads.to("B")


def test_latent_attention_reads_one_latent_of_a_token_in_decode():
    (op,) = built("mla", phase="decode", batch=2, seq_q=1, kv_len=100, heads=16).ops
    assert op.kv_read.to("B") == 2 * 100 * (512 + 64) * 2
    assert op.flops.to("op") == 2 * 2 * 16 * 100 * (512 + 64 + 512)


def test_rows_read_and_write_every_number():
    (norm,) = built("norm", rows=10, columns=100, fused_residual_add=False).ops
    assert (norm.reads.to("B"), norm.writes.to("B"), norm.weights.to("B")) == (2000, 2000, 200)
    (fused,) = built("norm", rows=10, columns=100).ops
    assert fused.reads.to("B") == 4000
    (gated,) = built("activation", rows=10, columns=100).ops
    assert (gated.reads.to("B"), gated.writes.to("B")) == (4000, 2000)
    (plain,) = built("activation", rows=10, columns=100, kind="gelu").ops
    assert plain.reads.to("B") == 2000


def test_a_kernel_touches_only_what_it_reads_and_writes():
    found = built("gemm", m=3, n=5, k=7)
    assert found.residency.weights.to("B") == 70
    assert found.residency.activations.to("B") == 3 * 7 * 2 + 3 * 5 * 2
    assert found.parameters.value == 70


def test_a_power_law_of_visits_has_its_moments():
    law = ExpertPopularity(exponent=term(1.2), ratio=term(1000.0))
    shares = (np.arange(2_000_000) + 0.5) / 2_000_000
    visits = ((1000.0**-0.2 - 1) * shares + 1) ** (1 / -0.2)
    assert float(law.mean().value) == pytest.approx(visits.mean(), rel=1e-3)
    assert float(law.spread().value) == pytest.approx(visits.var() / visits.mean() ** 2, rel=1e-3)
    for each in (0.1, 1.0, 10.0):
        exact = 256 * np.mean(1 - np.exp(-each * visits / visits.mean()))
        assert float(law.visited(term(256), term(each)).value) == pytest.approx(exact, rel=0.03)


def test_without_skew_all_experts_are_alike():
    law = ExpertPopularity(exponent=term(1.0), ratio=term(1.0))
    assert float(law.spread().value) == pytest.approx(0.0, abs=1e-6)
    assert float(law.visited(term(8), term(2.0)).value) == pytest.approx(8 * (1 - np.exp(-2.0)), rel=1e-5)


def test_few_visits_are_drawn_over_another_range():
    ratios = measured_popularity(term(1.2), term([4.0, 4096.0]), term(8), term(256)).ratio.value
    assert ratios == pytest.approx([200.0, 0.8 * 4096])


def test_a_native_normalisation_moves_what_its_steps_move():
    """Six operations of PyTorch, nine with the residual; in 32 bit but where they read or write a row of the model."""
    (alone,) = built("norm", rows=3, columns=64, unfused=True, fused_residual_add=False).ops
    (added,) = built("norm", rows=3, columns=64, unfused=True).ops
    assert (alone.kernel, alone.launches.value, added.launches.value) == ("native_norm", 6, 9)
    assert alone.reads.to("B") == 3 * 64 * (2 * 2 + 4 * 4)
    assert alone.writes.to("B") == 3 * 64 * (2 * 2 + 3 * 4)
    assert (added.reads - alone.reads).to("B") == 3 * 64 * (2 + 3 * 4)
    assert (added.writes - alone.writes).to("B") == 3 * 64 * (2 + 2 * 4)
