"""Operations whose heads are divided over ranks: query heads evenly, KV heads whole, so several times beyond their number."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import OpKind
from accelscope.core.numeric.term import Term, maximum
from accelscope.plugins.parallelism.degree import largest_share


def shard_heads(op: Op, heads: Term, tp: Term) -> Op:
    """Divide query heads; a rank holds whole KV heads, so beyond their number they are held several times."""
    queries = largest_share(heads, tp)
    if op.kv_heads is None:
        return evolve(
            op,
            groups=op.groups * queries if op.kind == OpKind.GEMM else op.groups,
            flops=op.flops * queries,
            weights=op.weights * queries,
            reads=op.reads * queries,
            writes=op.writes * queries,
        )
    kv = largest_share(op.kv_heads, tp)
    reads = op.reads * (queries if op.kind == OpKind.ATTENTION else qkv_share(op, heads, tp))
    divided = evolve(
        op,
        flops=op.flops * queries,
        reads=reads,
        writes=op.writes * queries,
        kv_read=op.kv_read * kv,
        kv_write=op.kv_write * kv,
        kv_heads=op.kv_heads * kv,
    )
    if op.kind != OpKind.ATTENTION:
        return divided
    each = queries / kv
    return evolve(divided, groups=op.groups * kv, m=op.m * each, queries=maximum(op.queries * each, 1.0))


def qkv_share(op: Op, heads: Term, tp: Term) -> Term:
    """Return the share of an operation on queries, keys and values of all heads."""
    kv_heads = ONE if op.kv_heads is None else op.kv_heads
    whole = heads + 2.0 * kv_heads
    return (heads * largest_share(heads, tp) + 2.0 * kv_heads * largest_share(kv_heads, tp)) / whole
