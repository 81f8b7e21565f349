"""The operations that every part of a layer is made of: products, row-wise arithmetic, and the narrowing of activations."""

from __future__ import annotations

from accelscope.core.ir.constants import NO_BYTES, ONE
from accelscope.core.ir.layer import LayerPass
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import KernelClass, OpKind, Split
from accelscope.core.numeric.term import Term, term

ONE_OP = term(1.0, "op")


def gemm_op(
    run: LayerPass,
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
        run: pass that the operation is in, with its data types.
        name: name of the operation, unique in the pass.
        component: what a breakdown groups by, such as `attention` or `ffn`.
        m: rows of the activations.
        k: width of the activations, which the product sums over.
        n: columns of the weights.
        repeat: executions in a pass.
        split: how tensor parallelism divides it.
        groups: number of independent products in one execution.
        bias: numbers of a bias that is read too.
        kind: kind of operation.
        weight: bytes of one number of the weights; that of the pass if None.
        kv_heads: KV heads beyond whose number tensor parallelism repeats the operation; None if it does not.
        stored: data type of the weights in memory; that of the pass if None.
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
    run: LayerPass,
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
        run: pass that the operation is in, with its data types.
        name: name of the operation, unique in the pass.
        component: what a breakdown groups by, such as `attention` or `norm`.
        reads: bytes of activations read.
        writes: bytes of activations written.
        ops: number of operations of one execution.
        repeat: executions in a pass.
        split: how tensor parallelism divides it.
        weights: bytes of parameters read.
        kv_write: bytes written to the KV cache.
        kv_heads: KV heads beyond whose number tensor parallelism repeats the operation; None if it does not.
        launches: kernels started for one execution.
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
    run: LayerPass, name: str, *, elements: Term, repeat: Term, split: Split, columns: Term = ONE
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
