"""What layers with a fixed state have in common: the short convolution, and the pass over the state.

In decode each value of the state is read, updated and written once. In prefill tokens go in chunks whose products run
on matrix engines, and the state moves once a pass.
"""

from __future__ import annotations

from collections.abc import Callable

from attrs import frozen

from accelscope.core.ir.layer import LayerPass
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import KernelClass, OpKind, Split
from accelscope.core.numeric.term import Term, ceil, minimum, strip_count_unit, term
from accelscope.core.workload.op_builders import ONE_OP, elementwise_op

_ACTIVATION = 4.0  # SiLU: an exponential, an addition, a division and a product
_KERNELS = term(4.0)  # decay, states of chunks, passing of states, outputs


@frozen(kw_only=True, eq=False)
class Recurrence:
    """A state that tokens update.

    Attributes:
        heads: states of a sequence that are independent of each other.
        moved: bytes of all state of a sequence in one layer, read and written once a pass.
        inputs, outputs: numbers of a token that are read and written.
        update: operations of one token in the plain recurrence.
        kernel: class of kernel of the form in chunks; "" where there is none.
    """

    heads: Term
    moved: Term
    inputs: Term
    outputs: Term
    update: Term
    kernel: str = ""


def short_convolution_op(
    run: LayerPass, name: str, component: str, *, channels: Term, width: Term, own: Term, repeat: Term
) -> Op:
    """Return a causal convolution of each channel with its activation; `own` parameters are read."""
    return elementwise_op(
        run,
        name,
        component,
        reads=run.rows * channels * run.wide,
        writes=run.rows * channels * run.wide,
        ops=(2.0 * width + _ACTIVATION) * run.rows * channels,
        weights=own * run.outer,
        repeat=repeat,
        split=Split.COLUMN,
        columns=channels,
        kernel=KernelClass.CONVOLUTION,
    )


def recurrence_op(run: LayerPass, name: str, component: str, state: Recurrence, repeat: Term) -> Op:
    """Return the plain recurrence, token after token: what decode does, and what has no form of products."""
    moved = run.sequences * state.moved
    return Op(
        name=name,
        component=component,
        kind=OpKind.ELEMENTWISE,
        kernel=KernelClass.RECURRENCE if state.kernel else "",
        dtype=run.wide_dtype,
        flops=(run.rows * state.update * ONE_OP).named(f"{name} flops"),
        reads=run.rows * state.inputs * run.wide,
        writes=run.rows * state.outputs * run.wide,
        kv_read=moved,
        kv_write=moved,
        m=run.rows,
        n=state.outputs,
        repeat=repeat,
        split=Split.HEADS,
        kv_heads=state.heads,
    )


def scan_op(
    run: LayerPass,
    name: str,
    component: str,
    state: Recurrence,
    *,
    chunk: Term,
    token: Callable[[Term], Term],
    repeat: Term,
) -> Op:
    """Return the pass over a state whose prefill has a form in chunks; decode is the plain recurrence.

    Args:
        run: pass that the operation is in, with its data types.
        name: name of the operation, unique in the pass.
        component: what a breakdown groups by.
        state: state of a sequence in one layer.
        chunk: tokens of a chunk; all new ones where those are fewer.
        token: tokens of a chunk to the operations of one token, all heads.
        repeat: executions in a pass.
    """
    if run.decode:
        return recurrence_op(run, name, component, state, repeat)
    size = minimum(strip_count_unit(chunk), run.tokens)
    return _chunked(run, name, component, state, chunk=size, token=token(size), repeat=repeat)


def _chunked(
    run: LayerPass, name: str, component: str, state: Recurrence, *, chunk: Term, token: Term, repeat: Term
) -> Op:
    """Return the form in chunks as products of matrices, one group for each (sequence, head, chunk).

    Args:
        run: pass that the operation is in, with its data types.
        name: name of the operation, unique in the pass.
        component: what a breakdown groups by.
        state: state of a sequence in one layer.
        chunk: tokens of a chunk, at most all new ones.
        token: operations of one token of all heads.
        repeat: executions in a pass.

    The kind `attention` says that operands stay on chip between products; chunks of a sequence pass a state on, so that a
    kernel may take them one after the other; k is the length that makes 4 m n k the
    operations of a group, so that m n exponentials are its decays.
    """
    groups = run.sequences * state.heads * ceil(run.tokens / chunk)
    flops = run.rows * token
    moved = run.sequences * state.moved
    return Op(
        name=name,
        component=component,
        kind=OpKind.ATTENTION,
        kernel=state.kernel,
        dtype=run.wide_dtype,
        flops=(flops * ONE_OP).named(f"{name} flops"),
        reads=run.rows * state.inputs * run.wide,
        writes=run.rows * state.outputs * run.wide,
        kv_read=moved,
        kv_write=moved,
        m=chunk,
        n=chunk,
        k=flops / (4.0 * groups * chunk * chunk),
        groups=groups,
        steps=ceil(run.tokens / chunk),
        repeat=repeat,
        launches=_KERNELS,
        split=Split.HEADS,
        kv_heads=state.heads,
    )
