"""What one architecture of Hugging Face is beyond the keys of its configuration."""

from __future__ import annotations

from collections.abc import Mapping

from attrs import field, frozen


@frozen(kw_only=True)
class HuggingFaceArchitecture:
    """One architecture.

    Attributes:
        gated: whether the feed-forward network has a gate.
        norm, norms, qk_norm: kind of normalisation, how many a layer has, and that of queries and keys.
        attention_bias, mlp_bias: what the class always has, whatever the keys say; None leaves it to `attention_bias`.
        bias_key: one key for the biases of all projections; its value is true where there are some, but for `no_bias`.
        o_bias: whether a true `attention_bias` also means the output projection.
        attention_gate: whether a gate scales the output of the attention.
        tied: default of `tie_word_embeddings`.
        moe: whether layers have experts.
        latent: whether attention is latent.
        has_indexer: whether attention is sparse, with an indexer.
        expert_key: key of an expert's inner width.
        shared_key: key of the shared expert's inner width, where it is another.
        dense_key: key of the inner width of layers without experts.
        router_bias, expert_bias, shared_gate, sinks: what the class always has.
        positions: extra learned positions beyond `max_position_embeddings`, or None without learned positions.
        every: each so many-th layer sees everything, where nothing else says so.
        mixer: what stands in place of attention: `linear`, `mamba1`, `mamba2`, `conv`; none for attention alone.
        only_mixers: whether no layer has attention or a network.
        single_role_layers: whether each layer is one of mixer, attention, network or experts.
        shared: whether mixers share blocks of attention.
        rules: name of a rule that no other class has.
        defaults: values of absent keys.
        needs: keys that have to be there, be it as null, because the class has a default that depends on its version.
        note: what to know about published checkpoints of the class.
    """

    gated: bool = True
    norm: str = "rmsnorm"
    norms: int = 2
    qk_norm: str = "none"
    attention_bias: str | None = None
    bias_key: str | None = None
    o_bias: bool = True
    attention_gate: bool = False
    mlp_bias: bool | None = None
    tied: bool = False
    moe: bool = False
    latent: bool = False
    has_indexer: bool = False
    expert_key: str = "moe_intermediate_size"
    shared_key: str | None = None
    dense_key: str = "intermediate_size"
    router_bias: bool = False
    expert_bias: bool = False
    shared_gate: bool = False
    sinks: bool = False
    positions: int | None = None
    every: int | None = None
    mixer: str | None = None
    only_mixers: bool = False
    single_role_layers: bool = False
    shared: bool = False
    rules: str | None = None
    defaults: Mapping[str, object] = field(factory=dict)
    needs: tuple[str, ...] = ()
    note: str | None = None
