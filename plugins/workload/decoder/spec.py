"""Fields of a decoder's `model` block and of the blocks in it: attention, experts and multi-token prediction."""

from __future__ import annotations

from typing import Any

from accelscope.core.ir.layer import LayerModel, LayerPart
from accelscope.core.numeric.dtypes import DTYPE_NAMES
from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import (
    block,
    choice,
    count,
    flag,
    fraction,
    listing,
    quantity,
    record_blocks,
    spec,
    text,
)

GATED_ACTIVATIONS = ("swiglu", "geglu", "reglu")
UNGATED_ACTIVATIONS = ("gelu", "relu", "relu2", "silu")

_LLAMA = "Llama 2 (arXiv 2307.09288) section 2.2: RMSNorm before each half of a layer, SwiGLU, no biases"


@spec(kind="attention", select={"kind": ("grouped",)}, within=("file", "model"))
class GroupedAttention:
    """Attention whose query heads share KV heads: the model's `heads`, `kv_heads` and `head_dim` say how."""


@spec(kind="attention", select={"kind": ("mla",)}, default=False, within=("file", "model"))
class LatentAttention:
    """Multi-head latent attention: one low-rank latent of a token serves all heads (DeepSeek-V2, section 2.1)."""

    kv_rank: Term = count(doc="rank of the cached KV latent (kv_lora_rank)")
    q_rank: Term | None = count(
        doc="rank of the query latent (q_lora_rank); if absent, queries are not compressed", optional=True
    )
    rope_dim: Term = count(doc="rotary dimension of the key, shared by all heads")
    nope_dim: Term = count(doc="non-rotary dimension of a head's key")
    v_dim: Term = count(doc="dimension of a head's value")


@spec(kind="indexer", within=("model",))
class Indexer:
    """Sparse attention: a small attention picks the tokens that the main one reads (DeepSeek-V3.2 report, section 2.1)."""

    heads: Term = count(doc="query heads of the indexer; they share one key")
    head_dim: Term = count(
        aliases=("dim",), doc="dimension of an indexer query and of the cached key of a token"
    )
    top_k: Term = count(unit="tok", doc="tokens selected per query for the main attention")


@spec(kind="shared_block", aliases=("shared",), within=("model",))
class SharedBlock:
    """Blocks of attention and network whose weights several places in the model share (Zamba2, arXiv 2411.15242)."""

    invocations: Term = count(
        aliases=("uses",),
        doc="invocations of a shared block in one pass, each with its own KV cache and adapter",
    )
    distinct_blocks: Term = count(
        aliases=("blocks",), doc="number of shared blocks with distinct weights, at most `invocations`"
    )
    lora_rank: Term | None = count(
        doc="rank of the LoRA adapter that each invocation adds to the feed-forward network; if absent, none",
        optional=True,
    )


@spec(kind="encoder", within=("model",))
class Encoder:
    """Encoder in front of the decoder: it reads the prompt, and each decoder layer attends to what it made of it (T5)."""

    layers: Term = count(doc="encoder layers: attention and network of the decoder's sizes")


@spec(kind="experts", within=("model",))
class Experts:
    """Feed-forward networks of which a router picks some for each token."""

    routed: Term = count(doc="number of routed experts per layer")
    top_k: Term = count(doc="routed experts per token, at most `routed`")
    ffn: Term = count(doc="intermediate size of an expert")
    shared: Term | None = count(
        doc="number of shared experts, which process every token", ge=0, optional=True
    )
    shared_ffn: Term | None = count(
        doc="intermediate size of a shared expert; if absent, that of a routed expert", optional=True
    )
    dense_layers: Term | None = count(
        doc="number of layers with a dense feed-forward network instead of experts",
        ge=0,
        optional=True,
    )
    dense_ffn: Term | None = count(
        doc="intermediate size of the dense layers; if absent, the model's `ffn`", optional=True
    )
    activation: str | None = choice(
        *GATED_ACTIVATIONS,
        *UNGATED_ACTIVATIONS,
        doc="activation function of the experts, if it differs from the model's; names ending in glu are gated",
        optional=True,
    )
    latent_dim: Term | None = count(
        aliases=("latent",),
        doc="dimension to which tokens are projected for routed experts; if absent, `hidden`",
        optional=True,
    )
    shared_gate: bool | None = flag(
        doc="whether a gate scales the output of the shared experts",
        default=False,
        source="Mixtral (arXiv 2401.04088)",
    )
    weight_dtype: str | None = choice(
        *DTYPE_NAMES,
        aliases=("weights",),
        doc="data type of stored routed experts, if it differs from that of the other weights",
        optional=True,
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
        doc="expert groups of group-limited routing (n_group); must divide `routed`", optional=True
    )
    top_groups: Term | None = count(
        doc="expert groups per token (topk_group), at most `groups`; they must hold at least `top_k` experts",
        optional=True,
    )


@spec(kind="mtp", within=("model",))
class Mtp:
    """Extra layers that predict further tokens; they are no part of the forward pass unless drafts are asked for."""

    depth: Term | None = count(doc="number of additional tokens predicted", optional=True)
    acceptance: Term | None = fraction(doc="fraction of predicted tokens that are accepted", optional=True)


@spec(kind="model", select={"family": ("decoder",)}, within=("file",))
class Decoder:
    """Decoder, dense or with experts: attention, state spaces, linear attention and convolutions, counted by layer."""

    layers: Term = count(doc="number of decoder layers")
    hidden: Term = count(doc="hidden size (width of the residual stream)")
    heads: Term | None = count(doc="query heads; required if any layer has attention", optional=True)
    vocab: Term = count(doc="vocabulary size of the embedding, padding included")
    attention_layers: Term | None = count(
        doc="number of layers with attention; if absent, all that have no other mixer", ge=0, optional=True
    )
    ffn_layers: Term | None = count(
        doc="number of layers with a feed-forward network or experts; if absent, all", ge=0, optional=True
    )
    kv_heads: Term | None = count(
        doc="KV heads, a divisor of `heads`; if absent, equal to `heads`", optional=True
    )
    head_dim: Term | None = count(
        doc="head dimension; if absent, hidden / heads, which must be an integer", optional=True
    )
    ffn: Term | None = count(
        doc="intermediate size of the feed-forward network of dense layers", optional=True
    )
    activation: str = choice(
        *GATED_ACTIVATIONS,
        *UNGATED_ACTIVATIONS,
        doc="activation function; names ending in glu are gated",
        default="swiglu",
        source=_LLAMA,
    )
    norm: str = choice(
        "rmsnorm",
        "layernorm",
        "layernorm_no_bias",
        doc="type of normalization",
        default="rmsnorm",
        source=_LLAMA,
    )
    norms_per_layer: Term = count(
        aliases=("norms",), doc="normalizations per layer", default=2, source=_LLAMA
    )
    qk_norm: str = choice(
        "none", "per_head", "full", symbol_aliases={"head": "per_head"}, doc="normalization of queries and keys: none, per head, or over all heads",
        default="none", source=_LLAMA,
    )  # fmt: skip
    attention_bias: str = choice(
        "none",
        "qkv",
        "out",
        "all",
        doc="attention projections with a bias",
        default="none",
        source=_LLAMA,
    )
    mlp_bias: bool = flag(doc="whether the feed-forward network has biases", default=False, source=_LLAMA)
    attention_gate: bool = flag(
        doc="whether an elementwise gate scales the output of the attention heads",
        default=False,
        source=_LLAMA,
    )
    attention_sinks: bool = flag(
        aliases=("sinks",),
        doc="whether each head has a learned attention-sink logit",
        default=False,
        source=_LLAMA,
    )
    tied_embeddings: bool = flag(
        aliases=("tied",),
        doc="whether lm_head shares the weights of the embedding",
        default=False,
        source=_LLAMA,
    )
    position_embeddings: Term | None = count(
        aliases=("positions",), doc="number of learned position embeddings", optional=True
    )
    sliding_window: Term | None = count(
        unit="tok", aliases=("window",), doc="sliding-window size in tokens", optional=True
    )
    attention_chunk_size: Term | None = count(
        unit="tok",
        aliases=("chunk",),
        doc="chunk size in tokens of chunked attention; excludes `sliding_window`",
        optional=True,
    )
    global_every: Term | None = count(
        doc="every n-th layer has full attention despite `sliding_window` or `attention_chunk_size`; if absent, none has",
        optional=True,
    )
    global_layers: Term | None = count(
        doc="number of layers with full attention; takes precedence over `global_every`", ge=0, optional=True
    )
    max_live_tokens: Term = count(
        unit="tok",
        aliases=("live_tokens",),
        doc="maximum tokens whose activations are in memory at once; longer prompts are processed in chunks",
        default=8192,
        source="vLLM EngineArgs: max_num_batched_tokens is 8192 for large accelerators",
    )
    params: Term | None = quantity(doc="published parameter count, for validation", gt=0, optional=True)
    active_params: Term | None = quantity(
        doc="published active parameter count per token, for validation", gt=0, optional=True
    )
    embedding_in_active_params: bool = flag(
        aliases=("active_embedding",),
        doc="whether `active_params` includes the input embedding",
        default=True,
        source="Mixtral (arXiv 2401.04088) and Qwen3 (arXiv 2505.09388) count it, gpt-oss does not",
    )
    kv_per_token: Term | None = quantity(
        "B",
        "B/tok",
        doc="published size of the 16-bit KV cache per token, for validation",
        gt=0,
        optional=True,
    )
    hf: str | None = text(doc="model id on the Hugging Face Hub")
    aliases: Any = listing(doc="other names of the model, in measurements and in common use")
    attention: GroupedAttention | LatentAttention | None = block(
        "attention", doc="attention, if it is not grouped-query attention"
    )
    experts: Experts | None = block("experts", doc="experts in place of one feed-forward network")
    indexer: Indexer | None = block("indexer", doc="sparse attention with an indexer that selects tokens")
    layer_blocks: tuple[LayerPart[Any], ...] = record_blocks(
        LayerModel, doc="layers of other kinds in place of attention or of the feed-forward network"
    )
    shared: SharedBlock | None = block(
        "shared_block", doc="attention and feed-forward blocks with weights shared by several layers"
    )
    encoder: Encoder | None = block("encoder", doc="encoder that every decoder layer cross-attends to")
    mtp: Mtp | None = block("mtp", doc="multi-token prediction")
    precision: Any = block("precision", doc="data types of the published weights")
