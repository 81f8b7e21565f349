"""What one engine step costs: sequences that decode, chunks of prompts, or both at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

from attrs import evolve, frozen

from accelscope.core.evaluate.memory_placement import Placement
from accelscope.core.evaluate.pass_cost import (
    PassCost,
    build_step_plan,
    compute_pass_cost,
    split_replica_batch,
)
from accelscope.core.evaluate.serving.mixed_step import merge_passes
from accelscope.core.evaluate.spatial_pipeline import is_streaming
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Plan
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.term import Term, minimum, term

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Design

_ZERO = term(0.0)


@frozen(kw_only=True, eq=False)
class PromptChunks:
    """Prompts that one engine step works on, in each replica and micro-batch.

    Attributes:
        prompts: number of prompts.
        tokens: tokens of each prompt in this step.
        before: tokens of each that earlier steps have done, on average.
        requests_started: requests that a step counts for: a prompt over several steps counts once.
    """

    prompts: Term
    tokens: Term
    before: Term
    requests_started: Term

    @property
    def total_tokens(self) -> Term:
        """Tokens of all prompts in the step."""
        return self.prompts * self.tokens


def chunk_prompts(prompt: Term, budget: Term, prompts: Term) -> PromptChunks:
    """Return how prompts are cut: a long one over several steps, each with the budget of a step.

    Args:
        prompt: tokens of a prompt.
        budget: most tokens of a step.
        prompts: how many are begun together, of those that fit.
    """
    tokens = minimum(prompt, budget).named("prompt tokens of a step")
    return PromptChunks(
        prompts=prompts,
        tokens=tokens,
        before=((prompt - tokens) / 2.0).named("tokens done before"),
        requests_started=prompts * tokens / prompt,
    )


def resolve_batching_policy(design: Design) -> str:
    """Return whether prompts share steps with decoding: as the scheduler says, else the runtime, else they do."""
    return design.scheduler.policy or design.runtime.scheduling_policy or "continuous"


@frozen(kw_only=True, eq=False)
class ServingEngine:
    """A design whose steps can be costed.

    Attributes:
        replicas: copies of the model, each with an engine of its own.
        context: mean tokens in the KV cache of a sequence that decodes.
        verified_tokens: tokens that a step checks for each sequence: 1, or more with speculative decoding.
        draft_overhead: what a draft adds to a step, as a share of it.
    """

    design: Design
    placement: Placement
    replicas: Term
    context: Term
    verified_tokens: Term = ONE
    draft_overhead: Term = _ZERO

    def decode(self, sequences: Term) -> PassCost:
        """Return a step in which some sequences of each replica decode."""
        plan = build_step_plan(self.design, self._decoding(sequences))
        return self._drafted(compute_pass_cost(self.design, Phase.DECODE, plan, self.placement))

    def prompts(self, chunks: PromptChunks) -> PassCost:
        """Return a step with chunks of prompts alone."""
        step = Step(
            phase=Phase.PREFILL,
            sequences=chunks.prompts * self.replicas,
            tokens=chunks.tokens,
            context=chunks.before,
        )
        return compute_pass_cost(
            self.design, Phase.PREFILL, build_step_plan(self.design, step), self.placement
        )

    def mixed_step(self, sequences: Term, chunks: PromptChunks) -> PassCost:
        """Return a step in which sequences decode and chunks of prompts are worked on too."""
        design, model, precision = self.design, self.design.model, self.design.precision
        decoding = self._decoding(sequences)
        decoding, sequences = split_replica_batch(design, decoding)
        prompts = Step(
            phase=Phase.PREFILL, sequences=chunks.prompts, tokens=chunks.tokens, context=chunks.before
        )
        work = merge_passes(
            model.record.build(model.spec, decoding, precision),
            model.record.build(model.spec, prompts, precision),
        )
        plan = Plan(ops=work.ops, residency=work.residency, workload=work, microbatches=decoding.microbatches)
        for strategy, spec in design.strategies:
            plan = strategy.shard(spec, plan, design.machine)
        step = self._drafted(compute_pass_cost(design, Phase.DECODE, plan, self.placement))
        request = design.runtime.per_request_overhead
        time = step.time if request is None else step.time + request * chunks.requests_started
        return evolve(step, time=time.named("step with prompts"))

    @property
    def supports_mixed_steps(self) -> bool:
        """Whether prompts and decoding sequences can share a step: not where tokens stream through a device."""
        return resolve_batching_policy(self.design) != "prefill_first" and not is_streaming(self.design)

    def _decoding(self, sequences: Term) -> Step:
        return Step(
            phase=Phase.DECODE,
            sequences=(sequences * self.replicas).named("sequences that decode"),
            tokens=self.verified_tokens,
            context=self.context,
        )

    def _drafted(self, step: PassCost) -> PassCost:
        """Return a step with the time of the draft."""
        return evolve(step, time=step.time * (1.0 + self.draft_overhead)) if self.design.speculative else step
