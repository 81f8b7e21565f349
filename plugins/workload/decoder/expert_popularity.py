"""How visits fall on experts: alike, evenly at random, or by a power law from rarely to often visited ones.

With exponent a, the visits of an expert are distributed as x^-a between 1 and `ratio`, so that a share u of the experts has
fewer than x(u) = ((ratio^(1 - a) - 1) u + 1)^(1 / (1 - a)). Moments are those of the truncated power law.
"""

from __future__ import annotations

from attrs import frozen

from accelscope.core.numeric.term import Term, exp, maximum, minimum, power, term, total

ROUTING_DISTRIBUTIONS = ("uniform_random", "balanced", "power_law")
_NODES = tuple((place + 0.5) / 16.0 for place in range(16))
"""Midpoints of shares of the experts that visited ones are counted at."""
_OFF = 1e-4  # keeps exponents off 1, 2 and 3, where the moments are logarithms
_ONE = term(1.0)


@frozen(kw_only=True, eq=False)
class ExpertPopularity:
    """A distribution of visits over experts.

    Attributes:
        exponent, ratio: of the power law; a ratio of 1 says that all experts are alike.
    """

    exponent: Term
    ratio: Term

    @property
    def _bent(self) -> Term:
        return self.exponent + _OFF

    def mean(self) -> Term:
        """Return the mean visits of an expert, those of the rarest being 1."""
        return self._moment(1.0)

    def spread(self) -> Term:
        """Return the variance of the visits of an expert over the square of their mean."""
        first = self._moment(1.0)
        return maximum(self._moment(2.0) / (first * first) - 1.0, 0.0)

    def visited(self, experts: Term, each: Term) -> Term:
        """Return how many experts are visited at all, where an expert has `each` visits in the mean: E mean(1 - e^-v)."""
        mean = self.mean()
        shares = (1.0 - exp(maximum(-(each * self._at(node) / mean), -700.0)) for node in _NODES)
        return experts * total(shares) / float(len(_NODES))

    def _at(self, share: float) -> Term:
        ends = power(self._wide, 1.0 - self._bent)
        return power((ends - 1.0) * share + 1.0, _ONE / (1.0 - self._bent))

    def _moment(self, order: float) -> Term:
        low = 1.0 - self._bent
        return low / (low + order) * (power(self._wide, low + order) - 1.0) / (power(self._wide, low) - 1.0)

    @property
    def _wide(self) -> Term:
        return maximum(self.ratio, 1.0 + 1e-6)


def measured_popularity(exponent: Term, tokens: Term, top_k: Term, experts: Term) -> ExpertPopularity:
    """Return the power law of measurements whose experts are visited by 1 to 80 % of the tokens.

    Where there are fewer visits than experts it reaches from 1 to 200 times the rarest. Source: the load distributions that
    published measurements of experts draw (ai-dynamo/aiconfigurator, Apache-2.0).
    """
    many = minimum(maximum(tokens * top_k / experts - 1.0, 0.0) * 1e9, 1.0)
    return ExpertPopularity(exponent=exponent, ratio=many * (0.8 * tokens) + (1.0 - many) * 200.0)
