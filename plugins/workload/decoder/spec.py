"""Fields of a decoder's `model` block and of the blocks in it: attention, experts and multi-token prediction."""

from __future__ import annotations

from typing import Any

from accelscope.core.numeric.dtypes import DTYPE_NAMES
from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import block, choice, count, flag, fraction, listing, quantity, spec, text

GATED_ACTIVATIONS = ("swiglu", "geglu", "reglu")
UNGATED_ACTIVATIONS = ("gelu", "relu", "relu2", "silu")

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


@spec(kind="indexer", within=("model",))
class Indexer:
    """Sparse attention: a small attention picks the tokens that the main one reads (DeepSeek-V3.2 report, section 2.1)."""

    heads: Term = count(doc="query heads of the indexer, which share one key")
    dim: Term = count(doc="width of a query and of the key that is cached for a token")
    top_k: Term = count(unit="tok", doc="tokens that the main attention of one query reads")


@spec(kind="linear", within=("model",))
class LinearAttention:
    """Layers with linear attention by the gated delta rule: a fixed state instead of a KV cache (arXiv 2412.06464)."""

    layers: Term = count(doc="layers with linear attention in place of attention, at most the model's")
    key_heads: Term = count(doc="heads of queries and keys")
    value_heads: Term = count(doc="heads of values, each with a state; `key_heads` divide them")
    key_dim: Term = count(doc="width of a head's query and key")
    value_dim: Term = count(doc="width of a head's value")
    conv: Term = count(
        doc="tokens that the short convolution over queries, keys and values sees",
        default=4,
        source="Gated Delta Networks (arXiv 2412.06464) section 4; transformers configuration_qwen3_next.py",
    )
    chunk: Term = count(
        unit="tok",
        doc="tokens of a chunk in prefill",
        default=64,
        source="flash-linear-attention and transformers modeling_qwen3_next.py: chunk_size 64",
    )


@spec(kind="ssm", select={"kind": ("mamba1",)}, default=False, within=("model",))
class Mamba1:
    """Layers with a selective state space of its own decay for each channel and state (Mamba, arXiv 2312.00752)."""

    layers: Term = count(doc="layers with a state space in place of attention, at most the model's")
    inner: Term = count(doc="channels")
    state: Term = count(doc="states of a channel")
    dt_rank: Term = count(doc="width of the latent that step sizes are made of")
    conv: Term = count(
        doc="tokens that the short convolution sees", default=4, source="Mamba (arXiv 2312.00752)"
    )
    inner_norms: bool | None = flag(
        doc="whether step sizes, inputs and outputs of the state are normalised",
        default=False,
        source="Mamba (arXiv 2312.00752); Jamba (arXiv 2403.19887) adds them",
    )
    state_dtype: str = choice(
        *DTYPE_NAMES,
        doc="data type of the state",
        default="fp32",
        source="mamba_ssm and vLLM keep ssm_state at 32 bit",
    )


@spec(kind="ssm", select={"kind": ("mamba2",)}, within=("model",))
class Mamba2:
    """Layers with a state space whose decay is one number of a head, a product of matrices in prefill (arXiv 2405.21060)."""

    layers: Term = count(doc="layers with a state space in place of attention, at most the model's")
    heads: Term = count(doc="heads")
    head_dim: Term = count(doc="channels of a head")
    state: Term = count(doc="states of a channel")
    groups: Term = count(
        doc="groups of heads that share inputs and outputs of the state; they divide `heads`",
        default=1,
        source="Mamba-2 (arXiv 2405.21060) section 7.2",
    )
    conv: Term = count(
        doc="tokens that the short convolution sees", default=4, source="Mamba-2 (arXiv 2405.21060)"
    )
    chunk: Term = count(
        unit="tok", doc="tokens of a chunk in prefill", default=256, source="mamba_ssm: chunk_size 256"
    )
    state_dtype: str = choice(
        *DTYPE_NAMES,
        doc="data type of the state",
        default="fp32",
        source="mamba_ssm and vLLM keep ssm_state at 32 bit",
    )


@spec(kind="conv", select={"kind": ("short",)}, default=False, within=("model",))
class ShortConv:
    """Layers with a gated short convolution of each channel (LFM2, arXiv 2511.23404)."""

    layers: Term = count(doc="layers with a convolution in place of attention, at most the model's")
    width: Term = count(doc="tokens that a filter sees")
    bias: bool | None = flag(
        doc="whether projections and filters have biases",
        default=False,
        source="transformers configuration_lfm2.py: conv_bias",
    )


@spec(kind="conv", select={"kind": ("hyena",)}, within=("model",))
class Hyena:
    """Layers with Hyena operators of short, medium and endless filters (StripedHyena 2, arXiv 2503.01868)."""

    short: Term = count(doc="layers with a short explicit filter (SE)", ge=0)
    medium: Term = count(doc="layers with a medium explicit filter (MR)", ge=0)
    long: Term = count(doc="layers with an implicit filter as long as the sequence (LI)", ge=0)
    groups: Term = count(doc="groups of channels that share an explicit filter; they divide `hidden`")
    short_width: Term = count(
        doc="tokens that a short filter sees", default=7, source="arXiv 2503.01868; evo2 configs"
    )
    medium_width: Term = count(
        doc="tokens that a medium filter sees", default=128, source="arXiv 2503.01868; evo2 configs"
    )
    modes: Term = count(
        doc="real modes of a channel's implicit filter", default=16, source="evo2 configs: state_size"
    )
    featurizer: Term = count(
        doc="tokens that the filters before the gates see", default=3, source="arXiv 2503.01868 section 2"
    )


@spec(kind="shared", within=("model",))
class SharedBlock:
    """Blocks of attention and network whose weights several places in the model share (Zamba2, arXiv 2411.15242)."""

    uses: Term = count(doc="places where a shared block runs: a KV cache and an adapter for each")
    blocks: Term = count(doc="blocks with weights of their own, at most `uses`")
    lora_rank: Term | None = count(
        doc="rank of the adapter that each use adds to the network; without it none", optional=True
    )


@spec(kind="encoder", within=("model",))
class Encoder:
    """Encoder in front of the decoder: it reads the prompt, and each decoder layer attends to what it made of it (T5)."""

    layers: Term = count(doc="encoder layers: attention and network of the decoder's sizes")


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
        doc="layers with a plain feed-forward network instead, at most all that have a network",
        ge=0,
        optional=True,
    )
    dense_ffn: Term | None = count(
        doc="inner width of the plain layers; without it the model's `ffn`", optional=True
    )
    activation: str | None = choice(
        *GATED_ACTIVATIONS,
        *UNGATED_ACTIVATIONS,
        doc="activation function of experts, where it is not the model's; those that end in glu have a gate",
        optional=True,
    )
    latent: Term | None = count(
        doc="width that tokens are projected to before routed experts and back from after; without it `hidden`",
        optional=True,
    )
    shared_gate: bool | None = flag(
        doc="whether a gate of its own scales the shared experts",
        default=False,
        source="Mixtral (arXiv 2401.04088)",
    )
    weights: str | None = choice(
        *DTYPE_NAMES, doc="stored routed experts, where they differ from other weights", optional=True
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
    """Decoder, dense or with experts: attention, state spaces, linear attention and convolutions, counted by layer."""

    layers: Term = count(doc="decoder layers")
    hidden: Term = count(doc="width of the residual stream")
    heads: Term | None = count(doc="query heads; layers with attention need it", optional=True)
    vocab: Term = count(doc="tokens of the vocabulary, as the embedding holds them")
    attention_layers: Term | None = count(
        doc="layers with attention; without it those that no other block takes", ge=0, optional=True
    )
    ffn_layers: Term | None = count(
        doc="layers with a feed-forward network or experts; without it all", ge=0, optional=True
    )
    kv_heads: Term | None = count(
        doc="KV heads, which divide `heads`; without it as many as query heads", optional=True
    )
    head_dim: Term | None = count(
        doc="width of a head; without it hidden / heads, which has to be whole", optional=True
    )
    ffn: Term | None = count(doc="inner width of the feed-forward network of dense layers", optional=True)
    activation: str = choice(
        *GATED_ACTIVATIONS,
        *UNGATED_ACTIVATIONS,
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
        "none",
        "qkv",
        "out",
        "all",
        doc="projections of the attention with a bias",
        default="none",
        source=_LLAMA,
    )
    mlp_bias: bool = flag(doc="whether the feed-forward network has biases", default=False, source=_LLAMA)
    attention_gate: bool = flag(
        doc="whether a gate of each number of its heads scales the output of the attention",
        default=False,
        source=_LLAMA,
    )
    sinks: bool = flag(
        doc="whether each head learns a logit to attend to nothing", default=False, source=_LLAMA
    )
    tied: bool = flag(doc="whether lm_head reads the embedding's weights", default=False, source=_LLAMA)
    positions: Term | None = count(doc="learned position embeddings", optional=True)
    window: Term | None = count(
        unit="tok", doc="tokens that a layer with sliding window attends to", optional=True
    )
    chunk: Term | None = count(
        unit="tok",
        doc="tokens of a chunk, where layers attend to their own chunk only; not with `window`",
        optional=True,
    )
    global_every: Term | None = count(
        doc="each such layer attends to all tokens in spite of `window` or `chunk`; without it none does",
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
    active_embedding: bool = flag(
        doc="whether the publisher counts the input embedding among the parameters that a token uses",
        default=True,
        source="Mixtral (arXiv 2401.04088) and Qwen3 (arXiv 2505.09388) count it, gpt-oss does not",
    )
    kv_per_token: Term | None = quantity(
        "B", "B/tok", doc="published bytes of 16-bit KV cache of one token", gt=0, optional=True
    )
    hf: str | None = text(doc="name on the Hugging Face hub")
    aliases: Any = listing(doc="further names that measurements and people use")
    attention: GroupedAttention | LatentAttention | None = block(
        "attention", doc="attention, where it is not grouped"
    )
    experts: Experts | None = block("experts", doc="experts in place of one feed-forward network")
    indexer: Indexer | None = block("indexer", doc="sparse attention, where an indexer picks the tokens")
    linear: LinearAttention | None = block("linear", doc="layers with linear attention")
    ssm: Mamba1 | Mamba2 | None = block("ssm", doc="layers with a state space")
    conv: ShortConv | Hyena | None = block("conv", doc="layers with a convolution")
    shared: SharedBlock | None = block("shared", doc="attention and network that several places share")
    encoder: Encoder | None = block("encoder", doc="an encoder, to which each decoder layer attends")
    mtp: Mtp | None = block("mtp", doc="multi-token prediction")
    precision: Any = block("precision", doc="data types of the published weights")
