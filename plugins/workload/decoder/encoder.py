"""Encoder and cross-attention (T5, arXiv 1910.10683): the encoder reads the prompt, and the decoder starts with a token.

A decoder layer attends to its own tokens and to those of the encoder. Both leave a key and a value of the same size,
so what a step reads depends on prompt and output together only: one attention over all of them stands for the two.
"""

from __future__ import annotations

from typing import Any

from attrs import evolve

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import Split
from accelscope.core.workload.op_builders import elementwise_op, gemm_op
from accelscope.plugins.workload.decoder.attention import AttentionHeads, attention_op
from accelscope.plugins.workload.decoder.attention_mask import AttentionMask
from accelscope.plugins.workload.decoder.feedforward import feedforward_ops
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass
from accelscope.plugins.workload.decoder.parameters import kv_layer_elements
from accelscope.plugins.workload.decoder.shape import ZERO_COUNT, DecoderShape, resolve_shape
from accelscope.plugins.workload.decoder.spec import Encoder


def derive_decoder_pass(run: ForwardPass) -> ForwardPass:
    """Return what the decoder does in a pass: in prefill, where the encoder reads the prompt, its first token."""
    if run.shape.spec.encoder is None or run.decode:
        return run
    return evolve(run, tokens=ONE, context=run.context + run.tokens - ONE, rows=run.sequences, decode=True)


def encoder_ops(run: ForwardPass) -> tuple[Op, ...]:
    """Return the encoder's operations, which prefill has, and those that cross-attention adds to the decoder."""
    encoder = run.shape.spec.encoder
    if encoder is None:
        return ()
    cross = _cross(derive_decoder_pass(run))
    if run.decode:
        return cross
    inner = evolve(run, shape=_encoder_shape(run.shape, encoder))
    named = (
        evolve(op, name=f"encoder_{op.name}") for op in (*_self_attention(inner), *feedforward_ops(inner))
    )
    return (*named, *_cross_kv(run), *cross)


def _encoder_shape(shape: DecoderShape, encoder: Encoder) -> DecoderShape:
    """Return the decoder's shape with the encoder's layers, all of which have what the decoder's have."""
    spec: Any = shape.spec
    return resolve_shape(evolve(spec, layers=encoder.layers, encoder=None))


def _self_attention(run: ForwardPass) -> tuple[Op, ...]:
    """Every token sees all others; keys and values are used at once and not cached."""
    shape = run.shape
    queries, keys = shape.heads * shape.head_dim, shape.kv_heads * shape.head_dim
    layers = shape.attention_layers
    project = gemm_op(
        run, "qkv", "attention", m=run.rows, k=shape.hidden, n=queries + 2.0 * keys, repeat=layers, split=Split.COLUMN,
        kv_heads=shape.kv_heads,
    )  # fmt: skip
    heads = AttentionHeads(
        groups=shape.kv_heads,
        queries=shape.heads / shape.kv_heads,
        key=shape.head_dim,
        value=shape.head_dim,
        cached_width=ZERO_COUNT,
        expanded_width=kv_layer_elements(shape),
    )
    attend = attention_op(run, heads, "attention", layers, AttentionMask.everything(run))
    out = gemm_op(
        run, "o_proj", "attention", m=run.rows, k=queries, n=shape.hidden, repeat=layers, split=Split.ROW
    )
    return (project, attend, out)


def _cross(run: ForwardPass) -> tuple[Op, ...]:
    """Queries and output of the cross-attention of a decoder layer."""
    shape = run.shape
    width = shape.heads * shape.head_dim
    layers = shape.attention_layers
    return (
        gemm_op(
            run,
            "cross_q",
            "attention",
            m=run.rows,
            k=shape.hidden,
            n=width,
            repeat=layers,
            split=Split.COLUMN,
        ),
        gemm_op(
            run, "cross_out", "attention", m=run.rows, k=width, n=shape.hidden, repeat=layers, split=Split.ROW
        ),
    )


def _cross_kv(run: ForwardPass) -> tuple[Op, ...]:
    """Keys and values of the prompt for every decoder layer."""
    shape = run.shape
    width = kv_layer_elements(shape)
    layers = shape.attention_layers
    make = gemm_op(
        run, "cross_kv", "attention", m=run.rows, k=shape.hidden, n=width, repeat=layers, split=Split.COLUMN
    )
    keep = elementwise_op(
        run, "cross_cache", "attention", reads=run.rows * width * run.wide, writes=ZERO_COUNT * run.wide, ops=ZERO_COUNT,
        kv_write=run.rows * width * run.kv, repeat=layers, split=Split.HEADS, kv_heads=shape.kv_heads,
    )  # fmt: skip
    return (make, keep)
