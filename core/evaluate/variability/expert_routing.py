"""Visits of tokens to experts and of experts to ranks: the visits of the fullest rank, and the experts hit on it.

A token visits k distinct experts of E. It takes them one by one, each in proportion to its popularity: 1 where all are alike,
1 / place^skew by Zipf's law. Experts are then those whose exponential clocks ring first (Rosen, "Asymptotic theory for order
sampling", 1997), which gives the chance c of each. The visits to experts, which add up to k, vary like independent ones with
b (1 - b / sum of b) = c (1 - c) under the condition of their sum (Deville and Tille, "Variance approximation under balanced
sampling", 2005). Tokens are independent of each other.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from attrs import frozen

from accelscope.core.evaluate.variability.extremes import Moments, compute_maximum_moments
from accelscope.core.numeric.term import Array

_PLACEMENT_COUNT = 8
"""Orders of experts over ranks that are averaged over: popular experts are not the same ones in every layer."""
_MAX_SEPARATE_RANKS = 8
"""Ranks that are looked at one by one; emptier ones are put together by their mean."""
_VARIANCE_ITERATIONS = 40
"""Rounds of the search for variances."""
_QUADRATURE_NODES = 64
"""Times that the clocks of experts are looked at."""
_TINY = 1e-9


@frozen(kw_only=True, eq=False)
class RoutingLoad:
    """Visits of the fullest rank, and experts that are hit on the rank where most are, as moments."""

    visits: Moments
    hit: Moments


def uniform_routing_load(tokens: Array, experts: Array, top_k: Array, ranks: Array) -> RoutingLoad:
    """Return both where all experts are alike; elementwise."""
    share, each = np.minimum(top_k / experts, 1.0), experts / ranks
    mean = tokens * top_k / ranks
    spread = mean * np.maximum((experts - top_k) / np.maximum(experts - 1.0, 1.0), _TINY)
    one = np.maximum(1.0 - share, 1e-300) ** tokens
    left = np.maximum(experts - top_k - 1.0, 0.0) / np.maximum(experts - 1.0, 1.0)
    two = np.maximum((1.0 - share) * left, 1e-300) ** tokens
    common = np.minimum(two - one**2, 0.0)
    hit = np.maximum(each * (1.0 - one), _TINY)
    visits = _fullest(mean[..., None], spread[..., None], ranks[..., None])
    found = _most_hit(hit[..., None], (hit * one)[..., None], ranks[..., None])
    return RoutingLoad(visits=visits, hit=_less(found, -(each**2) * common))


def zipf_routing_load(
    tokens: Array, experts: int, top_k: int, ranks: int, *, skew: float, seed: int
) -> RoutingLoad:
    """Return both where the popularity of experts follows Zipf's law, as the mean over placements.

    Args:
        tokens: any number of cases along one dimension.
        experts: routed experts of a layer.
        top_k: experts that a token visits.
        ranks: ranks that hold the experts, in equal numbers.
        skew: exponent of Zipf's law; 0 for experts of equal popularity.
        seed: of the order in which experts lie on ranks.
    """
    chances = visit_probabilities(experts, top_k, skew)
    apart = independent_variances(chances)
    found = [
        _placed(tokens, chances[order], apart[order], ranks) for order in shuffle_experts(experts, seed=seed)
    ]
    return RoutingLoad(
        visits=_mean([item.visits for item in found]),
        hit=_mean([item.hit for item in found]),
    )


@lru_cache(maxsize=64)
def visit_probabilities(experts: int, top_k: int, skew: float) -> Array:
    """Return the chance that a token visits each expert, the most popular first; they add up to `top_k`.

    With clocks of rates w, an expert is among the first k if fewer than k of the others have rung before:
    the integral of w exp(-w t) P(fewer than k of the others by t).
    """
    popularity = zipf_popularity(experts, skew)
    if top_k >= experts:
        return np.ones(experts)
    if top_k == 1:
        return popularity
    places, weights = np.polynomial.legendre.leggauss(_QUADRATURE_NODES)
    last = _late(popularity, top_k)
    times, weights = last * (places + 1.0) / 2.0, weights * last / 2.0
    rung = 1.0 - np.exp(-popularity[:, None] * times)
    fewer = np.zeros(
        (experts, _QUADRATURE_NODES, top_k)
    )  # chance of each number of others, for each expert and time
    fewer[..., 0] = 1.0
    for place in range(experts):
        other = np.where(np.arange(experts) == place, 0.0, 1.0)[:, None, None] * rung[place][:, None]
        moved = fewer[..., :-1] * other
        fewer *= 1.0 - other
        fewer[..., 1:] += moved
    density = popularity[:, None] * (1.0 - rung) * np.sum(fewer, axis=-1)
    found: Array = np.sum(density * weights, axis=-1)
    found *= top_k / np.sum(found)
    return found


def _late(popularity: Array, top_k: int) -> float:
    """Return a time by which more than `top_k` clocks have rung: their number is ten deviations above it, or all have."""
    last = float(top_k)
    for _ in range(60):
        rung = 1.0 - np.exp(-popularity * last)
        deviation = np.sqrt(np.sum(rung * (1.0 - rung)))
        if np.sum(rung) - 6.0 * deviation > top_k or np.min(rung) > 1.0 - 1e-7:
            break
        last *= 1.3
    return last


def zipf_popularity(experts: int, skew: float) -> Array:
    """Return the popularity of experts by Zipf's law, the most popular first; they add up to 1."""
    popularity = np.arange(1.0, experts + 1.0) ** -skew
    found: Array = popularity / np.sum(popularity)
    return found


def independent_variances(chances: Array) -> Array:
    """Return the variances of independent visits that vary like these where they add up."""
    alone = chances * (1.0 - chances)
    found = alone
    for _ in range(_VARIANCE_ITERATIONS):
        found = np.minimum(alone + found**2 / np.maximum(np.sum(found), _TINY), chances)
    return np.maximum(found, _TINY * chances)


def shuffle_experts(experts: int, *, seed: int) -> tuple[Array, ...]:
    """Return orders in which experts lie on ranks, one after the other."""
    random = np.random.default_rng(seed)
    return tuple(random.permutation(experts) for _ in range(_PLACEMENT_COUNT))


def rank_boundaries(experts: int, ranks: int) -> Array:
    """Return the place of the first expert of each rank."""
    return (np.arange(ranks) * experts) // ranks


def _placed(tokens: Array, chances: Array, apart: Array, ranks: int) -> RoutingLoad:
    """Return both for experts in the order of their ranks."""
    firsts = rank_boundaries(chances.size, ranks)
    many = tokens[:, None]
    missed = np.maximum(1.0 - chances, 1e-300) ** many
    pull = np.sqrt(many / np.sum(apart)) * missed * apart / np.maximum(1.0 - chances, _TINY)

    def by_rank(of_experts: Array) -> Array:
        found: Array = np.add.reduceat(of_experts, firsts, axis=-1)
        return found

    loads, spread, counts = _classes(many * by_rank(chances), many * by_rank(apart))
    visits = _fullest(loads, spread, counts)
    hit = np.maximum(by_rank(1.0 - missed), _TINY)
    found = _most_hit(*_classes(hit, by_rank(missed * (1.0 - missed))))
    common = np.take_along_axis(by_rank(pull), np.argmax(hit, axis=-1)[:, None], axis=-1)[:, 0]
    return RoutingLoad(visits=visits, hit=_less(found, common**2))


def _classes(means: Array, variances: Array) -> tuple[Array, Array, Array]:
    """Return means, variances and numbers of ranks in classes: the fullest alone, and larger ones the emptier they are."""
    ranks = means.shape[-1]
    pairs = (
        (_MAX_SEPARATE_RANKS + 2 * (2**size - 1), _MAX_SEPARATE_RANKS + 3 * 2**size - 2) for size in range(20)
    )
    firsts = np.array([*range(_MAX_SEPARATE_RANKS), *(first for pair in pairs for first in pair)])
    firsts = firsts[firsts < ranks]
    order = np.argsort(-means, axis=-1)
    counts = np.diff(np.append(firsts, ranks)).astype(float)

    def in_classes(of_ranks: Array) -> Array:
        found: Array = np.add.reduceat(np.take_along_axis(of_ranks, order, axis=-1), firsts, axis=-1)
        found = found / counts
        return found

    return in_classes(means), in_classes(variances), counts


def _fullest(means: Array, variances: Array, counts: Array) -> Moments:
    return compute_maximum_moments(means, np.maximum(variances, _TINY * means), counts, fixed=True)


def _most_hit(means: Array, variances: Array, counts: Array) -> Moments:
    return compute_maximum_moments(means, np.maximum(variances, _TINY * means), counts, fixed=False)


def _less(moments: Moments, common: Array) -> Moments:
    """Return the moments less a variance that is common to all ranks: experts hit here are not hit there."""
    return Moments(
        mean=moments.mean,
        variance=np.maximum(moments.variance - common, 0.0),
        third_moment=moments.third_moment,
    )


def _mean(found: list[Moments]) -> Moments:
    return Moments(
        mean=np.mean([item.mean for item in found], axis=0),
        variance=np.mean([item.variance for item in found], axis=0),
        third_moment=np.mean([item.third_moment for item in found], axis=0),
    )
