"""What each rank does, holds and says under data, tensor, expert and pipeline parallelism."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.ir.hardware import Device, Machine
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Plan
from accelscope.core.numeric.term import term
from accelscope.core.testing.conformance_plans import BF16_PRECISION
from accelscope.plugins.parallelism.data import DATA, DataParallelism
from accelscope.plugins.parallelism.expert import EXPERT, ExpertParallelism
from accelscope.plugins.parallelism.pipeline import PIPELINE, PipelineParallelism
from accelscope.plugins.parallelism.tensor import TENSOR, TensorParallelism
from accelscope.plugins.workload.decoder.decoder import build_decoder
from accelscope.plugins.workload.decoder.spec import Decoder, Experts, LatentAttention
from tests.support.planning import LLAMA, QWEN_MOE

MACHINE = Machine(
    device=Device(name="any", engines=(), memories=(), package=None), devices=term(64), tiers=()
)


@pytest.fixture(autouse=True)
def strict_numpy():
    with np.errstate(all="raise"):
        yield


def plain(value):
    return term(value)


DEEPSEEK = Decoder(
    layers=plain(61), hidden=plain(7168), heads=plain(128), vocab=plain(129_280),
    attention=LatentAttention(
        kv_rank=plain(512), q_rank=plain(1536), rope_dim=plain(64), nope_dim=plain(128), v_dim=plain(128)
    ),
    experts=Experts(
        routed=plain(256), shared=plain(1), top_k=plain(8), ffn=plain(2048), dense_layers=plain(3),
        dense_ffn=plain(18_432),
    ),
)  # fmt: skip


def decode(sequences=64, context=2047):
    return Step(
        phase="decode", sequences=term(sequences), tokens=term(1, "tok"), context=term(context, "tok")
    )


def plan(model=LLAMA, step=None, *, tp=1, pp=1, dp=1, ep=1, **settings):
    exchange = {key: settings.pop(key) for key in ("ep_dispatch", "ep_remote_tokens") if key in settings}
    chosen = (
        (DATA, DataParallelism(dp=term(dp))),
        (TENSOR, TensorParallelism(tp=term(tp), **settings)),
        (EXPERT, ExpertParallelism(ep=term(ep), **exchange)),
        (PIPELINE, PipelineParallelism(pp=term(pp))),
    )
    step = step or decode()
    for record, spec in chosen:
        step = record.split(spec, step)
    workload = build_decoder(model, step, BF16_PRECISION)
    made = Plan(
        ops=workload.ops, residency=workload.residency, workload=workload, microbatches=step.microbatches
    )
    for record, spec in chosen:
        made = record.shard(spec, made, MACHINE)
    return made


def whole(made, what):
    return sum(float((getattr(op, what) * op.repeat).value) for op in made.ops)


def op(made, name):
    return next(item for item in made.ops if item.name == name)


def said(made, kind=None):
    return [item for item in made.collectives if np.any(item.ranks.value > 1) and kind in (None, item.kind)]


def broken(made):
    return [limit for limit in made.limits if np.any(limit.used.value > limit.available.value)]


@pytest.mark.parametrize("model", [LLAMA, DEEPSEEK, QWEN_MOE])
def test_one_rank_does_everything_and_says_nothing(model):
    made = plan(model)
    for mine, theirs in zip(made.ops, build_decoder(model, decode(), BF16_PRECISION).ops, strict=True):
        for what in (
            "flops",
            "weights",
            "reads",
            "writes",
            "kv_read",
            "kv_write",
            "m",
            "n",
            "k",
            "groups",
            "repeat",
        ):
            assert float(getattr(mine, what).value) == pytest.approx(
                float(getattr(theirs, what).value), rel=1e-12
            )
    assert said(made) == []
    assert broken(made) == []
    assert float(made.ranks.value) == 1


@pytest.mark.parametrize(
    "degrees", [{"tp": 8}, {"pp": 4}, {"pp": 2, "tp": 4}, {"dp": 4}, {"dp": 2, "tp": 4, "pp": 2}]
)
def test_ranks_together_do_and_hold_what_one_would(degrees):
    alone, made = plan(), plan(**degrees)
    replicas = degrees.get("dp", 1)
    ranks = float(made.ranks.value)
    assert ranks == np.prod(list(degrees.values()))
    passes = ranks * float(made.microbatches.value)
    assert whole(made, "flops") * passes == pytest.approx(whole(alone, "flops"), rel=0.01)
    assert whole(made, "kv_read") * passes == pytest.approx(whole(alone, "kv_read"), rel=1e-9)
    held, one = made.residency, alone.residency
    assert float(held.weights.value) * ranks == pytest.approx(float(one.weights.value) * replicas, rel=1e-9)
    assert float(held.kv.value) * ranks == pytest.approx(float(one.kv.value), rel=1e-9)
    assert broken(made) == []


def test_kv_heads_are_held_twice_beyond_their_number():
    assert float(plan(tp=16).residency.kv.value) == float(plan(tp=8).residency.kv.value)
    assert float(op(plan(tp=16), "attention").m.value) == 4
    assert broken(plan(tp=16)) == []


def test_a_latent_cache_is_held_by_every_tensor_parallel_rank():
    assert float(plan(DEEPSEEK, tp=8).residency.kv.value) == float(plan(DEEPSEEK).residency.kv.value)


def test_three_ranks_do_not_divide_64_heads():
    assert "tp = 3 does not divide 64 heads" in [limit.reason for limit in broken(plan(tp=3))]


def test_more_ranks_than_heads_is_a_limit():
    assert [limit.name for limit in broken(plan(tp=128))] == ["tp divides heads"]


def test_twelve_ranks_do_not_hold_whole_kv_heads():
    reasons = [limit.reason for limit in broken(plan(tp=12))]
    assert "neither of tp = 12 and 8 KV heads divides the other" in reasons


def test_limits_of_a_sweep_are_pointwise():
    limit = next(item for item in plan(tp=[1, 2, 3, 8, 128]).limits if item.name == "tp divides heads")
    assert (limit.used.value > limit.available.value).tolist() == [False, False, True, False, True]


def test_two_all_reduces_a_layer():
    found = said(plan(tp=8), "all_reduce")
    assert sum(float(item.repeat.value) for item in found if item.layered) == 160
    assert {float(item.bytes.value) for item in found} == {64 * 8192 * 2}


def test_sequence_parallelism_says_as_much_and_norms_less():
    made = plan(tp=8, sp=True)
    assert said(made, "all_reduce") == []
    both = [
        item for item in made.collectives if item.kind in ("reduce_scatter", "all_gather") and item.layered
    ]
    assert sum(float(item.repeat.value) for item in both) == 320
    assert float(op(made, "norm").reads.value) == float(op(plan(tp=8), "norm").reads.value) / 8


def test_a_pipeline_fills_with_as_many_micro_batches_as_there_are_sequences():
    assert plan(step=decode(sequences=[1, 2, 64]), pp=4).microbatches.value.tolist() == [1, 2, 4]


def test_one_sequence_passes_all_stages():
    made, alone = plan(step=decode(sequences=1), pp=8), plan(step=decode(sequences=1))
    stage = whole(made, "weights")
    assert float(made.stages.value) == 8
    assert stage * 8 == pytest.approx(whole(alone, "weights"))


def test_stages_round_layers_up():
    assert float(op(plan(pp=3), "qkv").repeat.value) == 27
    assert "pp = 96 is more than 80 layers" in [limit.reason for limit in broken(plan(pp=96))]


def test_a_stage_sends_its_activation_over_the_tensor_parallel_group():
    found = said(plan(tp=4, pp=2), "send_recv")
    assert [(float(item.stride.value), float(item.bytes.value)) for item in found] == [(4, 32 * 8192 * 2)]


def test_replicas_round_sequences_up():
    assert float(op(plan(step=decode(sequences=9), dp=4), "qkv").m.value) == 3


def test_experts_are_divided_by_ep_and_the_rest_of_tp():
    held = [float(plan(DEEPSEEK, tp=8, ep=ep).residency.weights.value) for ep in (1, 4, 8)]
    assert held[0] == pytest.approx(held[1])
    assert held[0] == pytest.approx(held[2])
    experts = float(plan(DEEPSEEK).workload.expert_weights.value)
    wide = plan(DEEPSEEK, tp=4, dp=8, ep=32)
    assert float(wide.residency.weights.value) == pytest.approx(
        (float(wide.workload.residency.weights.value) - experts) / 4 + experts / 32
    )
    assert float(wide.ranks.value) == 32


def test_ep_dispatches_and_combines():
    found = said(plan(DEEPSEEK, tp=8, ep=8), "all_to_all")
    assert [item.name for item in found] == ["experts_dispatch", "experts_combine"]
    # each of 64 / 8 tokens goes to 8 (1 - (7/8)^8) of the ranks
    assert float(found[0].bytes.value) == pytest.approx(8 * 8 * (1 - (7 / 8) ** 8) * 7168 * 2)
    assert said(plan(DEEPSEEK, tp=8), "all_to_all") == []


def test_one_sum_a_layer_for_shared_and_routed_experts():
    for ep in (1, 8):
        found = said(plan(DEEPSEEK, tp=8, ep=ep), "all_reduce")
        assert sum(float(item.repeat.value) for item in found if item.layered) == 2 * 61


def test_without_shared_experts_results_are_gathered():
    assert [item.name for item in said(plan(QWEN_MOE, tp=4, ep=4), "all_gather") if item.layered] == [
        "experts_all_gather"
    ]


def test_replicated_tokens_need_no_exchange():
    made = plan(QWEN_MOE, tp=4, ep=4, ep_dispatch="replicated")
    assert said(made, "all_to_all") == []
    assert "experts_all_reduce" in [item.name for item in said(made)]
    assert broken(made) == []
    assert "ep at most tp" in [
        limit.name for limit in broken(plan(QWEN_MOE, tp=4, dp=2, ep=8, ep_dispatch="replicated"))
    ]


def test_the_fullest_rank_has_more_than_the_mean():
    few, many = (plan(DEEPSEEK, decode(sequences=n), tp=8, ep=8) for n in (8, 8192))
    for made, least, most in ((few, 1.2, 3), (many, 1.0, 1.05)):
        up, alone = op(made, "experts_up"), next(o for o in made.workload.ops if o.name == "experts_up")
        assert least < float((up.flops / alone.flops).value) * 8 < most


def test_buffered_visits_are_moved_but_not_multiplied():
    own, buffered = (
        plan(QWEN_MOE, decode(sequences=64), tp=8, ep=8, ep_remote_tokens=kept)
        for kept in ("skipped", "padded")
    )
    for name in ("experts_up", "experts_down", "experts_activation"):
        few, many = op(own, name), op(buffered, name)
        assert many.weights.value == few.weights.value
        assert (many.flops.value == few.flops.value) == (name != "experts_activation")
        assert 5 < float((many.writes / few.writes).value) < 8
    whole = plan(QWEN_MOE, decode(sequences=64))
    assert op(buffered, "experts_up").writes.value == pytest.approx(op(whole, "experts_up").writes.value)


def test_kernels_that_multiply_all_visits_do_so_for_the_tokens_that_they_get():
    own, every = (
        plan(QWEN_MOE, decode(sequences=4096), tp=16, ep=16, ep_remote_tokens=kept)
        for kept in ("skipped", "computed")
    )
    visits = 4096 * 8 / 16
    got = 4096 * (1 - (1 - 1 / 16) ** 8)
    assert float((op(own, "experts_up").m * op(own, "experts_up").groups).value) == pytest.approx(
        visits, rel=0.05
    )
    assert float((op(every, "experts_up").m * op(every, "experts_up").groups).value) == pytest.approx(
        got * 8, rel=0.05
    )
    assert op(every, "experts_up").weights.value == op(own, "experts_up").weights.value


def test_on_one_rank_all_visits_are_its_own():
    for kept in ("skipped", "padded", "computed"):
        assert (
            op(plan(QWEN_MOE, ep_remote_tokens=kept), "experts_up").flops.value
            == op(plan(QWEN_MOE), "experts_up").flops.value
        )


def test_a_rank_that_gets_anything_has_a_whole_visit():
    up = op(plan(DEEPSEEK, decode(sequences=1), tp=256, ep=256), "experts_up")
    assert float((up.m * up.groups).value) >= 1.0
    assert float(up.groups.value) >= 1.0


def test_ep_must_fit_ranks_and_experts():
    assert "ep at most tp × dp" in [limit.name for limit in broken(plan(DEEPSEEK, tp=8, ep=16))]
    assert "ep = 3 does not divide 256 experts" in [
        limit.reason for limit in broken(plan(DEEPSEEK, tp=3, ep=3))
    ]


def test_a_dense_model_has_no_experts_to_spread():
    assert said(plan(ep=1)) == []
    assert broken(plan(ep=1)) == []
    assert [limit.name for limit in broken(plan(ep=2))] == ["ep needs experts"]


def test_a_sweep_of_degrees_equals_its_points():
    swept = plan(DEEPSEEK, tp=[1, 8], ep=[[1], [8]])
    for column, tp in enumerate((1, 8)):
        for row, ep in enumerate((1, 8)):
            alone = plan(DEEPSEEK, tp=tp, ep=ep)
            for one, many in zip(alone.ops, swept.ops, strict=True):
                for what in ("flops", "weights", "reads", "writes", "m", "n", "k", "groups"):
                    grid = np.broadcast_to(getattr(many, what).value, (2, 2))
                    assert grid[row, column] == pytest.approx(float(getattr(one, what).value), rel=1e-12)


def test_activations_between_column_and_row_are_divided():
    one, eight = op(plan(), "ffn_activation"), op(plan(tp=8), "ffn_activation")
    for what in ("reads", "writes", "flops"):
        assert getattr(eight, what).value == pytest.approx(float(getattr(one, what).value) / 8)
