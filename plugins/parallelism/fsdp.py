"""Sharding of what training keeps over replicas: ZeRO stages, of which fully sharded data parallelism (FSDP) is the third.

Stages of Rajbhandari et al., "ZeRO", arXiv 1910.02054, section 5, which the others contain: 1 shards optimiser states, 2
gradients too, 3 parameters too. With stage 1 (the distributed optimiser of Megatron-LM) gradients are summed once a step, during
the last backward pass, and updated parameters are gathered during the next forward pass. From stage 2 on (torch FSDP:
SHARD_GRAD_OP and FULL_SHARD) each micro-batch gathers the parameters of a layer before it is worked on, with stage 3 again
for the backward pass, and scatters its gradients. All of it goes on beside the work.

Serving has parameters only, so stage 3 alone means something there: replicas, and ranks of one context, hold a share of the
weights each and gather a layer before it is worked on, as ZeRO-Inference (Aminabadi et al., arXiv 2207.00032, section 6) and the
weight-gathered layouts of Pope et al. (arXiv 2211.05102, section 3.2.3) do.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve, frozen

from accelscope.core.ir.constants import NO_BYTES, ONE
from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Collective, Plan, States
from accelscope.core.ir.vocabulary import CollectiveKind, OpKind, Phase
from accelscope.core.numeric.dtypes import DTYPE_NAMES, bytes_per_element
from accelscope.core.numeric.term import Term, maximum, minimum, term, total, where
from accelscope.core.plugin.records import Strategy
from accelscope.core.spec.spec import choice, count, spec
from accelscope.plugins.parallelism.degree import largest_share

_BYTE = term(1.0, "B")
_GATHERED_LAYERS = 2.0
"""Layers whose parameters are gathered at once: the one that is worked on and the next (torch FSDP prefetches one)."""


@spec(kind="parallel", within=("deployment", "pool"))
class Sharding:
    """What replicas share of parameters and of the states of training."""

    zero_stage: Term = count(
        aliases=("zero",),
        doc="ZeRO stage: 0 shards nothing over replicas, 1 optimizer states, 2 gradients too, 3 parameters too (FSDP; available in serving)",
        ge=0,
        default=1,
        source="the distributed optimiser is on in the recipes of Megatron Bridge and NeMo",
    )
    grad_reduce_dtype: str = choice(
        *DTYPE_NAMES,
        aliases=("reduce",),
        doc="data type of the gradient reduction",
        default="bf16",
        source="grad_reduce_in_fp32 is off in the performance recipes of Megatron Bridge; torch FSDP reduces in the type of the "
        "parameters",
    )


@frozen(kw_only=True, eq=False)
class ReplicatedParameters:
    """Parameters of one device, dense or of experts, and the replicas that hold the same.

    Attributes:
        bytes: bytes of their weights.
        count: number of parameters.
        ranks: number of replicas.
        stride: distance of neighbouring replicas in device numbers.
        layers: of a stage.
    """

    name: str
    bytes: Term
    count: Term
    ranks: Term
    stride: Term
    layers: Term


def split_fsdp(spec: Sharding, step: Step) -> Step:
    """Leave the step: sharding changes what replicas hold, not what they work on."""
    return step


def shard_fsdp(spec: Sharding, plan: Plan, machine: Machine) -> Plan:
    """Add what replicas send each other, and say what each of them holds."""
    if not plan.phase.is_training:
        return _served(spec, plan) if np.any(spec.zero_stage >= 3.0) else plan
    kept = _kept(plan)
    once = ONE / (plan.microbatches + (plan.stages - 1.0) / plan.chunks)
    moved = _gathered if plan.phase == Phase.FORWARD else _reduced
    return evolve(
        plan,
        collectives=(*plan.collectives, *(c for item in kept for c in moved(spec, item, once))),
        states=_states(spec, kept),
    )


def _served(spec: Sharding, plan: Plan) -> Plan:
    """Return a pass of serving whose weights are gathered layer by layer."""
    kept = _kept(plan)
    times = where(spec.zero_stage >= 3.0, ONE, ONE * 0.0)
    weights = total(
        where(
            spec.zero_stage >= 3.0,
            minimum(item.bytes / item.ranks + item.bytes * _ahead(item), item.bytes),
            item.bytes,
        )
        for item in kept
    )
    return evolve(
        plan,
        collectives=(
            *plan.collectives,
            *(
                _collective(item, "gather", CollectiveKind.ALL_GATHER, item.bytes, times, ONE, "sharding")
                for item in kept
            ),
        ),
        residency=evolve(plan.residency, weights=weights),
    )


def _ahead(kept: ReplicatedParameters) -> Term:
    """Return the share of the layers that are gathered at once."""
    return minimum(_GATHERED_LAYERS / kept.layers, 1.0)


def _kept(plan: Plan) -> tuple[ReplicatedParameters, ...]:
    """Return the dense parameters of a device, and those of experts, which fewer replicas hold."""
    whole = plan.workload
    each = whole.residency.weights / whole.parameters
    grouped = [op.weights * op.repeat for op in plan.ops if op.kind == OpKind.GROUPED_GEMM]
    routed = _routed(plan, grouped) if grouped else NO_BYTES
    layers = maximum(whole.layers / plan.stages, 1.0)
    holders = plan.replicas * plan.contexts
    tp = plan.ranks / holders / plan.stages
    dense = plan.residency.weights - routed
    found = [
        ReplicatedParameters(
            name="parameters", bytes=dense, count=dense / each, ranks=holders, stride=tp, layers=layers
        )
    ]
    if grouped:
        spread = maximum(whole.expert_weights / maximum(routed * plan.stages, _BYTE), 1.0)
        same = maximum(holders * tp / spread, 1.0)
        found.append(
            ReplicatedParameters(
                name="experts", bytes=routed, count=routed / each, ranks=same, stride=spread, layers=layers
            )
        )
    return tuple(found)


def _routed(plan: Plan, read: list[Term]) -> Term:
    """Return the bytes of the routed experts of a device: training reads all of them in a pass, serving those with a visit."""
    held, whole = plan.residency.weights, plan.workload
    if plan.phase.is_training:
        return minimum(total(read), held)
    tp = plan.ranks / plan.replicas / plan.contexts / plan.stages
    dense = (whole.residency.weights - whole.expert_weights) / tp * largest_share(whole.layers, plan.stages)
    return maximum(held - dense, _BYTE)


def _gathered(spec: Sharding, kept: ReplicatedParameters, once: Term) -> Iterator[Collective]:
    """Yield what goes on beside a forward pass.

    Args:
        spec: ZeRO stage.
        kept: parameters of a device, with the replicas that hold the same.
        once: share of a micro-batch in the step.
    """
    each = where(spec.zero_stage >= 2.0, ONE, ONE * 0.0)
    update = where((spec.zero_stage >= 1.0) & (spec.zero_stage < 2.0), once, ONE * 0.0)
    yield _collective(kept, "gather", CollectiveKind.ALL_GATHER, kept.bytes, each, ONE, "sharding")
    yield _collective(kept, "update", CollectiveKind.ALL_GATHER, kept.bytes, update, once, "update")


def _reduced(spec: Sharding, kept: ReplicatedParameters, once: Term) -> Iterator[Collective]:
    """Yield what goes on beside a backward pass."""
    grads = kept.count * term(bytes_per_element(spec.grad_reduce_dtype), "B")
    none = ONE * 0.0
    again = where(spec.zero_stage >= 3.0, ONE, none)
    each, last = (
        where(spec.zero_stage >= 2.0, ONE, none),
        where((spec.zero_stage >= 1.0) & (spec.zero_stage < 2.0), once, none),
    )
    yield _collective(kept, "gather_again", CollectiveKind.ALL_GATHER, kept.bytes, again, ONE, "sharding")
    yield _collective(kept, "gradients", CollectiveKind.REDUCE_SCATTER, grads, each, ONE, "gradients")
    yield _collective(kept, "last_gradients", CollectiveKind.REDUCE_SCATTER, grads, last, once, "gradients")
    yield _collective(
        kept,
        "sum_gradients",
        CollectiveKind.ALL_REDUCE,
        grads,
        where(spec.zero_stage < 1.0, once, none),
        once,
        "gradients",
    )


def _collective(
    kept: ReplicatedParameters,
    name: str,
    kind: CollectiveKind,
    payload: Term,
    times: Term,
    window: Term,
    component: str,
) -> Collective:
    """Return a communication of all layers of a stage, one after the other, beside the work."""
    return Collective(
        name=f"{kept.name}_{name}",
        kind=kind,
        bytes=payload / kept.layers,
        ranks=kept.ranks,
        stride=kept.stride,
        repeat=kept.layers * times,
        component=component,
        window=window,
    )


def _states(spec: Sharding, kept: tuple[ReplicatedParameters, ...]) -> States:
    def held(stage: float) -> Term:
        return total(where(spec.zero_stage >= stage, item.count / item.ranks, item.count) for item in kept)

    whole = total(item.count for item in kept)
    ahead = total(item.count * _ahead(item) for item in kept)
    return States(
        weights=held(3.0),
        gathered=where(spec.zero_stage >= 3.0, ahead, whole * 0.0),
        gradients=held(2.0),
        updated=held(1.0),
    )


SHARDING = Strategy(
    name="sharding",
    doc="Replicas share parameters, and in training gradients and states: `zero_stage`.",
    spec=Sharding,
    order=50,
    split=split_fsdp,
    shard=shard_fsdp,
)
