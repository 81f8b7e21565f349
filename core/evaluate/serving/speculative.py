"""Speculative decoding: a draft proposes tokens, one step of the model checks all of them.

With a chance a that a proposed token is accepted, independently of the others, a step with k proposals yields
(1 - a^(k+1)) / (1 - a) tokens (Leviathan, Kalman and Matias, "Fast inference from transformers via speculative decoding",
ICML 2023, equation 1), and costs the step with k + 1 tokens of each sequence and k steps of the draft.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.plan import Plan
from accelscope.core.numeric.term import Term, as_term, minimum, power, term

if TYPE_CHECKING:
    from accelscope.core.blocks.scenario import SpeculativeDecoding

_ALMOST = 1.0 - 1e-9
_FREE = term(0.0)


def expected_step_tokens(speculative: SpeculativeDecoding | None) -> Term:
    """Return the tokens that a step yields for a sequence."""
    if speculative is None:
        return ONE
    chance = minimum(speculative.acceptance, _ALMOST)
    return ((1.0 - power(chance, speculative.depth + 1.0)) / (1.0 - chance)).named("tokens of a step")


def draft_overhead(speculative: SpeculativeDecoding | None, plan: Plan) -> Term:
    """Return what the draft adds to a step, as a share of the step of the model.

    A layer that predicts further tokens costs what a layer of the model costs for each proposal; looking proposals up
    in the text costs no device time; a model of its own has to say its share.
    """
    if speculative is None or speculative.method == "ngram":
        return _FREE
    share = speculative.draft_time_fraction
    if share is None:
        share = as_term(1.0) / plan.workload.layers
    return (share * speculative.depth).named("share of the draft")
