"""The largest of several random counts: mean, variance and skewness by integration on a fixed grid. Pure arrays.

Counts of a fixed sum, such as visits of tokens to ranks, are independent counts Y under the condition that they add up to
M (Levin, "A representation for multinomial cumulative distribution functions", Annals of Statistics 9, 1981):

    P(max <= x) = P(all Y <= x) P(W = M) / P(S = M)      W the sum of the Y below x, S of all Y

Both probabilities are one inversion of characteristic functions, a sum over angles. Each Y is a binomial count of the given
mean and variance, between two whole numbers of trials; where the variance is the mean it is a Poisson count.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from accelscope.core.numeric.term import Array

_GRID_CELLS = 48
"""Cells of the grid of counts; they are whole numbers of counts, and about a fourth of a deviation."""
ANGLES, ENOUGH = 40, 24
"""Angles of the inversion, up to 12 over the deviation of the sum; and those that are enough for a sum of many counts."""
_MANY_COUNTS = 8
"""Counts that are many: characteristic functions of their sum have died away earlier."""
_ANGLE_STEP = 0.31
"""Step of the angles, times the deviation of the sum: sums within ten deviations are told apart."""
BELOW, ABOVE = 5.0, 3.5
"""Deviations of the largest mean that the grid reaches below it, and above the expected largest."""
_POISSON_CHANCE = 1e-5
"""Chance of a trial that stands for a Poisson count."""


@frozen(kw_only=True, eq=False)
class _CountDistribution:
    """Counts of some mean that have one whole number of trials or the next, with `share` of the latter.

    Attributes:
        spread: the standard deviation.
    """

    mean: Array
    trials: Array
    share: Array
    spread: Array

    @classmethod
    def of(cls, means: Array, variances: Array) -> _CountDistribution:
        """Return the counts of a mean and variance: the variance is linear in one over the trials."""
        chance = np.clip(1.0 - variances / means, _POISSON_CHANCE, 1.0 - _POISSON_CHANCE)
        trials = np.maximum(np.floor(means / chance + 1e-6), np.ceil(means - 1e-6))
        share = np.clip((chance / means - 1.0 / trials) * -trials * (trials + 1.0), 0.0, 1.0)
        return cls(mean=means, trials=trials, share=share, spread=np.sqrt(means * (1.0 - chance)))

    def probabilities(self, count: Array) -> Array:
        """Return the chance of each count, along a new last dimension."""
        share, trials, mean = (item[..., None] for item in (self.share, self.trials, self.mean))
        count = count[..., None, :]
        fewer, more = (_binomial_probability(count, item, mean / item) for item in (trials, trials + 1.0))
        found: Array = (1.0 - share) * fewer + share * more
        return found

    def characteristic(self, angles: Array) -> Array:
        """Return the characteristic function around the mean, along a new last dimension."""
        share, trials, mean = (item[..., None] for item in (self.share, self.trials, self.mean))
        step = np.exp(1j * angles) - 1.0
        fewer, more = (np.exp(item * np.log1p(mean / item * step)) for item in (trials, trials + 1.0))
        found: Array = ((1.0 - share) * fewer + share * more) * np.exp(-1j * angles * mean)
        return found


@frozen(kw_only=True, eq=False)
class Moments:
    """Mean, variance and third central moment of a random number, as arrays."""

    mean: Array
    variance: Array
    third_moment: Array

    @property
    def deviation(self) -> Array:
        """The standard deviation."""
        return np.sqrt(self.variance)

    @property
    def skewness(self) -> Array:
        """The third central moment over the deviation cubed, up to 10; 0 where nothing varies."""
        found: Array = self.third_moment / np.maximum(self.deviation, _POISSON_CHANCE) ** 3
        varied: Array = np.where(self.deviation > _POISSON_CHANCE, np.clip(found, -10.0, 10.0), 0.0)
        return varied


def compute_maximum_moments(means: Array, variances: Array, counts: Array, *, fixed: bool) -> Moments:
    """Return the moments of the largest of several counts.

    Args:
        means: mean of a count of each class, above 0; classes along the last dimension.
        variances: variance of a count of each class, above 0; classes along the last dimension.
        counts: how many are of each class.
        fixed: whether they are looked at where they add up to the sum of their means; `variances` are those without this.
    """
    shape = np.broadcast_shapes(means.shape, variances.shape, counts.shape)
    rows = [np.broadcast_to(item, shape).reshape(-1, shape[-1]) for item in (means, variances, counts)]
    step = max(1, 2_000_000 // (shape[-1] * _GRID_CELLS * ANGLES))
    found = [
        _moments(*(item[at : at + step] for item in rows), fixed=fixed)
        for at in range(0, rows[0].shape[0], step)
    ]
    return Moments(
        mean=np.concatenate([item.mean for item in found]).reshape(shape[:-1]),
        variance=np.concatenate([item.variance for item in found]).reshape(shape[:-1]),
        third_moment=np.concatenate([item.third_moment for item in found]).reshape(shape[:-1]),
    )


def _moments(means: Array, variances: Array, counts: Array, *, fixed: bool) -> Moments:
    each = _CountDistribution.of(means, variances)
    spread = each.spread
    whole = np.sum(means * counts, axis=-1, keepdims=True)
    first, size = _grid(
        means, _apart(spread, counts) if fixed else spread, counts, whole if fixed else np.inf
    )
    centres = first + size * np.arange(_GRID_CELLS) + (size - 1.0) / 2.0
    masses = _masses(centres, size, each)
    if fixed:
        below = _conditioned(centres, size, masses, each, counts)
    else:
        below = np.prod(np.maximum(1.0 - _above(masses), 0.0) ** counts[..., None], axis=-2)
    below = np.maximum.accumulate(np.clip(below / below[..., -1:], 0.0, 1.0), axis=-1)
    shares = np.diff(below, prepend=0.0, axis=-1)
    mean = np.sum(shares * centres, axis=-1)
    off = centres - mean[..., None]
    grouped = (size[..., 0] ** 2 - 1.0) / 12.0  # Sheppard's correction for counts that share a cell
    variance = np.maximum(np.sum(shares * off**2, axis=-1) - grouped, 0.0)
    third = np.sum(shares * off**3, axis=-1)
    if not fixed:
        return Moments(mean=mean, variance=variance, third_moment=third)
    several = np.sum(counts, axis=-1) > 1.0  # a single count has the whole sum
    return Moments(
        mean=np.where(several, mean, whole[..., 0]),
        variance=np.where(several, variance, 0.0),
        third_moment=np.where(several, third, 0.0),
    )


def _apart(spread: Array, counts: Array) -> Array:
    """Return the deviations of counts that add up to a fixed sum, from those without this."""
    shares = spread**2 / np.sum(spread**2 * counts, axis=-1, keepdims=True)
    found: Array = spread * np.sqrt(np.maximum(1.0 - shares, 0.0))
    return found


def _grid(means: Array, spread: Array, counts: Array, whole: Array | float) -> tuple[Array, Array]:
    """Return the first count of the grid and the counts of a cell."""
    hottest = np.argmax(means, axis=-1)[..., None]
    mean = np.take_along_axis(means, hottest, axis=-1)
    wide = np.take_along_axis(spread, hottest, axis=-1)
    members = np.sum(counts, axis=-1, keepdims=True)
    first = np.maximum(np.floor(mean - BELOW * wide), 0.0)
    if not np.all(np.isinf(whole)):  # the largest of a fixed sum is at least the mean
        first = np.maximum(first, np.ceil(whole / members * (1.0 - 1e-9)))
    last = np.minimum(np.ceil(mean + (ABOVE + np.sqrt(2.0 * np.log(members + 1.0))) * wide + 4.0), whole)
    size = np.maximum(np.ceil((np.ceil(last) - first + 1.0) / _GRID_CELLS), 1.0)
    return first, size


def _masses(centres: Array, size: Array, each: _CountDistribution) -> Array:
    """Return the chance that a count lies in each cell: two points of a cell have its mean and variance."""
    aside = np.sqrt((size**2 - 1.0) / 12.0)
    found: Array = (
        size[..., None] / 2.0 * (each.probabilities(centres - aside) + each.probabilities(centres + aside))
    )
    return found


def _above(masses: Array) -> Array:
    """Return the sum of what lies above each cell."""
    return np.flip(np.cumsum(np.flip(masses, -1), axis=-1), -1) - masses


def _conditioned(
    centres: Array, size: Array, masses: Array, each: _CountDistribution, counts: Array
) -> Array:
    """Return what is in proportion to the chance that no count lies above a cell, where all add up to their means."""
    deviation = np.sqrt(np.sum(each.spread**2 * counts, axis=-1, keepdims=True))
    many = ENOUGH if np.min(np.sum(counts, axis=-1)) >= _MANY_COUNTS else ANGLES
    step = np.minimum(_ANGLE_STEP / deviation, np.pi / (size * many))
    angles = (step * (np.arange(many) + 0.5))[..., None, :]
    full = each.characteristic(angles)
    # Counts at the middle of their cell have this factor too much: the characteristic function of a cell's width.
    width = size[..., None] * np.sin(angles / 2.0) / np.sin(size[..., None] * angles / 2.0)
    above = _above(masses[..., None, :] * _turned(centres, size, angles))
    below = full[..., None] - above * (width * np.exp(-1j * angles * each.mean[..., None]))[..., None]
    if not np.all(counts == 1.0):
        below = below ** counts[..., None, None]
    product = np.prod(below, axis=-3)
    found: Array = np.sum(product.real, axis=-2)
    return found


def _turned(centres: Array, size: Array, angles: Array) -> Array:
    """Return exp(i angle count) for the middle of each cell: powers of that of one cell."""
    turned = np.repeat(np.exp(1j * angles * size[..., None])[..., None], _GRID_CELLS, axis=-1)
    turned[..., 0] = np.exp(1j * angles * centres[..., None, :1])
    found: Array = np.cumprod(turned, axis=-1)
    return found


def _binomial_probability(count: Array, trials: Array, chance: Array) -> Array:
    """Return the chance of a count under a binomial distribution."""
    taken, left = np.maximum(count, 0.0), np.maximum(trials - count, 0.0)
    ways = _log_factorial(trials) - _log_factorial(taken) - _log_factorial(left)
    rest = np.log(np.maximum(1.0 - chance, 1e-300))
    found: Array = np.exp(ways + taken * np.log(chance) + left * rest)
    return np.where((count >= 0.0) & (count <= trials), found, 0.0)


def _log_factorial(value: Array) -> Array:
    """Return ln(value!) by Stirling's series after four steps of the recurrence, exact to 1e-8."""
    near = value + 1.0
    far = near + 4.0
    series = (far - 0.5) * np.log(far) - far + 0.5 * np.log(2.0 * np.pi) + 1.0 / (12.0 * far)
    found: Array = series - 1.0 / (360.0 * far**3) - np.log(near * (near + 1.0) * (near + 2.0) * (near + 3.0))
    return found
