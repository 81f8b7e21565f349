"""A design under the load of clients: how many requests have room, then the steady state of an engine's replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from accelscope.core.blocks.calibration import value_or_default
from accelscope.core.evaluate.memory_placement import Placement, place_memory
from accelscope.core.evaluate.pass_cost import build_step_plan
from accelscope.core.evaluate.serving.engine_step import ServingEngine, resolve_batching_policy
from accelscope.core.evaluate.serving.speculative import draft_overhead, expected_step_tokens
from accelscope.core.evaluate.serving.steady_state import (
    ClientLoad,
    SchedulingPolicy,
    SteadyState,
    solve_steady_state,
)
from accelscope.core.ir.constants import NO_TIME, ONE
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Plan, Residency
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.term import Term, maximum, minimum, strip_count_unit, term, where

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design

DEFAULT_BURST_SHARE = {"continuous": 0.15, "prefill_first": 0.4, "pools": 0.5}
"""Share of the other clients whose prompts arrive together with a request, by policy, where none is given.

Where prompts share steps with decoding, sequences that begin at different times end at different times, and only the
first wave of a run queues as a whole. Where prompts go first, decoding waits until all are done, so all go on in step,
the more so the more alike their lengths are. Values: from the times to first token and per token of closed loops in
NVIDIA's aiconfigurator repository and InferenceX (docs/explanation/models/serving.md)."""
_BYTE = term(1.0, "B")


@frozen(kw_only=True, eq=False)
class ServingState:
    """The steady state of a design, and what it holds in memory.

    Attributes:
        batch: requests that have room, in the whole system.
        ranks: devices that serve them.
    """

    loop: SteadyState
    batch: Term
    ranks: Term
    residency: Residency
    placement: Placement


def solve_closed_loop(design: Design, clients: Term) -> ServingState:
    """Return the steady state of a design under some clients of the whole system."""
    load = design.load
    prompt, output = (
        strip_count_unit(load.prompt).named("prompt"),
        strip_count_unit(load.output).named("output"),
    )
    context = (prompt + (output - 1.0) / 2.0).named("mean context of a decode step")
    manner = build_scheduling_policy(design, expected_step_tokens(design.speculative))
    alive, single = plan_single_request(design, context, minimum(prompt, manner.budget))
    replicas = single.replicas
    each = maximum(clients / replicas, 1.0).named("clients of a replica")
    running = minimum(each, count_request_slots(design, alive))
    if design.scheduler.max_batch is not None:
        running = minimum(running, design.scheduler.max_batch)
    running = maximum(running, 1.0).named("requests that have room")
    held = evolve(alive, kv=(alive.kv * running).named("KV cache of running requests"))
    placement = place_memory(design, held)
    loop = solve_steady_state(
        build_serving_engine(design, placement, single, context),
        ClientLoad(count=each, running=running, prompt=prompt, output=output),
        manner,
    )
    batch = minimum(running * replicas, clients).named("requests that have room in the system")
    return ServingState(
        loop=loop, batch=batch, ranks=single.ranks, residency=placement.held, placement=placement
    )


def build_serving_engine(design: Design, placement: Placement, single: Plan, context: Term) -> ServingEngine:
    """Return the engine of a design.

    Args:
        design: the design.
        placement: where the bytes of one device lie.
        single: plan of the design for one sequence.
        context: mean tokens in the cache of a sequence that decodes.
    """
    speculative = design.speculative
    return ServingEngine(
        design=design,
        placement=placement,
        replicas=single.replicas,
        context=context,
        verified_tokens=ONE if speculative is None else speculative.depth + 1.0,
        draft_overhead=draft_overhead(speculative, single),
    )


def build_scheduling_policy(design: Design, gain: Term, usual: str | None = None) -> SchedulingPolicy:
    """Return how the engine of a design schedules.

    Args:
        design: the design.
        gain: tokens of a sequence that a step yields.
        usual: policy whose default arrival correlation holds if the description gives none; that of the design if None.
    """
    scheduler, runtime = design.scheduler, design.runtime
    policy = resolve_batching_policy(design)
    arrival_correlation = value_or_default(
        scheduler.arrival_correlation,
        value_or_default(runtime.arrival_correlation, term(DEFAULT_BURST_SHARE[usual or policy])),
    )
    latency = value_or_default(
        scheduler.frontend_latency, value_or_default(runtime.frontend_latency, NO_TIME)
    )
    return SchedulingPolicy(
        budget=strip_count_unit(scheduler.chunked_prefill).named("tokens of a step"),
        arrival_correlation=arrival_correlation.named("arrival correlation"),
        host=latency.named("latency of a request outside of steps"),
        hold=value_or_default(runtime.prefill_delay_steps, term(0.0)),
        launch=value_or_default(runtime.prefill_launch_latency, NO_TIME),
        gain=gain,
    )


def plan_single_request(design: Design, context: Term, tokens: Term) -> tuple[Residency, Plan]:
    """Return what a device holds for one request at its mean context, and the plan of a step of it alone.

    Args:
        design: the design.
        context: mean tokens in the KV cache of the request.
        tokens: of a prompt in one step, whose activations are held too.
    """
    single = build_step_plan(design, Step(phase=Phase.DECODE, sequences=ONE, tokens=ONE, context=context))
    busy = build_step_plan(
        design, Step(phase=Phase.PREFILL, sequences=ONE, tokens=tokens, context=context * 0.0)
    )
    activations = maximum(single.residency.activations, busy.residency.activations)
    return evolve(single.residency, activations=activations.named("activations")), single


def count_request_slots(design: Design, alive: Residency) -> Term:
    """Return how many requests the memory of a replica holds beside weights and activations; endless where the cache may
    spill.

    Args:
        design: the design.
        alive: what a device holds for one request.
    """
    if design.memory.kv == "partial_offload":
        return term(float("inf"))
    limits = place_memory(design, alive).limits
    memory = next(limit for limit in limits if limit.name == "memory")
    share = design.runtime.memory_fraction
    left = memory.available - memory.used + alive.kv
    if share is not None:
        # Whoever runs a model that fills the memory raises the share that the runtime may take.
        usual = memory.available * share - alive.weights - alive.activations
        left = where(usual > alive.kv, usual, left)
    return (left / maximum(alive.kv, _BYTE)).named("requests that the memory holds")
