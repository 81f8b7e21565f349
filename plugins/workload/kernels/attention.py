"""Kernels of attention as models: grouped, latent and linear, each the operation of one layer of a decoder."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.layer import LayerPart
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.plan import Workload
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, maximum
from accelscope.core.plugin.records import WorkloadModel
from accelscope.core.spec.spec import choice, count, spec
from accelscope.core.workload.layer_pass import SIXTEEN_BIT_BYTES
from accelscope.plugins.workload.decoder.shape import ONE_TOKEN
from accelscope.plugins.workload.decoder.spec import LatentAttention
from accelscope.plugins.workload.kernels.common import (
    build_kernel_decoder,
    build_kernel_workload,
    instantiate_spec,
    select_decoder_ops,
)
from accelscope.plugins.workload.mixers.mixers import LINEAR_ATTENTION
from accelscope.plugins.workload.mixers.spec import LinearAttention

_PHASES = ("prefill", "decode")
_V3 = "DeepSeek-V3 Technical Report (arXiv 2412.19437), section 4.2"
_DELTA = "Gated Delta Networks (arXiv 2412.06464), section 4: keys and values of the same width"


@spec(kind="model", select={"family": ("attention",)}, default=False, within=("file",))
class AttentionKernel:
    """Attention of one layer: `seq_q` new tokens of each sequence to `kv_len` tokens, themselves included."""

    phase: str = choice(*_PHASES, doc="prefill or decode")
    batch: Term = count(doc="sequences")
    seq_q: Term = count(doc="new tokens of a sequence")
    kv_len: Term = count(doc="tokens of a sequence, the new ones included")
    heads: Term = count(doc="query heads")
    kv_heads: Term = count(doc="KV heads, which divide `heads`")
    head_dim: Term = count(doc="width of a head")
    sliding_window: Term | None = count(
        aliases=("window",), doc="sliding-window size in tokens; if absent, full attention", optional=True
    )


@spec(kind="model", select={"family": ("mla",)}, default=False, within=("file",))
class MlaKernel:
    """Latent attention of one layer: keys and values expanded in prefill, absorbed into the query in decode."""

    phase: str = choice(*_PHASES, doc="prefill or decode")
    batch: Term = count(doc="sequences")
    seq_q: Term = count(doc="new tokens of a sequence")
    kv_len: Term = count(doc="tokens of a sequence, the new ones included")
    heads: Term = count(doc="query heads of one device")
    kv_rank: Term = count(doc="rank of the KV latent (kv_lora_rank)", default=512, source=_V3)
    rope_dim: Term = count(doc="width of the rotated part of a key", default=64, source=_V3)
    nope_dim: Term = count(
        doc="width of the part of a head's key that is not rotated", default=128, source=_V3
    )
    v_dim: Term = count(doc="width of a head's value", default=128, source=_V3)


@spec(kind="model", select={"family": ("linear_attention",)}, default=False, within=("file",))
class LinearAttentionKernel:
    """A kernel of linear attention by the gated delta rule: its short convolution or its pass over the state."""

    kernel: str = choice(
        "convolution",
        "scan",
        aliases=("part",),
        doc="kernel of the layer: its short convolution or its scan over the state",
    )
    phase: str = choice(*_PHASES, doc="prefill or decode")
    batch: Term = count(doc="sequences")
    seq_q: Term = count(doc="new tokens of a sequence")
    key_heads: Term = count(doc="heads of queries and keys")
    value_heads: Term = count(doc="heads of values, each with a state")
    head_dim: Term = count(doc="width of a head's query and key")
    value_dim: Term | None = count(doc="width of a head's value; without it `head_dim`", optional=True)


def build_attention(spec: AttentionKernel, step: Step, precision: Precision) -> Workload:
    """Build attention alone: neither projections nor the writing of new keys and values."""
    window = None if spec.sliding_window is None else spec.sliding_window * ONE_TOKEN
    decoder = build_kernel_decoder(
        heads=spec.heads, kv_heads=spec.kv_heads, head_dim=spec.head_dim, sliding_window=window
    )
    name = "attention" if window is None else "attention_window"
    ops = select_decoder_ops(decoder, _step(spec.phase, spec.batch, spec.seq_q, spec.kv_len), precision, name)
    return build_kernel_workload(
        tuple(_in_own_type(op, precision) for op in ops), heads=spec.heads, kv_heads=spec.kv_heads
    )


def build_mla(spec: MlaKernel, step: Step, precision: Precision) -> Workload:
    """Build latent attention alone: neither projections nor the products that expand or absorb latents."""
    latent = instantiate_spec(
        LatentAttention,
        kv_rank=spec.kv_rank,
        rope_dim=spec.rope_dim,
        nope_dim=spec.nope_dim,
        v_dim=spec.v_dim,
    )
    decoder = build_kernel_decoder(heads=spec.heads, attention=latent)
    ops = select_decoder_ops(
        decoder, _step(spec.phase, spec.batch, spec.seq_q, spec.kv_len), precision, "attention"
    )
    return build_kernel_workload(tuple(_in_own_type(op, precision) for op in ops), heads=spec.heads)


def build_linear_attention(spec: LinearAttentionKernel, step: Step, precision: Precision) -> Workload:
    """Build one kernel of a layer with linear attention."""
    linear = LinearAttention(
        layers=ONE,
        key_heads=spec.key_heads,
        value_heads=spec.value_heads,
        key_dim=spec.head_dim,
        value_dim=spec.head_dim if spec.value_dim is None else spec.value_dim,
    )
    layer = LayerPart(name="linear", path="linear", spec=linear, model=LINEAR_ATTENTION)
    name = "linear_scan" if spec.kernel == "scan" else "linear_conv"
    ops = select_decoder_ops(
        build_kernel_decoder(layer_blocks=(layer,)),
        _step(spec.phase, spec.batch, spec.seq_q, spec.seq_q),
        precision,
        name,
    )
    return build_kernel_workload(ops, heads=spec.value_heads)


def _step(phase: str, batch: Term, tokens: Term, length: Term) -> Step:
    return Step(phase=phase, sequences=batch, tokens=tokens, context=maximum(length - tokens, 0.0))


def _in_own_type(op: Op, precision: Precision) -> Op:
    """Let attention compute in the type of the activations, where a decoder keeps it at 16 bit."""
    narrow = bytes_per_element(precision.activations)
    if narrow >= SIXTEEN_BIT_BYTES:
        return op
    return evolve(op, dtype=precision.activations, reads=op.reads * (narrow / SIXTEEN_BIT_BYTES))


ATTENTION_KERNELS = (
    WorkloadModel(
        name="attention", doc="Attention of one layer, grouped.", spec=AttentionKernel, build=build_attention
    ),
    WorkloadModel(name="mla", doc="Latent attention of one layer.", spec=MlaKernel, build=build_mla),
    WorkloadModel(
        name="linear_attention",
        doc="One kernel of linear attention.",
        spec=LinearAttentionKernel,
        build=build_linear_attention,
    ),
)
