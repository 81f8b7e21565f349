"""Two passes of a model in one engine step: decoding sequences and chunks of prompts share the products with weights.

An engine that mixes them (Agrawal et al., "Sarathi-Serve", OSDI 2024, section 4) runs one product over all tokens, so
weights are read once; attention stays separate for the two sorts of sequence, since its kernels differ.
"""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Workload
from accelscope.core.ir.vocabulary import OpKind
from accelscope.core.numeric.term import Term, maximum


def merge_passes(decode: Workload, prefill: Workload) -> Workload:
    """Return the work of one engine step with the tokens of two passes.

    Args:
        decode: what the sequences need that decode; it comes first.
        prefill: what the chunks of prompts need.
    """
    others = {op.name: op for op in prefill.ops}
    ops: list[Op] = []
    for op in decode.ops:
        other = others.get(op.name)
        if other is None or not _shares(op, other):
            ops.append(op)
            continue
        del others[op.name]
        ops.append(_joined(op, other, decode.experts))
    ops += [evolve(op, name=f"prompt_{op.name}", is_prompt=True) for op in others.values()]
    live = maximum(decode.residency.activations, prefill.residency.activations)
    return evolve(
        decode,
        ops=tuple(ops),
        activation=decode.activation + prefill.activation,
        residency=evolve(decode.residency, activations=live),
    )


def _shares(op: Op, other: Op) -> bool:
    """Say whether one kernel does both: attention does not, since the two sorts of sequence have kernels of their own."""
    return op.kind is not OpKind.ATTENTION and op.kind == other.kind and op.dtype == other.dtype


def _joined(op: Op, other: Op, experts: Term | None) -> Op:
    """Return an operation over the tokens of both; its weights are read once."""
    both = evolve(
        op,
        m=op.m + other.m,
        weights=maximum(op.weights, other.weights),
        flops=op.flops + other.flops,
        reads=op.reads + other.reads,
        writes=op.writes + other.writes,
        kv_read=op.kv_read + other.kv_read,
        kv_write=op.kv_write + other.kv_write,
    )
    if op.kind != OpKind.GROUPED_GEMM or experts is None:
        return both
    # Tokens of the two passes miss an expert independently of each other.
    missed = (1.0 - op.groups / experts) * (1.0 - other.groups / experts)
    hit = (experts * (1.0 - missed)).named("experts hit by both")
    visits = op.groups * op.m + other.groups * other.m
    return evolve(both, groups=hit, m=visits / hit, weights=op.weights * (hit / op.groups))
