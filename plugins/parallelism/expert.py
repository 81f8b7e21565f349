"""Expert parallelism: experts are spread over ranks that exist already, and tokens travel to them and back.

`ep` is no factor of the ranks. Up to the tensor-parallel degree, experts lie on the ranks of one replica, and what is
left of the degree divides each expert; beyond it, replicas share their experts and pool their tokens.
"""

from __future__ import annotations

import numpy as np
from attrs import evolve, frozen

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Op, Step
from accelscope.core.ir.plan import Collective, Plan, Routed
from accelscope.core.ir.usage import Limit
from accelscope.core.ir.vocabulary import CollectiveKind, OpKind, Split
from accelscope.core.numeric.term import Term, as_term, exp, log2, maximum, minimum, where
from accelscope.core.plugin.records import Strategy
from accelscope.core.spec.spec import choice, count, spec
from accelscope.plugins.parallelism.degree import NO_SPLIT, check_divides, check_divides_either
from accelscope.plugins.parallelism.halves import halve_batch
from accelscope.plugins.parallelism.routed import (
    LN2,
    duplicated_variance,
    expected_visited_experts,
    fullest_rank_load,
    visited_slots,
)


@spec(kind="parallel", within=("deployment", "pool"))
class ExpertParallelism:
    """Spread of the experts over the ranks of `tp` and `dp`."""

    ep: Term = count(
        doc="expert parallelism: ranks that the experts are distributed over", default=1, source=NO_SPLIT
    )
    ep_dispatch: str = choice(
        "all_to_all",
        "replicated",
        aliases=("ep_exchange",),
        doc="dispatch of tokens to experts: all-to-all, or tokens replicated on all ranks of a replica (ep up to tp)",
        default="all_to_all",
        source="DeepSeek-V3 report (arXiv 2412.19437) section 3.4: all-to-all dispatch and combine",
    )
    ep_overlap: str = choice(
        "none",
        "two_batch",
        symbol_aliases={"two_batches": "two_batch"},
        doc="overlap of the expert all-to-all: none, or with the computation of the other half of the batch (two-batch overlap)",
        default="none",
        source="vLLM's --enable-dbo and SGLang's --enable-two-batch-overlap are off unless asked for",
    )
    redundant_experts: Term = count(
        doc="number of the busiest experts that have a second copy; each copy receives half of their tokens",
        default=0,
        ge=0,
        source="none unless the load of experts is balanced by copies",
    )
    ep_remote_tokens: str = choice(
        "skipped",
        "padded",
        "computed",
        aliases=("ep_visits",),
        symbol_aliases={"own": "skipped", "buffered": "padded", "all": "computed"},
        doc="treatment of tokens routed to experts on other ranks: skipped, padded (rows are read and written, but not multiplied), or computed",
        default="skipped",
        source="TensorRT-LLM's and FlashInfer's kernels sort visits by expert and drop those of other ranks; vLLM's Triton "
        "kernel keeps their rows (fused_moe: blocks of expert -1 are written as zeros)",
    )


@frozen(kw_only=True, eq=False)
class ExpertLayout:
    """How experts lie on ranks.

    Attributes:
        tp: tensor-parallel degree of attention.
        inner: ranks that divide one expert.
        pooled_replicas: replicas that pool their tokens.
        tokens: tokens of one replica.
        load: visits that the fullest rank multiplies, as a share of a replica's.
        rows: visits that it keeps rows for, as the same share.
        hit: experts with a visit on the fullest rank, as a share of those hit by a replica's tokens alone.
    """

    ep: Term
    tp: Term
    inner: Term
    pooled_replicas: Term
    tokens: Term
    load: Term
    rows: Term
    hit: Term


def split_expert_parallel(spec: ExpertParallelism, step: Step) -> Step:
    """Leave the step: experts see the tokens of all ranks."""
    return step


def shard_expert_parallel(spec: ExpertParallelism, plan: Plan, machine: Machine) -> Plan:
    """Divide what belongs to routed experts; plans without experts stay as they are, and allow no degree above 1."""
    if spec.ep_overlap == "two_batch" and not plan.phase.is_training and plan.workload.experts is not None:
        plan = halve_batch(plan)
    down = next(
        (op for op in plan.ops if op.split == Split.EXPERT_ROW and op.kind == OpKind.GROUPED_GEMM), None
    )
    experts, top_k = plan.workload.experts, plan.workload.top_k
    if down is None or experts is None or top_k is None:
        if not np.any(spec.ep > 1.0):
            return plan
        none = Limit(
            "ep needs experts", used=spec.ep, available=ONE, reason="the model has no experts to spread"
        )
        return evolve(plan, limits=(*plan.limits, none))
    spread = _spread(spec, plan, down, experts, top_k)
    kept = plan.workload.expert_weights
    copies = (experts + spec.redundant_experts) / experts
    weights = plan.residency.weights - kept + kept * copies / (spread.ep * spread.inner)
    return evolve(
        plan,
        ops=tuple(_divided(op, spread) for op in plan.ops),
        collectives=(*plan.collectives, *_collectives(spec, plan, down, spread, top_k)),
        residency=evolve(plan.residency, weights=weights),
        routed=Routed(ranks=spec.ep, tokens=spread.tokens * spread.pooled_replicas),
        limits=(*plan.limits, *_limits(spec, plan, experts, spread)),
    )


def _spread(spec: ExpertParallelism, plan: Plan, down: Op, experts: Term, top_k: Term) -> ExpertLayout:
    tp = plan.ranks / plan.replicas / plan.contexts
    pooled = maximum(spec.ep / tp, 1.0)
    visits = down.groups * down.m
    tokens = visits / top_k
    all_visits = visits * pooled
    held = (experts + spec.redundant_experts) / spec.ep
    alone = duplicated_variance(plan.workload.expert_spread, spec.redundant_experts / experts) / maximum(
        held, 1.0
    )
    load = (
        all_visits
        / spec.ep
        * fullest_rank_load(
            plan.workload.expert_chance / maximum(all_visits / spec.ep, 1e-9) + alone, spec.ep
        )
    )
    load = maximum(load, minimum(all_visits, 1.0)).named("visits of the fullest rank")
    found = visited_slots(experts, top_k, tokens * pooled, spec.redundant_experts)
    mean = down.groups * (found / expected_visited_experts(experts, top_k, tokens)) / spec.ep
    multiplied = (
        _received(plan, load, tokens * pooled, top_k) if spec.ep_remote_tokens == "computed" else load
    )
    hit = minimum(
        mean * fullest_rank_load(plan.workload.expert_chance / maximum(mean, 1e-9), spec.ep),
        maximum(held, mean),
    )
    hit = maximum(hit, minimum(down.groups, 1.0)).named("experts hit on the fullest rank")
    return ExpertLayout(
        ep=spec.ep,
        tp=tp,
        inner=maximum(tp / spec.ep, 1.0),
        pooled_replicas=pooled,
        tokens=tokens,
        load=multiplied / visits,
        rows=pooled if spec.ep_remote_tokens == "padded" else multiplied / visits,
        hit=hit / down.groups,
    )


def _received(plan: Plan, load: Term, tokens: Term, top_k: Term) -> Term:
    """Return all visits of the tokens that a rank gets: those with an expert on it.

    With a share s of all visits, T (1 - (1 - s)^k) of T tokens have one where they choose at random, and T k s, at most
    all, where visits are dealt out one by one.
    """
    share = minimum(load / (tokens * top_k), 1.0)
    random = tokens * (1.0 - exp(maximum(top_k * log2(maximum(1.0 - share, 1e-300)) * LN2, -700.0)))
    dealt = minimum(load, tokens)
    some = where(plan.workload.expert_chance > 0.0, random, dealt)
    return maximum(some * top_k, load).named("visits of the tokens that a rank gets")


def _divided(op: Op, spread: ExpertLayout) -> Op:
    """Return what the fullest rank does of an operation on routed experts."""
    if op.split not in (Split.EXPERT_COLUMN, Split.EXPERT_ROW):
        return op
    load, rows, inner = spread.load, spread.rows, spread.inner
    column = op.split == Split.EXPERT_COLUMN
    narrow = rows / inner
    simple = op.kind == OpKind.ELEMENTWISE
    flops = op.flops * ((narrow if column else rows) if simple else load / inner)
    reads = op.reads * ((narrow if column else rows) if simple else (rows if column else narrow))
    writes = op.writes * (narrow if column else rows)
    if simple:
        writes = writes if column else op.writes
        return evolve(op, m=op.m * rows, flops=flops, reads=reads, writes=writes)
    return evolve(
        op,
        groups=op.groups * spread.hit,
        m=op.m * load / spread.hit,
        n=op.n / inner if column else op.n,
        k=op.k if column else op.k / inner,
        flops=flops,
        weights=op.weights * spread.hit / inner,
        reads=reads,
        writes=writes,
    )


def _collectives(
    spec: ExpertParallelism, plan: Plan, down: Op, spread: ExpertLayout, top_k: Term
) -> tuple[Collective, ...]:
    """Return dispatch and combine, and what makes the result whole on all ranks of a replica again."""
    token = down.writes / (down.groups * down.m)
    # Each rank sends its share of a replica's tokens, once to every rank that holds one of their experts.
    copies = spread.ep * (1.0 - exp(maximum(top_k * _log_missed(spread.ep), -700.0)))
    sent = (spread.tokens / spread.tp * copies * token).named("bytes that a rank sends to experts")
    many = spread.ep > 1.0
    exchanged = where(many, spread.ep, ONE) if spec.ep_dispatch == "all_to_all" else ONE
    whole = spread.tokens * token
    summed = spread.tp
    if spec.ep_dispatch == "all_to_all" and not any(op.split == Split.PARTIAL for op in plan.ops):
        summed = where(many, ONE, spread.tp)
    trains = plan.phase.is_training
    picks = top_k if trains else None
    window = ONE if spec.ep_overlap == "two_batch" and not trains else None
    found = (
        *(
            _exchange(name, sent, exchanged, down, picks, window)
            for name in ("experts_dispatch", "experts_combine")
        ),
        _collective("experts_all_reduce", CollectiveKind.ALL_REDUCE, whole, summed, down),
    )
    if summed is spread.tp:
        return found
    return (
        *found,
        _collective(
            "experts_all_gather", CollectiveKind.ALL_GATHER, whole, where(many, spread.tp, ONE), down
        ),
    )


def _exchange(
    name: str, sent: Term, ranks: Term, down: Op, picks: Term | None, window: Term | None
) -> Collective:
    """Return one direction of the exchange; libraries of training send a token once to each group of devices."""
    return evolve(_collective(name, CollectiveKind.ALL_TO_ALL, sent, ranks, down), picks=picks, window=window)


def _log_missed(ranks: Term) -> Term:
    return log2(maximum(1.0 - 1.0 / ranks, 1e-300)) * LN2


def _collective(name: str, kind: CollectiveKind, payload: Term, ranks: Term, down: Op) -> Collective:
    kernel = name if kind == CollectiveKind.ALL_TO_ALL else ""
    return Collective(name=name, kind=kind, bytes=payload, ranks=ranks, repeat=down.repeat, kernel=kernel)


def _limits(spec: ExpertParallelism, plan: Plan, experts: Term, spread: ExpertLayout) -> tuple[Limit, ...]:
    reason = "ep is spread over the ranks of tp, cp and dp, so it is at most their product"
    found = (
        check_divides("ep", spec.ep, experts + spec.redundant_experts, "experts"),
        check_divides_either("ep", spec.ep, spread.tp, "ranks of tp"),
        Limit(name="ep at most tp × dp", used=spec.ep, available=plan.ranks, reason=reason),
    )
    if spec.ep_dispatch == "all_to_all":
        return found
    reason = "without an exchange experts lie on the ranks of one replica, so ep is at most tp"
    return (
        *found,
        Limit(name="ep at most tp", used=spec.ep, available=as_term(1.0) * spread.tp, reason=reason),
    )


EXPERT = Strategy(
    name="expert",
    doc="Experts are spread over the ranks of tp and dp: `ep`.",
    spec=ExpertParallelism,
    order=30,
    split=split_expert_parallel,
    shard=shard_expert_parallel,
)
