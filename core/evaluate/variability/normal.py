"""The normal distribution: its largest of several, and its quantiles with a skewness."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from accelscope.core.evaluate.variability.extremes import Moments
from accelscope.core.numeric.term import Array

QUANTILES = {50: 0.0, 90: 1.2816, 95: 1.6449, 99: 2.3263}
"""Percentile to the deviations above the mean at which a normal has it."""
REACH = 9.0
STEPS = 721
MOST_SKEW = 1.2
"""Skewness up to which a quantile of the third order rises with its percentile."""


def largest_normal(many: Array) -> Moments:
    """Return the moments of the largest of some normals of mean 0 and deviation 1: an integral over Phi(z)^n."""
    places, logarithms = _normal()
    below = np.exp(many[..., None] * logarithms)
    shares = np.diff(below, axis=-1)
    middles = (places[1:] + places[:-1]) / 2.0
    mean = np.sum(shares * middles, axis=-1)
    off = middles - mean[..., None]
    grouped = (places[1] - places[0]) ** 2 / 12.0
    return Moments(
        mean=mean,
        variance=np.sum(shares * off**2, axis=-1) - grouped,
        third=np.sum(shares * off**3, axis=-1),
    )


def draw_largest(random: np.random.Generator, many: Array, samples: int) -> Array:
    """Return draws of the largest of some normals less its mean, along a new last dimension."""
    places, logarithms = _normal()
    chances = np.log(random.random(samples)) / many[..., None]
    return np.interp(chances, logarithms, places) - largest_normal(many).mean[..., None]


def quantile(percentile: int, skewness: Array) -> Array:
    """Return the deviations above the mean of a percentile (Cornish and Fisher, 1938, to the third order)."""
    normal = QUANTILES[percentile]
    found: Array = normal + np.clip(skewness, -MOST_SKEW, MOST_SKEW) / 6.0 * (normal**2 - 1.0)
    return found


@lru_cache(maxsize=1)
def _normal() -> tuple[Array, Array]:
    """Return places, and the logarithm of the share of a normal below each."""
    places = np.linspace(-REACH, REACH, STEPS)
    shares = [0.5 * math.erfc(-place / math.sqrt(2.0)) for place in places]
    return places, np.log(np.array(shares))
