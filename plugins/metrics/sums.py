"""Sums over the operations of a pass, per device."""

from __future__ import annotations

import numpy as np

from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.evaluate.pass_cost import PassCost
from accelscope.core.ir.constants import ONE
from accelscope.core.numeric.term import Term, strip_count_unit, total


def decode_steps(evaluation: Evaluation) -> Term:
    """Return how many decode steps the sequences that are served at once take: first tokens come with the prompts.

    A step of training has one backward pass in its place.
    """
    if evaluation.training is not None:
        return ONE
    if evaluation.loop is not None:
        return evaluation.loop.steps
    return (strip_count_unit(evaluation.design.load.output) - 1.0) * evaluation.rounds


def prefill_passes(evaluation: Evaluation) -> Term:
    """Return how many passes work on the prompts of the sequences that are served at once."""
    return evaluation.rounds if evaluation.loop is None else evaluation.loop.prompt_steps


def pass_flops(step: PassCost) -> Term:
    """Return the FLOPs of one device in a pass, all micro-batches."""
    return total(cost.op.flops * cost.op.repeat for cost in step.ops) * step.plan.microbatches


def pass_bytes(step: PassCost) -> Term:
    """Return the bytes of weights and KV cache that one device reads in a pass, all micro-batches."""
    moved = total((cost.op.weights + cost.op.kv_read) * cost.op.repeat for cost in step.ops)
    return moved * step.plan.microbatches


def compute_peak(evaluation: Evaluation) -> Term | None:
    """Return the dense peak of the fastest engine of one device in the data type that the model computes in.

    None where no engine computes in it.
    """
    dtype = evaluation.design.precision.activations
    best: Term | None = None
    for part in evaluation.design.machine.device.engines:
        rate = part.peak(dtype)
        if rate is not None and (best is None or np.max(rate.value) > np.max(best.value)):
            best = rate
    return None if best is None else best.named(f"peak in {dtype}")
