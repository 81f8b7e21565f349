"""Volumes of communication are the closed forms of the literature, and go behind the work that they should."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.ir.operation import Step
from accelscope.core.numeric.term import term
from accelscope.plugins.interconnect.alphabeta import sent_bytes
from tests.support.planning import DEEPSEEK, LLAMA, MHA, QWEN_MOE, broken, decode, op, plan, prefill, said

N, D = 8192, 8192
"""New tokens of a prompt, and the width of LLAMA."""


@pytest.fixture(autouse=True)
def strict_numpy():
    with np.errstate(all="raise"):
        yield


def sent(made, *names):
    """Return the bytes that one rank sends in one layer for collectives of some names, times their repeat."""
    items = [item for item in made.collectives if item.name in names]
    assert len(items) == len(names), [item.name for item in made.collectives]
    return sum(float((sent_bytes(item) * item.repeat).value) for item in items)


@pytest.mark.parametrize("tp", [2, 4, 8])
def test_megatron_sends_two_all_reduces_a_layer(tp):
    """Narayanan et al., arXiv 2104.04473, section 3.2: 4 b s h (t - 1) / t values a layer forward."""
    made = plan(LLAMA, prefill(1, N), tp=tp)
    layered = sum(float((sent_bytes(c) * c.repeat).value) for c in said(made) if c.layered)
    assert layered == pytest.approx(80 * 4 * N * D * (tp - 1) / tp * 2)


def test_sequence_parallel_norms_move_the_same_and_do_a_part():
    """Korthikanti et al., arXiv 2205.05198, section 4.2.2: the volume is that of tensor parallelism."""
    plain, shared = (plan(LLAMA, prefill(1, N), tp=8, sp=sp) for sp in (False, True))
    volumes = [
        sum(float((sent_bytes(c) * c.repeat).value) for c in said(made) if c.layered)
        for made in (plain, shared)
    ]
    assert volumes[0] == pytest.approx(volumes[1])
    for what in ("flops", "reads", "writes"):
        whole, part = (getattr(op(made, "norm"), what).value for made in (plain, shared))
        assert part == pytest.approx(float(whole) / 8)


@pytest.mark.parametrize("cp", [2, 4, 8])
def test_a_ring_passes_keys_and_values_of_the_other_ranks(cp):
    """Liu et al., arXiv 2310.01889: cp - 1 blocks of 2 N / cp tokens of the width of the KV heads."""
    made = plan(LLAMA, prefill(1, N), cp=cp)
    assert sent(made, "attention_ring") == pytest.approx(80 * 2 * N * 1024 * 2 * (cp - 1) / cp)


@pytest.mark.parametrize("cp", [2, 4, 8])
def test_ulysses_moves_four_hidden_widths_of_a_rank(cp):
    """Jacobs et al., arXiv 2309.14509, section 3.2: 4 N h / P a layer, of which (P - 1) / P leave the rank."""
    made = plan(MHA, prefill(1, N), cp=cp, cp_method="all_to_all")
    moved = sent(made, "attention_context_dispatch", "attention_context_combine")
    assert moved == pytest.approx(32 * 4 * N * 4096 / cp * 2 * (cp - 1) / cp)


def test_ulysses_sends_kv_heads_to_each_rank_that_needs_them():
    made = plan(LLAMA, prefill(1, N), tp=4, cp=8, cp_method="all_to_all")
    # 16 query heads and 2 KV heads of a tensor-parallel rank: each of 8 ranks has 2 and a copy of 1
    queries, copies = 16 * 128, 8 * 2 * 128
    assert sent(made, "attention_context_dispatch") == pytest.approx(
        80 * N * (queries + copies) / 8 * 2 * (7 / 8)
    )


@pytest.mark.parametrize("cp", [2, 8])
def test_decoding_gathers_queries_and_returns_partial_results(cp):
    """Yang et al., arXiv 2411.01783, section 3.4: queries of all sequences, results and a logarithm for each head."""
    made = plan(LLAMA, decode(64), cp=cp)
    assert sent(made, "attention_context_queries") == pytest.approx(80 * 64 * D * 2 * (cp - 1) / cp)
    results = 64 * (D * 2 + 64 * 4)
    assert sent(made, "attention_context_results") == pytest.approx(80 * results * (cp - 1) / cp)


def test_the_volume_of_decoding_does_not_grow_with_the_context():
    short, long = (
        sent(plan(LLAMA, decode(8, context), cp=4), "attention_context_queries", "attention_context_results")
        for context in (1023, 131_071)
    )
    assert short == long


def test_what_ranks_of_a_context_say_to_their_tensor_group_is_of_their_own_tokens():
    whole, made = (plan(LLAMA, prefill(1, N), tp=4, cp=cp) for cp in (1, 4))
    for name in ("o_proj_all_reduce", "ffn_down_all_reduce", "embedding_all_reduce"):
        assert sent(made, name) == pytest.approx(sent(whole, name) / 4)
    assert sent(made, "lm_head_all_gather") == sent(whole, "lm_head_all_gather")


@pytest.mark.parametrize("ep", [4, 8])
def test_dispatch_sends_a_token_once_to_each_rank_of_its_experts(ep):
    """DeepSeek-V3 report, arXiv 2412.19437, section 3.2: all-to-all there and back, here without duplicates."""
    made = plan(QWEN_MOE, decode(64), dp=ep, ep=ep)
    copies = ep * (1 - (1 - 1 / ep) ** 8)
    each = 48 * 64 / ep * copies * 2048 * 2 * (ep - 1) / ep
    assert sent(made, "experts_dispatch") == pytest.approx(each)
    assert sent(made, "experts_combine") == pytest.approx(each)


def test_ranks_of_a_context_pool_their_tokens_for_experts():
    context, data = (plan(DEEPSEEK, decode(64), tp=2, ep=8, **{name: 4}) for name in ("cp", "dp"))
    assert sent(context, "experts_dispatch") == pytest.approx(sent(data, "experts_dispatch"))
    assert op(context, "experts_up").m.value == pytest.approx(float(op(data, "experts_up").m.value))


def test_a_stage_sends_one_activation_over_all_tiers_that_its_chain_crosses():
    """Narayanan et al., arXiv 2104.04473, section 3.2: b s h values for each micro-batch."""
    made = plan(LLAMA, prefill(4, N), tp=4, cp=2, pp=4)
    item = next(c for c in made.collectives if c.name == "stage_send")
    assert (float(item.ranks.value), float(item.stride.value)) == (4, 8)
    assert float(item.bytes.value) == N / 2 * D * 2


def test_groups_of_layers_are_sent_on_as_often_as_there_are():
    made = plan(LLAMA, prefill(8, N), pp=4, virtual_stages=5)
    item = next(c for c in made.collectives if c.name == "stage_send")
    assert float(item.repeat.value) == 5
    assert broken(made) == []
    assert broken(plan(LLAMA, prefill(8, N), pp=4, virtual_stages=40)) == [
        "pp × virtual_stages at most layers"
    ]


def test_ranks_of_a_context_lie_around_the_tensor_group():
    for item in said(plan(LLAMA, prefill(1, N), tp=4, cp=2, dp=2)):
        assert float(item.stride.value) == (4 if item.name.startswith("attention") else 1)


def test_heads_limit_a_context_divided_by_heads():
    assert broken(plan(LLAMA, prefill(1, N), tp=8, cp=8, cp_method="all_to_all")) == []
    assert "cp divides heads of a rank" in broken(
        plan(LLAMA, prefill(1, N), tp=8, cp=16, cp_method="all_to_all")
    )
    assert broken(plan(LLAMA, prefill(1, N), tp=8, cp=16)) == []


def test_gathered_weights_are_each_received_once_a_pass():
    """Rajbhandari et al., arXiv 1910.02054, section 7.2: parameters of all other ranks, (N - 1) / N of them."""
    made = plan(LLAMA, prefill(8, N), dp=8, zero_stage=3)
    weights = float(plan(LLAMA).residency.weights.value)
    assert sent(made, "parameters_gather") == pytest.approx(weights * 7 / 8)


def forward(tokens=N):
    return Step(
        phase="forward",
        sequences=term(8),
        tokens=term(tokens, "tok"),
        context=term(0.0, "tok"),
        micro_batch=term(1.0),
    )


@pytest.mark.parametrize("method", ["ring", "all_to_all"])
def test_ranks_of_a_context_train_on_what_one_device_would(method):
    alone, made = plan(MHA, forward()), plan(MHA, forward(), cp=4, cp_method=method)
    for kind in ("gemm", "attention"):
        whole, part = (
            sum(float((o.flops * o.repeat).value) for o in each.ops if o.kind == kind and o.layered)
            for each in (alone, made)
        )
        # attention was built for a quarter of the tokens, whose diagonal weighs a little more
        assert part * 4 == pytest.approx(whole, rel=1e-3)


def test_training_by_heads_moves_what_serving_does():
    made, served = (plan(MHA, step, cp=4, cp_method="all_to_all") for step in (forward(), prefill(1, N)))
    names = ("attention_context_dispatch", "attention_context_combine")
    assert sent(made, *names) == pytest.approx(sent(served, *names))


def test_training_on_latents_exchanges_keys_and_values_made_of_them():
    made = plan(DEEPSEEK, forward(), cp=4)
    item = next(c for c in made.collectives if c.name == "attention_context_all_gather")
    assert float(item.bytes.value) == pytest.approx(N * 128 * (128 + 64 + 128) * 2)


@pytest.mark.parametrize("context", [0, 3 * N])
def test_latents_go_round_as_they_are_kept_and_every_rank_expands_all_of_them(context):
    step = prefill(1, N, context)
    whole, made = (plan(DEEPSEEK, step, tp=8, cp=cp) for cp in (1, 4))
    assert sent(made, "attention_ring") == pytest.approx(60 * (N + context) * 576 * 2 * 3 / 4)
    for what in ("flops", "weights", "m"):
        one, each = (float(getattr(op(p, "kv_up"), what).value) for p in (whole, made))
        assert each == pytest.approx(one)


def test_by_heads_each_rank_gets_all_latents_and_expands_its_heads():
    whole, made = (plan(DEEPSEEK, prefill(1, N), cp=cp, cp_method="all_to_all") for cp in (1, 4))
    assert op(made, "kv_up").flops.value == pytest.approx(float(op(whole, "kv_up").flops.value) / 4)
    queries = 128 * 192
    assert sent(made, "attention_context_dispatch") == pytest.approx(
        60 * N * (queries / 4 + 576) * 2 * 3 / 4, rel=1e-6
    )


def test_attention_sharded_over_the_batch_moves_queries_and_results_of_a_rank_only():
    """Pope et al., arXiv 2211.05102, section 3.3: two all-to-alls of the rank's part of queries and results."""
    made, tokens = (plan(LLAMA, decode(64), tp=64, dcp=8, dcp_over=over) for over in ("sequences", "tokens"))
    names = ("attention_copies_queries", "attention_copies_results")
    assert sent(made, *names) == pytest.approx(80 * 2 * 64 * 128 * 2 * 7 / 8)
    assert sent(tokens, *names) > 8 * sent(made, *names)
