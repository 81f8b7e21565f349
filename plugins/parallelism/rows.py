"""Operations on a share of the rows of a pass: fewer tokens of each sequence, or fewer sequences."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Op
from accelscope.core.numeric.term import Term
from accelscope.plugins.parallelism.degree import largest_share
from accelscope.plugins.parallelism.routed import visited_share


def scale_rows(op: Op, part: Term) -> Op:
    """Return a share of the rows of an operation without groups of its own for each sequence or expert."""
    return evolve(
        op,
        m=op.m * part,
        flops=op.flops * part,
        reads=op.reads * part,
        writes=op.writes * part,
        kv_read=op.kv_read * part,
        kv_write=op.kv_write * part,
    )


def scale_visits(op: Op, experts: Term, top_k: Term, part: Term) -> Op:
    """Return a share of the visits to experts, which fewer experts get."""
    hit = visited_share(experts, top_k, op.groups * op.m / top_k, part)
    return evolve(scale_rows(op, part), groups=op.groups * hit, m=op.m * part / hit, weights=op.weights * hit)


def scale_sequences(op: Op, part: Term) -> Op:
    """Return an attention of a share of the sequences."""
    return evolve(scale_rows(op, part), m=op.m, groups=op.groups * part)


def count_sequences(op: Op) -> Term:
    """Return how many sequences an attention has."""
    return op.groups / (op.kv_heads or ONE)


def fullest_token_share(op: Op, top_k: Term, parts: Term) -> Term:
    """Return the share of the tokens with visits that the fullest of some parts has."""
    return largest_share(op.groups * op.m / top_k, parts)
