"""The indexer of sparse attention: for each query token it scores all cached tokens and picks the best ones.

DeepSeek-V3.2-Exp report, section 2.1: I(t, s) = sum over heads j of w(t, j) ReLU(q(t, j) . k(s)), one key for all heads.
"""

from __future__ import annotations

from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import OpKind, Split
from accelscope.core.numeric.term import Term, minimum, term
from accelscope.core.workload.op_builders import ONE_OP, elementwise_op, gemm_op
from accelscope.plugins.workload.decoder.attention_mask import AttentionMask
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass
from accelscope.plugins.workload.decoder.shape import (
    UNBOUNDED_CONTEXT,
    ZERO_COUNT,
    DecoderShape,
    strip_token_unit,
)

_SCORE = term(4.0, "B")  # scores are 32 bit
_PICK = 4.0  # comparisons of a score in a radix selection of four passes of eight bits
_NORM = 8.0  # layer normalisation and rotation of a key


def indexer_ops(run: ForwardPass) -> tuple[Op, ...]:
    """Return what the indexers of all layers do; every tensor-parallel rank does it in full."""
    shape, indexer = run.shape, run.shape.spec.indexer
    if indexer is None:
        return ()
    repeat, rows = shape.attention_layers, run.rows
    width = indexer.heads * indexer.head_dim
    queries = gemm_op(
        run, "index_q", "indexer", m=rows, k=_query_in(shape), n=width, repeat=repeat, split=Split.NONE
    )
    keys = gemm_op(
        run, "index_k", "indexer", m=rows, k=shape.hidden, n=indexer.head_dim + indexer.heads, repeat=repeat, split=Split.NONE
    )  # fmt: skip
    own = elementwise_op(
        run,
        "index_key",
        "indexer",
        reads=rows * indexer.head_dim * run.wide,
        writes=ZERO_COUNT * run.wide,
        ops=_NORM * rows * indexer.head_dim,
        weights=2.0 * indexer.head_dim * run.outer,
        kv_write=rows * indexer.head_dim * run.kv,
        repeat=repeat,
    )
    span = AttentionMask.window(run, UNBOUNDED_CONTEXT)
    pairs = run.sequences * span.pairs
    score = Op(
        name="index_score",
        component="indexer",
        kind=OpKind.ATTENTION,
        dtype=run.dtype,
        flops=(2.0 * pairs * width * ONE_OP).named("index_score flops"),
        reads=rows * (width + indexer.heads) * run.wide,
        writes=pairs * _SCORE,
        kv_read=run.sequences * span.seen * indexer.head_dim * run.kv,
        m=indexer.heads * run.tokens,
        n=span.seen,
        k=indexer.head_dim,
        groups=run.sequences,
        repeat=repeat,
    )
    pick = elementwise_op(
        run,
        "index_pick",
        "indexer",
        reads=pairs * _SCORE,
        writes=rows * minimum(span.seen, strip_token_unit(indexer.top_k)) * _SCORE,
        ops=_PICK * pairs,
        repeat=repeat,
    )
    return (queries, keys, own, score, pick)


def indexer_parameters(shape: DecoderShape) -> Term:
    """Return the parameters of one layer's indexer: queries, the key with its layer normalisation, weights of heads."""
    indexer = shape.spec.indexer
    if indexer is None:
        return ZERO_COUNT
    queries = _query_in(shape) * indexer.heads * indexer.head_dim
    return queries + shape.hidden * (indexer.head_dim + indexer.heads) + 2.0 * indexer.head_dim


def index_elements(shape: DecoderShape) -> Term:
    """Return the numbers that one token leaves in the index key cache of one layer."""
    return ZERO_COUNT if shape.spec.indexer is None else shape.spec.indexer.head_dim


def _query_in(shape: DecoderShape) -> Term:
    """Queries of the indexer are made of the compressed query where there is one."""
    if shape.latent is None or shape.latent.q_rank is None:
        return shape.hidden
    return shape.latent.q_rank
