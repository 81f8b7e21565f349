"""The steady state of continuous batching in a closed loop: clients that ask again as soon as they are answered.

In one cycle of a request an engine works on the prompt of every running sequence once, and each of them decodes D steps.
With R running sequences, prompts that take M steps a cycle, T the time of a step that only decodes, and x what prompts
add to a step (continuous batching: the difference of a mixed step; prompts first: a whole step of prompts),

    decoding = D T + X x,     X = M (1 - 1/R) (1 - b/2)      (at most D where prompts share steps with decoding)
    cycle    = host + waiting for b/2 of the others' prompts + own prompt + decoding

Here b, `arrival_correlation`, is the share of the other clients whose prompts arrive together with a request: 0 where arrivals are
spread evenly over the cycle, 1 where all sequences begin and end together, so that a request waits for half of the
others before its first token and for the other half after it. The batch that decodes is the tokens of a cycle over its
steps; it and the cycle depend on each other, and a few rounds find both. The steady state of such a loop obeys
Little's law (Little, 1961): clients that find no room wait a share of a cycle.
"""

from __future__ import annotations

import numpy as np
from attrs import frozen

from accelscope.core.evaluate.pass_cost import PassCost
from accelscope.core.evaluate.serving.engine_step import PromptChunks, ServingEngine, chunk_prompts
from accelscope.core.ir.constants import NO_TIME, ONE
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.term import Array, Term, floor, maximum, minimum, term, total, where

_ZERO = term(0.0)
BATCH_ITERATIONS = 3
"""Rounds of the search for the batch; a step depends on it so weakly that each round takes most of the error away."""


@frozen(kw_only=True, eq=False)
class ClientLoad:
    """What asks, in each replica.

    Attributes:
        count: number of clients.
        running: clients for which there is room.
        prompt, output: tokens of a request.
    """

    count: Term
    running: Term
    prompt: Term
    output: Term


@frozen(kw_only=True, eq=False)
class SchedulingPolicy:
    """How an engine schedules.

    Attributes:
        budget: most tokens of a step.
        arrival_correlation: share of the other clients that arrive together with a request.
        host: time of the host for a request, beside its steps.
        gain: tokens of a sequence that a step yields.
        hold: steps for which prompts are held back where replicas work in step.
        launch: further latency for each kernel of a step with prompts.
    """

    budget: Term
    arrival_correlation: Term
    host: Term
    gain: Term = ONE
    hold: Term = _ZERO
    launch: Term = NO_TIME


@frozen(kw_only=True, eq=False)
class SteadyState:
    """The steady state of one replica.

    Attributes:
        ttft: s from a request to its first token (TTFT), with the wait for room.
        tpot: s between two tokens of a sequence (TPOT).
        cycle: s from the moment there is room for a request to its last token.
        wait: s until there is room.
        running: sequences that have room.
        batch: sequences in a step that decodes.
        steps: steps of a cycle in which sequences decode.
        prompt_steps: steps of a cycle that work on prompts.
        prompts, decode: the passes at this state.
    """

    ttft: Term
    tpot: Term
    cycle: Term
    wait: Term
    running: Term
    batch: Term
    steps: Term
    prompt_steps: Term
    prompts: PassCost
    decode: PassCost


def solve_steady_state(engine: ServingEngine, clients: ClientLoad, manner: SchedulingPolicy) -> SteadyState:
    """Return the steady state of one replica under a load."""
    chunks = _chunks(clients, manner)
    alone = engine.prompts(chunks)
    batch = clients.running
    for _ in range(BATCH_ITERATIONS - 1):
        batch = _state(engine, clients, manner, chunks, alone, batch).batch
    return _state(engine, clients, manner, chunks, alone, batch)


def _chunks(clients: ClientLoad, manner: SchedulingPolicy) -> PromptChunks:
    together = minimum(clients.running, maximum(manner.budget / clients.prompt, 1.0))
    prompts = maximum(floor(1.0 + manner.arrival_correlation * (together - 1.0)), 1.0)
    return chunk_prompts(clients.prompt, manner.budget, prompts.named("prompts begun together"))


def _state(
    engine: ServingEngine,
    clients: ClientLoad,
    manner: SchedulingPolicy,
    chunks: PromptChunks,
    alone: PassCost,
    batch: Term,
) -> SteadyState:
    """Return the state that a batch of decoding sequences leads to."""
    running, answer = clients.running, clients.output - 1.0
    steps = (answer / manner.gain).named("steps of an answer")
    decode = engine.decode(batch)
    if engine.supports_mixed_steps:
        mixed = engine.mixed_step(batch, chunks)
        parts, busy = mixed.plan.microbatches, mixed.time
        added = maximum(busy - decode.time, busy * 0.0)
    else:
        parts, busy, added = ONE, alone.time, alone.time
    needed = (running * clients.prompt / (chunks.total_tokens * parts)).named("steps with prompts in a cycle")
    others = (needed * (1.0 - 1.0 / maximum(running, 1.0))).named("steps with prompts of others")
    between = others * (1.0 - manner.arrival_correlation / 2.0)
    if engine.supports_mixed_steps:
        between = minimum(between, steps)
    delayed = (between * added).named("prompts of others while it decodes")
    decoding = (steps * decode.time + delayed).named("decoding of an answer")
    step = where(running > 1.0, busy, alone.time)
    own = (step * (clients.prompt / chunks.tokens)).named("own prompt")
    queue = (others * manner.arrival_correlation / 2.0 * busy).named("prompts of others before it")
    held = where(_replicas_in_lockstep(decode), manner.hold * decode.time, decode.time * 0.0)
    host = request_overhead_time(manner, alone)
    cycle = host + held.named("held back") + queue + own + decoding
    if engine.supports_mixed_steps:
        cycle = maximum(cycle, needed * busy)
    cycle = cycle.named("cycle of a request")
    spare = maximum(cycle - host - needed * busy, busy * 0.0) / decode.time
    taken = needed + spare if engine.supports_mixed_steps else spare
    taken = maximum(taken, steps).named("steps that decode in a cycle")
    wait = (cycle * (clients.count / running - 1.0)).named("wait for room")
    return SteadyState(
        ttft=wait + cycle - decoding,
        tpot=decoding / where(answer > 0.0, answer, ONE),
        cycle=cycle,
        wait=wait,
        running=running,
        batch=where(steps > 0.0, running * steps / where(taken > 0.0, taken, ONE), ONE).named(
            "sequences that decode in a step"
        ),
        steps=taken,
        prompt_steps=needed,
        prompts=alone,
        decode=decode,
    )


def request_overhead_time(manner: SchedulingPolicy, prompts: PassCost) -> Term:
    """Return what a request takes outside of steps: kernels of prompts are launched one by one, ahead of the device."""
    kernels = total(op.repeat * op.launches for op in prompts.plan.ops)
    return (manner.host + manner.launch * kernels).named("latency outside of steps")


def _replicas_in_lockstep(decode: PassCost) -> Array:
    """Return where replicas work in step: they exchange tokens in every layer, so none goes on without the others."""
    plan = decode.plan
    single = plan.ranks / plan.replicas
    found = np.zeros((), dtype=bool)
    for cost in decode.comms:
        if cost.item.kind == CollectiveKind.ALL_TO_ALL:
            found = found | (cost.item.ranks > single)
    return found
