"""Context parallelism: the tokens of each sequence are divided over ranks, which exchange keys and values in attention.

Each rank has as many early as late tokens, so that the causal square is shared evenly, and works on its own tokens
everywhere but in attention (Megatron Core, context parallelism; Liu et al., "Ring attention", arXiv 2310.01889).
"""

from __future__ import annotations

from collections.abc import Iterable

from attrs import evolve

from accelscope.core.records import Strategy
from accelscope.core.spec import count, spec
from accelscope.core.term import Term
from accelscope.core.work import ONE, Collective, Limit, Machine, Op, Plan, Step
from accelscope.plugins.parallelism.degree import NO_SPLIT

TRAINING = ("forward", "backward")


@spec(kind="parallel", within=("deployment", "pool"))
class Context:
    """Division of the tokens of each sequence over ranks, in training."""

    cp: Term = count(doc="ranks that divide the context of one sequence", default=1, source=NO_SPLIT)


def split(spec: Context, step: Step) -> Step:
    """Give each rank its share of the tokens of a sequence, in training."""
    if step.phase not in TRAINING:
        return step
    return evolve(step, tokens=step.tokens / spec.cp)


def shard(spec: Context, plan: Plan, machine: Machine) -> Plan:
    """Let attention see the tokens of all ranks; ranks of a sequence sum gradients as replicas do."""
    if plan.phase not in TRAINING:
        alone = Limit(
            name="cp in training",
            used=spec.cp,
            available=ONE,
            reason="cp is modelled for training only",
        )
        return evolve(plan, limits=(*plan.limits, alone))
    return evolve(
        plan,
        ops=tuple(_widened(op, spec.cp) for op in plan.ops),
        collectives=(*plan.collectives, *_exchanges(spec, plan)),
        replicas=plan.replicas * spec.cp,
        ranks=plan.ranks * spec.cp,
    )


def _widened(op: Op, cp: Term) -> Op:
    """Return attention of a rank's queries to the tokens of all ranks: a share of 1/cp of the whole square."""
    if op.kind != "attention":
        return op
    return evolve(op, flops=op.flops * cp, n=op.n * cp, kv_read=op.kv_read * cp)


def _exchanges(spec: Context, plan: Plan) -> Iterable[Collective]:
    """Yield the exchange of keys and values of each attention, and of their gradients on the way back."""
    kinds = ("all_gather", "reduce_scatter") if plan.phase == "backward" else ("all_gather",)
    for op in (op for op in plan.ops if op.kind == "attention"):
        for kind in kinds:
            yield Collective(
                name=f"{op.name}_context_{kind}",
                kind=kind,
                bytes=op.kv_read * spec.cp,
                ranks=spec.cp,
                stride=plan.ranks / plan.replicas,
                repeat=op.repeat,
                window=ONE,
            )


CONTEXT = Strategy(
    name="context",
    doc="The tokens of each sequence are divided over ranks in training: `cp`.",
    spec=Context,
    order=25,
    split=split,
    shard=shard,
)
