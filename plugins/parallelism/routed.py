"""How visits of tokens fall on routed experts: which experts are hit, and how full the fullest of some ranks gets."""

from __future__ import annotations

import math

from accelscope.core.numeric.term import Term, exp, log2, maximum, minimum, power, sqrt, where

LN2 = math.log(2)
_LOGISTIC_SCALE = 1.702
"""Phi(x) is 1 / (1 + exp(-1.702 x)) within 0.01 (Haley, 1952)."""


def fullest_rank_load(variance: Term, ranks: Term) -> Term:
    """Return the load of the fullest of some ranks over the mean: halfway from the largest normal to the largest lognormal.

    Those are 1 + z deviation, and exp(z s - s^2 / 2) with s^2 = ln(1 + variance); they agree for small variances, and the
    truncated power law of popularity has a tail between theirs. z is the mean of the largest of n normals, the quantile of
    (n - 3/8) / (n + 1/4) (Blom, "Statistical estimates and transformed beta-variables", 1958), by Tukey's lambda:
    (p^0.135 - (1 - p)^0.135) / 0.1975. At most everything lies on one rank.

    Args:
        variance: of the load of a rank over the square of its mean: 1 / mean by chance, and what the popularity of its
            experts adds, over their number.
        ranks: number of ranks.
    """
    share = (ranks - 0.375) / (ranks + 0.25)
    largest = tukey_quantile(share)
    spread = log2(1.0 + variance) * LN2
    heavy = exp(largest * sqrt(spread) - spread / 2.0)
    return minimum(maximum((heavy + 1.0 + largest * sqrt(variance)) / 2.0, 1.0), ranks)


def expected_visited_experts(experts: Term, top_k: Term, tokens: Term) -> Term:
    """Return the distinct experts that tokens visit: E(1-(1-k/E)^n)."""
    missed = maximum(1.0 - top_k / experts, 1e-300)
    return experts * (1.0 - exp(maximum(tokens * log2(missed) * LN2, -700.0)))


def visited_share(experts: Term, top_k: Term, tokens: Term, part: Term) -> Term:
    """Return the experts that a share of some tokens visit, as a share of those that all of them do."""
    return expected_visited_experts(experts, top_k, tokens * part) / maximum(
        expected_visited_experts(experts, top_k, tokens), 1e-300
    )


def visited_slots(experts: Term, top_k: Term, tokens: Term, copies: Term) -> Term:
    """Return the distinct held experts that tokens visit where some are held twice, and each copy gets half of the visits."""
    once = expected_visited_experts(experts, top_k, tokens) * (1.0 - copies / experts)
    return once + expected_visited_experts(experts * 2.0, top_k, tokens) * (copies / experts)


def duplicated_variance(variance: Term, copied: Term) -> Term:
    """Return the variance of the popularity of held experts where a share of them, the busiest, is held twice.

    DeepSeek-V3 report, arXiv 2412.19437, section 3.4: experts of high load are duplicated, and tokens divided between
    the copies. With lognormal popularity, s^2 = ln(1 + variance), the busiest share q has T = Phi(2 s - z(1 - q)) of the
    second moment. In halves it has half of that, over 1 + q as many held experts:
    (1 + variance) (1 - T / 2) (1 + q) - 1, and copies are never placed so as to make it worse.

    Args:
        variance: over the square of the mean.
        copied: share of the experts that is held twice; 0 for none.
    """
    deviation = sqrt(log2(1.0 + variance) * LN2)
    place = 2.0 * deviation - tukey_quantile(1.0 - minimum(copied, 1.0))
    top = where(copied > 0.0, 1.0 / (1.0 + exp(minimum(-_LOGISTIC_SCALE * place, 700.0))), 0.0)
    return minimum(maximum((1.0 + variance) * (1.0 - top / 2.0) * (1.0 + copied) - 1.0, 0.0), variance)


def tukey_quantile(share: Term) -> Term:
    """Return the quantile of a normal by Tukey's lambda: (p^0.135 - (1 - p)^0.135) / 0.1975."""
    return (power(share, 0.135) - power(1.0 - share, 0.135)) / 0.1975
