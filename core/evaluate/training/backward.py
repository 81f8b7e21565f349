"""The backward pass from the forward one: every operation to those that make its gradients, and what is computed again.

A product of activations and weights has two gradients, each a product as large as itself: that of its input and that of
its weights. Attention makes five products of two (Dao, "FlashAttention-2", arXiv 2307.08691, section 3.1), one of them computed
again. An operation without products reads what it read and the gradient of what it wrote, and writes the gradient of
what it read.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from attrs import evolve

from accelscope.core.blocks.scenario import Training
from accelscope.core.ir.constants import NO_BYTES
from accelscope.core.ir.operation import Op
from accelscope.core.ir.plan import Collective, Plan
from accelscope.core.ir.vocabulary import CollectiveKind, KernelClass, OpKind
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, maximum, minimum, term, total

ATTENTION_BACKWARD_RATIO = 2.5
"""FLOPs of the backward pass of attention over those of the forward pass."""
NARROWEST_BYTES = 1.0
"""Bytes of the narrowest numbers that all products of a recipe have."""
WIDE_GEMM_DTYPE = "bf16"
MIN_WIDE_BYTES = 2.0
"""Least bytes of a number that is no input of a product."""
PARAMETER_COMM_COMPONENTS = ("gradients", "update")
"""Components of communication of trained parameters only."""


def build_forward_plan(plan: Plan, training: Training) -> Plan:
    """Return the forward pass of a plan in training: narrowed in both orders, and with adapters where they are trained."""
    ops = apply_mixed_precision(plan.ops, training.bf16_layer_fraction)
    added = tuple(build_adapter_ops(ops, training.lora_rank))
    return evolve(plan, ops=(*ops, *added), collectives=_of_trained(plan, added))


def build_backward_plan(plan: Plan, training: Training) -> Plan:
    """Return the backward pass of a plan in training, with what is computed again.

    Args:
        plan: of the pass whose gradients are made, with the communication beside the backward pass.
        training: recomputation, precision and LoRA settings.
    """
    ops = apply_mixed_precision(plan.ops, training.bf16_layer_fraction)
    added = tuple(build_adapter_ops(ops, training.lora_rank))
    again = tuple(evolve(op, name=f"{op.name}_again") for op in ops if is_recomputed(op, training.recompute))
    whole = training.lora_rank is None
    found = [grad for op in ops for grad in build_gradient_ops(op, training, weights=whole)]
    found += [grad for op in added for grad in build_gradient_ops(op, training, weights=True)]
    items = _of_trained(plan, added)
    if training.recompute == "full":
        items = tuple(_twice(item) for item in items)
    return evolve(plan, ops=(*again, *found), collectives=items)


def is_recomputed(op: Op, recompute: str) -> bool:
    """Return whether an operation runs again in the backward pass."""
    if not op.layered or recompute == "none":
        return False
    return recompute == "full" or op.kind == OpKind.ELEMENTWISE


def apply_mixed_precision(ops: Iterable[Op], wide: Term) -> tuple[Op, ...]:
    """Return operations as recipes of training run them: inputs narrowed in both orders, some products of 4 bit kept wide.

    Args:
        ops: operations of a forward pass.
        wide: share of the layers whose products stay at 16 bit where the others have 4 bit.
    """
    found: list[Op] = []
    for op in ops:
        if not op.kind.is_gemm or bytes_per_element(op.dtype) >= NARROWEST_BYTES or not op.layered:
            found.append(make_quantize_op(op))
            continue
        found.append(evolve(op, repeat=op.repeat * (1.0 - wide)))
        found.append(_kept_wide(op, wide))
    return tuple(found)


def _kept_wide(op: Op, share: Term) -> Op:
    """Return a product of 4 bit at 16 bit, in a share of the layers."""
    return evolve(
        op,
        name=f"{op.name}_wide",
        dtype=WIDE_GEMM_DTYPE,
        stored=WIDE_GEMM_DTYPE,
        weights=op.weights * (MIN_WIDE_BYTES / bytes_per_element(op.stored or op.dtype)),
        reads=op.reads * (MIN_WIDE_BYTES / bytes_per_element(op.dtype)),
        repeat=op.repeat * share,
    )


def make_quantize_op(op: Op) -> Op:
    """Return the narrowing of an input, which training writes in both orders, as its gradients need the other one."""
    return evolve(op, writes=op.writes * 2.0) if op.kernel == KernelClass.QUANTIZE else op


def build_gradient_ops(op: Op, training: Training, *, weights: bool) -> Iterator[Op]:
    """Yield the operations that make the gradients of one operation.

    Args:
        op: operation of the forward pass.
        training: precision settings.
        weights: whether its weights are trained.
    """
    if op.kind.is_gemm:
        yield _of_input(op)
        if weights:
            yield _of_weights(op, training)
    elif op.kind == OpKind.ATTENTION:
        yield evolve(
            op,
            name=f"{op.name}_backward",
            flops=op.flops * ATTENTION_BACKWARD_RATIO,
            reads=op.reads + op.writes * 2.0,
            writes=op.reads + op.kv_read,
        )
    elif op.kind == OpKind.GATHER:
        yield evolve(op, name=f"{op.name}_backward", reads=op.reads + op.writes, writes=op.weights)
    elif op.kernel == KernelClass.QUANTIZE:
        yield evolve(op, name=f"{op.name}_backward")
    else:
        yield evolve(
            op,
            name=f"{op.name}_backward",
            flops=op.flops * 2.0,
            reads=op.reads + op.writes + op.kv_write,
            writes=op.reads,
            kv_write=NO_BYTES,
        )


def _of_input(op: Op) -> Op:
    """Return the gradient of the input: (m x n) by the weights (n x k)."""
    narrow = _narrowness(op)
    return evolve(
        op, name=f"{op.name}_dgrad", n=op.k, k=op.n, reads=op.writes * narrow, writes=op.reads / narrow
    )


def _of_weights(op: Op, training: Training) -> Op:
    """Return the gradient of the weights: (k x m) by (m x n), added to the sum over micro-batches."""
    numbers = op.groups * op.k * op.n
    return evolve(
        op,
        name=f"{op.name}_wgrad",
        m=op.k,
        k=op.m,
        weights=NO_BYTES,
        reads=op.reads + op.writes * _narrowness(op),
        writes=numbers * term(2.0 * bytes_per_element(training.gradient_dtype), "B"),
    )


def _narrowness(op: Op) -> float:
    """Return the bytes of an input of a product over those of its result."""
    own = bytes_per_element(op.dtype)
    return own / max(own, MIN_WIDE_BYTES)


def build_adapter_ops(ops: Iterable[Op], rank: Term | None) -> Iterator[Op]:
    """Yield the products of low-rank adapters beside those of the layers: (m x k) by (k x r) by (r x n); none without a rank."""
    if rank is None:
        return
    byte = term(MIN_WIDE_BYTES, "B")
    for op in ops:
        if op.kind != OpKind.GEMM or not op.layered:
            continue
        dtype = op.dtype if bytes_per_element(op.dtype) >= MIN_WIDE_BYTES else "bf16"
        sizes = (("down", rank, op.k), ("up", op.n, rank))
        for name, n, k in sizes:
            yield evolve(
                op,
                name=f"{op.name}_adapter_{name}",
                component="adapters",
                dtype=dtype,
                stored=dtype,
                n=n,
                k=k,
                flops=op.flops * (n * k / (op.n * op.k)),
                weights=op.groups * n * k * byte,
                reads=op.groups * op.m * k * byte,
                writes=op.groups * op.m * n * byte,
            )


def compute_adapter_share(plan: Plan, added: Iterable[Op]) -> Term:
    """Return the parameters of adapters of a device over all of its parameters, by their bytes."""
    whole = maximum(plan.residency.weights, term(1.0, "B"))
    return minimum(total(op.weights * op.repeat for op in added) / whole, 1.0)


def _of_trained(plan: Plan, added: tuple[Op, ...]) -> tuple[Collective, ...]:
    """Return the communication of a pass; of adapters alone where only they are trained."""
    if not added:
        return plan.collectives
    share = compute_adapter_share(plan, added)
    return tuple(
        evolve(item, bytes=item.bytes * share) if item.component in PARAMETER_COMM_COMPONENTS else item
        for item in plan.collectives
    )


def _twice(item: Collective) -> Collective:
    """Return what joins the parts of a layer, once for what is computed again and once for the gradients."""
    own = item.layered and item.window is None and item.kind != CollectiveKind.SEND_RECV
    return evolve(item, repeat=item.repeat * 2.0) if own else item
