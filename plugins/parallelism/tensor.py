"""Tensor parallelism: every matrix of a layer is divided, and two sums a layer join the parts.

Scheme of Megatron-LM (arXiv 1909.08053, section 3): columns of the first matrix, rows of the second, so that one
all-reduce suffices for each half of a layer; with sequence parallelism (arXiv 2205.05198) it becomes a reduce-scatter
and an all-gather, and what stands between them works on a share of the tokens.
"""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Op, Step
from accelscope.core.ir.plan import Collective, Plan, Residency
from accelscope.core.ir.vocabulary import CollectiveKind, OpKind, Split
from accelscope.core.numeric.term import Term
from accelscope.core.plugin.records import Strategy
from accelscope.core.spec.spec import count, flag, spec
from accelscope.plugins.parallelism.degree import NO_SPLIT, check_divides, check_divides_either, largest_share
from accelscope.plugins.parallelism.heads import qkv_share, shard_heads


@spec(kind="parallel", within=("deployment", "pool"))
class TensorParallelism:
    """Division of every layer over ranks that work on the same tokens."""

    tp: Term = count(doc="tensor parallelism: ranks that shard every layer", default=1, source=NO_SPLIT)
    sp: bool = flag(
        doc="sequence parallelism: whether operations not sharded by tp are sharded over tokens",
        default=False,
        source="off by default in vLLM and TensorRT-LLM",
    )


def split_tensor_parallel(spec: TensorParallelism, step: Step) -> Step:
    """Leave the step: all ranks work on the same sequences."""
    return step


def shard_tensor_parallel(spec: TensorParallelism, plan: Plan, machine: Machine) -> Plan:
    """Divide operations, memory and KV cache; KV heads are held several times beyond their number."""
    heads = plan.workload.heads
    return evolve(
        plan,
        ops=tuple(_divided(op, spec, heads) for op in plan.ops),
        collectives=plan.collectives + tuple(item for op in plan.ops for item in _collectives(op, spec)),
        residency=_residency(plan, spec.tp),
        ranks=plan.ranks * spec.tp,
        limits=(
            *plan.limits,
            check_divides("tp", spec.tp, heads, "heads"),
            check_divides_either("tp", spec.tp, plan.workload.kv_heads, "KV heads"),
        ),
    )


def _divided(op: Op, spec: TensorParallelism, heads: Term) -> Op:
    """Return what one rank does of an operation."""
    if op.split == Split.COLUMN:
        return _by_columns(
            op, largest_share(op.n, spec.tp) if op.kv_heads is None else qkv_share(op, heads, spec.tp)
        )
    if op.split in (Split.ROW, Split.PARTIAL):
        return _by_rows(op, largest_share(op.k, spec.tp))
    if op.split == Split.VOCAB:
        return _by_vocabulary(op, spec.tp)
    if op.split == Split.HEADS:
        return shard_heads(op, heads, spec.tp)
    if spec.sp and op.split == Split.NONE and op.kind == OpKind.ELEMENTWISE and op.layered:
        return _by_tokens(op, spec.tp)
    return op


def _by_columns(op: Op, part: Term) -> Op:
    """Every rank reads the whole input and writes some columns; an elementwise operation reads its columns only."""
    reads = op.reads * part if op.kind == OpKind.ELEMENTWISE else op.reads
    return evolve(
        op,
        n=op.n * part,
        flops=op.flops * part,
        weights=op.weights * part,
        reads=reads,
        writes=op.writes * part,
    )


def _by_rows(op: Op, part: Term) -> Op:
    """Every rank reads some columns of the input and writes a whole partial sum."""
    return evolve(op, k=op.k * part, flops=op.flops * part, weights=op.weights * part, reads=op.reads * part)


def _by_vocabulary(op: Op, tp: Term) -> Op:
    """Divide a padded vocabulary: lm_head by columns, while a gather finds its share of the rows on each rank."""
    if op.kind == OpKind.GATHER:
        return evolve(op, weights=op.weights / tp)
    return _by_columns(op, largest_share(op.n, tp))


def _by_tokens(op: Op, tp: Term) -> Op:
    return evolve(op, m=op.m / tp, flops=op.flops / tp, reads=op.reads / tp, writes=op.writes / tp)


def _collectives(op: Op, spec: TensorParallelism) -> tuple[Collective, ...]:
    """Return what joins the parts of an operation."""
    if op.split == Split.ROW or (op.split == Split.VOCAB and op.kind == OpKind.GATHER):
        kinds = (
            (CollectiveKind.REDUCE_SCATTER, CollectiveKind.ALL_GATHER)
            if spec.sp
            else (CollectiveKind.ALL_REDUCE,)
        )
    elif op.split == Split.VOCAB:
        kinds = (CollectiveKind.ALL_GATHER,)
    else:
        return ()
    return tuple(
        Collective(
            name=f"{op.name}_{kind}",
            kind=kind,
            bytes=op.writes,
            ranks=spec.tp,
            repeat=op.repeat,
            layered=op.layered,
        )
        for kind in kinds
    )


def _residency(plan: Plan, tp: Term) -> Residency:
    """Divide weights but those of routed experts, which `expert` divides; KV by whole heads; and inner activations."""
    held, experts = plan.residency, plan.workload.expert_weights
    inner = held.activations - held.replicated
    return Residency(
        weights=(held.weights - experts) / tp + experts,
        kv=held.kv * largest_share(plan.workload.kv_heads, tp),
        activations=held.replicated + inner / tp,
        replicated=held.replicated,
    )


TENSOR = Strategy(
    name="tensor",
    doc="Every layer is divided over ranks: `tp`, with `sp` for what lies between the matrices.",
    spec=TensorParallelism,
    order=20,
    split=split_tensor_parallel,
    shard=shard_tensor_parallel,
)
