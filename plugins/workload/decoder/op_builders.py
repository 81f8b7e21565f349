"""One pass of a decoder in plain numbers, and the operations that every part of a layer is made of."""

from __future__ import annotations

from attrs import evolve, frozen

from accelscope.core.ir.constants import NO_BYTES, ONE
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.vocabulary import KernelClass, OpKind, Phase, Split
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, term
from accelscope.plugins.workload.decoder.shape import DecoderShape, strip_token_unit

SIXTEEN_BIT_BYTES = 2.0
"""Phases that make logits of all tokens, and a loss of them."""
ONE_OP = term(1.0, "op")


@frozen(kw_only=True, eq=False)
class ForwardPass:
    """One pass: a decoder's sizes, how many tokens it works on, and how wide their numbers are.

    Attributes:
        sequences, tokens, context: of the step, as plain numbers; rows: tokens of all sequences.
        decode: whether the pass makes one token of each sequence; trains: whether it learns from all of them.
        dtype: computed in; expert_dtype: that of routed experts; stored, stored_expert, stored_kv: data types of weights, of those of routed
            experts and of the KV cache; wide_dtype: what stays at 16 bit or more, such as attention, normalisation and lm_head.
        narrow: bytes of an input of a GEMM; wide: of any other activation, and of weights that no one quantises.
        stored_head: data type of lm_head and embedding, None for `wide_dtype`; head: bytes of a number of them.
        weight, expert, kv: bytes of a weight, of a weight of a routed expert, of a number in the KV cache.
    """

    shape: DecoderShape
    sequences: Term
    tokens: Term
    context: Term
    rows: Term
    decode: bool
    is_training: bool
    dtype: str
    stored: str
    stored_expert: str
    expert_dtype: str
    stored_kv: str
    stored_head: str | None
    wide_dtype: str
    gemm_input_bytes: Term
    wide: Term
    weight: Term
    outer: Term
    head: Term
    expert: Term
    kv: Term

    @property
    def quantizes(self) -> bool:
        """Whether activations are narrowed before each GEMM."""
        return self.dtype != self.wide_dtype

    def in_experts(self) -> ForwardPass:
        """Return the same pass as routed experts compute it."""
        return evolve(
            self, dtype=self.expert_dtype, gemm_input_bytes=term(bytes_per_element(self.expert_dtype), "B")
        )


def build_forward_pass(shape: DecoderShape, step: Step, precision: Precision) -> ForwardPass:
    """Return one pass of a decoder."""
    tokens, sequences = strip_token_unit(step.tokens), step.sequences
    narrow, weight = bytes_per_element(precision.activations), bytes_per_element(precision.weights)
    expert = shape.routing.weights if shape.routing and shape.routing.weights else precision.weights
    return ForwardPass(
        shape=shape,
        sequences=sequences,
        tokens=tokens,
        context=strip_token_unit(step.context),
        rows=sequences * tokens,
        decode=step.phase == Phase.DECODE,
        is_training=step.phase.is_training,
        dtype=precision.activations,
        stored=precision.weights,
        stored_expert=expert,
        expert_dtype=precision.experts or precision.activations,
        stored_kv=precision.kv,
        wide_dtype=precision.activations if narrow >= SIXTEEN_BIT_BYTES else "bf16",
        gemm_input_bytes=term(narrow, "B"),
        wide=term(max(narrow, SIXTEEN_BIT_BYTES), "B"),
        weight=term(weight, "B"),
        outer=term(max(weight, SIXTEEN_BIT_BYTES), "B"),
        head=term(
            bytes_per_element(precision.head) if precision.head else max(weight, SIXTEEN_BIT_BYTES), "B"
        ),
        stored_head=precision.head,
        expert=term(bytes_per_element(expert), "B"),
        kv=term(bytes_per_element(precision.kv), "B"),
    )


def gemm_op(
    run: ForwardPass,
    name: str,
    component: str,
    *,
    m: Term,
    k: Term,
    n: Term,
    repeat: Term,
    split: Split,
    groups: Term = ONE,
    bias: Term | None = None,
    kind: OpKind = OpKind.GEMM,
    weight: Term | None = None,
    kv_heads: Term | None = None,
    stored: str | None = None,
) -> Op:
    """Return a product of activations and weights: `groups` times (m x k) by (k x n), 2mnk operations each.

    Args:
        bias: numbers of a bias that is read too.
        weight: bytes of a weight, where it is not that of the model, and `stored` its data type.
    """
    weights = groups * k * n * (run.weight if weight is None else weight)
    return Op(
        name=name,
        component=component,
        kind=kind,
        dtype=run.dtype,
        stored=stored or run.stored,
        flops=(2.0 * groups * m * n * k * ONE_OP).named(f"{name} flops"),
        weights=(weights if bias is None else weights + bias * run.outer).named(f"{name} weights"),
        reads=groups * m * k * run.gemm_input_bytes,
        writes=groups * m * n * run.wide,
        m=m,
        n=n,
        k=k,
        groups=groups,
        repeat=repeat,
        split=split,
        kv_heads=kv_heads,
    )


def elementwise_op(
    run: ForwardPass,
    name: str,
    component: str,
    *,
    reads: Term,
    writes: Term,
    ops: Term,
    repeat: Term,
    split: Split = Split.NONE,
    weights: Term = NO_BYTES,
    kv_write: Term = NO_BYTES,
    kv_heads: Term | None = None,
    launches: Term = ONE,
    columns: Term = ONE,
    kernel: KernelClass | str = "elementwise",
) -> Op:
    """Return an operation without a product: `reads` and `writes` in bytes, `ops` a plain number of operations.

    Args:
        kernel: class of kernel that calibrations know it by.
        columns: width of the activation, which tensor parallelism divides where `split` is `column`.
    """
    return Op(
        name=name,
        component=component,
        kind=OpKind.ELEMENTWISE,
        kernel=kernel,
        dtype=run.wide_dtype,
        flops=ops * ONE_OP,
        weights=weights,
        reads=reads,
        writes=writes,
        kv_write=kv_write,
        m=run.rows,
        n=columns,
        repeat=repeat,
        split=split,
        kv_heads=kv_heads,
        launches=launches,
    )


def quantize_op(
    run: ForwardPass, name: str, *, elements: Term, repeat: Term, split: Split, columns: Term = ONE
) -> Op:
    """Return the narrowing of activations before a GEMM: read at 16 bit, write narrow; scale, round, find the maximum."""
    return elementwise_op(
        run,
        name,
        "quantize",
        reads=elements * run.wide,
        writes=elements * run.gemm_input_bytes,
        ops=3.0 * elements,
        repeat=repeat,
        split=split,
        columns=columns,
        kernel=KernelClass.QUANTIZE,
    )
