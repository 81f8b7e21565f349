"""Which tokens attention sees: how many pairs of query and key a pass has, and how many keys it reads."""

from __future__ import annotations

from attrs import frozen

from accelscope.core.numeric.term import Term, floor, maximum, minimum
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass
from accelscope.plugins.workload.decoder.shape import ZERO_COUNT


@frozen(kw_only=True, eq=False)
class AttentionMask:
    """What the queries of one sequence see.

    Attributes:
        pairs: (query, key) pairs of all new tokens.
        seen: tokens whose KV some new token reads.
        outside: pairs of a token and one before it that it does not see, as multiples of those that it sees.
    """

    pairs: Term
    seen: Term
    outside: Term = ZERO_COUNT

    @classmethod
    def window(cls, run: ForwardPass, window: Term) -> AttentionMask:
        """A query of position p sees min(p, window) tokens."""
        length = run.context + run.tokens
        pairs = count_window_pairs(length, window) - count_window_pairs(run.context, window)
        return cls(pairs=pairs, seen=minimum(length, window + run.tokens - 1.0), outside=_outside(run, pairs))

    @classmethod
    def chunk(cls, run: ForwardPass, chunk: Term) -> AttentionMask:
        """A query sees the tokens of its own chunk up to itself: none of the cached ones where a chunk begins."""
        length = run.context + run.tokens
        begun = run.context - chunk * floor(run.context / chunk)
        pairs = count_chunk_pairs(length, chunk) - count_chunk_pairs(run.context, chunk)
        return cls(pairs=pairs, seen=begun + run.tokens, outside=_outside(run, pairs))

    @classmethod
    def everything(cls, run: ForwardPass) -> AttentionMask:
        """A query of an encoder sees all tokens of its sequence."""
        length = run.context + run.tokens
        return cls(pairs=run.tokens * length, seen=length)


def _outside(run: ForwardPass, pairs: Term) -> Term:
    """Return the pairs that a plain causal mask has and this one has not, over the pairs of this one."""
    causal = run.tokens * run.context + run.tokens * (run.tokens + 1.0) / 2.0
    return maximum(causal / maximum(pairs, 1.0) - 1.0, 0.0)


def count_window_pairs(length: Term, window: Term) -> Term:
    """Return how many (query, key) pairs the first `length` positions have: the sum of min(p, window)."""
    inside = minimum(length, window)
    return inside * (inside + 1.0) / 2.0 + (length - inside) * inside


def count_chunk_pairs(length: Term, chunk: Term) -> Term:
    """Return how many (query, key) pairs the first `length` positions have in chunks: triangles, the last one begun."""
    full = floor(length / chunk)
    rest = length - full * chunk
    return full * chunk * (chunk + 1.0) / 2.0 + rest * (rest + 1.0) / 2.0
