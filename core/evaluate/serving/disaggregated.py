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

from accelscope.core.evaluate.collective_cost import transfer
from accelscope.core.evaluate.memory_placement import Placement, placed
from accelscope.core.evaluate.pass_cost import Pass, plain
from accelscope.core.evaluate.serving.closed_loop import Served, alive_of, engine_of, manner_of, room_of
from accelscope.core.evaluate.serving.engine_step import Engine, chunks_of
from accelscope.core.evaluate.serving.speculative import gained
from accelscope.core.evaluate.serving.steady_state import ROUNDS, Loop, latency_of
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.plan import Collective, Plan
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import Term, ceil, floor, maximum, minimum, term, where

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design, Pools
    from accelscope.core.plugin.registry import Registry

_TOO_FEW = "the split of the pool needs more devices"


@frozen(kw_only=True, eq=False)
class Prompts:
    """What the prefill pool does.

    Attributes:
        own: time of a prompt that finds a replica free; each: time of the pool for a prompt when all are busy.
        step: one pass; passes: of a replica for each request of the system.
        transfer: time until the KV cache of a prompt is in the decode pool.
        instances: how often the pool's split is there.
    """

    own: Term
    each: Term
    step: Pass
    passes: Term
    transfer: Term
    placement: Placement
    replicas: Term
    instances: Term = ONE


def pooled(design: Design, pools: Pools, registry: Registry, clients: Term) -> Served:
    """Return the steady state of a prefill and a decode pool under some clients of both."""
    load = design.load
    prompt, output = plain(load.prompt).named("prompt"), plain(load.output).named("output")
    one = prompts_of(pools, registry, prompt, clients)
    context = (prompt + (output - 1.0) / 2.0).named("mean context of a decode step")
    alive, single = alive_of(pools.decode, context, ONE)
    replicas = single.replicas
    room = room_of(pools.decode, registry, alive)
    if pools.decode.scheduler.max_batch is not None:
        room = minimum(room, pools.decode.scheduler.max_batch)
    most = maximum(room, 1.0) * replicas
    batch = minimum(clients / replicas, maximum(room, 1.0))
    held = evolve(alive, kv=(alive.kv * maximum(batch, 1.0)).named("KV cache of running requests"))
    placement = placed(pools.decode, registry, held)
    engine = engine_of(pools.decode, registry, placement, single, context)
    first, loop = one, _state(engine, one, clients, most, output, batch)
    for _ in range(ROUNDS - 1):
        first = _keeping_up(one, loop, output - 1.0, pools)
        loop = _state(engine, first, clients, most, output, loop.batch)
    return _both(loop, first, clients, placement, single, pools)


def prompts_of(pools: Pools, registry: Registry, prompt: Term, clients: Term) -> Prompts:
    """Return the prefill pool: prompts alone, as many in a step as fit into its tokens and wait for it."""
    design = pools.prefill
    alive, single = alive_of(design, prompt, ONE)
    budget = manner_of(design, ONE).budget
    waiting = clients / single.replicas
    fitting = minimum(waiting, maximum(budget / prompt, 1.0))
    many = maximum(floor(fitting), 1.0).named("prompts of a step")
    placement = placed(design, registry, evolve(alive, kv=alive.kv * many))
    engine = engine_of(design, registry, placement, single, prompt)
    alone, full = chunks_of(prompt, budget, ONE), chunks_of(prompt, budget, many)
    steps = (prompt / alone.tokens).named("steps of a prompt")
    busy = engine.prompts(full)
    each = busy.time * steps / (many * busy.plan.microbatches * single.replicas)
    return Prompts(
        own=(engine.prompts(alone).time * steps).named("own prompt"),
        each=each.named("time of the prefill pool for a prompt"),
        step=busy,
        passes=steps / (many * single.replicas),
        transfer=_transfer(pools, registry, single, alive.kv),
        placement=placement,
        replicas=single.replicas,
    )


def _keeping_up(one: Prompts, loop: Loop, answer: Term, pools: Pools) -> Prompts:
    """Return a pool of as many instances as its work on all running prompts fits into a cycle without its queue."""
    spent = one.own + one.transfer + loop.tpot * answer
    needed = maximum(ceil(loop.running * one.each / spent), 1.0)
    many = where(pools.keeps_up, needed, ONE).named("instances of the prefill pool")
    return evolve(
        one, each=one.each / many, passes=one.passes / many, replicas=one.replicas * many, instances=many
    )


def _transfer(pools: Pools, registry: Registry, single: Plan, cache: Term) -> Term:
    """Return the time that each rank takes to send its part of a prompt's KV cache to the decode pool.

    Layer by layer, all but the last layer goes out while the next ones are computed.
    """
    item = Collective(
        name="kv_transfer",
        kind="send_recv",
        bytes=cache,
        ranks=term(2.0),
        stride=single.ranks / single.replicas,
    )
    whole = transfer(pools.prefill.machine, item, registry).time
    if pools.overlap == "layerwise":
        whole = whole / single.workload.layers
    return whole.named("transfer of the KV cache")


def _state(engine: Engine, first: Prompts, clients: Term, most: Term, output: Term, batch: Term) -> Loop:
    """Return the state that a batch of the decode pool leads to."""
    design = engine.design
    manner = manner_of(design, gained(design.speculative), usual="pools")
    answer = output - 1.0
    decode = engine.decode(batch)
    decoding = (answer / manner.gain * decode.time).named("decoding of an answer")
    running = minimum(clients, most)
    others = maximum(running - first.replicas, 0.0)
    queue = (others * manner.bunching / 2.0 * first.each).named("prompts of others before it")
    least = latency_of(manner, first.step) + first.own + queue + first.transfer + decoding
    cycle = maximum(least, running * first.each).named("cycle of a request")
    wait = (cycle * (clients / running - 1.0)).named("wait for room")
    decoded = running * decoding / cycle / engine.replicas
    return Loop(
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
    loop: Loop, first: Prompts, clients: Term, placement: Placement, single: Plan, pools: Pools
) -> Served:
    """Return the state with its steps as means over the devices of both pools."""
    prefill, decode = first.step.plan.ranks * first.instances, single.ranks
    ranks = (prefill + decode).named("devices of both pools")
    limits = (
        *placement.limits,
        *first.placement.limits,
        Limit("devices of the prefill pool", prefill, pools.prefill.machine.devices, _TOO_FEW),
        Limit("devices of the decode pool", decode, pools.decode.machine.devices, _TOO_FEW),
    )
    return Served(
        loop=evolve(
            loop, steps=loop.steps * decode / ranks, prompt_steps=loop.prompt_steps * prefill / ranks
        ),
        batch=minimum(loop.running, clients),
        ranks=ranks,
        residency=placement.held,
        placement=evolve(placement, limits=limits),
    )
