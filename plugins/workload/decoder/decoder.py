"""The decoder workload: one pass of a decoder-only transformer as a short list of operations with repeat counts."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.layer import LayerRole
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.plan import Residency, Workload
from accelscope.core.ir.vocabulary import KernelClass, OpKind, Split
from accelscope.core.numeric.term import Term, maximum, minimum, term
from accelscope.core.plugin.records import WorkloadModel
from accelscope.core.workload.op_builders import elementwise_op, gemm_op, quantize_op
from accelscope.plugins.workload.decoder.attention import attention_ops
from accelscope.plugins.workload.decoder.encoder import derive_decoder_pass, encoder_ops
from accelscope.plugins.workload.decoder.feedforward import feedforward_ops
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass, build_forward_pass
from accelscope.plugins.workload.decoder.layer_blocks import (
    build_layer_blocks,
    count_cached_bytes,
    count_cached_bytes_per_token,
    find_widest,
)
from accelscope.plugins.workload.decoder.parameters import (
    ParameterCounts,
    cached_tokens,
    count_active_parameters,
    count_parameters_by_part,
    kv_elements_per_token,
    kv_layer_elements,
)
from accelscope.plugins.workload.decoder.shape import DecoderShape, resolve_shape, strip_token_unit
from accelscope.plugins.workload.decoder.shared_blocks import adapter_ops
from accelscope.plugins.workload.decoder.sparse_indexer import index_elements
from accelscope.plugins.workload.decoder.spec import Decoder

_FP32 = term(4.0, "B")
_NORM_OPS = 5.0  # residual addition, square, sum, scale and weight of each number
_SOFTMAX_OPS = 5.0


def build_decoder(spec: Decoder, step: Step, precision: Precision) -> Workload:
    """Build the operations of one pass of a decoder on one device, before any parallelism."""
    shape = resolve_shape(spec)
    run = build_forward_pass(shape, step, precision)
    counts = count_parameters_by_part(shape)
    routing = shape.routing
    return Workload(
        ops=(
            _embedding(run),
            *_norms(run),
            *_layers(run),
            _lm_head(run),
            _loss(run) if run.is_training else _sampling(run),
        ),
        residency=_residency(run, counts),
        activation=(run.rows * shape.hidden * run.wide).named("activation between layers"),
        layers=shape.layers,
        heads=shape.heads,
        kv_heads=shape.kv_heads,
        parameters=counts.total.named("parameters"),
        active_parameters=count_active_parameters(spec),
        kv_per_token=(kv_elements_per_token(shape) * run.kv + count_cached_bytes_per_token(run)).named(
            "KV cache of a token"
        ),
        experts=routing.routed if routing else None,
        top_k=routing.top_k if routing else None,
        expert_weights=counts.routed * run.expert,
    )


def _layers(run: ForwardPass) -> tuple[Op, ...]:
    """Return the operations of all layers: attention where there is some, what stands in its place, and networks."""
    inner = derive_decoder_pass(run)
    shape = run.shape
    attention = attention_ops(inner) if shape.spec.heads is not None else ()
    networks = feedforward_ops(inner) if shape.spec.ffn is not None or shape.routing is not None else ()
    return (
        *encoder_ops(run),
        *attention,
        *build_layer_blocks(inner, LayerRole.MIXER),
        *networks,
        *build_layer_blocks(inner, LayerRole.FEEDFORWARD),
        *adapter_ops(inner),
    )


def _embedding(run: ForwardPass) -> Op:
    """A row of the table for each token, and of the positions where they are learned."""
    shape = run.shape
    rows = minimum(run.rows, shape.vocab) * (1.0 if shape.spec.position_embeddings is None else 2.0)
    moved = run.rows * shape.hidden * run.wide
    op = elementwise_op(
        run,
        "embedding",
        "embedding",
        kernel=KernelClass.EMBEDDING,
        reads=0.0 * moved,
        writes=moved,
        ops=0.0 * run.rows,
        weights=rows * shape.hidden * run.head,
        repeat=ONE,
        split=Split.VOCAB,
    )
    return evolve(op, kind=OpKind.GATHER, layered=False)


def _norms(run: ForwardPass) -> tuple[Op, ...]:
    """Normalisations fused with the residual addition, and the narrowing of what they hand to a GEMM."""
    shape = run.shape
    elements = run.rows * shape.hidden
    vectors = 2.0 if shape.spec.norm == "layernorm" else 1.0
    norm = elementwise_op(
        run,
        "norm",
        "norm",
        kernel=KernelClass.NORM,
        reads=2.0 * elements * run.wide,
        writes=2.0 * elements * run.wide,
        ops=_NORM_OPS * elements,
        weights=vectors * shape.hidden * run.outer,
        repeat=shape.layers * shape.spec.norms_per_layer
        + 1.0
        + (3.0 * shape.spec.shared.invocations if shape.spec.shared else 0.0),
    )
    if not run.quantizes:
        return (norm,)
    return (
        norm,
        quantize_op(run, "quantize", elements=elements, repeat=2.0 * shape.layers, split=Split.NONE),
    )


def _logit_rows(run: ForwardPass) -> Term:
    """Logits are made of the last token of a prompt only, in training of all."""
    return run.rows if run.decode or run.is_training else run.sequences


def _lm_head(run: ForwardPass) -> Op:
    """The product with the vocabulary, which checkpoints keep at 16 bit."""
    shape = run.shape
    rows = _logit_rows(run)
    op = gemm_op(
        run,
        "lm_head",
        "lm_head",
        m=rows,
        k=shape.hidden,
        n=shape.vocab,
        repeat=ONE,
        split=Split.COLUMN if run.is_training else Split.VOCAB,
        weight=run.head,
    )
    return evolve(
        op,
        dtype=run.wide_dtype,
        stored=run.stored_head or run.wide_dtype,
        reads=rows * shape.hidden * run.wide,
        layered=False,
    )


def _sampling(run: ForwardPass) -> Op:
    """Logits to 32 bit, softmax, choice."""
    elements = _logit_rows(run) * run.shape.vocab
    op = elementwise_op(
        run,
        "sampling",
        "sampling",
        kernel=KernelClass.SAMPLING,
        reads=elements * (run.wide + _FP32),
        writes=elements * _FP32,
        ops=_SOFTMAX_OPS * elements,
        repeat=ONE,
        launches=term(2.0),
    )
    return evolve(op, m=_logit_rows(run), layered=False)


def _loss(run: ForwardPass) -> Op:
    """Cross entropy of logits at 32 bit, on the columns that a rank has (Megatron-LM, arXiv 1909.08053, section 3)."""
    vocab = run.shape.vocab
    elements = run.rows * vocab
    op = elementwise_op(
        run,
        "loss",
        "loss",
        reads=elements * (run.wide + _FP32),
        writes=elements * _FP32,
        ops=_SOFTMAX_OPS * elements,
        repeat=ONE,
        launches=term(2.0),
        split=Split.COLUMN,
        columns=vocab,
    )
    return evolve(op, layered=False)


def _residency(run: ForwardPass, counts: ParameterCounts) -> Residency:
    """Return the bytes that stay in memory.

    Weights: embeddings, lm_head, normalisations and routers at 16 bit or more, the rest as the precision says.
    KV: all tokens of all sequences at the end of the pass, a window keeping the last ones; and the fixed state of
    each sequence in layers without attention.
    Activations: of the tokens alive at once, input and output of a layer and its widest inner activation, and logits.
    """
    shape = run.shape
    outer, ends = counts.norms + counts.router, counts.embedding + counts.head
    inner = counts.attention + counts.mixers + counts.dense + counts.shared
    live = minimum(run.rows, maximum(strip_token_unit(shape.spec.max_live_tokens), run.sequences))
    residual = 2.0 * live * shape.hidden * run.wide
    logits = _logit_rows(run) * shape.vocab * (run.wide + _FP32)
    return Residency(
        weights=(ends * run.head + outer * run.outer + inner * run.weight + counts.routed * run.expert).named(
            "weights"
        ),
        kv=(run.sequences * (_cached(run) + count_cached_bytes(run))).named("KV cache and state"),
        activations=(residual + live * _widest(shape) * run.wide + logits).named("live activations"),
        replicated=residual + logits,
    )


def _cached(run: ForwardPass) -> Term:
    """Return the bytes of KV cache, and of index keys, that one sequence has at the end of the pass."""
    shape, length = run.shape, run.context + run.tokens
    keys = shape.attention_layers * length * index_elements(shape)
    return (cached_tokens(shape, length) * kv_layer_elements(shape) + keys) * run.kv


def _widest(shape: DecoderShape) -> Term:
    """Return the numbers of a token in the widest part of a layer: input and output of attention, or of a network."""
    latent, routing = shape.latent, shape.routing
    heads = 2.0 * (shape.heads + shape.kv_heads) * shape.head_dim
    if latent is not None:
        heads = shape.heads * (2.0 * latent.nope_dim + latent.rope_dim + 2.0 * latent.v_dim)
    widest = find_widest(shape, maximum(heads, (shape.gates + 1.0) * shape.ffn))
    if routing is None:
        return widest
    return maximum(widest, routing.top_k * ((routing.gates + 1.0) * routing.ffn + routing.width))


DECODER = WorkloadModel(
    name="decoder",
    doc="Decoders, dense or with experts: grouped, latent, sliding, chunked, sparse and linear attention, state spaces, "
    "convolutions, encoders.",
    spec=Decoder,
    build=build_decoder,
)
