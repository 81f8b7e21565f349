"""Every way of writing a key means the same, and no value of any key ends in anything but a text or a problem."""

from __future__ import annotations

import pytest

from accelscope.plugins.workload.decoder.parameters import count_parameters
from accelscope.plugins.workload.importers.huggingface.reader import read_huggingface_config
from tests.plugins.workload.importers import test_huggingface_families as models

GRANITE_H_TINY = models.sizes(
    "granitemoehybrid", 40, 1536, 512, 12, 4, 100352, hidden_act="silu", tie_word_embeddings=True,
    num_local_experts=64, num_experts_per_tok=6, shared_intermediate_size=1024, mamba_n_heads=48, mamba_d_head=64,
    mamba_d_state=128, mamba_n_groups=1, mamba_expand=2, mamba_d_conv=4,
    layer_types=["attention" if index % 10 == 5 else "mamba" for index in range(40)],
)  # fmt: skip
MAMBA_2_8B = {
    "model_type": "mamba", "hidden_size": 2560, "num_hidden_layers": 64, "vocab_size": 50280, "state_size": 16,
    "expand": 2, "conv_kernel": 4, "time_step_rank": 160, "tie_word_embeddings": True,
}  # fmt: skip
QWEN35_35B = {
    "model_type": "qwen3_5_moe", "architectures": ["Qwen3_5MoeForConditionalGeneration"], "vision_config": {"depth": 27},
    "text_config": models.sizes(
        "qwen3_5_moe_text", 40, 2048, None, 16, 2, 248320, head_dim=256, linear_num_key_heads=16,
        linear_num_value_heads=32, num_experts=256, num_experts_per_tok=8, moe_intermediate_size=512,
        shared_expert_intermediate_size=512, mtp_num_hidden_layers=1,
        layer_types=["linear_attention", "linear_attention", "linear_attention", "full_attention"] * 10,
    ),
}  # fmt: skip


@pytest.mark.parametrize(
    "config, total",
    [(GRANITE_H_TINY, 6.94e9), (MAMBA_2_8B, 2.77e9), (QWEN35_35B, 35e9)],
    ids=["granite 4.0 h tiny", "mamba 2.8b", "qwen3.5 35b"],
)
def test_more_models_have_the_parameters_of_the_card(config, total, bound):
    assert float(count_parameters(bound(models.text_of(config))).value) == pytest.approx(total, rel=0.01)


def renamed(config, **names):
    return {names.get(key, key): value for key, value in config.items()}


def text_of(config):
    text, _, problems = read_huggingface_config(config, "m")
    assert problems == ()
    return text


@pytest.mark.parametrize(
    "config, names",
    [
        *((models.LLAMA31_405B, {"num_hidden_layers": name}) for name in ("n_layer", "n_layers", "num_layers", "layers")),
        *((models.LLAMA31_405B, {"hidden_size": name}) for name in ("n_embd", "d_model", "dim")),
        *((models.LLAMA31_405B, {"num_attention_heads": name}) for name in ("n_head", "n_heads")),
        *((models.LLAMA31_405B, {"num_key_value_heads": name}) for name in ("num_kv_heads", "kv_n_heads")),
        *((models.LLAMA31_405B, {"intermediate_size": name}) for name in ("n_inner", "ffn_dim", "ffn_hidden_size")),
        *((models.QWEN3_235B, {"num_experts": name}) for name in ("num_local_experts", "n_routed_experts", "moe_num_experts")),
        *((models.QWEN3_235B, {"num_experts_per_tok": name}) for name in ("moe_topk", "moe_k", "moe_top_k")),
        (models.QWEN3_235B, {"moe_intermediate_size": "expert_ffn_hidden_size"}),
        (models.QWEN3_235B, {"decoder_sparse_step": "moe_layer_interval"}),
        (models.DEEPSEEK_V32, {"num_nextn_predict_layers": "num_mtp_layers"}),
        (models.JAMBA, {"mamba_d_state": "state_size", "mamba_d_conv": "conv_kernel"}),
        (models.JAMBA, {"mamba_d_state": "ssm_state_size", "mamba_dt_rank": "time_step_rank"}),
        (models.NEMOTRON_H_8B, {"chunk_size": "mamba_chunk_size", "mamba_num_heads": "mamba_n_heads"}),
        (models.ZAMBA2_2_7B, {"layers_block_type": "layer_types"}),
        (models.LFM2_1_2B, {"block_ff_dim": "intermediate_size", "tie_embedding": "tie_word_embeddings"}),
        (models.GEMMA2_27B, {"hidden_activation": "hidden_act"}),
    ],
)  # fmt: skip
def test_names_of_a_key_mean_the_same(config, names):
    assert text_of(renamed(config, **names)) == text_of(config)


def pattern(every, kind):
    return ["full_attention" if (index + 1) % every == 0 else kind for index in range(48)]


@pytest.mark.parametrize(
    "config, keys",
    [
        (models.QWEN3_NEXT, {"full_attention_interval": None, "layer_types": pattern(4, "linear_attention")}),
        (models.LLAMA4_SCOUT["text_config"], {"no_rope_layers": None, "layer_types": pattern(4, "chunked_attention")}),
        (models.LLAMA4_SCOUT["text_config"], {"no_rope_layers": []}),
        (models.LLAMA4_SCOUT["text_config"], {"interleave_moe_layer_step": None, "moe_layers": list(range(48))}),
        (models.DEEPSEEK_V32, {"layer_types": ["indexed_attention"] * 61}),
        (models.DEEPSEEK_V32, {"layer_types": ["deepseek_sparse_attention"] * 61}),
        (
            models.DEEPSEEK_V32,
            {"first_k_dense_replace": None, "mlp_layer_types": ["dense"] * 3 + ["sparse"] * 58},
        ),
        (
            models.LFM2_1_2B,
            {"layer_types": ["full_attention" if i in (2, 5, 8, 10, 12, 14) else "conv" for i in range(16)]},
        ),
        (
            models.JAMBA,
            {"layers_block_type": ["attention" if i % 8 == 4 else "mamba" for i in range(32)], "attn_layer_period": None},
        ),
    ],
)  # fmt: skip
def test_ways_to_say_which_layers_are_what_mean_the_same(config, keys):
    assert text_of(config | keys) == text_of(config)


@pytest.mark.parametrize(
    "quantised, precision",
    [
        ({"quant_method": "fp8", "weight_block_size": [128, 128]}, "weights = fp8, activations = fp8"),
        ({"quant_method": "fp8", "weight_block_size": [1, 32]}, "weights = mxfp8, activations = mxfp8"),
        ({"quant_method": "awq", "bits": 4, "group_size": 128}, "weights = int4, activations = bf16"),
        ({"quant_method": "gptq", "bits": 8, "group_size": -1}, "weights = int8, activations = bf16"),
        (
            {
                "quant_method": "compressed-tensors", "format": "nvfp4-pack-quantized",
                "config_groups": {"a": {"weights": {"type": "float", "num_bits": 4, "group_size": 16}}},
            },
            "weights = nvfp4, activations = bf16",
        ),
    ],
)  # fmt: skip
def test_quantisation_with_its_scales(quantised, precision):
    assert precision in text_of(models.LLAMA31_405B | {"quantization_config": quantised})


def test_scales_and_modules_that_no_data_type_has_are_noted():
    quantised = {"quant_method": "awq", "bits": 4, "group_size": 32, "modules_to_not_convert": ["lm_head"]}
    config = models.LLAMA31_405B | {"quantization_config": quantised}
    text, unused, _ = read_huggingface_config(config, "m")
    assert text is not None
    assert "# scales of 32 weights each take about 0.5 bit per weight more than int4" in text
    assert (
        "# 1 modules keep bf16 in the checkpoint (modules_to_not_convert), which count as int4 here" in text
    )
    assert not [key for key in unused if "quantization" in key]


def test_attention_that_is_not_quantised_leaves_the_experts():
    quantised = {
        "quant_method": "fp8",
        "modules_to_not_convert": ["model.layers.0.self_attn.q_proj", "lm_head"],
    }
    text = text_of(models.QWEN3_235B | {"quantization_config": quantised})
    assert "precision { weights = bf16" in text
    assert "weight_dtype = fp8" in text.partition("experts {")[2].partition("}")[0]


STRANGE = (
    None,
    -1,
    0,
    1.5,
    10**400,
    "8",
    "",
    [],
    [1],
    [None] * 60,
    {},
    {"a": 1},
    True,
    False,
    float("nan"),
    float("inf"),
)
CONFIGS = {
    name: value for name, value in vars(models).items() if name.isupper() and isinstance(value, dict) and "model_type" in value
}  # fmt: skip


@pytest.mark.parametrize("name", CONFIGS)
def test_no_value_of_any_key_raises(name):
    config = CONFIGS[name]
    inner = config.get("text_config", config)
    extra = {
        "layer_types", "layers_block_type", "hybrid_override_pattern", "full_attn_idxs", "no_rope_layers", "moe_layers",
        "mlp_only_layers", "mlp_layer_types", "attn_config", "ffn_config", "quantization_config", "dtype", "attn_type",
        "architectures", "sliding_window", "attention_chunk_size", "indexer_types", "index_topk_pattern",
    }  # fmt: skip
    for key in sorted(set(inner) | extra):
        for value in STRANGE:
            text, _, problems = read_huggingface_config(inner | {key: value}, "m")
            assert (text is None) == bool(problems)
