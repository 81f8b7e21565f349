"""Two batches in turns: the layers of a pass run twice, on half of the sequences each, so that one computes while the other sends.

DeepSeek-V3 report, arXiv 2412.19437, section 3.4; dual-batch overlap of vLLM, two-batch overlap of SGLang. What it costs is that
weights are read twice, products have half of the rows, and kernels are started twice.
"""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Collective, Plan
from accelscope.core.ir.vocabulary import OpKind, Split
from accelscope.core.numeric.term import Term, maximum, where
from accelscope.plugins.parallelism.rows import count_sequences, scale_rows, scale_sequences, scale_visits


def halve_batch(plan: Plan) -> Plan:
    """Return a plan whose layers run twice on half of the sequences; a single sequence is not divided."""
    attending = [
        count_sequences(op) for op in plan.ops if op.kind == OpKind.ATTENTION and op.split == Split.HEADS
    ]
    if not attending:
        return plan
    times = where(maximum(*attending) >= 2.0, ONE * 2.0, ONE)
    return evolve(
        plan,
        ops=tuple(_half(op, plan, times) for op in plan.ops),
        collectives=tuple(_half_said(item, times) for item in plan.collectives),
    )


def _half(op: Op, plan: Plan, times: Term) -> Op:
    if not op.layered:
        return op
    part = ONE / times
    experts, top_k = plan.workload.experts, plan.workload.top_k
    if op.kind == OpKind.ATTENTION:
        half = scale_sequences(op, part)
    elif op.kind == OpKind.GROUPED_GEMM and experts is not None and top_k is not None:
        half = scale_visits(op, experts, top_k, part)
    else:
        half = scale_rows(op, part)
    return evolve(half, repeat=op.repeat * times)


def _half_said(item: Collective, times: Term) -> Collective:
    return evolve(item, bytes=item.bytes / times, repeat=item.repeat * times) if item.layered else item
