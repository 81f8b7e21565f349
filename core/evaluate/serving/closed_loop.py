"""A design under the load of clients: how many requests have room, then the steady state of an engine's replica."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from accelscope.core.blocks.calibration import given
from accelscope.core.evaluate.memory_placement import Placement, placed
from accelscope.core.evaluate.pass_cost import plain, plan_of
from accelscope.core.evaluate.serving.engine_step import Engine, policy_of
from accelscope.core.evaluate.serving.speculative import gained, slowed
from accelscope.core.evaluate.serving.steady_state import Clients, Loop, Manner, steady
from accelscope.core.ir.constants import NO_TIME, ONE
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Plan, Residency
from accelscope.core.numeric.term import Term, maximum, minimum, term, where

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design
    from accelscope.core.plugin.registry import Registry

BUNCHING = {"continuous": 0.15, "prefill_first": 0.4, "pools": 0.5}
"""Share of the other clients whose prompts arrive together with a request, by policy, where none is given.

Where prompts share steps with decoding, sequences that begin at different times end at different times, and only the
first wave of a run queues as a whole. Where prompts go first, decoding waits until all are done, so all go on in step,
the more so the more alike their lengths are. Values: from the times to first token and per token of closed loops in
NVIDIA's aiconfigurator repository and InferenceX (docs/explanation/models/serving.md)."""
_BYTE = term(1.0, "B")


@frozen(kw_only=True, eq=False)
class Served:
    """The steady state of a design, and what it holds in memory.

    Attributes:
        batch: requests that have room, in the whole system; ranks: devices that serve them.
    """

    loop: Loop
    batch: Term
    ranks: Term
    residency: Residency
    placement: Placement


def closed_loop(design: Design, registry: Registry, clients: Term) -> Served:
    """Return the steady state of a design under some clients of the whole system."""
    load = design.load
    prompt, output = plain(load.prompt).named("prompt"), plain(load.output).named("output")
    context = (prompt + (output - 1.0) / 2.0).named("mean context of a decode step")
    manner = manner_of(design, gained(design.speculative))
    alive, single = alive_of(design, context, minimum(prompt, manner.budget))
    replicas = single.replicas
    each = maximum(clients / replicas, 1.0).named("clients of a replica")
    running = minimum(each, room_of(design, registry, alive))
    if design.scheduler.max_batch is not None:
        running = minimum(running, design.scheduler.max_batch)
    running = maximum(running, 1.0).named("requests that have room")
    held = evolve(alive, kv=(alive.kv * running).named("KV cache of running requests"))
    placement = placed(design, registry, held)
    loop = steady(
        engine_of(design, registry, placement, single, context),
        Clients(count=each, running=running, prompt=prompt, output=output),
        manner,
    )
    batch = minimum(running * replicas, clients).named("requests that have room in the system")
    return Served(loop=loop, batch=batch, ranks=single.ranks, residency=placement.held, placement=placement)


def engine_of(
    design: Design, registry: Registry, placement: Placement, single: Plan, context: Term
) -> Engine:
    """Return the engine of a design.

    Args:
        single: its plan for one sequence; context: mean tokens in the cache of a sequence that decodes.
    """
    speculative = design.speculative
    return Engine(
        design=design,
        registry=registry,
        placement=placement,
        replicas=single.replicas,
        context=context,
        ahead=ONE if speculative is None else speculative.depth + 1.0,
        slower=slowed(speculative, single),
    )


def manner_of(design: Design, gain: Term, usual: str | None = None) -> Manner:
    """Return how the engine of a design schedules.

    Args:
        gain: tokens of a sequence that a step yields; usual: whose bunching holds where none is given, if not the policy's.
    """
    scheduler, runtime = design.scheduler, design.runtime
    policy = policy_of(design)
    bunching = given(scheduler.bunching, given(runtime.bunching, term(BUNCHING[usual or policy])))
    latency = given(scheduler.request_latency, given(runtime.latency, NO_TIME))
    return Manner(
        budget=plain(scheduler.chunked_prefill).named("tokens of a step"),
        bunching=bunching.named("bunching"),
        host=latency.named("latency of a request outside of steps"),
        hold=given(runtime.hold, term(0.0)),
        launch=given(runtime.launch, NO_TIME),
        gain=gain,
    )


def alive_of(design: Design, context: Term, tokens: Term) -> tuple[Residency, Plan]:
    """Return what a device holds for one request at its mean context, and the plan of a step of it alone.

    Args:
        tokens: of a prompt in one step, whose activations are held too.
    """
    single = plan_of(design, Step(phase="decode", sequences=ONE, tokens=ONE, context=context))
    busy = plan_of(design, Step(phase="prefill", sequences=ONE, tokens=tokens, context=context * 0.0))
    activations = maximum(single.residency.activations, busy.residency.activations)
    return evolve(single.residency, activations=activations.named("activations")), single


def room_of(design: Design, registry: Registry, alive: Residency) -> Term:
    """Return how many requests the memory of a replica holds beside weights and activations; endless where the cache may
    spill.

    Args:
        alive: what a device holds for one request.
    """
    if design.memory.kv == "spilled":
        return term(float("inf"))
    limits = placed(design, registry, alive).limits
    memory = next(limit for limit in limits if limit.name == "memory")
    share = design.runtime.memory
    left = memory.available - memory.used + alive.kv
    if share is not None:
        # Whoever runs a model that fills the memory raises the share that the runtime may take.
        usual = memory.available * share - alive.weights - alive.activations
        left = where(usual > alive.kv, usual, left)
    return (left / maximum(alive.kv, _BYTE)).named("requests that the memory holds")
