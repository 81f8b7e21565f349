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
        expert_key: key of an expert's inner width; shared_key: of the shared expert's, where it is another.
        router_bias, expert_bias, sinks: what the class always has.
        positions: extra learned positions beyond `max_position_embeddings`, or None without learned positions.
        every: each so many-th layer sees everything, where nothing else says so.
        defaults: values of absent keys.
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
    expert_key: str = "moe_intermediate_size"
    shared_key: str | None = None
    router_bias: bool = False
    expert_bias: bool = False
    sinks: bool = False
    positions: int | None = None
    every: int | None = None
    defaults: Mapping[str, object] = field(factory=dict)


_LLAMA = Family(defaults={"hidden_act": "silu"})
_DEEPSEEK = evolve(_LLAMA, moe=True)
_GEMMA = Family(tied=True, defaults={"hidden_act": "gelu_pytorch_tanh", "head_dim": 256})
_GPT = Family(
    gated=False, norm="layernorm", attention_bias="all", mlp_bias=True, tied=True,
    defaults={"hidden_act": "gelu_new"},
)  # fmt: skip

FAMILIES: Mapping[str, Family] = {
    "llama": _LLAMA,
    "mistral": evolve(_LLAMA, defaults={"hidden_act": "silu", "num_key_value_heads": 8}),
    "mixtral": evolve(
        _LLAMA, moe=True, expert_key="intermediate_size", defaults={"hidden_act": "silu", "num_key_value_heads": 8}
    ),
    "qwen2": evolve(_LLAMA, attention_bias="qkv"),
    "qwen2_moe": evolve(_LLAMA, moe=True, attention_bias="qkv", shared_key="shared_expert_intermediate_size"),
    "qwen3": evolve(_LLAMA, qk_norm="head", defaults={"hidden_act": "silu", "head_dim": 128}),
    "qwen3_moe": evolve(_LLAMA, moe=True, qk_norm="head"),
    "deepseek_v2": _DEEPSEEK,
    "deepseek_v3": evolve(_DEEPSEEK, router_bias=True),
    "kimi_k2": evolve(_DEEPSEEK, router_bias=True),
    "glm4_moe": evolve(
        _LLAMA, moe=True, o_bias=False, router_bias=True, defaults={"hidden_act": "silu", "head_dim": 128}
    ),
    "minimax_m2": evolve(_LLAMA, moe=True, expert_key="intermediate_size", router_bias=True),
    "gpt_oss": evolve(
        _LLAMA, moe=True, attention_bias="all", sinks=True, expert_key="intermediate_size", router_bias=True,
        expert_bias=True, every=2, defaults={"hidden_act": "silu", "head_dim": 64, "num_key_value_heads": 8},
    ),
    "llama4_text": evolve(_LLAMA, moe=True, expert_key="intermediate_size", shared_key="intermediate_size"),
    "gemma": _GEMMA,
    "gemma2": evolve(_GEMMA, norms=4, every=2),
    "gemma3_text": evolve(
        _GEMMA, norms=4, qk_norm="head", every=6, defaults={**_GEMMA.defaults, "vocab_size": 262_208}
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
    if isinstance(found, str):
        return found
    names = config.get("architectures")
    if not isinstance(names, list) or not names or not isinstance(names[0], str):
        return None
    return snake_case(re.sub(r"(ForCausalLM|LMHeadModel|ForConditionalGeneration|Model)$", "", names[0]))


def snake_case(name: str) -> str:
    """Return `Qwen3Moe` as `qwen3_moe`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
