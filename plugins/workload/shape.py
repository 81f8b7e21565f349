"""A decoder's sizes with every absent field resolved, as plain numbers that the formulas read."""

from __future__ import annotations

import math

from attrs import frozen

from accelscope.core.term import Term, exp, floor, log2, maximum, term
from accelscope.core.work import ONE
from accelscope.plugins.workload.spec import GATED, Decoder, LatentAttention

ZERO = term(0.0)
TOKEN = term(1.0, "tok")
LN2 = math.log(2)
TINY = 1e-300  # stands for 0 in a logarithm
ENDLESS = term(1e15)  # a window that no context reaches; the square still fits a float


@frozen(kw_only=True, eq=False)
class Routing:
    """Sizes of the layers with experts; `layers` is how many there are."""

    routed: Term
    top_k: Term
    ffn: Term
    shared: Term
    shared_ffn: Term
    layers: Term
    weights: str | None
    router_bias: bool
    bias: bool


@frozen(kw_only=True, eq=False)
class Shape:
    """Sizes of a decoder.

    Attributes:
        gates: matrices of an up projection: 2 with a gate, 1 without.
        dense_layers: layers with a plain feed-forward network of inner width `ffn`.
        windowed: layers that attend to `window` tokens only.
    """

    spec: Decoder
    layers: Term
    hidden: Term
    heads: Term
    kv_heads: Term
    head_dim: Term
    vocab: Term
    gates: float
    ffn: Term
    dense_layers: Term
    windowed: Term
    window: Term
    latent: LatentAttention | None
    routing: Routing | None


def plain(value: Term) -> Term:
    """Return a count of tokens as a plain number, so that it can index sizes; plain numbers stay as they are."""
    return value / TOKEN if value.dimension == TOKEN.dimension else value


def shape_of(spec: Decoder) -> Shape:
    """Resolve the optional fields of a decoder."""
    latent = spec.attention if isinstance(spec.attention, LatentAttention) else None
    routing = _routing(spec)
    expert_layers = routing.layers if routing else ZERO
    dense_ffn = spec.experts.dense_ffn if spec.experts else None
    windowed, window = _windows(spec)
    return Shape(
        spec=spec,
        layers=spec.layers,
        hidden=spec.hidden,
        heads=spec.heads,
        kv_heads=ONE if latent else _or(spec.kv_heads, spec.heads),
        head_dim=_or(spec.head_dim, spec.hidden / spec.heads),
        vocab=spec.vocab,
        gates=2.0 if spec.activation in GATED else 1.0,
        ffn=_or(dense_ffn, _or(spec.ffn, ZERO)),
        dense_layers=spec.layers - expert_layers,
        windowed=windowed,
        window=window,
        latent=latent,
        routing=routing,
    )


def _routing(spec: Decoder) -> Routing | None:
    experts = spec.experts
    if experts is None:
        return None
    return Routing(
        routed=experts.routed,
        top_k=experts.top_k,
        ffn=experts.ffn,
        shared=_or(experts.shared, ZERO),
        shared_ffn=_or(experts.shared_ffn, experts.ffn),
        layers=maximum(spec.layers - _or(experts.dense_layers, ZERO), 0.0),
        weights=experts.weights,
        router_bias=bool(experts.router_bias),
        bias=bool(experts.bias),
    )


def _windows(spec: Decoder) -> tuple[Term, Term]:
    """Return how many layers have a sliding window, and its tokens."""
    if spec.window is None:
        return ZERO, ENDLESS
    everywhere = ZERO
    if spec.global_every is not None:
        everywhere = floor(spec.layers / spec.global_every)
    if spec.global_layers is not None:
        everywhere = spec.global_layers
    return maximum(spec.layers - everywhere, 0.0), plain(spec.window)


def _or(value: Term | None, other: Term) -> Term:
    return other if value is None else value


def distinct_experts(routed: Term, top_k: Term, tokens: Term) -> Term:
    """Return the expected number of experts that `tokens` visit: E(1-(1-k/E)^n), each token choosing k of E evenly."""
    missed = maximum(1.0 - top_k / routed, TINY)
    return (routed * (1.0 - exp(maximum(tokens * log2(missed) * LN2, -700.0)))).named("distinct experts hit")
