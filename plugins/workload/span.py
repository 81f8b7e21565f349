"""Which tokens attention sees: how many pairs of query and key a pass has, and how many keys it reads."""

from __future__ import annotations

from attrs import frozen

from accelscope.core.term import Term, floor, minimum
from accelscope.plugins.workload.forward import Forward


@frozen(kw_only=True, eq=False)
class Span:
    """What the queries of one sequence see.

    Attributes:
        pairs: (query, key) pairs of all new tokens; seen: tokens whose KV some new token reads.
    """

    pairs: Term
    seen: Term

    @classmethod
    def window(cls, run: Forward, window: Term) -> Span:
        """A query of position p sees min(p, window) tokens."""
        length = run.context + run.tokens
        return cls(
            pairs=attended(length, window) - attended(run.context, window),
            seen=minimum(length, window + run.tokens - 1.0),
        )

    @classmethod
    def chunk(cls, run: Forward, chunk: Term) -> Span:
        """A query sees the tokens of its own chunk up to itself: none of the cached ones where a chunk begins."""
        length = run.context + run.tokens
        begun = run.context - chunk * floor(run.context / chunk)
        return cls(pairs=chunked(length, chunk) - chunked(run.context, chunk), seen=begun + run.tokens)

    @classmethod
    def everything(cls, run: Forward) -> Span:
        """A query of an encoder sees all tokens of its sequence."""
        length = run.context + run.tokens
        return cls(pairs=run.tokens * length, seen=length)


def attended(length: Term, window: Term) -> Term:
    """Return how many (query, key) pairs the first `length` positions have: the sum of min(p, window)."""
    inside = minimum(length, window)
    return inside * (inside + 1.0) / 2.0 + (length - inside) * inside


def chunked(length: Term, chunk: Term) -> Term:
    """Return how many (query, key) pairs the first `length` positions have in chunks: triangles, the last one begun."""
    full = floor(length / chunk)
    rest = length - full * chunk
    return full * chunk * (chunk + 1.0) / 2.0 + rest * (rest + 1.0) / 2.0
