"""Pools: prompts on some devices, decoding on others, and the KV cache on its way between them.

Zhong et al., "DistServe", OSDI 2024: prompts do not delay decoding, and each pool has a split of its own. In the steady
state of a closed loop both pools serve requests at the same rate. With C clients, prompts that take the prefill pool s
seconds each when all of its replicas are busy, and D decode steps of time T(batch),

    cycle = max(host + own prompt + queue + transfer + D T, C s),    batch = C D T / cycle / replicas of the decode pool

The second is the bound of a closed queueing network by its bottleneck (Denning and Buzen, "The operational analysis of
queueing network models", 1978): where the prefill pool is too slow, requests queue there and decoding runs thin.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from accelscope.core.evaluate.collective_cost import compute_collective_cost
from accelscope.core.evaluate.memory_placement import Placement, place_memory
from accelscope.core.evaluate.pass_cost import PassCost
from accelscope.core.evaluate.serving.closed_loop import (
    ServingState,
    build_scheduling_policy,
    build_serving_engine,
    count_request_slots,
    plan_single_request,
)
from accelscope.core.evaluate.serving.engine_step import ServingEngine, chunk_prompts
from accelscope.core.evaluate.serving.speculative import expected_step_tokens
from accelscope.core.evaluate.serving.steady_state import BATCH_ITERATIONS, SteadyState, request_overhead_time
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.plan import Collective, Plan
from accelscope.core.ir.usage import Limit
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.term import Term, ceil, floor, maximum, minimum, strip_count_unit, term, where

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design, DisaggregatedPools

_TOO_FEW = "the split of the pool needs more devices"


@frozen(kw_only=True, eq=False)
class PrefillPoolState:
    """What the prefill pool does.

    Attributes:
        own: s of a prompt that finds a replica free.
        each: s of the pool for a prompt when all replicas are busy.
        step: cost of one pass.
        passes: passes of a replica for each request of the system.
        transfer: time until the KV cache of a prompt is in the decode pool.
        instances: how often the pool's split is there.
    """

    own: Term
    each: Term
    step: PassCost
    passes: Term
    transfer: Term
    placement: Placement
    replicas: Term
    instances: Term = ONE


def solve_disaggregated(design: Design, pools: DisaggregatedPools, clients: Term) -> ServingState:
    """Return the steady state of a prefill and a decode pool under some clients of both."""
    load = design.load
    prompt, output = (
        strip_count_unit(load.prompt).named("prompt"),
        strip_count_unit(load.output).named("output"),
    )
    one = solve_prefill_pool(pools, prompt, clients)
    context = (prompt + (output - 1.0) / 2.0).named("mean context of a decode step")
    alive, single = plan_single_request(pools.decode, context, ONE)
    replicas = single.replicas
    room = count_request_slots(pools.decode, alive)
    if pools.decode.scheduler.max_batch is not None:
        room = minimum(room, pools.decode.scheduler.max_batch)
    most = maximum(room, 1.0) * replicas
    batch = minimum(clients / replicas, maximum(room, 1.0))
    held = evolve(alive, kv=(alive.kv * maximum(batch, 1.0)).named("KV cache of running requests"))
    placement = place_memory(pools.decode, held)
    engine = build_serving_engine(pools.decode, placement, single, context)
    first, loop = one, _state(engine, one, clients, most, output, batch)
    for _ in range(BATCH_ITERATIONS - 1):
        first = _keeping_up(one, loop, output - 1.0, pools)
        loop = _state(engine, first, clients, most, output, loop.batch)
    return _both(loop, first, clients, placement, single, pools)


def solve_prefill_pool(pools: DisaggregatedPools, prompt: Term, clients: Term) -> PrefillPoolState:
    """Return the prefill pool: prompts alone, as many in a step as fit into its tokens and wait for it."""
    design = pools.prefill
    alive, single = plan_single_request(design, prompt, ONE)
    budget = build_scheduling_policy(design, ONE).budget
    waiting = clients / single.replicas
    fitting = minimum(waiting, maximum(budget / prompt, 1.0))
    many = maximum(floor(fitting), 1.0).named("prompts of a step")
    placement = place_memory(design, evolve(alive, kv=alive.kv * many))
    engine = build_serving_engine(design, placement, single, prompt)
    alone, full = chunk_prompts(prompt, budget, ONE), chunk_prompts(prompt, budget, many)
    steps = (prompt / alone.tokens).named("steps of a prompt")
    busy = engine.prompts(full)
    each = busy.time * steps / (many * busy.plan.microbatches * single.replicas)
    return PrefillPoolState(
        own=(engine.prompts(alone).time * steps).named("own prompt"),
        each=each.named("time of the prefill pool for a prompt"),
        step=busy,
        passes=steps / (many * single.replicas),
        transfer=_transfer(pools, single, alive.kv),
        placement=placement,
        replicas=single.replicas,
    )


def _keeping_up(
    one: PrefillPoolState, loop: SteadyState, answer: Term, pools: DisaggregatedPools
) -> PrefillPoolState:
    """Return a pool of as many instances as its work on all running prompts fits into a cycle without its queue."""
    spent = one.own + one.transfer + loop.tpot * answer
    needed = maximum(ceil(loop.running * one.each / spent), 1.0)
    many = where(pools.keeps_up, needed, ONE).named("instances of the prefill pool")
    return evolve(
        one, each=one.each / many, passes=one.passes / many, replicas=one.replicas * many, instances=many
    )


def _transfer(pools: DisaggregatedPools, single: Plan, cache: Term) -> Term:
    """Return the time that each rank takes to send its part of a prompt's KV cache to the decode pool.

    Layer by layer, all but the last layer goes out while the next ones are computed.
    """
    item = Collective(
        name="kv_transfer",
        kind=CollectiveKind.SEND_RECV,
        bytes=cache,
        ranks=term(2.0),
        stride=single.ranks / single.replicas,
    )
    whole = compute_collective_cost(pools.prefill.machine, item).time
    if pools.overlap == "layerwise":
        whole = whole / single.workload.layers
    return whole.named("transfer of the KV cache")


def _state(
    engine: ServingEngine, first: PrefillPoolState, clients: Term, most: Term, output: Term, batch: Term
) -> SteadyState:
    """Return the state that a batch of the decode pool leads to."""
    design = engine.design
    manner = build_scheduling_policy(design, expected_step_tokens(design.speculative), usual="pools")
    answer = output - 1.0
    decode = engine.decode(batch)
    decoding = (answer / manner.gain * decode.time).named("decoding of an answer")
    running = minimum(clients, most)
    others = maximum(running - first.replicas, 0.0)
    queue = (others * manner.arrival_correlation / 2.0 * first.each).named("prompts of others before it")
    least = request_overhead_time(manner, first.step) + first.own + queue + first.transfer + decoding
    cycle = maximum(least, running * first.each).named("cycle of a request")
    wait = (cycle * (clients / running - 1.0)).named("wait for room")
    decoded = running * decoding / cycle / engine.replicas
    return SteadyState(
        ttft=wait + cycle - decoding,
        tpot=decoding / where(answer > 0.0, answer, ONE),
        cycle=cycle,
        wait=wait,
        running=running,
        batch=where(answer > 0.0, decoded, ONE).named("sequences that decode in a step"),
        steps=(cycle / decode.time).named("steps of the decode pool in a cycle"),
        prompt_steps=(running * first.passes).named("steps of the prefill pool in a cycle"),
        prompts=first.step,
        decode=decode,
    )


def _both(
    loop: SteadyState,
    first: PrefillPoolState,
    clients: Term,
    placement: Placement,
    single: Plan,
    pools: DisaggregatedPools,
) -> ServingState:
    """Return the state with its steps as means over the devices of both pools."""
    prefill, decode = first.step.plan.ranks * first.instances, single.ranks
    ranks = (prefill + decode).named("devices of both pools")
    limits = (
        *placement.limits,
        *first.placement.limits,
        Limit("devices of the prefill pool", prefill, pools.prefill.machine.devices, _TOO_FEW),
        Limit("devices of the decode pool", decode, pools.decode.machine.devices, _TOO_FEW),
    )
    return ServingState(
        loop=evolve(
            loop, steps=loop.steps * decode / ranks, prompt_steps=loop.prompt_steps * prefill / ranks
        ),
        batch=minimum(loop.running, clients),
        ranks=ranks,
        residency=placement.held,
        placement=evolve(placement, limits=limits),
    )
