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
from accelscope.core.power import capped, dynamic_energy
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
        stage: time of one micro-batch on one pipeline stage.
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
    prefill = _pass(
        design, registry, Step(phase="prefill", sequences=batch, tokens=prompt, context=ONE * 0.0)
    )
    decode = _pass(design, registry, Step(phase="decode", sequences=batch, tokens=ONE, context=context))
    longest = Step(phase="decode", sequences=batch, tokens=ONE, context=prompt + output - 1.0)
    residency = _residency(_plan(design, longest), prefill.plan)
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
        _memory_limit(design, registry, residency),
        *(limit for cost in (*prefill.ops, *decode.ops) for limit in cost.limits),
    )
    return Evaluation(
        design=design,
        registry=registry,
        prefill=prefill,
        decode=decode,
        residency=residency,
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


def _pass(design: Design, registry: Registry, step: Step) -> Pass:
    plan = _plan(design, step)
    device = design.machine.device
    ops = tuple(cost_of(op, plan, device, registry) for op in plan.ops)
    comms = tuple(_communication(item, design, registry) for item in plan.collectives)
    energy = None
    if device.package.tdp is not None:
        moved = ((cost.usage, cost.item.repeat) for cost in comms)
        energy = dynamic_energy(ops, moved, device, registry)
    stage = _stage(ops, comms, energy, design, registry).named("stage time")
    rounds = _rounds(step.phase, plan)
    overhead = design.scheduler.step_overhead.named("host time between steps")
    return Pass(
        phase=step.phase,
        plan=plan,
        ops=ops,
        comms=comms,
        energy=energy,
        stage=stage,
        rounds=rounds,
        overhead=overhead,
        time=((stage * rounds).named("all stage times") + overhead).named(f"{step.phase} pass"),
    )


def _stage(
    ops: tuple[OpCost, ...],
    comms: tuple[CommCost, ...],
    energy: Term | None,
    design: Design,
    registry: Registry,
) -> Term:
    """Time of one micro-batch on one stage: operations, communication, the power cap, and the error of the models."""
    device = design.machine.device
    work = total(cost.seconds for cost in ops).named("operations")
    if comms:
        work = total((work, total(cost.seconds for cost in comms).named("communication")))
    stage = capped(work.named("work of a stage"), energy, device) * design.model_error
    if design.at_floor is None:
        return stage
    return where(design.at_floor, total(floor_of(cost, device, registry) for cost in ops), stage)


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


def _memory_limit(design: Design, registry: Registry, residency: Residency) -> Limit:
    home = home_memory(design.machine.device, registry)
    capacity = registry.memories[home.model].capacity(home)
    assert capacity is not None  # home_memory chooses only levels with a capacity
    used = (residency.weights + residency.kv + residency.activations + design.memory.reserve).named(
        "memory used"
    )
    return Limit(
        name="memory",
        used=used,
        available=capacity.named(f"capacity of {home.name}"),
        reason=f"weights, KV cache, activations and reserve of one device do not fit in `{home.name}`",
    )
