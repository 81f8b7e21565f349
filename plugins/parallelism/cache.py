"""Decode context parallelism: tensor-parallel ranks that would hold copies of a KV head divide its context instead.

Beyond the number of KV heads, tensor parallelism holds each of them several times; a latent cache, which counts as one head,
on all ranks. With `dcp` of those ranks each keeps every dcp-th part of the tokens, attends in decoding from the queries of
all dcp ranks to its part, and partial results are joined: vLLM's `decode_context_parallel_size`, and Helix (Bhatia et al.,
arXiv 2507.07120, section 2) where the same ranks go on with the feed-forward network. Or each keeps the whole cache of every
dcp-th sequence: attention sharded over the batch (Pope et al., arXiv 2211.05102, section 3.3). No ranks are added.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve

from accelscope.core.ir.constants import NO_BYTES, NOTHING, ONE
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Op, Step
from accelscope.core.ir.plan import Collective, Plan
from accelscope.core.ir.vocabulary import CollectiveKind, OpKind, Split
from accelscope.core.numeric.term import Term, maximum, where
from accelscope.core.plugin.records import Strategy
from accelscope.core.spec.spec import choice, count, spec
from accelscope.plugins.parallelism.degree import NO_SPLIT, check_divides, largest_share
from accelscope.plugins.parallelism.sequence import (
    ContextRanks,
    divide_by_cache,
    divide_by_sequences,
    is_prompt_attention,
)

_LATENT_KERNEL = "mla_decode"
"""Class of kernel whose rows are not counted by query heads of a KV head."""


@spec(kind="parallel", within=("deployment", "pool"))
class DecodeContextParallelism:
    """Division of the cache over tensor-parallel ranks that would hold it several times."""

    dcp: Term = count(
        doc="decode context parallelism: tensor-parallel ranks with the same KV head that shard its cache",
        default=1,
        source=NO_SPLIT,
    )
    dcp_over: str = choice(
        "tokens",
        "sequences",
        doc="what decode context parallelism shards: the tokens of each sequence, or the sequences",
        default="tokens",
        source="vLLM's decode_context_parallel_size divides tokens, which serves a single sequence as well",
    )


def split_decode_context(spec: DecodeContextParallelism, step: Step) -> Step:
    """Leave the step: all ranks work on the same sequences."""
    return step


def shard_decode_context(spec: DecodeContextParallelism, plan: Plan, machine: Machine) -> Plan:
    """Divide the cache and the attention of decoding; prompts gather what is cached of them already."""
    if plan.phase.is_training or not np.any(spec.dcp > 1.0):
        return plan
    tp = plan.ranks / plan.replicas
    copies = (tp * largest_share(plan.workload.kv_heads, tp)).named("copies of a KV head")
    ops: list[Op] = []
    said: list[Collective] = []
    for op in plan.ops:
        mine, moved = _divided(op, spec, plan)
        ops.append(mine)
        said.extend(moved)
    return evolve(
        plan,
        ops=tuple(ops),
        collectives=(*plan.collectives, *said),
        residency=evolve(plan.residency, kv=plan.residency.kv / spec.dcp),
        limits=(*plan.limits, check_divides("dcp", spec.dcp, copies, "copies of a KV head")),
    )


def _divided(op: Op, spec: DecodeContextParallelism, plan: Plan) -> tuple[Op, tuple[Collective, ...]]:
    """Return what a rank does of an operation that reads or writes the cache, and what it exchanges."""
    dcp = spec.dcp
    if op.kind != OpKind.ATTENTION or is_prompt_attention(op, plan.phase):
        kept = evolve(op, kv_write=op.kv_write / dcp)
        return kept, tuple(_gathered(op, dcp))
    ring = ContextRanks(ranks=dcp, stride=ONE, heads=plan.workload.heads, kept=NO_BYTES, name="copies")
    divide = divide_by_sequences if spec.dcp_over == "sequences" else divide_by_cache
    if op.split != Split.HEADS:
        return divide(op, ring)[0], ()
    return divide(_all_queries(op, dcp), ring)


def _all_queries(op: Op, dcp: Term) -> Op:
    """Return an attention from the queries of all ranks with the same KV head."""
    return evolve(
        op,
        m=op.m * dcp,
        queries=op.queries if op.kernel == _LATENT_KERNEL else op.queries * dcp,
        flops=op.flops * dcp,
        reads=op.reads * dcp,
        writes=op.writes * dcp,
    )


def _gathered(op: Op, dcp: Term) -> Iterator[Collective]:
    """Yield how an operation on a prompt gets what is cached of it, all but its new tokens, from the other ranks."""
    if op.kind not in (OpKind.ATTENTION, OpKind.GEMM) or not np.any(op.kv_read.value > 0.0):
        return
    new = op.m / op.queries / maximum(op.n, 1.0) if op.kind == OpKind.ATTENTION else NOTHING
    yield Collective(
        name=f"{op.name}_cached",
        kind=CollectiveKind.ALL_GATHER,
        bytes=op.kv_read * where(new < 1.0, 1.0 - new, NOTHING),
        ranks=dcp,
        repeat=op.repeat,
    )


DECODE_CONTEXT = Strategy(
    name="cache",
    doc="Tensor-parallel ranks that would hold copies of the KV cache divide it: `dcp`, over tokens or sequences.",
    spec=DecodeContextParallelism,
    order=22,
    split=split_decode_context,
    shard=shard_decode_context,
)
