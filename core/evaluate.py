"""From a design to an evaluation: build, plan, cost and compose each phase. Pure; sees a whole sweep at once.

A pass of S pipeline stages over M micro-batches takes (M + S - 1) stage times until its last result (Huang et al.,
"GPipe", 2019, section 2.3); in steady decoding the same sequences come round every max(M, S) stage times, so the
latency of a single sequence is never divided by S.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from attrs import evolve, frozen

from accelscope.core.cost import OpCost, cost_of, floor_of, home_memory
from accelscope.core.design import Design
from accelscope.core.network import transfer
from accelscope.core.placement import Placement, placed
from accelscope.core.power import capped, dynamic_energy
from accelscope.core.spread import spread_of
from accelscope.core.streaming import bursts, over_the_pass, places, streamed, streams
from accelscope.core.term import Term, maximum, term, total, where
from accelscope.core.work import ONE, Collective, Limit, Part, Plan, Residency, Step, Usage

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


@frozen(kw_only=True, eq=False)
class Evaluation:
    """What metrics are computed from.

    Attributes:
        prefill, decode: costed passes; decode at the mean context of the answer.
        residency: bytes on one device when the context is longest.
        limits: everything with a capacity, of the design and of both passes.
        batch: sequences that the whole system serves at once.
    """

    design: Design
    registry: Registry
    prefill: Pass
    decode: Pass
    residency: Residency
    batch: Term
    devices_used: Term
    limits: tuple[Limit, ...]

    @property
    def home(self) -> Part[Any]:
        """The memory level that holds weights and KV cache."""
        return home_memory(self.design.machine.device, self.registry)


def evaluate(design: Design, registry: Registry) -> Evaluation:
    """Return an evaluation of a design."""
    load = design.load
    batch = (load.batch or ONE).named("batch")
    prompt = plain(load.prompt).named("prompt")
    output = plain(load.output).named("output")
    context = (prompt + (output - 1.0) / 2.0).named("mean context of a decode step")
    first = Step(phase="prefill", sequences=batch, tokens=prompt, context=ONE * 0.0)
    further = Step(phase="decode", sequences=batch, tokens=ONE, context=context)
    longest = evolve(further, context=prompt + output - 1.0)
    plan = _plan(design, first)
    placement = placed(design, registry, _residency(_plan(design, longest), plan))
    prefill = _pass(design, registry, first.phase, plan, placement)
    decode = _pass(design, registry, further.phase, _plan(design, further), placement)
    ranks = decode.plan.ranks.named("devices used")
    limits = (
        *design.limits,
        *prefill.plan.limits,
        Limit(
            name="devices",
            used=ranks,
            available=design.machine.devices,
            reason="the split needs more devices",
        ),
        *placement.limits,
        *(limit for cost in (*prefill.ops, *decode.ops) for limit in cost.limits),
    )
    return Evaluation(
        design=design,
        registry=registry,
        prefill=prefill,
        decode=decode,
        residency=placement.held,
        batch=batch,
        devices_used=ranks,
        limits=limits,
    )


def plain(value: Term) -> Term:
    """Return a count of tokens or requests as a plain number."""
    if not value.dimension.powers:
        return value
    return value / Term(term(1.0).value, value.dimension)


def _plan(design: Design, step: Step) -> Plan:
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


def _pass(design: Design, registry: Registry, phase: str, plan: Plan, placement: Placement) -> Pass:
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


def _residency(longest: Plan, prefill: Plan) -> Residency:
    """Weights and KV when the context is longest; activations of the pass that has most of them, prefill."""
    activations = maximum(longest.residency.activations, prefill.residency.activations)
    return evolve(longest.residency, activations=activations.named("activations"))
