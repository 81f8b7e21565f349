"""Random steps: tokens that choose their experts one by one, and the fullest rank of each draw. Vectorised and seeded."""

from __future__ import annotations

import numpy as np
from attrs import frozen

from accelscope.core.evaluate.variability.expert_routing import (
    independent_variances,
    rank_boundaries,
    shuffle_experts,
    visit_probabilities,
    zipf_popularity,
)
from accelscope.core.evaluate.variability.extremes import Moments
from accelscope.core.numeric.term import Array

_MAX_EXACT_TOKENS = 1024
"""Tokens up to which each chooses its experts; counts of more are drawn from the normal that they tend to."""
_MAX_RANDOM_NUMBERS = 4_000_000
"""Random numbers that are held at once."""


@frozen(kw_only=True, eq=False)
class RoutingSamples:
    """Visits of the fullest rank, and experts hit on the rank where most are, one of each for a draw.

    Attributes:
        place: which placement of experts each draw is of.
    """

    visits: Array
    hit: Array
    place: Array

    def moments(self, values: Array) -> Moments:
        """Return the moments of one of both, as the mean over placements."""
        parts = [values[self.place == place] for place in np.unique(self.place)]
        means = [np.mean(part) for part in parts]
        off = [part - mean for part, mean in zip(parts, means, strict=True)]
        return Moments(
            mean=np.mean(means),
            variance=np.mean([np.mean(part**2) for part in off]),
            third_moment=np.mean([np.mean(part**3) for part in off]),
        )

    def standardize(self, values: Array) -> Array:
        """Return one of both with mean 0 and deviation 1, each placement with a mean of its own."""
        off = values.astype(float)
        for place in np.unique(self.place):
            off[self.place == place] -= np.mean(off[self.place == place])
        deviation = np.std(off)
        return off / deviation if deviation > 0.0 else off


def sample_routing(
    tokens: int, experts: int, top_k: int, ranks: int, *, skew: float, samples: int, seed: int
) -> RoutingSamples:
    """Return draws of one layer; a skew of 0 has all experts alike.

    Args:
        tokens: tokens that are routed.
        experts: routed experts of the layer.
        top_k: experts that a token visits.
        ranks: ranks that hold the experts, in equal numbers.
        skew: exponent of Zipf's law.
        samples: how many.
        seed: of all random numbers, and of the order in which experts lie on ranks.
    """
    random = np.random.default_rng(seed)
    orders = shuffle_experts(experts, seed=seed)
    place = np.arange(samples) % len(orders)
    visits, hit = np.empty(samples), np.empty(samples)
    width = tokens if tokens <= _MAX_EXACT_TOKENS else 1
    step = max(1, _MAX_RANDOM_NUMBERS // (width * experts))
    for at in range(0, samples, step):
        rows = slice(at, min(at + step, samples))
        size = rows.stop - rows.start
        if tokens <= _MAX_EXACT_TOKENS:
            counts = _chosen(random, size, tokens, zipf_popularity(experts, skew), top_k)
        else:
            counts = _tending(random, size, tokens, visit_probabilities(experts, top_k, skew))
        counts = np.take_along_axis(counts, np.stack(orders)[place[rows]], axis=-1)
        firsts = rank_boundaries(experts, ranks)
        visits[rows] = np.max(np.add.reduceat(counts, firsts, axis=-1), axis=-1)
        hit[rows] = np.max(np.add.reduceat((counts > 0.5).astype(float), firsts, axis=-1), axis=-1)
    return RoutingSamples(visits=visits, hit=hit, place=place)


def _chosen(random: np.random.Generator, size: int, tokens: int, popularity: Array, top_k: int) -> Array:
    """Return the visits of each expert: a token takes those whose exponential clocks ring first, which is taking them one
    by one in proportion to popularity."""
    experts = popularity.size
    if top_k >= experts:
        return np.full((size, experts), float(tokens))
    if top_k == 1:
        return random.multinomial(tokens, popularity, size=size).astype(float)
    clocks = random.standard_exponential((size, tokens, experts), dtype=np.float32) / popularity.astype(
        np.float32
    )
    chosen = np.argpartition(clocks, top_k - 1, axis=-1)[..., :top_k]
    flat = (chosen.reshape(size, -1) + np.arange(size)[:, None] * experts).ravel()
    return np.bincount(flat, minlength=size * experts).reshape(size, experts).astype(float)


def _tending(random: np.random.Generator, size: int, tokens: int, chances: Array) -> Array:
    """Return visits of many tokens: normal, with the variances of visits that add up."""
    apart = tokens * independent_variances(chances)
    free = np.sqrt(apart) * random.standard_normal((size, chances.size))
    free -= apart / np.sum(apart) * np.sum(free, axis=-1, keepdims=True)
    found: Array = np.maximum(tokens * chances + free, 0.0)
    return found
