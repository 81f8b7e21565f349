"""Kinds of layer of a decoder, as plugins supply them, and the pass that they build their operations for."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from typing import Any

from attrs import field, frozen

from accelscope.core.ir.hardware import Part, S
from accelscope.core.ir.operation import Op
from accelscope.core.ir.record import CONTRACT, RECORD_NAME
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.term import Term


@frozen(kw_only=True, eq=False)
class LayerPass:
    """One pass of a model as its layers see it: how many tokens they work on, and how wide the numbers are.

    All counts are plain numbers, all widths are bytes of one number.

    Attributes:
        phase: which pass it is.
        decode: whether it works on one new token of each sequence.
        hidden: width of the residual stream.
        sequences: in the pass.
        tokens: new ones of each sequence.
        context: tokens of each sequence that are cached before.
        rows: new tokens of all sequences.
        dtype: data type that products are computed in.
        stored: data type of weights in memory.
        stored_kv: data type of the KV cache.
        wide_dtype: what stays at 16 bit or more, such as attention, norms and lm_head.
        gemm_input_bytes: of an input of a product.
        wide: of any other activation.
        weight: of a weight of a product.
        outer: of a weight that is not quantised, such as that of a norm.
        kv: of a number in the KV cache.
    """

    phase: Phase
    decode: bool
    hidden: Term
    sequences: Term
    tokens: Term
    context: Term
    rows: Term
    dtype: str
    stored: str
    stored_kv: str
    wide_dtype: str
    gemm_input_bytes: Term
    wide: Term
    weight: Term
    outer: Term
    kv: Term

    @property
    def is_training(self) -> bool:
        """Whether the pass learns from all of its tokens."""
        return self.phase.is_training

    @property
    def quantizes(self) -> bool:
        """Whether activations are narrowed before each product."""
        return self.dtype != self.wide_dtype


class LayerRole(StrEnum):
    """What a kind of layer stands in place of.

    Attributes:
        MIXER: attention.
        FEEDFORWARD: the feed-forward network.
    """

    MIXER = "mixer"
    FEEDFORWARD = "feedforward"


@frozen(kw_only=True, eq=False)
class LayerPart(Part[S]):
    """A layer block of a model with the record that reads it.

    Attributes:
        model: the kind of layer.
    """

    model: LayerModel


@frozen(kw_only=True)
class LayerModel:
    """A kind of layer of a decoder: its block in a `model`, its operations, its parameters and what it keeps.

    A decoder has the layers of all such blocks besides its own: mixers take the place of attention, feed-forward layers
    that of its network, each in as many layers as `count` says. Every function is pure and elementwise.

    Attributes:
        name: of the record, unique among layers.
        doc: one sentence for `accelscope models`.
        spec: a spec class whose block stands in `model`.
        role: what it stands in place of.
        count: (spec) to how many layers of the model are of this kind, a plain number.
        build: (spec, pass) to the operations of all its layers; `repeat` of each says how often it runs in the pass.
        parameters: (spec, hidden) to the parameters of all its layers, without the norm before each.
        active_parameters: (spec, hidden) to those that one token uses; None if it uses all.
        cache: (spec, pass) to the bytes that one sequence keeps in all its layers at the end of the pass: a KV cache, or
            a state of fixed size; None if it keeps nothing.
        cache_per_token: (spec, pass) to the bytes of `cache` that one more token adds; None for none.
        heads: (spec) to what tensor parallelism divides in a model without attention, or None for its channels.
        width: (spec, hidden) to the numbers of a token in its widest activation, or None for not above other layers'.
        contract: version of the plugin contract that it is written for.
    """

    name: str = field(validator=RECORD_NAME)
    doc: str
    spec: type
    role: LayerRole = field(default=LayerRole.MIXER, converter=LayerRole)
    count: Callable[[Any], Term]
    build: Callable[[Any, LayerPass], tuple[Op, ...]]
    parameters: Callable[[Any, Term], Term]
    active_parameters: Callable[[Any, Term], Term] | None = None
    cache: Callable[[Any, LayerPass], Term] | None = None
    cache_per_token: Callable[[Any, LayerPass], Term] | None = None
    heads: Callable[[Any], Term] | None = None
    width: Callable[[Any, Term], Term] | None = None
    contract: int = CONTRACT
