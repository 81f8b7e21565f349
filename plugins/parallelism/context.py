"""Context parallelism: the tokens of each sequence are divided over ranks, which exchange what attention needs of the others.

Everything but attention works on a rank's own tokens. In serving, the cache of a sequence lies on all of its ranks: in
parts of its tokens (`ring`) or of its heads (`all_to_all`). In training each rank has its tokens in the whole step.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve

from accelscope.core.ir.constants import NO_BYTES, ONE
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Op, Step
from accelscope.core.ir.plan import Collective, Plan, Residency
from accelscope.core.ir.usage import Limit, condition
from accelscope.core.ir.vocabulary import CollectiveKind, OpKind, Phase, Split
from accelscope.core.numeric.term import Term, maximum, term, total
from accelscope.core.plugin.records import Strategy
from accelscope.core.spec.spec import choice, count, spec
from accelscope.plugins.parallelism.degree import NO_SPLIT, check_divides, check_divides_either, largest_share
from accelscope.plugins.parallelism.rows import fullest_token_share, scale_rows, scale_visits
from accelscope.plugins.parallelism.sequence import (
    ContextRanks,
    attended_kv_bytes,
    divide_by_all_to_all,
    divide_by_cache,
    divide_by_tokens,
    is_prompt_attention,
)

_BYTE = term(1.0, "B")
_SCAN_KERNELS = ("linear_attention", "scan")
"""Classes of kernel that hand a state on from token to token."""


@spec(kind="parallel", within=("deployment", "pool"))
class ContextParallelism:
    """Division of the tokens of each sequence over ranks."""

    cp: Term = count(
        doc="context parallelism: ranks that shard the tokens of each sequence", default=1, source=NO_SPLIT
    )
    cp_method: str = choice(
        "ring",
        "all_to_all",
        doc="attention under context parallelism: ring attention (in decode, queries visit the cache shards), or all-to-all between tokens and heads (Ulysses)",
        default="ring",
        source="Megatron Core's cp_comm_type is p2p by default; vLLM divides the cache by tokens",
    )


def split_context_parallel(spec: ContextParallelism, step: Step) -> Step:
    """Give each rank its share of the tokens of a sequence, in training; in serving a step keeps its sequences whole."""
    if not step.phase.is_training:
        return step
    return evolve(step, tokens=step.tokens / spec.cp)


def shard_context_parallel(spec: ContextParallelism, plan: Plan, machine: Machine) -> Plan:
    """Divide a pass over the ranks of a sequence; ranks of a sequence sum gradients as replicas do."""
    if not np.any(spec.cp > 1.0):
        return plan
    limits = (*plan.limits, *_limits(spec, plan))
    if plan.phase.is_training:
        ops, exchanged = _trained(spec, plan)
        said = plan.collectives
        wider = evolve(plan, replicas=plan.replicas * spec.cp)
    else:
        ops, exchanged = _served(spec, plan)
        said = _said(plan, ops)
        held = _residency(spec, plan)
        handed = plan.workload.activation if plan.handed is None else plan.handed
        wider = evolve(
            plan, residency=held, contexts=plan.contexts * spec.cp, handed=handed * _part(spec, plan)
        )
    return evolve(
        wider,
        ops=tuple(ops),
        collectives=(*said, *exchanged),
        ranks=plan.ranks * spec.cp,
        limits=limits,
    )


def _trained(spec: ContextParallelism, plan: Plan) -> tuple[list[Op], list[Collective]]:
    """Return the operations of a rank whose attention was built for its own tokens, and what it exchanges."""
    ring = _ring(spec, plan, spec.cp)
    ops: list[Op] = []
    exchanged: list[Collective] = []
    for op in plan.ops:
        if op.kind != OpKind.ATTENTION:
            ops.append(op)
            continue
        if spec.cp_method == "all_to_all" and op.split == Split.HEADS:
            mine, moved = divide_by_all_to_all(_whole(op, spec.cp), ring)
        else:
            mine, moved = _widened(op, spec.cp), tuple(_gathered(op, spec, plan))
        ops.append(mine)
        exchanged.extend(moved)
    return ops, exchanged


def _widened(op: Op, cp: Term) -> Op:
    """Return attention of a rank's queries to the tokens of all ranks: a share of 1/cp of the whole square."""
    return evolve(op, flops=op.flops * cp, n=op.n * cp, kv_read=op.kv_read * cp)


def _whole(op: Op, cp: Term) -> Op:
    """Return attention of all queries of a sequence to all of its tokens."""
    wide = _widened(op, cp)
    return evolve(
        wide,
        m=op.m * cp,
        flops=wide.flops * cp,
        reads=op.reads * cp,
        writes=op.writes * cp,
        kv_write=op.kv_write * cp,
    )


def _gathered(op: Op, spec: ContextParallelism, plan: Plan) -> Iterator[Collective]:
    """Yield the exchange of keys and values of an attention in training, and of their gradients on the way back."""
    kinds = (
        (CollectiveKind.ALL_GATHER, CollectiveKind.REDUCE_SCATTER)
        if plan.phase == Phase.BACKWARD
        else (CollectiveKind.ALL_GATHER,)
    )
    for kind in kinds:
        yield Collective(
            name=f"{op.name}_context_{kind}",
            kind=kind,
            bytes=attended_kv_bytes(op) * spec.cp,
            ranks=spec.cp,
            stride=plan.ranks / plan.replicas,
            repeat=op.repeat,
            window=ONE,
        )


def _served(spec: ContextParallelism, plan: Plan) -> tuple[list[Op], list[Collective]]:
    """Return the operations of a rank in serving, and what it exchanges."""
    ring = _ring(spec, plan, ONE)
    ops: list[Op] = []
    exchanged: list[Collective] = []
    for op in plan.ops:
        if op.kind != OpKind.ATTENTION:
            ops.append(_own_tokens(op, spec, plan))
            continue
        if spec.cp_method == "all_to_all" and op.split == Split.HEADS:
            mine, moved = divide_by_all_to_all(op, ring)
        elif is_prompt_attention(op, plan.phase) or spec.cp_method == "all_to_all":
            mine, moved = divide_by_tokens(op, ring)
        else:
            mine, moved = divide_by_cache(op, ring)
        ops.append(mine)
        exchanged.extend(moved)
    return ops, exchanged


def _said(plan: Plan, ops: list[Op]) -> tuple[Collective, ...]:
    """Return what ranks of one part of the context say to each other: of their own tokens, as the operation it follows."""
    parts = {
        old.name: new.writes / maximum(old.writes, _BYTE) for old, new in zip(plan.ops, ops, strict=True)
    }
    found = []
    for item in plan.collectives:
        after = max((name for name in parts if item.name.startswith(f"{name}_")), key=len, default=None)
        found.append(item if after is None else evolve(item, bytes=item.bytes * parts[after]))
    return tuple(found)


def _own_tokens(op: Op, spec: ContextParallelism, plan: Plan) -> Op:
    """Return an operation on a rank's own tokens; what follows the last token of a prompt is on the rank that has it."""
    if plan.phase == Phase.PREFILL and not op.layered and op.kind != OpKind.GATHER:
        return op
    if op.expands:
        return op if spec.cp_method == "ring" else _expanded(op, largest_share(op.n, spec.cp))
    experts, top_k = plan.workload.experts, plan.workload.top_k
    if op.kind == OpKind.GROUPED_GEMM and experts is not None and top_k is not None:
        return scale_visits(op, experts, top_k, fullest_token_share(op, top_k, spec.cp))
    mine = scale_rows(op, largest_share(op.m, spec.cp))
    if spec.cp_method == "ring":
        return mine
    return evolve(mine, kv_write=op.kv_write * largest_share(op.kv_heads or ONE, spec.cp))


def _expanded(op: Op, part: Term) -> Op:
    """Return what makes keys and values of some heads from the latents of all tokens."""
    return evolve(
        op, n=op.n * part, flops=op.flops * part, weights=op.weights * part, writes=op.writes * part
    )


def _ring(spec: ContextParallelism, plan: Plan, part: Term) -> ContextRanks:
    """Return the ranks of a sequence.

    Args:
        spec: degree of context parallelism.
        plan: plan of the pass.
        part: ranks that the tokens of the plan are divided over already.
    """
    new = [op.kv_write * op.repeat for op in plan.ops if op.layered]
    expands = any(op.expands for op in plan.ops)
    writes = [
        op.kv_write * op.repeat * largest_share(op.kv_heads or ONE, spec.cp) * spec.cp
        for op in plan.ops
        if op.layered
    ]
    layers = [op.repeat for op in plan.ops if op.kind == OpKind.ATTENTION and op.split == Split.HEADS]
    written = total(writes) * part if writes else NO_BYTES
    each = maximum(total(layers), 1.0) if layers else ONE
    return ContextRanks(
        ranks=spec.cp,
        stride=plan.ranks / plan.replicas,
        heads=_local(plan.workload.heads, plan),
        kept=written / each,
        latents=total(new) / each if expands else None,
    )


def _local(heads: Term, plan: Plan) -> Term:
    """Return the heads of one tensor-parallel rank."""
    return heads * largest_share(heads, plan.ranks / plan.replicas)


def _part(spec: ContextParallelism, plan: Plan) -> Term:
    """Return the share of the rows of a pass that a rank has."""
    found = [op.m for op in plan.ops if op.kind == OpKind.GEMM and op.layered]
    return largest_share(found[0], spec.cp) if found else ONE / spec.cp


def _residency(spec: ContextParallelism, plan: Plan) -> Residency:
    """Divide the cache by tokens or by whole heads, and activations by tokens."""
    held, part = plan.residency, _part(spec, plan)
    heads = largest_share(_local(plan.workload.kv_heads, plan), spec.cp)
    return evolve(
        held,
        kv=held.kv * (heads if spec.cp_method == "all_to_all" else ONE / spec.cp),
        activations=held.activations * part,
        replicated=held.replicated * part,
    )


def _limits(spec: ContextParallelism, plan: Plan) -> Iterator[Limit]:
    """Yield what limits the degree: heads where those are divided, and layers that hand a state on."""
    if spec.cp_method == "all_to_all":
        yield check_divides("cp", spec.cp, _local(plan.workload.heads, plan), "heads of a rank")
        yield check_divides_either("cp", spec.cp, _local(plan.workload.kv_heads, plan), "KV heads of a rank")
    if any(op.kernel in _SCAN_KERNELS or _keeps_state(op) for op in plan.ops):
        yield condition(
            "cp needs attention",
            np.asarray(spec.cp.value <= 1.0),
            "cp divides tokens, but some layers hand a state on from token to token, so ranks would wait for each other",
        )


def _keeps_state(op: Op) -> bool:
    return op.kind == OpKind.ELEMENTWISE and bool(np.any(op.kv_read.value > 0.0))


CONTEXT = Strategy(
    name="context",
    doc="The tokens of each sequence are divided over ranks: `cp`, by `cp_method`.",
    spec=ContextParallelism,
    order=25,
    split=split_context_parallel,
    shard=shard_context_parallel,
)
