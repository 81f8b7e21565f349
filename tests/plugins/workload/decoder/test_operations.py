"""Operations of one pass of a decoder."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.ir.operation import Precision, Step
from accelscope.core.numeric.term import term
from accelscope.plugins.workload.decoder.decoder import build_decoder
from accelscope.plugins.workload.decoder.parameters import count_active_parameters, count_parameters
from accelscope.plugins.workload.decoder.shape import distinct_experts
from accelscope.plugins.workload.decoder.spec import Decoder, Experts, LatentAttention

BF16 = Precision(weights="bf16", activations="bf16", kv="bf16")
FP8 = Precision(weights="fp8", activations="fp8", kv="fp8")


@pytest.fixture(autouse=True)
def strict_numpy():
    with np.errstate(all="raise"):
        yield


def plain(value):
    return term(value)


LLAMA = Decoder(
    layers=plain(80), hidden=plain(8192), heads=plain(64), kv_heads=plain(8), head_dim=plain(128),
    vocab=plain(128_256), ffn=plain(28_672),
)  # fmt: skip
MIXTRAL = Decoder(
    layers=plain(32), hidden=plain(4096), heads=plain(32), kv_heads=plain(8), head_dim=plain(128),
    vocab=plain(32_000), experts=Experts(routed=plain(8), top_k=plain(2), ffn=plain(14_336)),
)  # fmt: skip
DEEPSEEK = Decoder(
    layers=plain(61), hidden=plain(7168), heads=plain(128), vocab=plain(129_280),
    attention=LatentAttention(
        kv_rank=plain(512), q_rank=plain(1536), rope_dim=plain(64), nope_dim=plain(128), v_dim=plain(128)
    ),
    experts=Experts(
        routed=plain(256), shared=plain(1), top_k=plain(8), ffn=plain(2048), dense_layers=plain(3),
        dense_ffn=plain(18_432), router_bias=True,
    ),
)  # fmt: skip


def prefill(sequences=1, tokens=2048, context=0):
    return Step(
        phase="prefill", sequences=term(sequences), tokens=term(tokens, "tok"), context=term(context, "tok")
    )


def decode(sequences=1, context=2048):
    return Step(
        phase="decode", sequences=term(sequences), tokens=term(1, "tok"), context=term(context, "tok")
    )


def op(workload, name):
    return next(item for item in workload.ops if item.name == name)


def whole(workload, what):
    return sum((getattr(item, what) * item.repeat).value for item in workload.ops)


@pytest.mark.parametrize("model", [LLAMA, MIXTRAL, DEEPSEEK])
def test_decode_of_many_reads_every_weight_but_the_embedding(model):
    workload = build_decoder(model, decode(sequences=4096), BF16)
    embedding = float((model.vocab * model.hidden).value) * 2
    read = whole(workload, "weights") - float(op(workload, "embedding").weights.value)
    assert read == pytest.approx(float(workload.residency.weights.value) - embedding, rel=1e-6)


def test_decode_of_one_computes_two_operations_for_each_active_parameter():
    workload = build_decoder(DEEPSEEK, decode(context=1), BF16)
    used = float((count_active_parameters(DEEPSEEK) - DEEPSEEK.vocab * DEEPSEEK.hidden).value)
    assert whole(workload, "flops") == pytest.approx(2 * used, rel=0.01)


def test_prefill_attention_has_half_of_the_square():
    found = op(build_decoder(LLAMA, prefill(tokens=2048), BF16), "attention")
    assert float(found.flops.value) == 4 * 64 * 128 * 2048 * 2049 / 2


def test_prefill_on_top_of_a_cache_attends_to_it_too():
    in_two = [build_decoder(LLAMA, prefill(tokens=1024, context=c), BF16) for c in (0, 1024)]
    at_once = build_decoder(LLAMA, prefill(tokens=2048), BF16)
    assert sum(float(op(w, "attention").flops.value) for w in in_two) == float(
        op(at_once, "attention").flops.value
    )


def test_lm_head_sees_one_token_of_each_prompt():
    found = op(build_decoder(LLAMA, prefill(sequences=4, tokens=2048), BF16), "lm_head")
    assert float(found.m.value) == 4
    assert float(found.flops.value) == 2 * 4 * 8192 * 128_256


def test_embedding_is_no_product():
    found = op(build_decoder(LLAMA, prefill(), BF16), "embedding")
    assert found.kind == "gather"
    assert float(found.flops.value) == 0


def test_grouped_queries_read_each_kv_head_once():
    few, many = (build_decoder(evolve(LLAMA, kv_heads=plain(n)), decode(), BF16) for n in (8, 64))
    assert float((op(many, "attention").kv_read / op(few, "attention").kv_read).value) == 8
    assert float(op(many, "attention").flops.value) == float(op(few, "attention").flops.value)
    assert float(op(few, "attention").m.value) == 8


def test_decode_reads_the_cache_of_the_whole_context():
    workload = build_decoder(LLAMA, decode(sequences=3, context=2047), BF16)
    assert whole(workload, "kv_read") == 3 * 2048 * 327_680
    assert float(workload.residency.kv.value) == 3 * 2048 * 327_680


def test_experts_read_grow_with_the_batch():
    read = whole(build_decoder(MIXTRAL, decode(sequences=[1, 16, 64]), BF16), "weights")
    assert read[0] < 0.4 * read[2]
    assert list(read) == sorted(read)
    everything = float((count_parameters(MIXTRAL) - MIXTRAL.vocab * MIXTRAL.hidden).value) * 2
    assert read[2] == pytest.approx(everything, rel=1e-3)


def test_one_token_visits_top_k_experts_and_many_visit_all():
    hit = distinct_experts(plain(256), plain(8), term([1, 2, 1e6])).value
    assert hit[0] == pytest.approx(8)
    assert hit[1] == pytest.approx(16 - 64 / 256)
    assert hit[2] == pytest.approx(256)


def test_a_token_that_visits_all_experts():
    assert float(distinct_experts(plain(8), plain(8), plain(3)).value) == pytest.approx(8)


def test_latent_cache_is_read_once_for_all_heads():
    found = op(build_decoder(DEEPSEEK, decode(context=2047), BF16), "attention")
    assert float(found.kv_read.value) == 2048 * 576 * 2
    assert float(found.m.value) == 128
    assert float(found.k.value) == (576 + 512) / 2


def test_latent_prefill_expands_keys_and_values():
    found = op(build_decoder(DEEPSEEK, prefill(tokens=1024), BF16), "attention")
    assert float(found.groups.value) == 128
    assert float(found.flops.value) == 2 * 128 * (192 + 128) * 1024 * 1025 / 2
    assert float(found.kv_read.value) == 0


def test_a_window_caps_what_is_read_kept_and_computed():
    windowed = evolve(LLAMA, sliding_window=term(128, "tok"), global_every=plain(2))
    workload = build_decoder(windowed, decode(context=8191), BF16)
    assert float(op(workload, "attention").repeat.value) == 40
    assert float(op(workload, "attention_window").kv_read.value) == 128 * 4096
    assert float(workload.residency.kv.value) == 40 * 4096 * (8192 + 128)
    prompt = build_decoder(windowed, prefill(tokens=1000), BF16)
    assert float(op(prompt, "attention_window").flops.value) == 4 * 64 * 128 * (128 * 129 / 2 + 872 * 128)


def test_narrow_activations_cost_a_quantisation():
    assert not any("quantize" in item.name for item in build_decoder(LLAMA, prefill(), BF16).ops)
    workload = build_decoder(LLAMA, prefill(sequences=1, tokens=100), FP8)
    found = op(workload, "quantize")
    assert float(found.reads.value) == 100 * 8192 * 2
    assert float(found.writes.value) == 100 * 8192
    assert float(op(workload, "qkv").reads.value) == 100 * 8192
    assert op(workload, "qkv").dtype == "fp8"


def test_embeddings_and_lm_head_stay_at_16_bit():
    # vLLM reports 67.7 GiB for the weights of Llama-3-70B in fp8: 72.7 GB.
    workload = build_decoder(LLAMA, decode(), FP8)
    assert float(workload.residency.weights.value) == pytest.approx(72.65e9, rel=1e-3)
    assert op(workload, "lm_head").dtype == "bf16"


def test_weights_may_be_narrower_than_what_is_computed_in():
    workload = build_decoder(LLAMA, decode(), Precision(weights="int4", activations="bf16", kv="bf16"))
    assert float(op(workload, "ffn_up").weights.value) == 8192 * 57_344 / 2
    assert op(workload, "ffn_up").dtype == "bf16"


def test_experts_may_be_stored_in_another_type():
    model = evolve(MIXTRAL, experts=evolve(MIXTRAL.experts, weight_dtype="mxfp4"))
    workload = build_decoder(model, decode(sequences=512), BF16)
    assert float(workload.expert_weights.value) == pytest.approx(32 * 8 * 3 * 4096 * 14_336 * 4.25 / 8)


def test_names_of_operations_are_unique():
    for model in (LLAMA, MIXTRAL, DEEPSEEK):
        for step in (prefill(), decode()):
            names = [item.name for item in build_decoder(model, step, FP8).ops]
            assert len(set(names)) == len(names)
            assert len(names) <= 30


def test_a_sweep_equals_its_points():
    swept = build_decoder(DEEPSEEK, decode(sequences=[1, 7, 300], context=[[10], [5000]]), FP8)
    for column, sequences in enumerate((1, 7, 300)):
        for row, context in enumerate((10, 5000)):
            alone = build_decoder(DEEPSEEK, decode(sequences=sequences, context=context), FP8)
            for one, many in zip(alone.ops, swept.ops, strict=True):
                for what in ("flops", "weights", "reads", "writes", "kv_read", "m", "groups"):
                    grid = np.broadcast_to(getattr(many, what).value, (2, 3))
                    assert grid[row, column] == pytest.approx(float(getattr(one, what).value), rel=1e-12)


def test_live_activations_are_those_of_one_chunk():
    short, long = (build_decoder(LLAMA, prefill(sequences=64, tokens=n), BF16).residency for n in (128, 4096))
    assert float(short.activations.value) == float(long.activations.value)
