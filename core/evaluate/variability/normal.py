"""The normal distribution: its largest of several, and its quantiles with a skewness."""

from __future__ import annotations

import math
from functools import lru_cache

import numpy as np

from accelscope.core.evaluate.variability.extremes import Moments
from accelscope.core.numeric.term import Array

NORMAL_QUANTILES = {50: 0.0, 90: 1.2816, 95: 1.6449, 99: 2.3263}
"""Percentile to the deviations above the mean at which a normal has it."""
_INTEGRATION_REACH = 9.0
_INTEGRATION_STEPS = 721
_MAX_SKEWNESS = 1.2
"""Skewness up to which a quantile of the third order rises with its percentile."""


def integrate_normal_maximum(many: Array) -> Moments:
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
        third_moment=np.sum(shares * off**3, axis=-1),
    )


def sample_normal_maximum(random: np.random.Generator, many: Array, samples: int) -> Array:
    """Return draws of the largest of some normals less its mean, along a new last dimension."""
    places, logarithms = _normal()
    chances = np.log(random.random(samples)) / many[..., None]
    return np.interp(chances, logarithms, places) - integrate_normal_maximum(many).mean[..., None]


def cornish_fisher_quantile(percentile: int, skewness: Array) -> Array:
    """Return the deviations above the mean of a percentile (Cornish and Fisher, 1938, to the third order)."""
    normal = NORMAL_QUANTILES[percentile]
    found: Array = normal + np.clip(skewness, -_MAX_SKEWNESS, _MAX_SKEWNESS) / 6.0 * (normal**2 - 1.0)
    return found


@lru_cache(maxsize=1)
def _normal() -> tuple[Array, Array]:
    """Return places, and the logarithm of the share of a normal below each."""
    places = np.linspace(-_INTEGRATION_REACH, _INTEGRATION_REACH, _INTEGRATION_STEPS)
    shares = [0.5 * math.erfc(-place / math.sqrt(2.0)) for place in places]
    return places, np.log(np.array(shares))
