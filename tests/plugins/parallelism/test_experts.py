"""Copies of the busiest experts: memory that they take, and how much fuller the fullest rank is than the mean."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.numeric.term import term
from accelscope.plugins.parallelism.expert import EXPERT, ExpertParallelism
from accelscope.plugins.parallelism.routed import duplicated_variance, expected_visited_experts, visited_slots
from tests.support.planning import DEEPSEEK, MACHINE, broken, decode, op, plan, prefill, together


@pytest.fixture(autouse=True)
def strict_numpy():
    with np.errstate(all="raise"):
        yield


def popularity(variance: float, size: int = 200_000) -> np.ndarray:
    """Return experts of lognormal popularity, the least popular first, of mean 1 and a variance."""
    drawn = np.sort(np.random.default_rng(7).lognormal(0.0, np.sqrt(np.log1p(variance)), size))
    return drawn / drawn.mean()


@pytest.mark.parametrize("variance", [0.25, 1.0, 4.0])
@pytest.mark.parametrize("copied", [1 / 32, 1 / 8, 1 / 4])
def test_the_variance_of_held_experts_is_that_of_halved_ones(variance, copied):
    whole = popularity(variance)
    busiest = round(whole.size * copied)
    held = np.concatenate([whole[:-busiest], whole[-busiest:] / 2, whole[-busiest:] / 2])
    expected = held.var() / held.mean() ** 2
    found = float(duplicated_variance(term(variance), term(copied)).value)
    assert found == pytest.approx(expected, rel=0.1, abs=0.05)


def test_copies_of_experts_that_are_alike_change_no_load():
    assert float(duplicated_variance(term(0.0), term(0.125)).value) == 0.0
    assert float(duplicated_variance(term(0.7), term(0.0)).value) == pytest.approx(0.7)


@pytest.mark.parametrize("tokens", [1, 64, 10_000])
def test_hits_of_copies_are_those_of_draws(tokens):
    """Each token picks 8 of 64 experts; the copies of 16 of them take visits in turn at random."""
    rng = np.random.default_rng(3)
    hits = []
    for _ in range(40):
        seen = set()
        for _ in range(min(tokens, 200)):
            picks = rng.permutation(64)[:8]
            seen |= {(int(e), int(rng.integers(2)) if e < 16 else 0) for e in picks}
        hits.append(len(seen))
    found = float(visited_slots(term(64), term(8), term(min(tokens, 200)), term(16)).value)
    assert found == pytest.approx(np.mean(hits), rel=0.02)
    assert float(visited_slots(term(64), term(8), term(tokens), term(0)).value) == pytest.approx(
        float(expected_visited_experts(term(64), term(8), term(tokens)).value)
    )


def spread_out(copies: int, variance: float):
    """Return the plan of 32 ranks of experts whose popularity varies."""
    made = plan(DEEPSEEK, decode(4096), dp=32)
    skewed = evolve(made, workload=evolve(made.workload, expert_spread=term(variance)))
    return EXPERT.shard(ExpertParallelism(ep=term(32), redundant_experts=term(copies)), skewed, MACHINE)


def test_copies_of_busy_experts_lower_the_load_of_the_fullest_rank():
    alike, skewed = ({n: op(spread_out(n, v), "experts_up").flops.value for n in (0, 32)} for v in (0.0, 1.0))
    assert alike[32] == pytest.approx(float(alike[0]))
    assert alike[0] < skewed[32] < 0.9 * skewed[0]


def test_copies_have_to_be_divided_like_experts():
    assert broken(spread_out(32, 1.0)) == []
    assert broken(spread_out(33, 1.0)) == ["ep divides experts"]


@pytest.mark.parametrize("step", [decode(256), prefill(32, 2048)], ids=["decode", "prefill"])
def test_two_batches_do_the_same_work_and_read_weights_twice(step):
    degrees = {"tp": 2, "dp": 8, "ep": 16}
    one, two = (plan(DEEPSEEK, step, **degrees, ep_overlap=how) for how in ("none", "two_batch"))
    # the fullest rank has a little more of fewer visits
    for what in ("flops", "kv_read", "kv_write"):
        assert together(two, what, ("gemm", "attention", "elementwise")) == pytest.approx(
            together(one, what, ("gemm", "attention", "elementwise")), rel=1e-4
        )
    whole = [each for each in one.ops if each.kind == "gemm" and each.layered]
    for each in whole:
        half = op(two, each.name)
        assert float(half.m.value) == pytest.approx(float(each.m.value) / 2)
        assert float((half.weights * half.repeat).value) == pytest.approx(
            2 * float((each.weights * each.repeat).value)
        )
    for left, right in zip(one.collectives, two.collectives, strict=True):
        assert float((right.bytes * right.repeat).value) == pytest.approx(
            float((left.bytes * left.repeat).value)
        )
    assert float(two.residency.weights.value) == float(one.residency.weights.value)


def test_only_the_exchange_goes_on_beside_the_other_batch():
    made = plan(DEEPSEEK, decode(256), tp=2, dp=8, ep=16, ep_overlap="two_batch")
    beside = {item.name for item in made.collectives if item.window is not None}
    assert beside == {"experts_dispatch", "experts_combine"}


def test_one_sequence_is_no_two_batches():
    one, two = (plan(DEEPSEEK, decode(1), tp=8, ep=8, ep_overlap=how) for how in ("none", "two_batch"))
    for each in one.ops:
        for what in ("flops", "m", "repeat", "weights", "groups"):
            same = getattr(op(two, each.name), what).value
            assert float(getattr(each, what).value) == pytest.approx(float(same))
