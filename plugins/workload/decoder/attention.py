"""Operations of attention: projections, rotation and KV write, and attention itself, grouped or latent."""

from __future__ import annotations

from attrs import evolve, frozen

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import KernelClass, OpKind, Split
from accelscope.core.numeric.term import Term, minimum
from accelscope.core.workload.op_builders import ONE_OP, elementwise_op, gemm_op, quantize_op
from accelscope.plugins.workload.decoder.attention_mask import AttentionMask
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass
from accelscope.plugins.workload.decoder.parameters import kv_layer_elements
from accelscope.plugins.workload.decoder.shape import UNBOUNDED_CONTEXT, ZERO_COUNT, strip_token_unit
from accelscope.plugins.workload.decoder.sparse_indexer import indexer_ops
from accelscope.plugins.workload.decoder.spec import LatentAttention

_GATE = 4.0  # an exponential, an addition, a division and a product for each number
_ROTATION = 3.0  # two multiplications and an addition for each rotated number


@frozen(kw_only=True, eq=False)
class AttentionHeads:
    """What attention works on: query rows of each (sequence, KV head) pair, and widths of keys and values.

    Attributes:
        groups: KV heads of a sequence.
        queries: query heads of each of them.
        key, value: numbers of a key and a value.
        cached_width: numbers of a token that are read from the KV cache.
        expanded_width: numbers of a token that are read as activations instead.
    """

    groups: Term
    queries: Term
    key: Term
    value: Term
    cached_width: Term
    expanded_width: Term


def attention_ops(run: ForwardPass) -> tuple[Op, ...]:
    """Return the operations of one layer's attention, `repeat` times for all layers."""
    latent = run.shape.latent
    ops = _grouped(run) if latent is None else _latent(run, latent)
    value = run.shape.head_dim if latent is None else latent.v_dim
    width = run.shape.heads * value
    bias = run.shape.hidden if run.shape.spec.attention_bias in ("out", "all") else None
    repeat = run.shape.attention_layers
    if run.quantizes:
        ops = (
            *ops,
            quantize_op(run, "quantize_heads", elements=run.rows * width, repeat=repeat, split=Split.HEADS),
        )
    project = gemm_op(
        run,
        "o_proj",
        "attention",
        m=run.rows,
        k=width,
        n=run.shape.hidden,
        repeat=repeat,
        split=Split.ROW,
        bias=bias,
    )
    return (*ops, project)


def _grouped(run: ForwardPass) -> tuple[Op, ...]:
    shape = run.shape
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    width = queries + 2.0 * keys
    projected = width + queries if shape.spec.attention_gate else width
    qkv = gemm_op(
        run, "qkv", "attention", m=run.rows, k=shape.attention_in, n=projected, repeat=shape.attention_layers,
        split=Split.COLUMN, bias=width if shape.spec.attention_bias in ("qkv", "all") else None, kv_heads=shape.kv_heads,
    )  # fmt: skip
    rope = elementwise_op(
        run,
        "rope",
        "attention",
        kernel=KernelClass.ROPE,
        reads=run.rows * width * run.wide,
        writes=run.rows * queries * run.wide,
        kv_write=run.rows * 2.0 * keys * run.kv,
        weights=_own_weights(run, queries + keys),
        ops=_ROTATION * run.rows * (queries + keys),
        repeat=shape.attention_layers,
        split=Split.HEADS,
        kv_heads=shape.kv_heads,
    )
    heads = AttentionHeads(
        groups=shape.kv_heads,
        queries=shape.heads / shape.kv_heads,
        key=shape.head_dim,
        value=shape.head_dim,
        cached_width=kv_layer_elements(shape),
        expanded_width=ZERO_COUNT,
    )
    found = (qkv, rope, *indexer_ops(run), *_attend(run, heads))
    return (*found, _gate(run, queries)) if shape.spec.attention_gate else found


def _gate(run: ForwardPass, width: Term) -> Op:
    """Scale the output of each head by the sigmoid of a gate that was projected with the queries."""
    return elementwise_op(
        run,
        "attention_gate",
        "attention",
        reads=2.0 * run.rows * width * run.wide,
        writes=run.rows * width * run.wide,
        ops=_GATE * run.rows * width,
        repeat=run.shape.attention_layers,
        split=Split.HEADS,
    )


def _own_weights(run: ForwardPass, width: Term) -> Term:
    spec = run.shape.spec
    found = {"none": ZERO_COUNT, "per_head": 2.0 * run.shape.head_dim, "full": width}[spec.qk_norm]
    return (found + run.shape.heads if spec.attention_sinks else found) * run.outer


def _attend(run: ForwardPass, heads: AttentionHeads) -> tuple[Op, ...]:
    """Return attention of the layers that see everything, and of those with a window, a chunk or picked tokens."""
    shape = run.shape
    if shape.spec.indexer is not None:
        return (_sparse(run, heads, strip_token_unit(shape.spec.indexer.top_k)),)
    whole = attention_op(
        run,
        heads,
        "attention",
        shape.attention_layers - shape.windowed_layers,
        AttentionMask.window(run, UNBOUNDED_CONTEXT),
    )
    if shape.uses_chunks:
        part = AttentionMask.chunk(run, shape.window)
        return (whole, attention_op(run, heads, "attention_chunk", shape.windowed_layers, part))
    if shape.spec.sliding_window is None:
        return (whole,)
    part = AttentionMask.window(run, shape.window)
    return (whole, attention_op(run, heads, "attention_window", shape.windowed_layers, part))


def attention_op(run: ForwardPass, heads: AttentionHeads, name: str, layers: Term, span: AttentionMask) -> Op:
    """Return attention over what is cached and what is new.

    A prompt alone has half of the square of its length. KV is read once: for all query heads of a KV head, and for all
    query rows of a sequence.
    """
    groups = run.sequences * heads.groups
    rows = heads.queries * run.tokens
    each = heads.key + heads.value
    return Op(
        name=name,
        component="attention",
        kind=OpKind.ATTENTION,
        kernel=_kernel(run),
        dtype=run.wide_dtype,
        stored=run.stored_kv,
        flops=(2.0 * groups * heads.queries * span.pairs * each * ONE_OP).named(f"{name} flops"),
        reads=(groups * rows * heads.key + run.sequences * span.seen * heads.expanded_width) * run.wide,
        writes=groups * rows * heads.value * run.wide,
        kv_read=run.sequences * span.seen * heads.cached_width * run.kv,
        m=rows,
        n=span.seen,
        k=each / 2.0,
        groups=groups,
        queries=ONE if run.shape.latent is not None else heads.queries,
        outside=span.outside,
        repeat=layers,
        split=Split.HEADS,
        kv_heads=heads.groups,
    )


def _kernel(run: ForwardPass) -> str:
    """Return the class of kernel: a few query rows against a long cache, or many, of plain or of latent attention."""
    family = "attention" if run.shape.latent is None else "mla"
    return f"{family}_{'decode' if run.decode else 'prefill'}"


def _sparse(run: ForwardPass, heads: AttentionHeads, top_k: Term) -> Op:
    """Return attention to the tokens that an indexer picked: each query token has its own, so is a group of its own."""
    span = AttentionMask.window(run, top_k)
    seen = run.context + run.tokens
    read = minimum(seen, run.tokens * top_k)
    dense = attention_op(run, heads, "attention", run.shape.attention_layers, span)
    return evolve(
        dense,
        kv_read=run.sequences * read * heads.cached_width * run.kv,
        m=heads.queries,
        n=minimum(seen, top_k),
        groups=run.rows * heads.groups,
        queries=ONE,
    )


def _latent(run: ForwardPass, latent: LatentAttention) -> tuple[Op, ...]:
    """Latent attention: absorbed into the query in decode, expanded to full keys and values in prefill."""
    shape, rows, layers = run.shape, run.rows, run.shape.attention_layers
    cached = latent.kv_rank + latent.rope_dim
    compressed = cached if latent.q_rank is None else cached + latent.q_rank
    query_in = shape.hidden if latent.q_rank is None else latent.q_rank
    query_width = shape.heads * (latent.nope_dim + latent.rope_dim)
    down = gemm_op(
        run, "qkv_down", "attention", m=rows, k=shape.hidden, n=compressed, repeat=layers, split=Split.NONE
    )
    up = gemm_op(
        run, "q_up", "attention", m=rows, k=query_in, n=query_width, repeat=layers, split=Split.COLUMN
    )
    own = latent.kv_rank if latent.q_rank is None else latent.kv_rank + latent.q_rank
    rope = elementwise_op(
        run,
        "rope",
        "attention",
        kernel=KernelClass.ROPE,
        reads=rows * (compressed + shape.heads * latent.rope_dim) * run.wide,
        writes=rows * (own - latent.kv_rank + shape.heads * latent.rope_dim) * run.wide,
        kv_write=rows * cached * run.kv,
        weights=own * run.outer,
        ops=_ROTATION * rows * (compressed + shape.heads * latent.rope_dim),
        repeat=layers,
        split=Split.HEADS,
        kv_heads=ONE,
    )
    absorbed = run.decode or shape.spec.indexer is not None
    inner = _absorbed(run, latent) if absorbed else _expanded(run, latent)
    return (down, up, rope, *indexer_ops(run), *inner)


def _absorbed(run: ForwardPass, latent: LatentAttention) -> tuple[Op, ...]:
    """All query heads attend to the one latent of a token (DeepSeek-V2, section 2.1.2: W_UK joins W_UQ, W_UV W_O)."""
    shape, rows, layers = run.shape, run.rows, run.shape.attention_layers
    heads = AttentionHeads(
        groups=ONE,
        queries=shape.heads,
        key=latent.kv_rank + latent.rope_dim,
        value=latent.kv_rank,
        cached_width=kv_layer_elements(shape),
        expanded_width=ZERO_COUNT,
    )
    into = gemm_op(
        run, "q_absorb", "attention", m=rows, k=latent.nope_dim, n=latent.kv_rank, groups=shape.heads, repeat=layers,
        split=Split.HEADS,
    )  # fmt: skip
    out = gemm_op(
        run, "v_absorb", "attention", m=rows, k=latent.kv_rank, n=latent.v_dim, groups=shape.heads, repeat=layers,
        split=Split.HEADS,
    )  # fmt: skip
    return (into, *_attend(run, heads), out)


def _expanded(run: ForwardPass, latent: LatentAttention) -> tuple[Op, ...]:
    """Keys and values of each head are made from the latents of all tokens, the cached ones included."""
    shape = run.shape
    width = shape.heads * (latent.nope_dim + latent.v_dim)
    tokens = run.sequences * (run.context + run.tokens)
    expand = gemm_op(
        run,
        "kv_up",
        "attention",
        m=tokens,
        k=latent.kv_rank,
        n=width,
        repeat=shape.attention_layers,
        split=Split.COLUMN,
    )
    heads = AttentionHeads(
        groups=shape.heads,
        queries=ONE,
        key=latent.nope_dim + latent.rope_dim,
        value=latent.v_dim,
        cached_width=ZERO_COUNT,
        expanded_width=width + latent.rope_dim,
    )
    cached = run.sequences * run.context * kv_layer_elements(shape) * run.kv
    return (evolve(expand, kv_read=cached, expands=True), *_attend(run, heads))
