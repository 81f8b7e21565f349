"""Layers besides plain attention: closed forms of what they compute, keep and read, and how they divide."""

from __future__ import annotations

from functools import cache

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.bind.binder import Binder
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Precision, Step
from accelscope.core.ir.plan import Plan
from accelscope.core.numeric.term import term
from accelscope.core.session import Session
from accelscope.plugins.parallelism.tensor import TensorParallelism, shard_tensor_parallel
from accelscope.plugins.workload.decoder.decoder import build_decoder
from accelscope.plugins.workload.decoder.parameters import count_parameters_by_part
from accelscope.plugins.workload.decoder.shape import resolve_shape
from accelscope.plugins.workload.decoder.spec import Decoder

BF16 = Precision(weights="bf16", activations="bf16", kv="bf16")


@pytest.fixture(autouse=True)
def strict_numpy():
    with np.errstate(all="raise"):
        yield


@cache
def model(name: str) -> Decoder:
    session = Session.open()
    program, _ = session.load(str(session.registry.libraries["std"].path / "models.accel"))
    component = next(item for item in program.definitions("model") if item.name == name)
    return Binder(session.registry).bind(component)[0]


def step(phase, sequences=1, tokens=1, context=0):
    return Step(
        phase=phase, sequences=term(sequences), tokens=term(tokens, "tok"), context=term(context, "tok")
    )


def prefill(name, tokens, context=0, sequences=1):
    return build_decoder(model(name), step("prefill", sequences, tokens, context), BF16)


def decode(name, context, sequences=1):
    return build_decoder(model(name), step("decode", sequences, 1, context), BF16)


def op(workload, name):
    return next(item for item in workload.ops if item.name == name)


def number(value):
    return float(value.value)


def state(name, **more):
    """Return the bytes of state of a sequence: what is kept of no tokens but the one of the pass."""
    workload = decode(name, 0, **more)
    return number(workload.residency.kv) - number(workload.kv_per_token)


# ---- chunks ------------------------------------------------------------------------------------------------------


def test_a_token_sees_its_own_chunk():
    for context in (0, 5, 8191, 8192, 20_000):
        chunk = op(decode("llama4_scout", context), "attention_chunk")
        seen = context % 8192 + 1
        assert number(chunk.kv_read) == seen * 2 * 8 * 128 * 2
        assert number(chunk.flops) == 2 * 40 * seen * 2 * 128


def test_a_prompt_of_two_chunks_and_a_half_is_three_triangles():
    chunk = op(prefill("llama4_scout", 20_480), "attention_chunk")
    pairs = 2 * 8192 * 8193 / 2 + 4096 * 4097 / 2
    assert number(chunk.flops) == 2 * 40 * pairs * 2 * 128
    assert number(chunk.repeat) == 36
    assert number(op(prefill("llama4_scout", 20_480), "attention").repeat) == 12


# ---- indexers ----------------------------------------------------------------------------------------------------


def test_a_query_reads_the_tokens_that_the_indexer_picked():
    far = decode("deepseek_v3_2", 100_000)
    assert number(op(far, "attention").kv_read) == 2048 * 576 * 2
    assert number(op(far, "attention").flops) == 2 * 128 * 2048 * (576 + 512)
    assert number(op(far, "index_score").kv_read) == 100_001 * 128 * 2
    assert number(op(far, "index_score").flops) == 2 * 64 * 128 * 100_001


def test_a_short_context_is_read_whole():
    assert number(op(decode("deepseek_v3_2", 99), "attention").kv_read) == 100 * 576 * 2


def test_scores_of_a_prompt_grow_with_its_square_and_attention_does_not():
    short, long = prefill("deepseek_v3_2", 32_768), prefill("deepseek_v3_2", 65_536)
    score = number(op(long, "index_score").flops) / number(op(short, "index_score").flops)
    attend = number(op(long, "attention").flops) / number(op(short, "attention").flops)
    assert score == pytest.approx(4, rel=1e-3)
    assert attend == pytest.approx(2, rel=0.05)


# ---- linear attention --------------------------------------------------------------------------------------------


def test_state_of_linear_attention():
    matrices, filters = 32 * 128 * 128 * 4, (2 * 16 * 128 + 32 * 128) * 3 * 2
    assert state("qwen3_next_80b_a3b") == 36 * (matrices + filters)


def test_linear_attention_in_decode_moves_its_state_and_nothing_of_the_context():
    near, far = (op(decode("qwen3_next_80b_a3b", context), "linear_scan") for context in (10, 100_000))
    assert number(near.kv_read) == number(far.kv_read) == number(near.kv_write)
    assert number(near.flops) == 7 * 32 * 128 * 128


def test_linear_attention_in_prefill_is_linear():
    scan = op(prefill("qwen3_next_80b_a3b", 4096), "linear_scan")
    each = 64 * (6 * 128 + 4 * 128) + 64 * 64 / 3 + 6 * 128 * 128
    assert number(scan.flops) == pytest.approx(4096 * 32 * each)
    assert number(op(prefill("qwen3_next_80b_a3b", 8192), "linear_scan").flops) == pytest.approx(
        2 * number(scan.flops)
    )
    assert number(scan.groups) == 32 * 64


# ---- state spaces ------------------------------------------------------------------------------------------------


def test_state_of_mamba2():
    assert state("mamba2_2_7b") == 64 * (5120 * 128 * 4 + (5120 + 2 * 128) * 3 * 2)


def test_state_of_mamba1():
    assert state("jamba_v0_1") == 28 * (8192 * 16 * 4 + 8192 * 3 * 2)


def test_a_batch_has_a_state_for_each_sequence():
    assert number(decode("mamba2_2_7b", 0, 8).residency.kv) == 8 * number(
        decode("mamba2_2_7b", 9_999).residency.kv
    )


def test_mamba2_computes_products_in_prefill_and_the_recurrence_in_decode():
    scan = op(prefill("mamba2_2_7b", 4096), "ssm_scan")
    assert number(scan.flops) == pytest.approx(4096 * (2 * 256 * 128 + 5120 * (2 * 256 + 4 * 128)))
    assert scan.kind == "attention"
    assert number(op(decode("mamba2_2_7b", 4096), "ssm_scan").flops) == 6 * 5120 * 128


def test_mamba1_is_the_recurrence_in_both():
    assert number(op(prefill("jamba_v0_1", 100), "ssm_scan").flops) == 100 * 8 * 8192 * 16
    assert op(prefill("jamba_v0_1", 100), "ssm_scan").kind == "elementwise"


def test_a_shared_block_is_read_at_each_use_and_kept_once():
    read = sum(number(item.weights * item.repeat) for item in decode("zamba2_2_7b", 10).ops)
    assert read > number(decode("zamba2_2_7b", 10).residency.weights) + 1e9


def test_layers_with_experts_only_have_no_attention():
    workload = decode("nemotron_3_nano", 100)
    assert number(op(workload, "attention").repeat) == 6
    assert number(op(workload, "ssm_scan").repeat) == 23
    assert number(op(workload, "experts_up").repeat) == 23
    assert number(op(workload, "norm").repeat) == 53


def test_latent_experts_read_tokens_of_their_width():
    experts = op(decode("nemotron_3_super", 100), "experts_up")
    assert number(experts.k) == 1024
    assert number(op(decode("nemotron_3_super", 100), "latent_down").n) == 1024


# ---- convolutions ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "expected"), [("evo2_1b", 4_919_040), ("evo2_40b_1m", 41_975_808)])
def test_state_of_hyena_layers(name, expected):
    assert state(name) == expected


def test_medium_filters_are_two_products_of_toeplitz_blocks():
    assert number(op(prefill("evo2_7b_8k", 8192), "hyena_mr").flops) == 4 * 128 * 8192 * 4096


def test_endless_filters_are_an_fft_in_prefill_and_a_recurrence_in_decode():
    fft = number(op(prefill("evo2_7b_8k", 8192), "hyena_li").flops)
    assert fft == pytest.approx(10 * 8192 * 13 * 4096, rel=1e-4)
    assert number(op(decode("evo2_7b_8k", 8192), "hyena_li").flops) == 66 * 4096


# ---- encoder -----------------------------------------------------------------------------------------------------


def test_an_encoder_reads_the_prompt_and_the_decoder_starts_with_one_token():
    workload = prefill("switch_c", 100)
    assert number(op(workload, "encoder_attention").flops) == 2 * 32 * 100 * 100 * 2 * 64
    assert number(op(workload, "qkv").m) == 1
    assert number(op(workload, "cross_kv").m) == 100


def test_prompt_and_output_take_the_same_cache():
    assert number(decode("switch_c", 99).residency.kv) == 100 * 122_880


# ---- all ---------------------------------------------------------------------------------------------------------

HYBRIDS = ("mamba2_2_7b", "jamba_v0_1", "nemotron_3_nano", "qwen3_next_80b_a3b", "evo2_7b_8k", "glm_5")


@pytest.mark.parametrize("name", (*HYBRIDS, "nemotron_3_super", "llama4_scout", "glam_64b_64e"))
def test_decode_of_many_reads_every_weight_but_the_embedding(name):
    workload = decode(name, 10, sequences=100_000)
    counts = count_parameters_by_part(resolve_shape(model(name)))
    embedding = 0.0 if model(name).tied_embeddings else number(counts.embedding) * 2
    read = sum(number(item.weights * item.repeat) for item in workload.ops if item.name != "embedding")
    assert read == pytest.approx(number(workload.residency.weights) - embedding, rel=1e-3)


REPLICATED = ("router", "index_", "latent_", "qkv_down", "norm", "ssm_norms", "sampling")


@pytest.mark.parametrize("name", HYBRIDS)
@pytest.mark.parametrize("phase", ["prefill", "decode"])
@pytest.mark.parametrize("what", ["flops", "kv_read", "kv_write"])
def test_shards_add_up_to_the_whole(name, phase, what):
    tp = 2
    tokens = 512 if phase == "prefill" else 1
    workload = build_decoder(model(name), step(phase, 4, tokens, 512), BF16)
    plan = Plan(ops=workload.ops, residency=workload.residency, workload=workload)
    parts = shard_tensor_parallel(
        TensorParallelism(tp=term(tp)), plan, Machine(device=None, devices=term(8), tiers=())
    )
    for before, after in zip(workload.ops, parts.ops, strict=True):
        mixers = before.component in ("ssm", "linear", "conv", "ffn")
        if not mixers or before.name.startswith(REPLICATED):
            continue
        assert number(getattr(after, what)) * tp == pytest.approx(number(getattr(before, what))), before.name


def test_layers_taken_twice_are_refused():
    from types import SimpleNamespace

    from accelscope.plugins.workload.decoder.checks import check_decoder_sizes

    wrong = evolve(model("jamba_v0_1"), layers=term(20))
    found = list(check_decoder_sizes(SimpleNamespace(model=SimpleNamespace(spec=wrong, name="m"))))
    assert [item.code for item in found] == ["A107"]
    assert "layers of all mixers and attention_layers" in found[0].message
