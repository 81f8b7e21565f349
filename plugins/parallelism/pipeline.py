"""Pipeline parallelism: each stage holds some layers, and micro-batches follow each other through the stages.

The plan describes one stage and one micro-batch; how a pass takes its time from `stages` and `microbatches` is the
core's part. One sequence passes all stages, so its latency is not divided.
"""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np
from attrs import evolve

from accelscope.core.ir.hardware import Machine
from accelscope.core.ir.operation import Step
from accelscope.core.ir.plan import Collective, Plan, Residency
from accelscope.core.ir.usage import Limit
from accelscope.core.ir.vocabulary import CollectiveKind
from accelscope.core.numeric.term import Term, ceil, minimum
from accelscope.core.plugin.records import Strategy
from accelscope.core.spec.spec import count, spec
from accelscope.plugins.parallelism.degree import NO_SPLIT, check_degree_bound, largest_share


@spec(kind="parallel", within=("deployment", "pool"))
class PipelineParallelism:
    """Stages of consecutive layers."""

    pp: Term = count(doc="pipeline parallelism: stages of consecutive layers", default=1, source=NO_SPLIT)
    virtual_stages: Term = count(
        aliases=("interleave",),
        doc="virtual pipeline stages per stage (interleaved schedule)",
        default=1,
        source="each stage holds consecutive layers unless told otherwise",
    )


def split_pipeline_parallel(spec: PipelineParallelism, step: Step) -> Step:
    """Divide the sequences into as many micro-batches as there are stages, or sequences where those are fewer.

    A step of training says how large a micro-batch is.
    """
    parts = minimum(spec.pp, step.sequences)
    if step.micro_batch is not None:
        parts = ceil(step.sequences / step.micro_batch)
    return evolve(
        step,
        sequences=ceil(step.sequences / parts).named("sequences of a micro-batch"),
        microbatches=(step.microbatches * parts).named("micro-batches"),
    )


def shard_pipeline_parallel(spec: PipelineParallelism, plan: Plan, machine: Machine) -> Plan:
    """Give each stage its layers, and a share of embedding and lm_head, whose stages get fewer layers instead.

    The KV cache of all micro-batches stays on the device.
    """
    layers = largest_share(plan.workload.layers, spec.pp)
    held = plan.residency
    return evolve(
        plan,
        ops=tuple(
            evolve(op, repeat=op.repeat * (layers if op.layered else 1.0 / spec.pp)) for op in plan.ops
        ),
        collectives=(
            *(
                evolve(c, repeat=c.repeat * (layers if c.layered else 1.0 / spec.pp))
                for c in plan.collectives
            ),
            _boundary(spec, plan),
        ),
        residency=Residency(
            weights=held.weights * layers,
            kv=held.kv * layers * plan.microbatches,
            activations=held.activations,
            replicated=held.replicated,
        ),
        stages=plan.stages * spec.pp,
        chunks=spec.virtual_stages,
        ranks=plan.ranks * spec.pp,
        limits=(*plan.limits, *_limits(spec, plan.workload.layers)),
    )


def _limits(spec: PipelineParallelism, layers: Term) -> Iterator[Limit]:
    """Yield that every stage has a layer, and so has every group of layers where stages hold several."""
    yield check_degree_bound("pp", spec.pp, layers, "layers")
    if np.any(spec.virtual_stages > 1.0):
        groups = (spec.pp * spec.virtual_stages).named("groups of layers of all stages")
        reason = "pp × virtual_stages is more than the number of layers, so some groups would have none"
        yield Limit(name="pp × virtual_stages at most layers", used=groups, available=layers, reason=reason)


def _boundary(spec: PipelineParallelism, plan: Plan) -> Collective:
    """Each stage hands its activation to the next; the ranks of one stage lie between the two.

    Stages are a chain through the tiers of the network, as slow as its slowest link.
    """
    return Collective(
        name="stage_send",
        kind=CollectiveKind.SEND_RECV,
        bytes=plan.workload.activation if plan.handed is None else plan.handed,
        ranks=spec.pp,
        stride=plan.ranks / plan.replicas,
        repeat=spec.virtual_stages,
    )


PIPELINE = Strategy(
    name="pipeline",
    doc="Consecutive layers on different devices, with micro-batches: `pp`.",
    spec=PipelineParallelism,
    order=40,
    split=split_pipeline_parallel,
    shard=shard_pipeline_parallel,
)
