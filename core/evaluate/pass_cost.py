"""One pass of a model through its stages: split, sharded, costed and timed. Pure; sees a whole sweep at once.

A pass of S pipeline stages over M micro-batches takes (M + S - 1) stage times until its last result (Huang et al.,
"GPipe", 2019, section 2.3); in steady decoding the same sequences come round every max(M, S) stage times, so the
latency of a single sequence is never divided by S. Where a stage holds v groups of layers, prompts and each direction of
training take (M + (S - 1) / v) stage times (Narayanan et al., arXiv 2104.04473, section 2.2).
"""

from __future__ import annotations

from attrs import evolve, frozen

from accelscope.core.assemble.design import Design
from accelscope.core.blocks.runtime import (
    EngineProfile,
    apply_host_launches,
    compute_comm_overhead,
    compute_comm_wait,
    host_time,
)
from accelscope.core.evaluate.collective_cost import compute_collective_cost
from accelscope.core.evaluate.memory_placement import Placement
from accelscope.core.evaluate.model_error import estimate_pass_spread
from accelscope.core.evaluate.op_cost import OpCost, compute_min_op_time, compute_op_cost
from accelscope.core.evaluate.power import apply_power_cap, dynamic_energy
from accelscope.core.evaluate.spatial_pipeline import (
    count_pipeline_places,
    is_streaming,
    make_token_step,
    merge_token_collectives,
    scale_costs_to_pass,
)
from accelscope.core.io.timings import stage
from accelscope.core.ir.constants import NO_TIME, ONE
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Collective, Plan
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.term import Term, maximum, term, total, where

MIN_WORK_TIME = term(1e-15, "s")
FULLY_HIDDEN_SHARE = term(1.0)
"""Share of communication beside work that can be hidden where a runtime does not say."""


@frozen(kw_only=True, eq=False)
class CommCost:
    """A collective with what one execution costs, and the s that a micro-batch waits for all of them."""

    item: Collective
    usage: Usage
    seconds: Term


@frozen(kw_only=True, eq=False)
class PassCost:
    """One phase, costed.

    Attributes:
        energy: J of one micro-batch on one stage beyond the standing power, or None without a thermal design power.
        stage: time of one micro-batch on one pipeline stage; of the whole pass where tokens stream through a device.
        time: of the whole pass: for prefill until the last result, for decode until the same sequence's next token.
        rounds: how many stage times `time` holds.
        placement: what it was costed with.
    """

    phase: Phase
    plan: Plan
    ops: tuple[OpCost, ...]
    comms: tuple[CommCost, ...]
    energy: Term | None
    stage: Term
    rounds: Term
    overhead: Term
    time: Term
    placement: Placement


def build_step_plan(design: Design, step: Step) -> Plan:
    """Return one step of a model as one device runs it."""
    whole = step
    step, sequences = split_replica_batch(design, step)
    if is_streaming(design):
        step = make_token_step(step)
    with stage("operations"):
        workload = design.model.record.build(design.model.spec, step, design.precision)
    plan = Plan(
        ops=workload.ops,
        residency=workload.residency,
        workload=workload,
        microbatches=step.microbatches,
        sequences=sequences,
        phase=step.phase,
        step=whole,
    )
    with stage("plan"):
        for strategy, spec in design.strategies:
            plan = strategy.shard(spec, plan, design.machine)
    return plan


def split_replica_batch(design: Design, step: Step) -> tuple[Step, Term]:
    """Return what one micro-batch of a replica holds, and the sequences of all of its micro-batches.

    A runtime without micro-batches takes all of them through the stages at once.
    """
    before = step.microbatches
    for strategy, spec in design.strategies:
        step = strategy.split(spec, step)
    sequences = step.sequences * (step.microbatches / before)
    if design.runtime.serial:
        step = evolve(step, sequences=sequences, microbatches=before)
    return step, sequences


def compute_pass_cost(design: Design, phase: Phase, plan: Plan, placement: Placement) -> PassCost:
    """Return what a pass costs: its operations, communication, energy and time."""
    device, streaming = design.machine.device, is_streaming(design)
    setting = evolve(placement.setting, pace=design.runtime)
    if streaming:
        setting = evolve(setting, places=count_pipeline_places(plan))
    ops = tuple(compute_op_cost(op, plan, device, setting) for op in plan.ops)
    items = merge_token_collectives(plan) if streaming else plan.collectives
    comms = tuple(_communication(item, design) for item in items)
    energy = _energy(ops, comms, design)
    turns = plan.microbatches if streaming else ONE
    if streaming:
        ops = scale_costs_to_pass(ops, plan, phase)
    comms = compute_exposed_comms(design.runtime, _work(ops, comms, design, plan), comms, ops)
    stage = _stage(ops, comms, energy, turns, design, plan).named("stage time")
    rounds = ONE if streaming else _rounds(phase, plan)
    host = host_time(design.runtime, plan, phase)
    overhead = (design.scheduler.step_overhead + host).named("host time between steps")
    return PassCost(
        phase=phase,
        plan=plan,
        ops=ops,
        comms=comms,
        energy=energy,
        stage=stage,
        rounds=rounds,
        overhead=overhead,
        time=((stage * rounds).named("all stage times") + overhead).named(f"{phase} pass"),
        placement=placement,
    )


def _energy(ops: tuple[OpCost, ...], comms: tuple[CommCost, ...], design: Design) -> Term | None:
    device = design.machine.device
    if device.package.tdp is None:
        return None
    return dynamic_energy(ops, ((cost.usage, cost.item.repeat) for cost in comms), device)


def _stage(
    ops: tuple[OpCost, ...],
    comms: tuple[CommCost, ...],
    energy: Term | None,
    turns: Term,
    design: Design,
    plan: Plan,
) -> Term:
    """Time of one micro-batch on one stage: operations, communication, the power cap, and the error of the models.

    Args:
        ops: costed operations of the stage.
        comms: costed communication of the stage.
        energy: J of the costed operations and communication, or None without a thermal design power.
        turns: micro-batches that the costs of `ops` and `comms` are of.
        design: the design.
        plan: plan of the pass.
    """
    device = design.machine.device
    work = _work(ops, comms, design, plan)
    beside_ = tuple(cost.seconds for cost in comms if cost.item.window is not None)
    if beside_:
        work = total((work, total(beside_).named("communication that nothing hides")))
    spent = None if energy is None else energy * turns
    stage = apply_power_cap(work.named("work of a stage"), spent, device)
    if design.error is not None:
        spread = estimate_pass_spread(ops, (cost.seconds for cost in comms), device.package, design.runtime)
        stage = stage * Term(1.0 + design.error * spread)
    if design.at_floor is None:
        return stage
    floor = total(compute_min_op_time(cost, device) for cost in ops) * turns
    return where(design.at_floor, floor, stage)


def _work(ops: tuple[OpCost, ...], comms: tuple[CommCost, ...], design: Design, plan: Plan) -> Term:
    """Return the s of operations and the communication that they wait for, as the host drives them."""
    work = total(cost.seconds for cost in ops).named("operations")
    awaited = tuple(cost.seconds for cost in comms if cost.item.window is None)
    if awaited:
        work = total((work, total(awaited).named("communication")))
    return apply_host_launches(design.runtime, plan, work)


def compute_exposed_comms(
    pace: EngineProfile, work: Term, comms: tuple[CommCost, ...], ops: tuple[OpCost, ...] = ()
) -> tuple[CommCost, ...]:
    """Return communication with the s that work waits for: what goes on beside work counts as far as that does not hide it.

    A share of it can be hidden, behind as much of the work as it may go on beside. All communication of one window waits
    (1 - hidden) x time + max(0, hidden x time - window x work); where it goes on beside one operation, that operation is
    the work.
    """
    hidden = FULLY_HIDDEN_SHARE if pace.overlap_fraction is None else pace.overlap_fraction
    each = {cost.name: cost.seconds for cost in ops}
    shares: dict[tuple[int, str], Term] = {}
    for key, window in {_window(cost): cost.item.window for cost in comms}.items():
        if window is not None:
            time = total(cost.seconds for cost in comms if _window(cost) == key)
            room = each.get(key[1], NO_TIME) if key[1] else work
            left = time * (1.0 - hidden) + maximum(time * hidden - room * window, NO_TIME)
            shares[key] = left / maximum(time, MIN_WORK_TIME)
    return tuple(_left(cost, shares.get(_window(cost))) for cost in comms)


def _window(cost: CommCost) -> tuple[int, str]:
    """Return what communication of one window has in common: the same term, beside the same operation."""
    return id(cost.item.window), cost.item.beside


def _left(cost: CommCost, share: Term | None) -> CommCost:
    if share is None:
        return cost
    return evolve(cost, seconds=(cost.seconds * share).named(f"{cost.item.name} that nothing hides"))


def _rounds(phase: Phase, plan: Plan) -> Term:
    if phase.is_training:
        bubble = (plan.stages - 1.0) / plan.chunks
        return (plan.microbatches + bubble).named("stage times of all micro-batches")
    if phase == Phase.OPTIMIZER:
        return ONE
    if phase == Phase.PREFILL:
        bubble = (plan.stages - 1.0) / plan.chunks
        return (plan.microbatches + bubble).named("stage times until the last result")
    return maximum(plan.microbatches, plan.stages).named("stage times between two tokens of a sequence")


def _communication(item: Collective, design: Design) -> CommCost:
    usage = compute_collective_cost(design.machine, item)
    each = compute_comm_wait(design.runtime, item, usage.time) + compute_comm_overhead(design.runtime, item)
    return CommCost(item=item, usage=usage, seconds=(each * item.repeat).named(item.name))
