"""From a design to an evaluation: build, plan, cost and compose each phase. Pure; sees a whole sweep at once."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from attrs import evolve, frozen

from accelscope.core.assemble.design import Design
from accelscope.core.blocks.scenario import Training
from accelscope.core.evaluate.batch_rounds import compute_batch_rounds
from accelscope.core.evaluate.memory_placement import Placement, place_memory
from accelscope.core.evaluate.pass_cost import PassCost, build_step_plan, compute_pass_cost
from accelscope.core.evaluate.serving.closed_loop import solve_closed_loop
from accelscope.core.evaluate.serving.disaggregated import solve_disaggregated
from accelscope.core.evaluate.serving.steady_state import SteadyState
from accelscope.core.evaluate.training.step import TrainingStepCost, compute_training_step
from accelscope.core.evaluate.variability.latency import LatencyDistribution, build_latency_distribution
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import MemoryPart
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Plan, Residency
from accelscope.core.ir.usage import Limit
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.term import Term, ceil, maximum, minimum, strip_count_unit


@frozen(kw_only=True, eq=False)
class Evaluation:
    """What metrics are computed from.

    Attributes:
        prefill, decode: costed passes; decode at the mean context of the answer.
        residency: bytes on one device when the context is longest.
        limits: everything with a capacity, of the design and of both passes.
        batch: sequences that the whole system serves at once.
        rounds: in which a static batch is served one part after the other, where memory does not hold all of it.
        loop: the steady state under a closed loop, or None for a static batch; of the replica that decodes.
        prompt_latency, step_latency: the times of both passes as distributions, or None where nothing is said to be random.
        training: a step of training, or None where the model serves; `prefill` and `decode` are then its passes forward
            and backward.
    """

    design: Design
    prefill: PassCost
    decode: PassCost
    residency: Residency
    batch: Term
    devices_used: Term
    limits: tuple[Limit, ...]
    rounds: Term = ONE
    loop: SteadyState | None = None
    prompt_latency: LatencyDistribution | None = None
    step_latency: LatencyDistribution | None = None
    training: TrainingStepCost | None = None

    @property
    def sort(self) -> str:
        """What was evaluated, as metrics name it: `serving` or `training`."""
        return "serving" if self.training is None else "training"

    @property
    def passes(self) -> tuple[PassCost, ...]:
        """All passes, in the order in which they run."""
        found = (self.prefill, self.decode)
        return found if self.training is None else (*found, self.training.update)

    @property
    def home(self) -> MemoryPart[Any]:
        """The memory level that holds weights and KV cache."""
        return self.design.machine.device.home


def evaluate(design: Design) -> Evaluation:
    """Return an evaluation of a design: of a static batch, of the steady state under a closed loop, or of training."""
    if design.training is not None:
        return _training(design, design.training)
    clients = design.load.concurrency
    if clients is not None:
        return _varied(_under_load(design, clients))
    load = design.load
    batch = (load.batch or ONE).named("batch")
    prompt = strip_count_unit(load.prompt).named("prompt")
    output = strip_count_unit(load.output).named("output")
    context = (prompt + (output - 1.0) / 2.0).named("mean context of a decode step")
    first = _prompts(design, batch, prompt)
    further = Step(phase=Phase.DECODE, sequences=batch, tokens=ONE, context=context)
    longest = evolve(further, context=prompt + output - 1.0)
    held = _residency(build_step_plan(design, longest), build_step_plan(design, first))
    rounds = compute_batch_rounds(design, held, batch)
    placement = place_memory(design, evolve(held, kv=held.kv / rounds))
    first, further = (evolve(step, sequences=step.sequences / rounds) for step in (first, further))
    prefill = compute_pass_cost(design, first.phase, build_step_plan(design, first), placement)
    decode = compute_pass_cost(design, further.phase, build_step_plan(design, further), placement)
    found = _evaluation(design, prefill, decode, placement, batch, decode.plan.ranks)
    return _varied(evolve(found, rounds=rounds))


def _varied(found: Evaluation) -> Evaluation:
    """Return an evaluation with the times of its passes as distributions, where its scenario says what is random."""
    design, words = found.design, found.design.variability
    if words is None:
        return found
    pools = design.pools
    first, further = (design, design) if pools is None else (pools.prefill, pools.decode)
    return evolve(
        found,
        prompt_latency=build_latency_distribution(found.prefill, words, first),
        step_latency=build_latency_distribution(found.decode, words, further),
    )


def _prompts(design: Design, batch: Term, prompt: Term) -> Step:
    """Return the pass over the prompts of a batch: whole, or the mean one of the chunks that the runtime cuts them into.

    Chunks follow each other through the stages of a pipeline, so they count as its micro-batches.
    """
    if design.runtime.prefill_chunk_size is None:
        return Step(phase=Phase.PREFILL, sequences=batch, tokens=prompt, context=ONE * 0.0)
    tokens = minimum(prompt, strip_count_unit(design.runtime.prefill_chunk_size)).named(
        "prompt tokens of a pass"
    )
    return Step(
        phase=Phase.PREFILL,
        sequences=batch,
        tokens=tokens,
        context=((prompt - tokens) / 2.0).named("tokens done before"),
        microbatches=ceil(prompt / tokens).named("chunks of a prompt"),
    )


def _under_load(design: Design, clients: Term) -> Evaluation:
    pools, clients = design.pools, clients.named("clients")
    served = (
        solve_closed_loop(design, clients) if pools is None else solve_disaggregated(design, pools, clients)
    )
    loop = served.loop
    found = _evaluation(design, loop.prompts, loop.decode, served.placement, served.batch, served.ranks)
    return evolve(found, loop=loop)


def _training(design: Design, asked: Training) -> Evaluation:
    step = compute_training_step(design, asked)
    found = _evaluation(
        design, step.forward, step.backward, step.placement, asked.batch, step.forward.plan.ranks
    )
    return evolve(found, training=step)


def _evaluation(
    design: Design,
    prefill: PassCost,
    decode: PassCost,
    placement: Placement,
    batch: Term,
    ranks: Term,
) -> Evaluation:
    ranks = ranks.named("devices used")
    devices = Limit(
        name="devices",
        used=ranks,
        available=design.machine.devices,
        reason="the split needs more devices",
    )
    return Evaluation(
        design=design,
        prefill=prefill,
        decode=decode,
        residency=placement.held,
        batch=batch,
        devices_used=ranks,
        limits=(
            *design.limits,
            *_rules(design, prefill, decode),
            devices,
            *placement.limits,
            *(limit for cost in (*prefill.ops, *decode.ops) for limit in cost.limits),
        ),
    )


def _rules(design: Design, prefill: PassCost, decode: PassCost) -> Iterator[Limit]:
    """Yield the rules of the split; pools have one each, which their names tell apart."""
    if design.pools is None:
        yield from prefill.plan.limits
        return
    for pool, step in (("prefill", prefill), ("decode", decode)):
        for limit in step.plan.limits:
            yield evolve(limit, name=f"{pool}: {limit.name}")


def _residency(longest: Plan, prefill: Plan) -> Residency:
    """Weights and KV when the context is longest; activations of the pass that has most of them, prefill."""
    activations = maximum(longest.residency.activations, prefill.residency.activations)
    return evolve(longest.residency, activations=activations.named("activations"))
