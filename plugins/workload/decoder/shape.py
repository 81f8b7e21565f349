"""A decoder's sizes with every absent field resolved, as plain numbers that the formulas read."""

from __future__ import annotations

import math

from attrs import frozen

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.layer import LayerRole
from accelscope.core.numeric.term import Term, exp, floor, log2, maximum, term
from accelscope.plugins.workload.decoder.spec import GATED_ACTIVATIONS, Decoder, LatentAttention

ZERO_COUNT = term(0.0)
ONE_TOKEN = term(1.0, "tok")
_LN2 = math.log(2)
_TINY = 1e-300  # stands for 0 in a logarithm
UNBOUNDED_CONTEXT = term(1e15)  # a window that no context reaches; the square still fits a float


@frozen(kw_only=True, eq=False)
class ExpertShape:
    """Sizes of the layers with experts; `layers` is how many there are.

    Attributes:
        gates: matrices of an expert's up projection.
        width: numbers of a token that routed experts read and write.
    """

    routed: Term
    top_k: Term
    ffn: Term
    shared: Term
    shared_ffn: Term
    layers: Term
    gates: float
    width: Term
    latent: bool
    shared_gate: bool
    weights: str | None
    router_bias: bool
    bias: bool


@frozen(kw_only=True, eq=False)
class DecoderShape:
    """Sizes of a decoder.

    Attributes:
        attention_layers: layers with attention.
        attention_in: numbers of a token that its projections read.
        gates: matrices of an up projection: 2 with a gate, 1 without.
        dense_layers: layers with a plain feed-forward network of inner width `ffn`.
        windowed_layers: layers that attend to `window` tokens only, the last ones or those of a chunk if `uses_chunks`.
    """

    spec: Decoder
    layers: Term
    attention_layers: Term
    attention_in: Term
    hidden: Term
    heads: Term
    kv_heads: Term
    head_dim: Term
    vocab: Term
    gates: float
    ffn: Term
    dense_layers: Term
    windowed_layers: Term
    window: Term
    uses_chunks: bool
    latent: LatentAttention | None
    routing: ExpertShape | None


def strip_token_unit(value: Term) -> Term:
    """Return a count of tokens as a plain number, so that it can index sizes; plain numbers stay as they are."""
    return value / ONE_TOKEN if value.dimension == ONE_TOKEN.dimension else value


def resolve_shape(spec: Decoder) -> DecoderShape:
    """Resolve the optional fields of a decoder."""
    latent = spec.attention if isinstance(spec.attention, LatentAttention) else None
    routing = _routing(spec)
    expert_layers = routing.layers if routing else ZERO_COUNT
    dense_ffn = spec.experts.dense_ffn if spec.experts else None
    attention_layers = count_attention_layers(spec)
    windowed, window = _windows(spec, attention_layers)
    heads = _or(spec.heads, _heads_without_attention(spec))
    return DecoderShape(
        spec=spec,
        layers=spec.layers,
        attention_layers=attention_layers,
        attention_in=spec.hidden * (2.0 if spec.shared else 1.0),
        hidden=spec.hidden,
        heads=heads,
        kv_heads=ONE if latent else _or(spec.kv_heads, heads),
        head_dim=_or(spec.head_dim, spec.hidden / heads),
        vocab=spec.vocab,
        gates=count_up_matrices(spec.activation),
        ffn=_or(dense_ffn, _or(spec.ffn, ZERO_COUNT)),
        dense_layers=count_ffn_layers(spec) - expert_layers,
        windowed_layers=windowed,
        window=window,
        uses_chunks=spec.attention_chunk_size is not None,
        latent=latent,
        routing=routing,
    )


def count_up_matrices(activation: str) -> float:
    """Return the matrices of an up projection: 2 with a gate, 1 without."""
    return 2.0 if activation in GATED_ACTIVATIONS else 1.0


def count_block_layers(spec: Decoder, role: LayerRole) -> Term:
    """Return how many layers have a mixer, or a feed-forward layer, of a block of its own."""
    total = ZERO_COUNT
    for part in spec.layer_blocks:
        if part.model.role is role:
            total = total + part.model.count(part.spec)
    return total


def count_attention_layers(spec: Decoder) -> Term:
    """Return how many layers, or uses of a shared block, have attention."""
    if spec.attention_layers is not None:
        return spec.attention_layers
    if spec.shared is not None:
        return spec.shared.invocations
    return maximum(spec.layers - count_block_layers(spec, LayerRole.MIXER), 0.0)


def count_ffn_layers(spec: Decoder) -> Term:
    """Return how many layers, or uses of a shared block, have a feed-forward network or experts."""
    if spec.ffn_layers is not None:
        return spec.ffn_layers
    if spec.shared is not None:
        return spec.shared.invocations
    if not any(part.model.role is LayerRole.FEEDFORWARD for part in spec.layer_blocks):
        return spec.layers
    return maximum(spec.layers - count_block_layers(spec, LayerRole.FEEDFORWARD), 0.0)


def _heads_without_attention(spec: Decoder) -> Term:
    """Return what tensor parallelism divides if there is no attention: heads of the first layer block, or channels."""
    for part in spec.layer_blocks:
        if part.model.heads is not None:
            return part.model.heads(part.spec)
    return spec.hidden


def _routing(spec: Decoder) -> ExpertShape | None:
    experts = spec.experts
    if experts is None:
        return None
    return ExpertShape(
        routed=experts.routed,
        top_k=experts.top_k,
        ffn=experts.ffn,
        shared=_or(experts.shared, ZERO_COUNT),
        shared_ffn=_or(experts.shared_ffn, experts.ffn),
        layers=maximum(count_ffn_layers(spec) - _or(experts.dense_layers, ZERO_COUNT), 0.0),
        gates=count_up_matrices(experts.activation or spec.activation),
        width=_or(experts.latent_dim, spec.hidden),
        latent=experts.latent_dim is not None,
        shared_gate=bool(experts.shared_gate),
        weights=experts.weight_dtype,
        router_bias=bool(experts.router_bias),
        bias=bool(experts.bias),
    )


def _windows(spec: Decoder, layers: Term) -> tuple[Term, Term]:
    """Return how many layers see a sliding window or their chunk only, and its tokens."""
    span = spec.sliding_window if spec.attention_chunk_size is None else spec.attention_chunk_size
    if span is None:
        return ZERO_COUNT, UNBOUNDED_CONTEXT
    everywhere = ZERO_COUNT
    if spec.global_every is not None:
        everywhere = floor(layers / spec.global_every)
    if spec.global_layers is not None:
        everywhere = spec.global_layers
    return maximum(layers - everywhere, 0.0), strip_token_unit(span)


def _or(value: Term | None, other: Term) -> Term:
    return other if value is None else value


def distinct_experts(routed: Term, top_k: Term, tokens: Term) -> Term:
    """Return the expected number of experts that `tokens` visit: E(1-(1-k/E)^n), each token choosing k of E evenly."""
    missed = maximum(1.0 - top_k / routed, _TINY)
    return (routed * (1.0 - exp(maximum(tokens * log2(missed) * _LN2, -700.0)))).named("distinct experts hit")
