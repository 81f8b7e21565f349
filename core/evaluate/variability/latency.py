"""Percentiles of the time of a pass: of its parts' moments by formula, or of steps that are drawn at random."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
from attrs import frozen

from accelscope.core.errors import UsageError
from accelscope.core.evaluate.variability.normal import (
    NORMAL_QUANTILES,
    cornish_fisher_quantile,
    sample_normal_maximum,
)
from accelscope.core.evaluate.variability.pass_distribution import (
    RandomContribution,
    find_random_contributions,
)
from accelscope.core.numeric.term import Array, Term, make_leaf, sqrt, total

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design
    from accelscope.core.blocks.variability import Variability
    from accelscope.core.evaluate.pass_cost import PassCost

_BASE_PASS_NOTE = "the pass without what is random: `explain` of ttft or tpot says how it comes about"
_MAX_SAMPLES = 20_000_000
"""Product of points and samples; all are held at once."""


@frozen(kw_only=True, eq=False)
class LatencyDistribution:
    """The time of a pass as a distribution.

    Attributes:
        base: the time without what is random.
        parts: what is random in it.
        percentiles: by number: 50, 90, 95, 99.
    """

    base: Term
    mean: Term
    deviation: Term
    parts: tuple[RandomContribution, ...]
    percentiles: Mapping[int, Term]


def build_latency_distribution(step: PassCost, words: Variability, design: Design) -> LatencyDistribution:
    """Return the time of a pass as a distribution."""
    parts = find_random_contributions(step, words, design)
    base = make_leaf(step.time, f"{step.phase} pass", _BASE_PASS_NOTE)
    mean = total((base, *(part.shift for part in parts))).named("mean time")
    squares = [part.deviation * part.deviation for part in parts]
    deviation = sqrt(total(squares)) if squares else step.time * 0.0
    deviation = deviation.named("deviation of the time")
    above = (
        _by_formula(parts, deviation) if words.monte_carlo_steps is None else _drawn(parts, deviation, words)
    )
    percentiles = {
        number: mean + (deviation * Term(above[number])).named(f"P{number} above the mean")
        for number in NORMAL_QUANTILES
    }
    return LatencyDistribution(
        base=step.time, mean=mean, deviation=deviation, parts=parts, percentiles=percentiles
    )


def _by_formula(parts: tuple[RandomContribution, ...], deviation: Term) -> dict[int, Array]:
    """Return the deviations above the mean of each percentile: third moments of independent parts add up."""
    third: Array = np.zeros(())
    for part in parts:
        third = third + part.skewness * part.deviation.value**3
    skewness = third / np.maximum(deviation.value, 1e-100) ** 3
    return {number: cornish_fisher_quantile(number, skewness) for number in NORMAL_QUANTILES}


def _drawn(parts: tuple[RandomContribution, ...], deviation: Term, words: Variability) -> dict[int, Array]:
    """Return the same of steps that are drawn at random.

    Raises:
        UsageError: there are too many points for as many samples.
    """
    assert words.monte_carlo_steps is not None  # or there would be a formula
    samples, shape = int(np.max(words.monte_carlo_steps.value)), deviation.value.shape
    if samples * deviation.value.size > _MAX_SAMPLES:
        raise UsageError(
            f"`monte_carlo_steps` draws {samples:,} steps at each of {deviation.value.size:,} points, more than the "
            f"{_MAX_SAMPLES:,} that are held at once; leave it out, and formulas give the percentiles"
        )
    random = np.random.default_rng(int(np.max(words.seed.value)))
    steps = np.zeros((samples, *shape))
    for part in parts:
        standard = _standard(part, random, samples)
        missing = (1,) * (len(shape) + 1 - standard.ndim)  # points have their dimensions last
        steps = steps + part.deviation.value * standard.reshape(samples, *missing, *standard.shape[1:])
    steps = steps / np.maximum(deviation.value, 1e-100)
    return {number: np.percentile(steps, number, axis=0) for number in NORMAL_QUANTILES}


def _standard(part: RandomContribution, random: np.random.Generator, samples: int) -> Array:
    """Return draws of a part with mean 0 and deviation 1, along the first dimension."""
    if part.ranks is not None:
        found = np.moveaxis(sample_normal_maximum(random, part.ranks, samples), -1, 0)
        found /= np.maximum(np.std(found, axis=0), 1e-100)
        return found
    if part.sampled_deviations is None:
        return random.standard_normal(samples)
    return _over_layers(part, part.sampled_deviations, random)


def _over_layers(part: RandomContribution, drawn: Array, random: np.random.Generator) -> Array:
    """Return the mean of layers, each a draw that it has a share of in common with the others."""
    layers = np.round(part.layers)
    missing = (1,) * (max(layers.ndim, part.correlation.ndim) + 1 - drawn.ndim)
    drawn = drawn.reshape(drawn.shape[0], *missing, *drawn.shape[1:])
    own: Array = np.zeros(())
    for layer in range(int(np.max(layers))):
        own = own + np.where(layer < layers, drawn[random.permutation(drawn.shape[0])], 0.0)
    shared = drawn[random.permutation(drawn.shape[0])]
    found = np.sqrt(part.correlation) * shared + np.sqrt(1.0 - part.correlation) * own / layers
    alone = (1.0 + (layers - 1.0) * part.correlation) / layers
    mean_of_layers: Array = found / np.sqrt(alone)
    return mean_of_layers
