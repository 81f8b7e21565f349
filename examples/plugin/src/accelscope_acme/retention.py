"""Retention in place of attention: a matrix of fixed size for each head instead of a KV cache.

Sun et al., "Retentive network", arXiv 2307.08621. Each head keeps S = g S + k' v; in prefill the chunkwise form of
section 2.2 does the same with products of matrices.
"""

from __future__ import annotations

from accelscope.core.ir.layer import LayerPass
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import OpKind, Split
from accelscope.core.numeric.term import Term, ceil, minimum, strip_count_unit, term
from accelscope.core.plugin.records import LayerModel
from accelscope.core.spec.spec import count, spec
from accelscope.core.workload.op_builders import elementwise_op, gemm_op

_ONE_OP = term(1.0, "op")
_UPDATE_OPS = 5.0  # of a number of the state: decay, outer product (2), product with the query (2)
_NORM_OPS = 8.0  # group norm and gate of an output


@spec(kind="retention", within=("model",))
class Retention:
    """Layers with retention."""

    layers: Term = count(doc="number of layers with retention, at most the model's")
    heads: Term = count(doc="heads, each with a state of its own")
    key_dim: Term = count(doc="width of a head's query and key")
    value_dim: Term = count(doc="width of a head's value")
    chunk: Term = count(
        unit="tok",
        doc="tokens per chunk in prefill",
        default=512,
        source="arXiv 2307.08621 section 3.1: chunk size 512",
    )


def build(layer: Retention, run: LayerPass) -> tuple[Op, ...]:
    """Return the operations of all layers: projections, the pass over the state, its norm and gate, the output."""
    keys, values = layer.heads * layer.key_dim, layer.heads * layer.value_dim
    return (
        gemm_op(
            run, "retention_in", "retention", m=run.rows, k=run.hidden, n=2.0 * keys + 2.0 * values,
            repeat=layer.layers, split=Split.COLUMN,
        ),
        _state_pass(layer, run),
        elementwise_op(
            run,
            "retention_norm",
            "retention",
            reads=2.0 * run.rows * values * run.wide,
            writes=run.rows * values * run.gemm_input_bytes,
            ops=_NORM_OPS * run.rows * values,
            repeat=layer.layers,
            split=Split.HEADS,
            kv_heads=layer.heads,
        ),
        gemm_op(
            run, "retention_out", "retention", m=run.rows, k=values, n=run.hidden,
            repeat=layer.layers, split=Split.ROW,
        ),
    )  # fmt: skip


def _state_pass(layer: Retention, run: LayerPass) -> Op:
    """Return one pass over the state: token after token in decoding, chunk after chunk otherwise."""
    state = layer.heads * layer.key_dim * layer.value_dim
    moved = run.sequences * state * run.wide
    inputs, outputs = 2.0 * layer.heads * layer.key_dim, layer.heads * layer.value_dim
    chunk = minimum(strip_count_unit(layer.chunk), run.tokens)
    inside = 2.0 * chunk * (layer.key_dim + layer.value_dim)
    across = 4.0 * layer.key_dim * layer.value_dim
    each = _UPDATE_OPS * state if run.decode else layer.heads * (inside + across)
    groups = run.sequences * layer.heads * ceil(run.tokens / chunk)
    return Op(
        name="retention_state",
        component="retention",
        kind=OpKind.ELEMENTWISE if run.decode else OpKind.ATTENTION,
        dtype=run.wide_dtype,
        flops=run.rows * each * _ONE_OP,
        reads=run.rows * (inputs + outputs) * run.wide,
        writes=run.rows * outputs * run.wide,
        kv_read=moved,
        kv_write=moved,
        m=run.rows if run.decode else chunk,
        n=outputs if run.decode else chunk,
        k=layer.key_dim,
        groups=term(1.0) if run.decode else groups,
        repeat=layer.layers,
        split=Split.HEADS,
        kv_heads=layer.heads,
    )


def parameters(layer: Retention, hidden: Term) -> Term:
    """Return the parameters of all layers: queries, keys, values, gates and the output."""
    return layer.layers * hidden * layer.heads * (2.0 * layer.key_dim + 3.0 * layer.value_dim)


def cache(layer: Retention, run: LayerPass) -> Term:
    """Return the bytes that one sequence keeps: a matrix of each head, however long the sequence is."""
    return layer.layers * layer.heads * layer.key_dim * layer.value_dim * run.wide


RETENTION = LayerModel(
    name="retention",
    doc="Retention: linear attention with a fixed decay.",
    spec=Retention,
    count=lambda layer: layer.layers,
    build=build,
    parameters=parameters,
    cache=cache,
    heads=lambda layer: layer.heads,
    width=lambda layer, hidden: 2.0 * layer.heads * (layer.key_dim + layer.value_dim),
)
