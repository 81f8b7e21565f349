"""What the `model_type` of a Hugging Face configuration says that its keys do not: defaults of its class.

Class defaults are those of the `configuration_*.py` of Hugging Face transformers 4.57.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import evolve, field, frozen


@frozen(kw_only=True)
class Family:
    """One architecture.

    Attributes:
        gated: whether the feed-forward network has a gate.
        norm, norms, qk_norm: kind of normalisation, how many a layer has, and that of queries and keys.
        attention_bias, mlp_bias: what the class always has, whatever the keys say; None leaves it to `attention_bias`.
        o_bias: whether a true `attention_bias` also means the output projection.
        tied: default of `tie_word_embeddings`.
        moe: whether layers have experts; latent: whether attention is latent.
        expert_key: key of an expert's inner width; shared_key: of the shared expert's, where it is another.
        dense_key: key of the inner width of layers without experts.
        router_bias, expert_bias, sinks: what the class always has.
        positions: extra learned positions beyond `max_position_embeddings`, or None without learned positions.
        every: each so many-th layer sees everything, where nothing else says so.
        defaults: values of absent keys.
        needs: keys that have to be there, be it as null, because the class has a default that depends on its version.
    """

    gated: bool = True
    norm: str = "rmsnorm"
    norms: int = 2
    qk_norm: str = "none"
    attention_bias: str | None = None
    o_bias: bool = True
    mlp_bias: bool | None = None
    tied: bool = False
    moe: bool = False
    latent: bool = False
    expert_key: str = "moe_intermediate_size"
    shared_key: str | None = None
    dense_key: str = "intermediate_size"
    router_bias: bool = False
    expert_bias: bool = False
    sinks: bool = False
    positions: int | None = None
    every: int | None = None
    defaults: Mapping[str, object] = field(factory=dict)
    needs: tuple[str, ...] = ()


_LLAMA = Family(defaults={"hidden_act": "silu"})
_KV = "num_key_value_heads"
_QWEN = evolve(
    _LLAMA,
    defaults={"hidden_act": "silu", "use_sliding_window": False, "max_window_layers": 28},
    needs=(_KV,),
)
_DEEPSEEK = evolve(
    _LLAMA,
    moe=True,
    latent=True,
    needs=("kv_lora_rank", "q_lora_rank", "first_k_dense_replace", "n_shared_experts"),
)
_GEMMA = Family(tied=True, defaults={"hidden_act": "gelu_pytorch_tanh", "head_dim": 256}, needs=(_KV,))
_GPT = Family(
    gated=False, norm="layernorm", attention_bias="all", mlp_bias=True, tied=True,
    defaults={"hidden_act": "gelu_new"},
)  # fmt: skip

FAMILIES: Mapping[str, Family] = {
    "llama": _LLAMA,
    "mistral": evolve(
        _LLAMA, defaults={"hidden_act": "silu", "num_key_value_heads": 8}, needs=("sliding_window",)
    ),
    "mixtral": evolve(
        _LLAMA, moe=True, expert_key="intermediate_size", defaults={"hidden_act": "silu", "num_key_value_heads": 8}
    ),
    "qwen2": evolve(_QWEN, attention_bias="qkv"),
    "qwen2_moe": evolve(
        _QWEN, moe=True, attention_bias="qkv", shared_key="shared_expert_intermediate_size",
        needs=(_KV, "shared_expert_intermediate_size"),
    ),
    "qwen3": evolve(_QWEN, qk_norm="head", defaults={**_QWEN.defaults, "head_dim": 128}),
    "qwen3_moe": evolve(_QWEN, moe=True, qk_norm="head"),
    "deepseek_v2": _DEEPSEEK,
    "deepseek_v3": evolve(_DEEPSEEK, router_bias=True),
    "kimi_k2": evolve(_DEEPSEEK, router_bias=True),
    "glm4_moe": evolve(
        _LLAMA, moe=True, o_bias=False, router_bias=True, defaults={"hidden_act": "silu", "head_dim": 128},
        needs=(_KV, "first_k_dense_replace", "n_shared_experts"),
    ),
    "minimax_m2": evolve(
        _LLAMA, moe=True, expert_key="intermediate_size", router_bias=True, needs=(_KV, "head_dim")
    ),
    "gpt_oss": evolve(
        _LLAMA, moe=True, attention_bias="all", sinks=True, expert_key="intermediate_size", router_bias=True,
        expert_bias=True, every=2, defaults={"hidden_act": "silu", "head_dim": 64, "num_key_value_heads": 8},
        needs=("sliding_window",),
    ),
    "llama4_text": evolve(
        _LLAMA, moe=True, expert_key="intermediate_size", shared_key="intermediate_size",
        dense_key="intermediate_size_mlp", needs=(_KV,),
    ),
    "gemma": _GEMMA,
    "gemma2": evolve(_GEMMA, norms=4, every=2, needs=(_KV, "sliding_window")),
    "gemma3_text": evolve(
        _GEMMA, norms=4, qk_norm="head", every=6, defaults={**_GEMMA.defaults, "vocab_size": 262_208},
        needs=(_KV, "sliding_window"),
    ),
    "olmo2": evolve(_LLAMA, qk_norm="full"),
    "phi3": _LLAMA,
    "gpt2": evolve(_GPT, positions=0),
    "opt": evolve(_GPT, positions=2, defaults={"hidden_act": "relu"}),
    "bloom": evolve(_GPT, defaults={"hidden_act": "gelu"}),
    "gptj": Family(
        gated=False, norm="layernorm", norms=1, mlp_bias=True, defaults={"hidden_act": "gelu_new"}
    ),
    "gpt_neox": evolve(_GPT, tied=False, defaults={"hidden_act": "gelu"}),
}  # fmt: skip
"""By `model_type`."""

FIXED = {"gpt2": 4, "bloom": 4, "gptj": 4}
"""Inner width of the feed-forward network over the hidden size, where no key gives it."""


def family_name(config: Mapping[str, object]) -> str | None:
    """Return the `model_type` of a configuration, or what its first architecture is called in that spelling."""
    found = config.get("model_type")
    if found is not None:
        return str(found)
    names = architectures(config)
    return names[0] if names else None


def architectures(config: Mapping[str, object]) -> tuple[str, ...]:
    """Return what the architectures of a configuration are called in the spelling of `model_type`."""
    names = config.get("architectures")
    if not isinstance(names, list):
        return ()
    ends = r"(ForCausalLM|LMHeadModel|ForConditionalGeneration|Model)$"
    return tuple(snake_case(re.sub(ends, "", str(name))) for name in names)


def contradictions(config: Mapping[str, object], model_type: str) -> tuple[str, ...]:
    """Return what is wrong where `architectures` names another family than `model_type`, or no language model."""
    family = FAMILIES[model_type]
    others = [name for name in architectures(config) if FAMILIES.get(name, family) != family]
    heads = [name for name in architectures(config) if re.search(r"_for_(?!causal_lm)", name)]
    return (
        *(f"`model_type` is `{model_type}`, but `architectures` says `{name}`" for name in others),
        *(f"`architectures` names `{name}`, which is no language model" for name in heads),
    )


def snake_case(name: str) -> str:
    """Return `Qwen3Moe` as `qwen3_moe`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
