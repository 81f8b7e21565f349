"""Layers with linear attention by the gated delta rule: S = a S (I - b k k') + b v k', o = S q for each value head.

Gated Delta Networks (arXiv 2412.06464), equation 10; products in chunks as in section 3.3 and DeltaNet (arXiv
2406.06484). Sizes of projections are those of transformers modeling_qwen3_next.py.
"""

from __future__ import annotations

from functools import partial

from accelscope.core.ir.layer import LayerPass
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import KernelClass, Split
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, term
from accelscope.core.workload.op_builders import elementwise_op, gemm_op
from accelscope.plugins.workload.mixers.recurrent_state import Recurrence, scan_op, short_convolution_op
from accelscope.plugins.workload.mixers.spec import LinearAttention

_STATE = term(bytes_per_element("fp32"), "B")  # transformers and vLLM keep the state at 32 bit
_UPDATE = 7.0  # of a value of the state: decay, product with k (2), outer product (2), product with q (2)
_NORM = 8.0  # normalisation and gate of the output


def linear_ops(run: LayerPass, linear: LinearAttention) -> tuple[Op, ...]:
    """Return the operations of all layers with linear attention."""
    hidden, rows, repeat = run.hidden, run.rows, linear.layers
    values = linear.value_heads * linear.value_dim
    mixed = _mixed(linear)
    project = gemm_op(
        run, "linear_in", "linear", m=rows, k=hidden, n=mixed + values + 2.0 * linear.value_heads, repeat=repeat,
        split=Split.COLUMN,
    )  # fmt: skip
    convolve = short_convolution_op(
        run, "linear_conv", "linear", channels=mixed, width=linear.conv_width, own=mixed * linear.conv_width + 2.0 * linear.value_heads,
        repeat=repeat,
    )  # fmt: skip
    norm = elementwise_op(
        run,
        "linear_norm",
        "linear",
        reads=2.0 * rows * values * run.wide,
        writes=rows * values * run.gemm_input_bytes,
        ops=_NORM * rows * values,
        weights=linear.value_dim * run.outer,
        repeat=repeat,
        split=Split.HEADS,
        kv_heads=linear.value_heads,
    )
    out = gemm_op(run, "linear_out", "linear", m=rows, k=values, n=hidden, repeat=repeat, split=Split.ROW)
    return (project, convolve, _scan(run, linear), norm, out)


def _scan(run: LayerPass, linear: LinearAttention) -> Op:
    state = linear.key_dim * linear.value_dim
    found = Recurrence(
        heads=linear.value_heads,
        moved=linear_state(linear, run.wide),
        inputs=_mixed(linear) + 2.0 * linear.value_heads,
        outputs=linear.value_heads * linear.value_dim,
        update=_UPDATE * linear.value_heads * state,
        kernel=KernelClass.LINEAR_ATTENTION,
    )
    token = partial(linear_token_ops, linear)
    return scan_op(
        run, "linear_scan", "linear", found, chunk=linear.chunk_size, token=token, repeat=linear.layers
    )


def linear_token_ops(linear: LinearAttention, chunk: Term) -> Term:
    """Return the operations of one token in a chunk of C, all heads: C (6 dk + 4 dv) + C C / 3 + 6 dk dv each.

    Products k k', q k' and T k of 2 C dk, T v and (q k') u of 2 C dv; T, the inverse of a triangle, of C C / 3;
    products with the state: w S, q S and k' u of 2 dk dv.
    """
    key, value = linear.key_dim, linear.value_dim
    each = chunk * (6.0 * key + 4.0 * value) + chunk * chunk / 3.0 + 6.0 * key * value
    return linear.value_heads * each


def linear_state(linear: LinearAttention, wide: Term) -> Term:
    """Return the bytes of one sequence in one layer: a matrix of each value head, and the last inputs of the filter."""
    matrix = linear.value_heads * linear.key_dim * linear.value_dim * _STATE
    return matrix + _mixed(linear) * (linear.conv_width - 1.0) * wide


def linear_parameters(hidden: Term, linear: LinearAttention) -> Term:
    """Return the parameters of one layer."""
    values = linear.value_heads * linear.value_dim
    projected = hidden * (_mixed(linear) + 2.0 * values + 2.0 * linear.value_heads)
    return projected + _mixed(linear) * linear.conv_width + 2.0 * linear.value_heads + linear.value_dim


def _mixed(linear: LinearAttention) -> Term:
    """Return the channels of queries, keys and values, which go through the short convolution."""
    return 2.0 * linear.key_heads * linear.key_dim + linear.value_heads * linear.value_dim
