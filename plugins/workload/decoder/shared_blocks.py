"""Shared blocks of Zamba2: what each use adds to the weights that all uses share (arXiv 2411.15242, section 2).

A use attends to the hidden state and the embedding side by side, 2 d numbers, and a projection of its own puts the
result into the stream. Sizes are those of transformers modeling_zamba2.py.
"""

from __future__ import annotations

from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import Split
from accelscope.core.numeric.term import Term
from accelscope.core.workload.op_builders import gemm_op
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass
from accelscope.plugins.workload.decoder.shape import ZERO_COUNT, DecoderShape


def adapter_ops(run: ForwardPass) -> tuple[Op, ...]:
    """Return the low-rank adapters of the network and the projection of each use."""
    shape, shared = run.shape, run.shape.spec.shared
    if shared is None:
        return ()
    out = gemm_op(
        run, "shared_out", "shared", m=run.rows, k=shape.hidden, n=shape.hidden, repeat=shared.invocations, split=Split.NONE
    )  # fmt: skip
    if shared.lora_rank is None:
        return (out,)
    rank, wide = shared.lora_rank, shape.gates * shape.ffn
    down = gemm_op(
        run,
        "lora_down",
        "shared",
        m=run.rows,
        k=shape.hidden,
        n=rank,
        repeat=shared.invocations,
        split=Split.NONE,
    )
    up = gemm_op(
        run, "lora_up", "shared", m=run.rows, k=rank, n=wide, repeat=shared.invocations, split=Split.COLUMN
    )
    return (down, up, out)


def adapter_parameters(shape: DecoderShape) -> Term:
    """Return the parameters of projections and adapters; a checkpoint has an adapter for each use in every block."""
    shared = shape.spec.shared
    if shared is None:
        return ZERO_COUNT
    projections = shared.invocations * shape.hidden * shape.hidden
    if shared.lora_rank is None:
        return projections
    each = shared.lora_rank * (shape.hidden + shape.gates * shape.ffn)
    return projections + shared.invocations * shared.distinct_blocks * each


def count_distinct_blocks(shape: DecoderShape, layers: Term) -> Term:
    """Return how many of some layers have weights of their own."""
    shared = shape.spec.shared
    return layers if shared is None else layers / shared.invocations * shared.distinct_blocks
