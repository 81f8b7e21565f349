"""Passes of a device whose layers lie side by side on its cores: tokens stream through the places one after the other.

The first result comes after one token's trip through all places; further tokens follow as fast as the device computes
one token with all of its cores, since a balanced placement gives every operation cores in proportion to its work. It is
the pipeline of Huang et al., "GPipe", 2019, section 2.3, with a token as micro-batch, as Cerebras describes its
inference ("Introducing Cerebras Inference", 2024).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve

from accelscope.core.evaluate.op_cost import OpCost
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Collective, Plan
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.term import Term, maximum, total, where

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design

"""Kinds of operation whose weights lie in places of their own."""


def is_streaming(design: Design) -> bool:
    """Say whether tokens stream: the device places layers side by side, and its weights stay there."""
    package = design.machine.device.package
    return package.layer_mapping == "spatial_pipeline" and design.memory.weights != "full_offload"


def make_token_step(step: Step) -> Step:
    """Return the step of one token, with all tokens of the pass as micro-batches, at their mean context."""
    tokens = step.tokens
    return evolve(
        step,
        sequences=ONE,
        tokens=ONE,
        context=(step.context + (tokens - 1.0) / 2.0).named("mean context of a token"),
        microbatches=(step.microbatches * step.sequences * tokens).named("tokens that stream"),
    )


def count_pipeline_places(plan: Plan) -> Term:
    """Return how many places the operations of a device lie on: one for each product with weights."""
    return maximum(total(op.repeat for op in plan.ops if op.kind.is_gemm), 1.0).named("places")


def merge_token_collectives(plan: Plan) -> tuple[Collective, ...]:
    """Return the collectives of a plan with the bytes of all tokens, which follow each other without a gap."""
    stages = plan.stages
    return tuple(
        evolve(item, bytes=item.bytes * plan.microbatches, repeat=item.repeat * stages)
        for item in plan.collectives
    )


def scale_costs_to_pass(costs: tuple[OpCost, ...], plan: Plan, phase: Phase) -> tuple[OpCost, ...]:
    """Return the costs with what each contributes to the time of a whole pass.

    Prefill takes one trip and then a token's work for each further token; decoding the longer of a trip, until the
    same sequence can go on, and the work of all sequences.
    """
    trips = [_trip(cost, plan) for cost in costs]
    works = [cost.work * cost.op.repeat for cost in costs]
    if phase == Phase.PREFILL:
        further = plan.microbatches - 1.0
        spent = [trip + work * further for trip, work in zip(trips, works, strict=True)]
    else:
        busy = [work * plan.microbatches for work in works]
        waits = total(trips).value >= total(busy).value
        spent = [where(waits, trip, work) for trip, work in zip(trips, busy, strict=True)]
    return tuple(
        evolve(cost, seconds=time.named(f"{cost.name} over the pass"))
        for cost, time in zip(costs, spent, strict=True)
    )


def _trip(cost: OpCost, plan: Plan) -> Term:
    """Return the time that one token spends in the places of an operation, on all stages.

    Only the cores that hold its bytes work for it: a product with weights has their share of all weights, anything else
    the cores of one layer.
    """
    op, held = cost.op, plan.residency.weights
    layers = maximum(plan.workload.layers / plan.stages, 1.0)
    fewer = maximum(held / maximum(op.weights, held / 1e9), 1.0) if op.kind.is_gemm else layers
    start = cost.each - cost.work
    return (cost.work * fewer.named("all cores for one that works") + start) * op.repeat * plan.stages
