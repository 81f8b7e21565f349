"""What the sizes of a decoder have to satisfy together, such as that `kv_heads` divides `heads`."""

from __future__ import annotations

from collections.abc import Iterator

from attrs import frozen

from accelscope.core.ir.constants import ONE
from accelscope.core.ir.layer import LayerRole
from accelscope.core.numeric.term import Term, as_term, floor, minimum, where
from accelscope.plugins.workload.decoder.shape import (
    ZERO_COUNT,
    count_attention_layers,
    count_block_layers,
    count_ffn_layers,
)
from accelscope.plugins.workload.decoder.spec import Decoder, Experts, LatentAttention
from accelscope.plugins.workload.mixers.spec import Hyena, LinearAttention, Mamba2


@frozen(kw_only=True, eq=False)
class SizeRule:
    """A field whose value is at most, or divides, another; it is broken where `used` is above `available`.

    Attributes:
        field: field that is reported if the rule is broken.
        other: field or size that it is compared with.
        relation: `divides` or `at most`.
    """

    field: str
    relation: str
    other: str
    value: Term
    bound: Term
    used: Term
    available: Term

    @property
    def name(self) -> str:
        """The rule in words."""
        return f"{self.field} {self.relation} {self.other}"


def list_size_rules(spec: Decoder) -> Iterator[SizeRule]:
    """Yield the rules that apply to a decoder."""
    if not isinstance(spec.attention, LatentAttention):
        if spec.kv_heads is not None and spec.heads is not None:
            yield _divides("kv_heads", spec.kv_heads, "heads", spec.heads)
        if spec.head_dim is None and spec.heads is not None:
            yield _divides("heads", spec.heads, "hidden", spec.hidden)
    narrowed = spec.sliding_window is not None or spec.attention_chunk_size is not None
    if narrowed and spec.global_every is not None and spec.global_layers is None:
        yield _at_most("global_every", spec.global_every, "layers", spec.layers)
    if narrowed and spec.global_layers is not None:
        yield _at_most("global_layers", spec.global_layers, "layers", spec.layers)
    yield from _of_layers(spec)
    if spec.experts is not None:
        yield from _of_experts(spec.experts, count_ffn_layers(spec))


def _of_layers(spec: Decoder) -> Iterator[SizeRule]:
    """Yield the rules of layers without attention, and of what their heads and channels share."""
    taken = count_block_layers(spec, LayerRole.MIXER)
    if spec.attention_layers is not None:
        taken = taken + spec.attention_layers
    if any(part.model.role is LayerRole.MIXER for part in spec.layer_blocks):
        yield _at_most("layers of all mixers and attention_layers", taken, "layers", spec.layers)
    for part in spec.layer_blocks:
        yield from _of_mixer(part.spec, spec.hidden)
    if spec.shared is not None:
        yield _at_most(
            "shared_block.distinct_blocks",
            spec.shared.distinct_blocks,
            "shared_block.invocations",
            spec.shared.invocations,
        )


def _of_mixer(mixer: object, hidden: Term) -> Iterator[SizeRule]:
    """Yield the rules of a layer that ships; those of a plugin's own are checks of the plugin."""
    if isinstance(mixer, LinearAttention):
        yield _divides(
            "linear_attention.key_heads", mixer.key_heads, "linear_attention.value_heads", mixer.value_heads
        )
    if isinstance(mixer, Mamba2):
        yield _divides("ssm.groups", mixer.groups, "ssm.heads", mixer.heads)
    if isinstance(mixer, Hyena):
        yield _divides("conv.groups", mixer.groups, "hidden", hidden)


def _of_experts(experts: Experts, layers: Term) -> Iterator[SizeRule]:
    yield _at_most("experts.top_k", experts.top_k, "experts.routed", experts.routed)
    if experts.dense_layers is not None:
        yield _at_most("experts.dense_layers", experts.dense_layers, "layers", layers)
    if experts.groups is None:
        return
    yield _divides("experts.groups", experts.groups, "experts.routed", experts.routed)
    if experts.top_groups is not None:
        yield _at_most("experts.top_groups", experts.top_groups, "experts.groups", experts.groups)
        reached = minimum(experts.top_groups, experts.groups) * experts.routed / experts.groups
        yield _at_most("experts.top_k", experts.top_k, "experts in top_groups groups", reached)


def find_missing_fields(spec: Decoder) -> Iterator[tuple[str, str]]:
    """Yield (field that is absent, why it is needed) of fields that the sizes need and do not have."""
    for name in ("global_every", "global_layers"):
        if (
            spec.sliding_window is None
            and spec.attention_chunk_size is None
            and getattr(spec, name) is not None
        ):
            yield "sliding_window", f"`{name}` says which layers have none"
    if spec.heads is None and _any(count_attention_layers(spec)):
        yield "heads", "it has layers with attention"
    experts = spec.experts
    if experts is None:
        if spec.ffn is None and _any(count_ffn_layers(spec)):
            yield "ffn", "its layers have a feed-forward network and no experts"
        return
    dense = ZERO_COUNT if experts.dense_layers is None else experts.dense_layers
    if _any(dense) and spec.ffn is None and experts.dense_ffn is None:
        yield "experts.dense_ffn", "`experts.dense_layers` have a plain feed-forward network"
    if experts.top_groups is not None and experts.groups is None:
        yield "experts.groups", "`experts.top_groups` counts groups"


def _any(layers: Term) -> bool:
    return bool((layers.value > 0).any())


def _divides(field: str, value: Term, other: str, bound: Term) -> SizeRule:
    left = bound - value * floor(bound / value)
    available = where(left.value > 0.0, ONE, bound)
    return SizeRule(
        field=field,
        relation="divides",
        other=other,
        value=value,
        bound=bound,
        used=value,
        available=available,
    )


def _at_most(field: str, value: Term, other: str, bound: Term) -> SizeRule:
    return SizeRule(
        field=field,
        relation="at most",
        other=other,
        value=value,
        bound=bound,
        used=value,
        available=as_term(bound),
    )
