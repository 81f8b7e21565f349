"""One pass of a model through its stages: split, sharded, costed and timed. Pure; sees a whole sweep at once.

A pass of S pipeline stages over M micro-batches takes (M + S - 1) stage times until its last result (Huang et al.,
"GPipe", 2019, section 2.3); in steady decoding the same sequences come round every max(M, S) stage times, so the
latency of a single sequence is never divided by S.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from accelscope.core.cost import OpCost, cost_of, floor_of
from accelscope.core.design import Design
from accelscope.core.network import transfer
from accelscope.core.placement import Placement
from accelscope.core.power import capped, dynamic_energy
from accelscope.core.spread import spread_of
from accelscope.core.streaming import bursts, over_the_pass, places, streamed, streams
from accelscope.core.term import Term, maximum, term, total, where
from accelscope.core.work import ONE, Collective, Plan, Step, Usage

if TYPE_CHECKING:
    from accelscope.core.registry import Registry


@frozen(kw_only=True, eq=False)
class CommCost:
    """A collective with what one execution, and all of a micro-batch's, cost."""

    item: Collective
    usage: Usage
    seconds: Term


@frozen(kw_only=True, eq=False)
class Pass:
    """One phase, costed.

    Attributes:
        energy: J of one micro-batch on one stage beyond the standing power, or None without a thermal design power.
        stage: time of one micro-batch on one pipeline stage; of the whole pass where tokens stream through a device.
        time: of the whole pass: for prefill until the last result, for decode until the same sequence's next token.
        rounds: how many stage times `time` holds.
    """

    phase: str
    plan: Plan
    ops: tuple[OpCost, ...]
    comms: tuple[CommCost, ...]
    energy: Term | None
    stage: Term
    rounds: Term
    overhead: Term
    time: Term


def plain(value: Term) -> Term:
    """Return a count of tokens or requests as a plain number."""
    if not value.dimension.powers:
        return value
    return value / Term(term(1.0).value, value.dimension)


def plan_of(design: Design, step: Step) -> Plan:
    """Return one step of a model as one device runs it."""
    for strategy, spec in design.strategies:
        step = strategy.split(spec, step)
    if streams(design):
        step = streamed(step)
    workload = design.model.record.build(design.model.spec, step, design.precision)
    plan = Plan(
        ops=workload.ops,
        residency=workload.residency,
        workload=workload,
        microbatches=step.microbatches,
    )
    for strategy, spec in design.strategies:
        plan = strategy.shard(spec, plan, design.machine)
    return plan


def pass_of(design: Design, registry: Registry, phase: str, plan: Plan, placement: Placement) -> Pass:
    """Return what a pass costs: its operations, communication, energy and time."""
    device, streaming = design.machine.device, streams(design)
    setting = evolve(placement.setting, places=places(plan)) if streaming else placement.setting
    ops = tuple(cost_of(op, plan, device, registry, setting) for op in plan.ops)
    items = bursts(plan) if streaming else plan.collectives
    comms = tuple(_communication(item, design, registry) for item in items)
    energy = _energy(ops, comms, design, registry)
    turns = plan.microbatches if streaming else ONE
    if streaming:
        ops = over_the_pass(ops, plan, phase)
    stage = _stage(ops, comms, energy, turns, design, registry).named("stage time")
    rounds = ONE if streaming else _rounds(phase, plan)
    overhead = design.scheduler.step_overhead.named("host time between steps")
    return Pass(
        phase=phase,
        plan=plan,
        ops=ops,
        comms=comms,
        energy=energy,
        stage=stage,
        rounds=rounds,
        overhead=overhead,
        time=((stage * rounds).named("all stage times") + overhead).named(f"{phase} pass"),
    )


def _energy(
    ops: tuple[OpCost, ...], comms: tuple[CommCost, ...], design: Design, registry: Registry
) -> Term | None:
    device = design.machine.device
    if device.package.tdp is None:
        return None
    return dynamic_energy(ops, ((cost.usage, cost.item.repeat) for cost in comms), device, registry)


def _stage(
    ops: tuple[OpCost, ...],
    comms: tuple[CommCost, ...],
    energy: Term | None,
    turns: Term,
    design: Design,
    registry: Registry,
) -> Term:
    """Time of one micro-batch on one stage: operations, communication, the power cap, and the error of the models.

    Args:
        turns: micro-batches that the costs of `ops` and `comms` are of.
    """
    device = design.machine.device
    work = total(cost.seconds for cost in ops).named("operations")
    if comms:
        work = total((work, total(cost.seconds for cost in comms).named("communication")))
    spent = None if energy is None else energy * turns
    stage = capped(work.named("work of a stage"), spent, device)
    if design.error is not None:
        beside = spread_of(ops, (cost.seconds for cost in comms), device.package, 0.0)
        stage = stage * Term(1.0 + design.error * beside)
    if design.at_floor is None:
        return stage
    floor = total(floor_of(cost, device, registry) for cost in ops) * turns
    return where(design.at_floor, floor, stage)


def _rounds(phase: str, plan: Plan) -> Term:
    if phase == "prefill":
        return (plan.microbatches + plan.stages - 1.0).named("stage times until the last result")
    return maximum(plan.microbatches, plan.stages).named("stage times between two tokens of a sequence")


def _communication(item: Collective, design: Design, registry: Registry) -> CommCost:
    usage = transfer(design.machine, item, registry)
    return CommCost(item=item, usage=usage, seconds=(usage.time * item.repeat).named(item.name))
