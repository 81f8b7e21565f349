"""One step of training: forward and backward passes over all micro-batches, the update, and what fits in memory.

The same operations, strategies and costs as in serving: the forward pass is that of a prompt whose tokens all have a loss, the
backward pass comes from it (`gradients`), and the update is one operation over the optimiser's states. Both passes take as many
stage times as the pipeline needs (`passes`), the update follows.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from attrs import evolve, frozen

from accelscope.core.blocks.scenario import Training
from accelscope.core.evaluate.memory_placement import Placement
from accelscope.core.evaluate.op_cost import PassContext
from accelscope.core.evaluate.pass_cost import PassCost, build_step_plan, compute_pass_cost
from accelscope.core.evaluate.training.backward import (
    build_adapter_ops,
    build_backward_plan,
    build_forward_plan,
    compute_adapter_share,
)
from accelscope.core.ir.constants import NO_BYTES, NO_OPS, ONE
from accelscope.core.ir.operation import Op, Step
from accelscope.core.ir.plan import Plan, Residency, States
from accelscope.core.ir.usage import Limit
from accelscope.core.ir.vocabulary import OpKind, Phase
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, maximum, minimum, term, total, where

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design

TRAINING_KIND = "training"
PRODUCT_PARAMETER_BYTES = 2.0
"""Bytes of a parameter that products read: 16 bit, or 8 bit in both orders (Transformer Engine keeps the transpose)."""
KEPT_ACTIVATION_SHARES: Mapping[str, float] = {"norm": 0.5, "rope": 0.0, "quantize": 0.0}
"""Share of what it reads that an operation keeps for its backward pass, by class of kernel, where it is not all."""
GRADIENT_READS = 2.0
"""Reads of each gradient in an update: one for the norm that it is clipped by, one for the update."""


@frozen(kw_only=True, eq=False)
class TrainingMemory:
    """Bytes of one device in training, by what they are."""

    parameters: Term
    gradients: Term
    optimiser: Term
    activations: Term


@frozen(kw_only=True, eq=False)
class TrainingStepCost:
    """A step of training, costed.

    Attributes:
        time: of the whole step.
        needed: FLOPs of one device that the model needs in a step, without what is computed again.
    """

    forward: PassCost
    backward: PassCost
    update: PassCost
    placement: Placement
    memory: TrainingMemory
    time: Term
    needed: Term


def compute_training_step(design: Design, training: Training) -> TrainingStepCost:
    """Return a step of training of a design."""
    plans = [build_step_plan(design, _step(training, phase)) for phase in (Phase.FORWARD, Phase.BACKWARD)]
    forth, back = build_forward_plan(plans[0], training), build_backward_plan(plans[1], training)
    memory = _memory(forth, training)
    placement = _placed(design, memory)
    forward = compute_pass_cost(design, Phase.FORWARD, forth, placement)
    backward = compute_pass_cost(design, Phase.BACKWARD, back, placement)
    update = compute_pass_cost(design, Phase.OPTIMIZER, _update(forth, training), placement)
    return TrainingStepCost(
        forward=forward,
        backward=backward,
        update=update,
        placement=placement,
        memory=memory,
        time=(forward.time + backward.time + update.time).named("training step"),
        needed=_needed(forth, training),
    )


def training_memory_limit(design: Design, training: Training) -> Limit:
    """Return what a step of training holds on one device, and what there is, without costing it."""
    plan = build_forward_plan(build_step_plan(design, _step(training, Phase.FORWARD)), training)
    return _placed(design, _memory(plan, training)).limits[0]


def _step(training: Training, phase: Phase) -> Step:
    sequence = (
        training.sequence_length / term(1.0, "tok")
        if training.sequence_length.dimension.powers
        else training.sequence_length
    )
    return Step(
        phase=phase,
        sequences=training.batch.named("global batch"),
        tokens=sequence.named("sequence"),
        context=ONE * 0.0,
        micro_batch=training.micro_batch,
    )


def _needed(plan: Plan, training: Training) -> Term:
    """Return three times the FLOPs of the forward pass, twice where weights have no gradients."""
    times = 3.0 if training.lora_rank is None else 2.0
    return (total(op.flops * op.repeat for op in plan.ops) * plan.microbatches * times).named("FLOPs needed")


def _share(plan: Plan, training: Training) -> Term:
    """Return the share of the parameters that is trained."""
    if training.lora_rank is None:
        return ONE
    own = [op for op in plan.ops if op.component != "adapters"]
    return compute_adapter_share(plan, tuple(build_adapter_ops(own, training.lora_rank)))


def resolve_training_states(plan: Plan) -> States:
    """Return what training keeps on one device: what a strategy says, or else all."""
    if plan.states is not None:
        return plan.states
    whole = plan.workload.parameters
    return States(weights=whole, gathered=whole * 0.0, gradients=whole, updated=whole)


def _update(plan: Plan, training: Training) -> Plan:
    """Return the update: read gradients and states, write states and parameters."""
    numbers = resolve_training_states(plan).updated * _share(plan, training)
    gradient, state = (
        term(bytes_per_element(training.gradient_dtype), "B"),
        training.optimizer_bytes_per_param,
    )
    op = Op(
        name="update",
        component="optimiser",
        kind=OpKind.ELEMENTWISE,
        dtype="fp32",
        flops=NO_OPS + numbers * term(12.0, "op"),
        reads=numbers * (gradient * GRADIENT_READS + state),
        writes=numbers * (state + term(PRODUCT_PARAMETER_BYTES, "B")),
        layered=False,
    )
    return evolve(plan, ops=(op,), collectives=(), microbatches=ONE, phase=Phase.OPTIMIZER)


def _memory(plan: Plan, training: Training) -> TrainingMemory:
    """Return the bytes of one device in training.

    Parameters at 16 bit, gradients, optimiser states, and the activations of the micro-batches that a stage has in flight: as
    many as there are stages, with v groups of layers (1 + (S - 1) / (S v)) as many (Korthikanti et al., arXiv 2205.05198,
    section 4.2.3).
    """
    states = resolve_training_states(plan)
    share, held = _share(plan, training), term(PRODUCT_PARAMETER_BYTES, "B")
    more = where(plan.chunks > 1.0, (plan.stages - 1.0) / plan.chunks, ONE * 0.0)
    flying = minimum(plan.stages + more, plan.microbatches).named("micro-batches in flight")
    ends = total(op.reads for op in plan.ops if op.component == "loss")
    return TrainingMemory(
        parameters=((states.weights + states.gathered) * held).named("parameters held"),
        gradients=(states.gradients * share * term(bytes_per_element(training.gradient_dtype), "B")).named(
            "gradients held"
        ),
        optimiser=(states.updated * share * training.optimizer_bytes_per_param).named(
            "optimiser states held"
        ),
        activations=(
            compute_kept_activations(plan, training.recompute) * flying
            + compute_recomputed_bytes(plan, training.recompute)
            + ends
        ).named("activations held"),
    )


def compute_kept_activations(plan: Plan, recompute: str) -> Term:
    """Return the bytes of activations that one micro-batch keeps for its backward pass on one stage.

    Each operation of a layer keeps what it read; with selective recomputation only products and attention do, with full
    recomputation each layer keeps its input.
    """
    if recompute == "selective":
        return total(_read(op) * op.repeat for op in _layered(plan) if op.kind != OpKind.ELEMENTWISE)
    if recompute == "full":
        return plan.workload.activation * _layers(plan)
    return total(_read(op) * op.repeat for op in _layered(plan))


def compute_recomputed_bytes(plan: Plan, recompute: str) -> Term:
    """Return the bytes of activations that one layer at a time, of one micro-batch, computes again in full recomputation."""
    if recompute != "full":
        return NO_BYTES
    return total(_read(op) * op.repeat for op in _layered(plan)) / _layers(plan)


def _layered(plan: Plan) -> list[Op]:
    return [op for op in plan.ops if op.layered and op.component != "adapters"]


def _layers(plan: Plan) -> Term:
    """Return the layers of one stage."""
    return maximum(plan.workload.layers / plan.stages, 1.0)


def _read(op: Op) -> Term:
    """Return what an operation keeps of what it reads: a normalisation the sum of its two inputs, a linear one nothing."""
    return (op.reads * KEPT_ACTIVATION_SHARES.get(op.kernel, 1.0)) + op.kv_read


def _placed(design: Design, memory: TrainingMemory) -> Placement:
    device = design.machine.device
    home = device.home
    capacity = home.capacity
    assert capacity is not None  # `home` is one of the levels with a capacity
    reserve = device.package.reserve if design.memory.reserve is None else design.memory.reserve
    used = memory.parameters + memory.gradients + memory.optimiser + memory.activations + reserve
    limit = Limit(
        name="memory",
        used=used.named("memory used"),
        available=capacity.named(f"capacity of {home.name}"),
        reason="parameters, gradients, optimiser states, activations and reserve of one device do not fit in "
        f"`{home.name}`",
    )
    weights = memory.parameters + memory.gradients + memory.optimiser
    held = Residency(weights=weights, kv=NO_BYTES, activations=memory.activations)
    return Placement(held=held, setting=PassContext(), limits=(limit,))
