"""Ranks together do, hold and move what one device would, whatever the split; a degree of one is no strategy."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelscope.core.testing.builders import iterate_terms
from accelscope.core.testing.conformance_plans import BF16_PRECISION
from accelscope.plugins.workload.decoder.decoder import build_decoder
from tests.support.budgets import examples
from tests.support.planning import (
    DEEPSEEK,
    LLAMA,
    MHA,
    QWEN_MOE,
    STRATEGIES,
    WINDOWED,
    broken,
    decode,
    op,
    plan,
    prefill,
    said,
    together,
)

MODELS = {
    "llama": LLAMA,
    "mha": MHA,
    "windowed": WINDOWED,
    "deepseek": DEEPSEEK,
    "qwen_moe": QWEN_MOE,
}
REPEATED = ("elementwise", "gather")
"""Kinds of operation that tensor-parallel ranks repeat in part: norms, sampling."""
PRODUCTS = ("gemm", "attention")


@pytest.fixture(autouse=True)
def strict_numpy():
    with np.errstate(all="raise"):
        yield


steps = st.sampled_from(
    [decode(64, 8191), decode(16, 131_071), prefill(1, 8192), prefill(8, 2048), prefill(16, 4096, 4096)]
)
dense = st.fixed_dictionaries(
    {
        "tp": st.sampled_from([1, 2, 4, 8]),
        "cp": st.sampled_from([1, 2, 4]),
        "pp": st.sampled_from([1, 2, 4]),
        "dp": st.just(1),
        "cp_method": st.sampled_from(["ring", "all_to_all"]),
    }
)


@examples(60)
@given(model=st.sampled_from(["llama", "mha", "windowed"]), step=steps, degrees=dense)
def test_ranks_together_do_what_one_device_would(model, step, degrees):
    alone, made = plan(MODELS[model], step), plan(MODELS[model], step, **degrees)
    assert float(made.ranks.value) == degrees["tp"] * degrees["cp"] * degrees["pp"]
    # micro-batches and ranks of a context divide sequences or tokens evenly here, stages divide the layers
    assert together(made, "flops", PRODUCTS) == pytest.approx(together(alone, "flops", PRODUCTS), rel=0.02)
    every = together(made, "flops") / together(alone, "flops")
    assert 0.999 < every < 1.02


@examples(60)
@given(model=st.sampled_from(["llama", "mha", "windowed"]), step=steps, degrees=dense)
def test_ranks_together_hold_the_cache_once_and_the_weights_once_a_context(model, step, degrees):
    alone, made = plan(MODELS[model], step), plan(MODELS[model], step, **degrees)
    heads = float(made.workload.kv_heads.value)
    divided = degrees["tp"] * (degrees["cp"] if degrees["cp_method"] == "all_to_all" else 1)
    copies = max(divided / heads, 1.0)
    ranks = float(made.ranks.value)
    held, one = made.residency, alone.residency
    assert float(held.kv.value) * ranks == pytest.approx(float(one.kv.value) * copies)
    assert together(made, "kv_write") == pytest.approx(together(alone, "kv_write") * copies)
    assert float(held.weights.value) * ranks == pytest.approx(float(one.weights.value) * degrees["cp"])
    assert together(made, "weights", ("gemm",)) >= together(alone, "weights", ("gemm",)) * 0.999


@pytest.mark.parametrize("degrees", [{"tp": 8}, {"tp": 4, "cp": 2}, {"cp": 8}, {"tp": 2, "dp": 4}])
@pytest.mark.parametrize("step", [decode(64), prefill(8, 2048)], ids=["decode", "prefill"])
def test_spread_experts_are_held_once(step, degrees):
    ep = int(np.prod(list(degrees.values())))
    for model in (DEEPSEEK, QWEN_MOE):
        alone, made = plan(model, step), plan(model, step, ep=ep, **degrees)
        assert broken(made) == []
        experts = float(alone.workload.expert_weights.value)
        tp, ranks = degrees.get("tp", 1), float(made.ranks.value)
        rest = (float(alone.residency.weights.value) - experts) / tp
        assert float(made.residency.weights.value) == pytest.approx(rest + experts / ranks)
        # the fullest rank decides, so ranks together have more visits than there are, but no fewer
        visits = together(made, "flops", ("grouped_gemm",)) / together(alone, "flops", ("grouped_gemm",))
        assert 0.999 < visits < 2.5


def test_copies_of_experts_take_memory_and_nothing_else_of_the_weights():
    made, copied = (plan(DEEPSEEK, tp=4, dp=8, ep=32, redundant_experts=n) for n in (0, 32))
    experts = float(made.workload.expert_weights.value)
    more = float(copied.residency.weights.value) - float(made.residency.weights.value)
    assert more == pytest.approx(experts * (32 / 256) / 32)


@pytest.mark.parametrize("model", MODELS, ids=str)
@pytest.mark.parametrize("step", [decode(), prefill()], ids=["decode", "prefill"])
def test_degrees_of_one_are_no_strategy(model, step):
    ones = dict.fromkeys(("tp", "dcp", "cp", "pp", "dp", "ep"), 1)
    for method in ("ring", "all_to_all"):
        made = plan(MODELS[model], step, **ones, cp_method=method)
        whole = build_decoder(MODELS[model], step, BF16_PRECISION)
        assert said(made) == []
        assert broken(made) == []
        for mine, theirs in zip(made.ops, whole.ops, strict=True):
            for (path, left), (_, right) in zip(iterate_terms(mine), iterate_terms(theirs), strict=True):
                assert left.value == pytest.approx(float(right.value), rel=1e-9), (mine.name, path)
        for (path, left), (_, right) in zip(
            iterate_terms(made.residency), iterate_terms(whole.residency), strict=True
        ):
            assert left.value == pytest.approx(float(right.value), rel=1e-12), path


@pytest.mark.parametrize("model", ["llama", "mha", "deepseek"])
def test_independent_strategies_commute(model):
    """Which of pipeline, data and context parallelism comes first does not matter for work and memory."""
    names = {record.name: (record, cls) for record, cls in STRATEGIES}
    fixed = [names["tensor"], names["cache"]]
    degrees = {"tp": 2, "cp": 2, "pp": 2, "dp": 2}
    found = []
    for order in itertools.permutations(["context", "pipeline"]):
        made = plan(
            MODELS[model], decode(64), order=(names["data"], *fixed, *(names[n] for n in order)), **degrees
        )
        found.append(made)
    one, other = found
    for what in ("flops", "kv_read", "kv_write", "weights"):
        assert together(one, what) == pytest.approx(together(other, what), rel=1e-9)
    assert float(one.residency.kv.value) == pytest.approx(float(other.residency.kv.value), rel=1e-9)
    assert float(one.residency.weights.value) == pytest.approx(float(other.residency.weights.value))


def test_replicas_of_attention_and_of_the_model_hold_the_same_experts():
    model, attention = (plan(DEEPSEEK, tp=4, ep=32, **{name: 8}) for name in ("dp", "dp_attention"))
    for (path, left), (_, right) in zip(iterate_terms(model), iterate_terms(attention), strict=True):
        assert np.allclose(left.value, right.value), path


@examples(30)
@given(
    tp=st.sampled_from([1, 2, 8, 16, 64]),
    dcp=st.sampled_from([1, 2, 4, 8]),
    over=st.sampled_from(["tokens", "sequences"]),
)
def test_copies_of_a_cache_are_divided_and_no_more(tp, dcp, over):
    made, alone = plan(LLAMA, tp=tp, dcp=dcp, dcp_over=over), plan(LLAMA)
    copies = max(tp / 8, 1)
    assert (broken(made) == []) == (copies % dcp == 0)
    held = float(made.residency.kv.value) * tp / float(alone.residency.kv.value)
    assert held == pytest.approx(copies / dcp)
    assert together(made, "kv_read") == pytest.approx(together(alone, "kv_read") * copies / dcp)
    assert together(made, "flops", ("attention",)) == pytest.approx(together(alone, "flops", ("attention",)))


def test_a_latent_cache_can_be_divided_over_all_tensor_parallel_ranks():
    made = plan(DEEPSEEK, tp=8, dcp=8)
    assert float(made.residency.kv.value) == pytest.approx(float(plan(DEEPSEEK).residency.kv.value) / 8)
    assert broken(made) == []


def test_a_window_is_divided_like_the_rest_of_a_cache():
    whole, made = (op(plan(WINDOWED, decode(), cp=cp), "attention_window") for cp in (1, 4))
    assert float(made.kv_read.value) == pytest.approx(float(whole.kv_read.value) / 4)


def test_fewer_sequences_than_ranks_leave_one_for_each():
    made = plan(LLAMA, decode(2), cp=8)
    assert float(op(made, "qkv").m.value) == 1
    assert float(op(made, "attention").n.value) == pytest.approx(8192 / 8)


def test_logits_of_a_prompt_are_made_where_the_last_token_of_a_prompt_is():
    assert float(op(plan(LLAMA, prefill(4), cp=8), "lm_head").m.value) == 4
    assert float(op(plan(LLAMA, decode(64), cp=8), "lm_head").m.value) == 8


@pytest.mark.parametrize(
    "degrees", [{"dp": 16}, {"dp": 8, "tp": 4}, {"cp": 4, "dp": 2}, {"dp": 8, "pp": 4}], ids=str
)
def test_sharded_weights_are_held_once_by_all_replicas(degrees):
    made, alone = plan(LLAMA, prefill(32), zero_stage=3, **degrees), plan(LLAMA)
    ranks, layers = float(made.ranks.value), 80 / degrees.get("pp", 1)
    part = float(made.residency.weights.value) * degrees.get("tp", 1) * degrees.get("pp", 1)
    holders = degrees["dp"] * degrees.get("cp", 1)
    whole = float(alone.residency.weights.value)
    # a share of each, and the layer that is worked on with the next one
    assert part == pytest.approx(whole / holders + whole * 2 / layers)
    assert ranks == np.prod(list(degrees.values()))


def test_spread_experts_are_sharded_over_those_that_hold_the_same():
    made, wide = (plan(QWEN_MOE, prefill(32), dp=8, ep=ep, zero_stage=3) for ep in (8, 1))
    names = {item.name: item for item in made.collectives}
    assert float(names["experts_gather"].ranks.value) == 1
    assert float(names["parameters_gather"].ranks.value) == 8
    assert float(next(c for c in wide.collectives if c.name == "experts_gather").ranks.value) == 8


@pytest.mark.parametrize("degrees", [{"dp": 8}, {"dp": 4, "tp": 2, "pp": 3}, {"dp": 8, "ep": 4}], ids=str)
@pytest.mark.parametrize("step", [decode(8), prefill(8, 2048)], ids=["decode", "prefill"])
def test_all_weights_of_a_device_are_gathered_whichever_experts_are_hit(step, degrees):
    held = plan(DEEPSEEK, step, **degrees).residency.weights
    made = plan(DEEPSEEK, step, zero_stage=3, **degrees)
    gathered = [item for item in made.collectives if item.name.endswith("_gather")]
    assert sum(float((item.bytes * item.repeat).value) for item in gathered) == pytest.approx(
        float(held.value)
    )


def test_a_single_sequence_is_not_divided_by_sequences():
    whole, tokens, sequences = (
        float(op(plan(LLAMA, decode(1), tp=16, **how), "attention").kv_read.value)
        for how in ({}, {"dcp": 2}, {"dcp": 2, "dcp_over": "sequences"})
    )
    assert (tokens, sequences) == (pytest.approx(whole / 2), pytest.approx(whole))
