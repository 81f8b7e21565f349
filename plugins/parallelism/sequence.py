"""One attention of whole sequences, divided over the ranks of their context: by tokens, heads, cache or sequence.

The attention that comes in has all new tokens and the whole cache; what goes out is that of one rank, and the collectives are
what the ranks exchange for it. `cp` ranks with N new tokens, h and g numbers of all query and KV heads, e bytes of a number:

    by tokens     keys and values go round, cp - 1 times a block of 1 / cp of them: 2 g e x tokens seen x (cp - 1) / cp
    by heads      an all-to-all before and one after: (2 h + 2 g) e N / cp, of which (cp - 1) / cp leave the rank
    by cache      an all-gather of the queries, and an all-to-all of partial results with the logarithms of their sums
    by sequences  an all-to-all of queries before and one of results after
"""

from __future__ import annotations

from attrs import evolve, frozen

from accelscope.core.ir.constants import NO_BYTES, NOTHING, ONE
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Collective
from accelscope.core.ir.vocabulary import PREFILL_ATTENTION, CollectiveKind, Phase, Split
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, maximum, term, where
from accelscope.plugins.parallelism.degree import largest_share
from accelscope.plugins.parallelism.heads import shard_heads
from accelscope.plugins.parallelism.rows import count_sequences, scale_sequences

_LOG_SUM_BYTES = term(4.0, "B")
"""The logarithm of the sum of exponentials of a query row, in fp32 (FlashAttention's `softmax_lse`)."""


@frozen(kw_only=True, eq=False)
class ContextRanks:
    """Ranks that divide the context of one sequence.

    Attributes:
        ranks: number of ranks.
        stride: distance of neighbouring ranks in device numbers.
        heads: query heads of the attention that comes in.
        kept: bytes that the new tokens leave in the cache of one layer, on all ranks of a division by heads together.
        latents: bytes that they leave there once, where keys and values are made from them; None where they are kept.
        name: what names of collectives begin with after that of the operation.
    """

    ranks: Term
    stride: Term
    heads: Term
    kept: Term
    latents: Term | None = None
    name: str = "context"


def is_prompt_attention(op: Op, phase: Phase) -> bool:
    """Say whether an attention is of new prompts: also in a step that decodes beside them."""
    return phase == Phase.PREFILL or op.kernel in PREFILL_ATTENTION or op.is_prompt


def divide_by_tokens(op: Op, ring: ContextRanks) -> tuple[Op, tuple[Collective, ...]]:
    """Each rank has as many early as late new tokens, and keys and values go round while attention runs.

    Liu et al., "Ring attention", arXiv 2310.01889; Megatron Core shares the causal square evenly in this way. Each of the
    cp - 1 transfers has one of the cp steps of attention to hide behind. Latents go round as they are kept, and each rank
    makes keys and values of all of them.
    """
    cp = ring.ranks
    passed_on = attended_kv_bytes(op) if ring.latents is None else ring.latents * op.n / maximum(op.m, 1.0)
    mine = evolve(op, m=op.m / cp, flops=op.flops / cp, reads=op.reads / cp, writes=op.writes / cp)
    passed = Collective(
        name=f"{op.name}_ring",
        kind=CollectiveKind.SEND_RECV,
        bytes=(passed_on / cp).named("keys and values of a rank"),
        ranks=cp,
        stride=ring.stride,
        repeat=op.repeat * (cp - 1.0),
        window=(cp - 1.0) / cp,
        beside=op.name,
    )
    return mine, (passed,)


def divide_by_all_to_all(op: Op, ring: ContextRanks) -> tuple[Op, tuple[Collective, ...]]:
    """Each rank has some heads of all tokens: an all-to-all before attention and one after it.

    Jacobs et al., "DeepSpeed Ulysses", arXiv 2309.14509, section 3.
    """
    cp = ring.ranks
    sent = (query_bytes(op) / cp + ring.kept / cp).named("queries, keys and values of a rank")
    moves = (("dispatch", sent), ("combine", op.writes / cp))
    exchanged = tuple(
        _exchange(op, ring, name, CollectiveKind.ALL_TO_ALL, payload) for name, payload in moves
    )
    return shard_heads(op, ring.heads, cp), exchanged


def divide_by_cache(op: Op, ring: ContextRanks) -> tuple[Op, tuple[Collective, ...]]:
    """Each rank attends from all queries to its part of the cache, and the parts of a result are weighted and added.

    Yang et al., "Context parallelism for scalable million-token inference", arXiv 2411.01783, section 3.4: queries go
    to all ranks, and partial results with the logarithms of their sums back to the rank of the sequence, where one more
    kernel joins them as Flash-Decoding does. Scores of an indexer, which has no heads, stay where they are.
    """
    cp = ring.ranks
    part = evolve(op, n=op.n / cp, flops=op.flops / cp, kv_read=op.kv_read / cp)
    if op.split != Split.HEADS:
        return evolve(part, writes=op.writes / cp), (
            _exchange(op, ring, "queries", CollectiveKind.ALL_GATHER, op.reads),
        )
    partial = (op.writes + op.groups * op.m * _LOG_SUM_BYTES).named("partial results of a rank")
    joins = where(cp > 1.0, ONE, NOTHING)
    mine = evolve(
        part,
        reads=op.reads + partial * joins,
        writes=op.writes + op.writes / cp * joins,
        launches=op.launches + joins,
    )
    asked = query_bytes(op).named("queries of all ranks")
    return mine, (
        _exchange(op, ring, "queries", CollectiveKind.ALL_GATHER, asked),
        _exchange(op, ring, "results", CollectiveKind.ALL_TO_ALL, partial),
    )


def divide_by_sequences(op: Op, ring: ContextRanks) -> tuple[Op, tuple[Collective, ...]]:
    """Each rank attends from all heads of some sequences: their queries come by an all-to-all, and results go back by one.

    Pope et al., arXiv 2211.05102, section 3.3. With fewer sequences than ranks some have none.
    """
    cp = ring.ranks
    mine = scale_sequences(op, largest_share(count_sequences(op), cp))
    asked, answered = query_bytes(op) / cp, op.writes / cp
    return mine, (
        _exchange(op, ring, "queries", CollectiveKind.ALL_TO_ALL, asked.named("queries of a rank")),
        _exchange(op, ring, "results", CollectiveKind.ALL_TO_ALL, answered.named("results of a rank")),
    )


def _exchange(op: Op, ring: ContextRanks, name: str, kind: CollectiveKind, payload: Term) -> Collective:
    return Collective(
        name=f"{op.name}_{ring.name}_{name}",
        kind=kind,
        bytes=payload,
        ranks=ring.ranks,
        stride=ring.stride,
        repeat=op.repeat,
    )


def attended_kv_bytes(op: Op) -> Term:
    """Return the bytes of all keys and values that an attention sees: what it reads of the cache.

    Where they are made from latents just before, and so are read as activations, it is their size.
    """
    made = op.groups * op.n * op.k * 2.0 * _number(op)
    return where(op.kv_read > NO_BYTES, op.kv_read, made)


def query_bytes(op: Op) -> Term:
    """Return the bytes of all queries of an attention: rows of the width of a key; results have that of a value."""
    return maximum(op.groups * op.m * op.k * 2.0 * _number(op) - op.writes, NO_BYTES)


def _number(op: Op) -> Term:
    return term(bytes_per_element(op.dtype), "B")
