"""Order statistics of latency: formulas against 100,000 draws, known values, and limits."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.evaluate.variability.expert_routing import (
    independent_variances,
    rank_boundaries,
    shuffle_experts,
    uniform_routing_load,
    visit_probabilities,
    zipf_popularity,
    zipf_routing_load,
)
from accelscope.core.evaluate.variability.extremes import compute_maximum_moments
from accelscope.core.evaluate.variability.memoize import (
    TABLE,
    evaluate_unique_rows,
    interpolate_routing_load,
    tabulate_normal_maximum,
)
from accelscope.core.evaluate.variability.normal import (
    cornish_fisher_quantile,
    integrate_normal_maximum,
    sample_normal_maximum,
)
from accelscope.core.evaluate.variability.sampling import sample_routing

SAMPLES = 100_000
WITHIN = 0.02


def near(found, draws, *, mean=WITHIN, variance=WITHIN):
    assert float(found.mean) == pytest.approx(np.mean(draws), rel=mean)
    assert float(found.variance) == pytest.approx(np.var(draws), rel=variance)


def uniform_at(*values: float):
    return uniform_routing_load(*(np.array(float(value)) for value in values))


def shares_of(experts: int, ranks: int, skew: float):
    order = shuffle_experts(experts, seed=0)[0]
    return np.add.reduceat(zipf_popularity(experts, skew)[order], rank_boundaries(experts, ranks))


@pytest.mark.parametrize("skew", (0.0, 0.5, 1.0, 2.0))
@pytest.mark.parametrize("experts, ranks", ((8, 2), (8, 8), (64, 3), (64, 16), (256, 64)))
@pytest.mark.parametrize("visits", (16, 128, 4096))
def test_fullest_rank_of_multinomial_visits_is_as_drawn(visits, experts, ranks, skew):
    shares = shares_of(experts, ranks, skew)
    draws = np.max(np.random.default_rng(0).multinomial(visits, shares, size=SAMPLES), axis=-1)
    near(compute_maximum_moments(visits * shares, visits * shares, np.ones(ranks), fixed=True), draws)


@pytest.mark.parametrize(
    "tokens, experts, top_k, ranks, skew",
    (
        (32, 16, 2, 2, 0.0),
        (32, 32, 4, 4, 0.0),
        (16, 64, 6, 8, 0.0),
        (8, 128, 8, 64, 0.0),
        (64, 8, 2, 2, 0.5),
        (16, 64, 6, 8, 0.5),
        (8, 128, 8, 64, 0.5),
        (32, 64, 2, 16, 1.0),
        (64, 8, 2, 2, 1.0),
    ),
)
def test_fullest_rank_of_tokens_that_choose_distinct_experts_is_as_drawn(tokens, experts, top_k, ranks, skew):
    draws = sample_routing(tokens, experts, top_k, ranks, skew=skew, samples=SAMPLES, seed=0)
    found = drawn_formula(tokens, experts, top_k, ranks, skew)
    moments = draws.moments(draws.visits)
    assert found.visits.mean == pytest.approx(moments.mean, rel=WITHIN)
    assert found.visits.variance == pytest.approx(moments.variance, rel=WITHIN)


@pytest.mark.parametrize("tokens, experts, top_k, ranks", ((4, 8, 2, 4), (16, 8, 2, 8)))
def test_a_few_tokens_on_a_few_experts_are_near_what_is_drawn(tokens, experts, top_k, ranks):
    draws = sample_routing(tokens, experts, top_k, ranks, skew=0.0, samples=SAMPLES, seed=0)
    near(uniform_at(tokens, experts, top_k, ranks).visits, draws.visits, variance=0.06)


def drawn_formula(tokens, experts, top_k, ranks, skew):
    if skew == 0.0:
        return uniform_at(tokens, experts, top_k, ranks)
    return zipf_routing_load(np.array([float(tokens)]), experts, top_k, ranks, skew=skew, seed=0)


@pytest.mark.parametrize("skew", (0.0, 0.5))
def test_experts_hit_on_a_single_rank_are_as_drawn(skew):
    draws = sample_routing(32, 128, 4, 1, skew=skew, samples=SAMPLES // 2, seed=0)
    found = drawn_formula(32, 128, 4, 1, skew).hit
    moments = draws.moments(draws.hit)
    assert found.mean == pytest.approx(moments.mean, rel=0.01)
    assert found.variance == pytest.approx(moments.variance, rel=0.03)


def test_relative_deviation_of_uniform_routing_vanishes_with_tokens():
    tokens = 4.0 ** np.arange(1, 14)
    found = uniform_routing_load(tokens, *(np.array(value) for value in (256.0, 8.0, 64.0))).visits
    variation = found.deviation / found.mean
    assert np.all(np.diff(variation) < 0.0)
    assert variation[-1] < 1e-3


def test_a_single_rank_has_all_visits():
    found = uniform_at(100, 64, 8, 1).visits
    assert (found.mean, found.variance) == (800.0, 0.0)


def test_a_token_that_visits_all_experts_fills_ranks_alike():
    found = uniform_at(50, 8, 8, 4)
    assert float(found.visits.mean) == pytest.approx(100.0, rel=1e-3)
    assert float(found.visits.deviation) < 0.02
    assert float(found.hit.mean) == pytest.approx(2.0, rel=1e-4)


def test_without_skew_zipf_is_uniform():
    one, other = uniform_at(40, 64, 4, 8), zipf_routing_load(np.array([40.0]), 64, 4, 8, skew=0.0, seed=0)
    assert float(other.visits.mean[0]) == pytest.approx(float(one.visits.mean), rel=1e-3)
    assert float(other.visits.variance[0]) == pytest.approx(float(one.visits.variance), rel=5e-3)
    assert float(other.hit.mean[0]) == pytest.approx(float(one.hit.mean), rel=1e-3)


def test_chances_of_experts_are_those_of_draws_one_by_one():
    popularity = zipf_popularity(6, 1.0)
    first = popularity
    second = [
        sum(popularity[j] * popularity[i] / (1.0 - popularity[j]) for j in range(6) if j != i)
        for i in range(6)
    ]
    assert visit_probabilities(6, 2, 1.0) == pytest.approx(first + np.array(second), rel=1e-6)


def test_independent_visits_vary_like_those_that_add_up():
    chances = visit_probabilities(16, 3, 0.7)
    apart = independent_variances(chances)
    assert apart - apart**2 / np.sum(apart) == pytest.approx(chances * (1.0 - chances), rel=1e-6)


def test_largest_of_two_normals_has_its_closed_form():
    found = integrate_normal_maximum(np.array([1.0, 2.0]))
    assert found.mean == pytest.approx([0.0, 1.0 / np.sqrt(np.pi)], abs=1e-6)
    assert found.variance == pytest.approx([1.0, 1.0 - 1.0 / np.pi], rel=1e-4)


def test_largest_normals_are_as_drawn():
    draws = sample_normal_maximum(np.random.default_rng(0), np.array(8.0), SAMPLES)
    found = tabulate_normal_maximum(np.array(8.0))
    assert np.mean(draws) == pytest.approx(0.0, abs=0.01)
    assert np.var(draws) == pytest.approx(float(found.variance), rel=WITHIN)


def test_skewness_moves_the_tail_as_of_a_gumbel():
    """Gumbel: skewness 1.14, and a 99th percentile 3.14 deviations above the mean."""
    assert cornish_fisher_quantile(99, np.array(1.14)) == pytest.approx(3.14, rel=0.01)
    assert cornish_fisher_quantile(50, np.array(0.0)) == 0.0


def test_the_same_seed_gives_the_same_draws():
    def visits(seed):
        return sample_routing(16, 8, 2, 4, skew=0.5, samples=200, seed=seed).visits

    assert np.array_equal(visits(1), visits(1))
    assert not np.array_equal(visits(1), visits(2))


def test_draws_of_many_tokens_have_the_moments_of_the_formula():
    draws = sample_routing(5000, 64, 4, 8, skew=0.0, samples=SAMPLES, seed=0)
    near(uniform_at(5000, 64, 4, 8).visits, draws.visits)


def test_points_that_share_a_case_get_its_result():
    seen = []

    def doubled(values):
        seen.append(values.size)
        return np.stack([values, 2.0 * values])

    found = evaluate_unique_rows(doubled, np.array([[3.0, 1.0], [1.0, 3.0]]))
    assert seen == [2]
    assert found[1].tolist() == [[6.0, 2.0], [2.0, 6.0]]


def test_many_numbers_of_tokens_are_read_between_exact_ones():
    tokens = np.geomspace(8.0, 1e5, TABLE + 20)
    others = tuple(np.array(value) for value in (64.0, 4.0, 8.0))
    found = interpolate_routing_load(tokens, *others, skew=np.array(0.6), seed=0).visits
    exact = zipf_routing_load(tokens, 64, 4, 8, skew=0.6, seed=0).visits
    assert found.mean == pytest.approx(exact.mean, rel=5e-3)
    assert found.deviation == pytest.approx(exact.deviation, rel=0.02)
