"""What the `model_type` of a Hugging Face configuration says that its keys do not: defaults of its class.

Class defaults are those of the `configuration_*.py` of Hugging Face transformers 5.23, and what a layer is made of is
in the `modeling_*.py` beside them; where versions of a class differ, the key has to be there (`needs`).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from attrs import evolve

from accelscope.plugins.workload.importers.huggingface.architecture import HuggingFaceArchitecture

_LLAMA = HuggingFaceArchitecture(defaults={"hidden_act": "silu"})
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
_GEMMA = HuggingFaceArchitecture(
    tied=True, defaults={"hidden_act": "gelu_pytorch_tanh", "head_dim": 256}, needs=(_KV,)
)
_GPT = HuggingFaceArchitecture(
    gated=False, norm="layernorm", attention_bias="all", mlp_bias=True, tied=True,
    defaults={"hidden_act": "gelu_new"},
)  # fmt: skip
_LINEAR = evolve(
    _LLAMA, qk_norm="per_head", attention_gate=True, mixer="linear",
    defaults={
        "hidden_act": "silu", "head_dim": 256, "full_attention_interval": 4, "linear_conv_kernel_dim": 4,
        "linear_key_head_dim": 128, "linear_value_head_dim": 128,
    },
    needs=(_KV, "linear_num_key_heads", "linear_num_value_heads"),
)  # fmt: skip
_LINEAR_MOE = evolve(
    _LINEAR, moe=True, shared_key="shared_expert_intermediate_size", shared_gate=True,
    needs=(*_LINEAR.needs, "shared_expert_intermediate_size"),
)  # fmt: skip
_SPARSE = evolve(
    _DEEPSEEK, router_bias=True, has_indexer=True,
    needs=("kv_lora_rank", "q_lora_rank", "n_shared_experts", "index_topk", "index_n_heads", "index_head_dim"),
)  # fmt: skip
_ONLY_STATES = HuggingFaceArchitecture(norms=1, only_mixers=True, defaults={"expand": 2, "conv_kernel": 4})
_LFM2 = HuggingFaceArchitecture(
    qk_norm="per_head", tied=True, mixer="conv",
    defaults={
        "hidden_act": "silu", "conv_L_cache": 3, "block_ffn_dim_multiplier": 1.0, "block_multiple_of": 256,
    },
    needs=(_KV,),
)  # fmt: skip

HUGGING_FACE_ARCHITECTURES: Mapping[str, HuggingFaceArchitecture] = {
    "llama": _LLAMA,
    "mistral": evolve(
        _LLAMA, defaults={"hidden_act": "silu", "num_key_value_heads": 8}, needs=("sliding_window",)
    ),
    "mixtral": evolve(
        _LLAMA, moe=True, expert_key="intermediate_size", defaults={"hidden_act": "silu", "num_key_value_heads": 8}
    ),
    "qwen2": evolve(_QWEN, attention_bias="qkv"),
    "qwen2_moe": evolve(
        _QWEN, moe=True, attention_bias="qkv", shared_key="shared_expert_intermediate_size", shared_gate=True,
        needs=(_KV, "shared_expert_intermediate_size"),
    ),
    "qwen3": evolve(_QWEN, qk_norm="per_head", defaults={**_QWEN.defaults, "head_dim": 128}),
    "qwen3_moe": evolve(
        _QWEN, moe=True, qk_norm="per_head", defaults={"hidden_act": "silu", "use_sliding_window": False}
    ),
    "deepseek_v2": _DEEPSEEK,
    "deepseek_v3": evolve(_DEEPSEEK, router_bias=True),
    "kimi_k2": evolve(_DEEPSEEK, router_bias=True),
    "glm4_moe": evolve(
        _LLAMA, moe=True, o_bias=False, router_bias=True,
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
        defaults={"hidden_act": "silu", "attention_chunk_size": 8192, "no_rope_layer_interval": 4},
    ),
    "gemma": _GEMMA,
    "gemma2": evolve(_GEMMA, norms=4, every=2, needs=(_KV, "sliding_window")),
    "gemma3_text": evolve(
        _GEMMA, norms=4, qk_norm="per_head", every=6, defaults={**_GEMMA.defaults, "vocab_size": 262_208},
        needs=(_KV, "sliding_window"),
    ),
    "olmo2": evolve(_LLAMA, qk_norm="full"),
    "olmo3": evolve(_LLAMA, qk_norm="full", every=4, needs=("sliding_window",)),
    "phi3": _LLAMA,
    "granite": _LLAMA,
    "granitemoe": evolve(_LLAMA, moe=True, expert_key="intermediate_size"),
    "smollm3": evolve(_LLAMA, tied=True, needs=(_KV,), defaults={"hidden_act": "silu", "use_sliding_window": False}),
    "ernie4_5": evolve(
        _LLAMA, tied=True, bias_key="use_bias", defaults={"hidden_act": "silu", "head_dim": 128}, needs=(_KV,)
    ),
    "ernie4_5_moe": evolve(
        _LLAMA, tied=True, bias_key="use_bias", moe=True, router_bias=True,
        defaults={
            "hidden_act": "silu", "moe_layer_start_index": 1, "moe_layer_end_index": -1, "moe_layer_interval": 1,
        },
        needs=(_KV, "moe_num_shared_experts"),
    ),
    "cohere": HuggingFaceArchitecture(
        norm="layernorm_no_bias", norms=1, tied=True, rules="cohere", defaults={"hidden_act": "silu"}
    ),
    "cohere2": HuggingFaceArchitecture(
        norm="layernorm_no_bias", norms=1, tied=True, every=4, defaults={"hidden_act": "silu"},
        needs=("sliding_window",),
    ),
    "starcoder2": HuggingFaceArchitecture(
        gated=False, norm="layernorm", bias_key="use_bias", tied=True, needs=(_KV,),
        defaults={"hidden_act": "gelu_pytorch_tanh", "use_bias": True},
    ),
    "dbrx": evolve(
        _LLAMA, norm="layernorm_no_bias", moe=True, expert_key="ffn_hidden_size", needs=("kv_n_heads",)
    ),
    "mpt": HuggingFaceArchitecture(
        gated=False, norm="layernorm", bias_key="no_bias", tied=True, rules="mpt",
        defaults={"hidden_act": "gelu", "expansion_ratio": 4, "qk_ln": False},
    ),
    "falcon": HuggingFaceArchitecture(
        gated=False, norm="layernorm", bias_key="bias", tied=True, rules="falcon",
        defaults={"activation": "gelu"},
        note="checkpoints of Falcon also store an lm_head, which the class ties to the embedding: `tied_embeddings = false` "
        "gives the bytes of the files",
    ),
    "qwen3_next": _LINEAR_MOE,
    "qwen3_5_text": _LINEAR,
    "qwen3_5_moe_text": _LINEAR_MOE,
    "deepseek_v32": evolve(_SPARSE, needs=(*_SPARSE.needs, "first_k_dense_replace")),
    "glm_moe_dsa": _SPARSE,
    "jamba": evolve(
        _LLAMA, moe=True, expert_key="intermediate_size", mixer="mamba1", needs=(_KV,),
        defaults={
            "hidden_act": "silu", "attn_layer_period": 8, "attn_layer_offset": 4, "expert_layer_period": 2,
            "expert_layer_offset": 1, "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2,
            "mamba_dt_rank": "auto", "mamba_inner_norms": True,
        },
    ),
    "mamba": evolve(
        _ONLY_STATES, tied=True, mixer="mamba1",
        defaults={"expand": 2, "conv_kernel": 4, "state_size": 16, "time_step_rank": "auto"},
    ),
    "mamba2": evolve(_ONLY_STATES, mixer="mamba2", needs=("state_size", "n_groups", "tie_word_embeddings")),
    "zamba2": HuggingFaceArchitecture(
        norms=1, tied=True, mixer="mamba2", shared=True,
        defaults={"hidden_act": "gelu", "mamba_d_conv": 4, "mamba_expand": 2, "mamba_ngroups": 1, "adapter_rank": 128},
        needs=("mamba_d_state", "n_mamba_heads"),
    ),
    "nemotron_h": HuggingFaceArchitecture(
        gated=False, norms=1, mixer="mamba2", single_role_layers=True, moe=True, router_bias=True,
        shared_key="moe_shared_expert_intermediate_size",
        defaults={"mlp_hidden_act": "relu2", "conv_kernel": 4, "expand": 2},
        needs=(_KV, "head_dim", "n_groups", "ssm_state_size"),
    ),
    "granitemoehybrid": evolve(
        _LLAMA, mixer="mamba2", moe=True, expert_key="intermediate_size", shared_key="shared_intermediate_size",
        dense_key="shared_intermediate_size",
        defaults={
            "hidden_act": "silu", "mamba_n_groups": 1, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_d_head": "auto",
        },
        needs=("mamba_d_state", "mamba_n_heads"),
    ),
    "lfm2": evolve(_LFM2, rules="lfm2"),
    "lfm2_moe": evolve(
        _LFM2, moe=True, router_bias=True, defaults={"hidden_act": "silu", "conv_L_cache": 3}
    ),
    "gpt2": evolve(_GPT, positions=0),
    "opt": evolve(_GPT, positions=2, defaults={"hidden_act": "relu"}),
    "bloom": evolve(_GPT, defaults={"hidden_act": "gelu"}),
    "gptj": HuggingFaceArchitecture(
        gated=False, norm="layernorm", norms=1, mlp_bias=True, defaults={"hidden_act": "gelu_new"}
    ),
    "gpt_neox": evolve(_GPT, tied=False, defaults={"hidden_act": "gelu"}),
}  # fmt: skip
"""By `model_type`."""

UNSUPPORTED_MODEL_TYPES: Mapping[str, str] = {
    "longcat_flash": "each layer has two attentions and two dense networks beside its experts, and `zero_expert_num` "
    "experts do nothing, so that how many a token visits differs; a layer here has one attention and one network",
    "deepseek_v4": "compressed attention (`compressed_sparse_attention`, `heavily_compressed_attention`) has no model",
    "minimax": "lightning attention, whose decay is fixed for each head, has no model",
    "minimax_m1": "lightning attention, whose decay is fixed for each head, has no model",
    "kimi_linear": "delta attention with a decay for each channel has no model",
    "falcon_h1": "layers with attention and a state space side by side have no model",
    "gemma3n": "embeddings for each layer and layers that reuse another layer's KV cache have no model",
    "zamba": "shared attention beside states of Mamba-1 has no model; `zamba2` has one",
    "rwkv": "its time mixing has no model",
    "t5": "a `model` with an `encoder` block describes it, but its configuration is not read",
}
"""What a `model_type` has that no block of the language describes."""


def infer_model_type(config: Mapping[str, object]) -> str | None:
    """Return the `model_type` of a configuration, or what its first architecture is called in that spelling."""
    found = config.get("model_type")
    if found is not None:
        return str(found)
    names = list_architectures(config)
    return names[0] if names else None


def list_architectures(config: Mapping[str, object]) -> tuple[str, ...]:
    """Return what the architectures of a configuration are called in the spelling of `model_type`."""
    names = config.get("architectures")
    if not isinstance(names, list):
        return ()
    ends = r"(ForCausalLM|LMHeadModel|ForConditionalGeneration|Model)$"
    return tuple(to_snake_case(re.sub(ends, "", str(name))) for name in names)


def find_contradictions(config: Mapping[str, object], model_type: str) -> tuple[str, ...]:
    """Return what is wrong where `architectures` names another family than `model_type`, or no language model."""
    family = HUGGING_FACE_ARCHITECTURES[model_type]
    others = [
        name for name in list_architectures(config) if HUGGING_FACE_ARCHITECTURES.get(name, family) != family
    ]
    heads = [name for name in list_architectures(config) if re.search(r"_for_(?!causal_lm)", name)]
    return (
        *(f"`model_type` is `{model_type}`, but `architectures` says `{name}`" for name in others),
        *(f"`architectures` names `{name}`, which is no language model" for name in heads),
    )


def to_snake_case(name: str) -> str:
    """Return `Qwen3Moe` as `qwen3_moe`."""
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
