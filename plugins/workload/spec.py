"""Fields of a decoder's `model` block and of the blocks in it: attention, experts and multi-token prediction."""

from __future__ import annotations

from typing import Any

from accelscope.core.dtypes import NAMES
from accelscope.core.spec import block, choice, count, flag, fraction, listing, quantity, spec, text
from accelscope.core.term import Term

GATED = ("swiglu", "geglu", "reglu")
PLAIN = ("gelu", "relu", "relu2", "silu")

_LLAMA = "Llama 2 (arXiv 2307.09288) section 2.2: RMSNorm before each half of a layer, SwiGLU, no biases"


@spec(kind="attention", select={"kind": ("grouped",)}, within=("file", "model"))
class GroupedAttention:
    """Attention whose query heads share KV heads: the model's `heads`, `kv_heads` and `head_dim` say how."""


@spec(kind="attention", select={"kind": ("mla",)}, default=False, within=("file", "model"))
class LatentAttention:
    """Multi-head latent attention: one low-rank latent of a token serves all heads (DeepSeek-V2, section 2.1)."""

    kv_rank: Term = count(doc="width of the latent that is cached for a token")
    q_rank: Term | None = count(
        doc="width of the latent of the query; without it queries are not compressed", optional=True
    )
    rope_dim: Term = count(doc="width of the rotated part of a key, which all heads share")
    nope_dim: Term = count(doc="width of the part of a head's key that is not rotated")
    v_dim: Term = count(doc="width of a head's value")


@spec(kind="experts", within=("model",))
class Experts:
    """Feed-forward networks of which a router picks some for each token."""

    routed: Term = count(doc="experts of a layer that the router picks from")
    top_k: Term = count(doc="routed experts that one token visits, at most `routed`")
    ffn: Term = count(doc="inner width of one expert")
    shared: Term | None = count(doc="experts that every token visits", ge=0, optional=True)
    shared_ffn: Term | None = count(
        doc="inner width of one shared expert; without it that of a routed one", optional=True
    )
    dense_layers: Term | None = count(
        doc="layers with a plain feed-forward network instead, at most all", ge=0, optional=True
    )
    dense_ffn: Term | None = count(
        doc="inner width of the plain layers; without it the model's `ffn`", optional=True
    )
    weights: str | None = choice(
        *NAMES, doc="stored routed experts, where they differ from other weights", optional=True
    )
    router_bias: bool | None = flag(
        doc="whether the router has a bias for each expert",
        default=False,
        source="Mixtral (arXiv 2401.04088)",
    )
    bias: bool | None = flag(
        doc="whether experts have biases", default=False, source="Mixtral (arXiv 2401.04088)"
    )
    groups: Term | None = count(
        doc="groups of experts that routing is limited by; they divide `routed`", optional=True
    )
    top_groups: Term | None = count(
        doc="groups that one token may visit, at most `groups`; they hold `top_k` experts or more",
        optional=True,
    )


@spec(kind="mtp", within=("model",))
class Mtp:
    """Extra layers that predict further tokens; they are no part of the forward pass unless drafts are asked for."""

    depth: Term | None = count(doc="further tokens predicted", optional=True)
    acceptance: Term | None = fraction(doc="share of predicted tokens that are accepted", optional=True)


@spec(kind="model", select={"family": ("decoder",)}, within=("file",))
class Decoder:
    """Decoder-only transformer, dense or with experts."""

    layers: Term = count(doc="decoder layers")
    hidden: Term = count(doc="width of the residual stream")
    heads: Term = count(doc="query heads")
    vocab: Term = count(doc="tokens of the vocabulary, as the embedding holds them")
    kv_heads: Term | None = count(
        doc="KV heads, which divide `heads`; without it as many as query heads", optional=True
    )
    head_dim: Term | None = count(
        doc="width of a head; without it hidden / heads, which has to be whole", optional=True
    )
    ffn: Term | None = count(doc="inner width of the feed-forward network of dense layers", optional=True)
    activation: str = choice(
        *GATED,
        *PLAIN,
        doc="activation function; those that end in glu have a gate",
        default="swiglu",
        source=_LLAMA,
    )
    norm: str = choice(
        "rmsnorm",
        "layernorm",
        "layernorm_no_bias",
        doc="kind of normalisation",
        default="rmsnorm",
        source=_LLAMA,
    )
    norms: Term = count(doc="normalisations of a layer", default=2, source=_LLAMA)
    qk_norm: str = choice(
        "none", "head", "full", doc="normalisation of queries and keys: none, of each head, of all heads as one",
        default="none", source=_LLAMA,
    )  # fmt: skip
    attention_bias: str = choice(
        "none", "qkv", "all", doc="projections of the attention with a bias", default="none", source=_LLAMA
    )
    mlp_bias: bool = flag(doc="whether the feed-forward network has biases", default=False, source=_LLAMA)
    sinks: bool = flag(
        doc="whether each head learns a logit to attend to nothing", default=False, source=_LLAMA
    )
    tied: bool = flag(doc="whether lm_head reads the embedding's weights", default=False, source=_LLAMA)
    positions: Term | None = count(doc="learned position embeddings", optional=True)
    window: Term | None = count(
        unit="tok", doc="tokens that a layer with sliding window attends to", optional=True
    )
    global_every: Term | None = count(
        doc="each such layer attends to all tokens in spite of `window`, at most `layers`; without it none does",
        optional=True,
    )
    global_layers: Term | None = count(
        doc="how many layers attend to all tokens; it goes before `global_every`", ge=0, optional=True
    )
    live_tokens: Term = count(
        unit="tok",
        doc="most tokens whose activations are alive at once; longer prompts go in chunks",
        default=8192,
        source="vLLM EngineArgs: max_num_batched_tokens is 8192 for large accelerators",
    )
    params: Term | None = quantity(
        doc="published number of parameters, to check the fields against", gt=0, optional=True
    )
    active_params: Term | None = quantity(doc="published parameters that one token uses", gt=0, optional=True)
    kv_per_token: Term | None = quantity(
        "B", "B/tok", doc="published bytes of 16-bit KV cache of one token", gt=0, optional=True
    )
    hf: str | None = text(doc="name on the Hugging Face hub")
    aliases: Any = listing(doc="further names that measurements and people use")
    attention: GroupedAttention | LatentAttention | None = block(
        "attention", doc="attention, where it is not grouped"
    )
    experts: Experts | None = block("experts", doc="experts in place of one feed-forward network")
    mtp: Mtp | None = block("mtp", doc="multi-token prediction")
    precision: Any = block("precision", doc="data types of the published weights")
