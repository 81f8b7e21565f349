"""Fields of the blocks of layers that have no attention: linear attention, state spaces, convolutions."""

from __future__ import annotations

from accelscope.core.numeric.dtypes import DTYPE_NAMES
from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import choice, count, flag, spec


@spec(kind="linear_attention", aliases=("linear",), within=("model",))
class LinearAttention:
    """Layers with linear attention by the gated delta rule: a fixed state instead of a KV cache (arXiv 2412.06464)."""

    layers: Term = count(doc="number of layers with linear attention, at most the model's")
    key_heads: Term = count(doc="heads of queries and keys")
    value_heads: Term = count(doc="heads of values, each with a state; `key_heads` divide them")
    key_dim: Term = count(doc="dimension of a head's query and key")
    value_dim: Term = count(doc="dimension of a head's value")
    conv_width: Term = count(
        aliases=("conv",),
        doc="kernel size of the short convolution over queries, keys and values",
        default=4,
        source="Gated Delta Networks (arXiv 2412.06464) section 4; transformers configuration_qwen3_next.py",
    )
    chunk_size: Term = count(
        unit="tok",
        aliases=("chunk",),
        doc="tokens per chunk in prefill",
        default=64,
        source="flash-linear-attention and transformers modeling_qwen3_next.py: chunk_size 64",
    )


@spec(kind="ssm", select={"kind": ("mamba1",)}, default=False, within=("model",))
class Mamba1:
    """Layers with a selective state space of its own decay for each channel and state (Mamba, arXiv 2312.00752)."""

    layers: Term = count(doc="number of state-space layers, at most the model's")
    inner_dim: Term = count(aliases=("inner",), doc="number of channels (d_inner)")
    state_dim: Term = count(aliases=("state",), doc="states per channel (d_state)")
    dt_rank: Term = count(doc="rank of the step-size projection")
    conv_width: Term = count(
        aliases=("conv",),
        doc="kernel size of the short convolution (d_conv)",
        default=4,
        source="Mamba (arXiv 2312.00752)",
    )
    inner_norms: bool | None = flag(
        doc="whether step sizes, inputs and outputs of the state are normalized",
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

    layers: Term = count(doc="number of state-space layers, at most the model's")
    heads: Term = count(doc="heads")
    head_dim: Term = count(doc="channels of a head")
    state_dim: Term = count(aliases=("state",), doc="states per channel (d_state)")
    groups: Term = count(
        doc="groups of heads that share the input and output projections of the state; must divide `heads`",
        default=1,
        source="Mamba-2 (arXiv 2405.21060) section 7.2",
    )
    conv_width: Term = count(
        aliases=("conv",),
        doc="kernel size of the short convolution (d_conv)",
        default=4,
        source="Mamba-2 (arXiv 2405.21060)",
    )
    chunk_size: Term = count(
        unit="tok",
        aliases=("chunk",),
        doc="tokens per chunk in prefill",
        default=256,
        source="mamba_ssm: chunk_size 256",
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

    layers: Term = count(doc="number of convolution layers, at most the model's")
    conv_width: Term = count(aliases=("width",), doc="kernel size of the convolution")
    bias: bool | None = flag(
        doc="whether projections and filters have biases",
        default=False,
        source="transformers configuration_lfm2.py: conv_bias",
    )


@spec(kind="conv", select={"kind": ("hyena",)}, within=("model",))
class Hyena:
    """Layers with Hyena operators of short, medium and endless filters (StripedHyena 2, arXiv 2503.01868)."""

    short_layers: Term = count(
        aliases=("short",), doc="number of layers with a short explicit filter (SE)", ge=0
    )
    medium_layers: Term = count(
        aliases=("medium",), doc="number of layers with a medium explicit filter (MR)", ge=0
    )
    long_layers: Term = count(
        aliases=("long",), doc="number of layers with a long implicit filter (LI)", ge=0
    )
    groups: Term = count(doc="groups of channels that share an explicit filter; must divide `hidden`")
    short_width: Term = count(
        doc="length of the short filter in tokens", default=7, source="arXiv 2503.01868; evo2 configs"
    )
    medium_width: Term = count(
        doc="length of the medium filter in tokens", default=128, source="arXiv 2503.01868; evo2 configs"
    )
    modes: Term = count(
        doc="real modes (states) of each channel's implicit filter",
        default=16,
        source="evo2 configs: state_size",
    )
    featurizer_width: Term = count(
        aliases=("featurizer",),
        doc="length of the featurizer filters before the gates in tokens",
        default=3,
        source="arXiv 2503.01868 section 2",
    )
