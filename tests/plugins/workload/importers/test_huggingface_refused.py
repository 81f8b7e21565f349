"""Hugging Face configurations of models that cannot be, or that would have to be guessed."""

from __future__ import annotations

import json

import pytest

from accelscope.core.cli.main import run_cli
from accelscope.plugins.workload.importers.huggingface.architectures import HUGGING_FACE_ARCHITECTURES
from accelscope.plugins.workload.importers.huggingface.reader import read_huggingface_config

LLAMA = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 4096,
    "intermediate_size": 14336, "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8,
    "vocab_size": 128256,
}  # fmt: skip
MIXTRAL = LLAMA | {
    "architectures": ["MixtralForCausalLM"], "model_type": "mixtral", "num_local_experts": 8, "num_experts_per_tok": 2,
}  # fmt: skip
DEEPSEEK = LLAMA | {
    "architectures": ["DeepseekV3ForCausalLM"], "model_type": "deepseek_v3", "moe_intermediate_size": 2048,
    "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
    "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3,
    "n_group": 8, "topk_group": 4,
}  # fmt: skip
QWEN_MOE = LLAMA | {
    "architectures": ["Qwen3MoeForCausalLM"], "model_type": "qwen3_moe", "moe_intermediate_size": 768,
    "num_experts": 128, "num_experts_per_tok": 8,
}  # fmt: skip


def without(config, *names):
    return {key: value for key, value in config.items() if key not in names}


def problems_of(config):
    text, _, problems = read_huggingface_config(config, "m")
    assert (text is None) == bool(problems)
    return "; ".join(problems)


def compressed(weights, activations=None, **more):
    groups = {"group_0": {"weights": weights, "input_activations": activations}}
    return {"quant_method": "compressed-tensors", "format": "pack-quantized", "config_groups": groups} | more


@pytest.mark.parametrize("config", [LLAMA, MIXTRAL, DEEPSEEK, QWEN_MOE])
def test_the_configurations_themselves_are_accepted(config):
    assert problems_of(config) == ""


@pytest.mark.parametrize("heads", [64, 7])
def test_kv_heads_that_do_not_divide_heads_are_named_with_their_values(heads, tmp_path, capsys):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA | {"num_key_value_heads": heads}))
    assert run_cli(["import", "hf", str(tmp_path / "config.json")]) == 2
    said = capsys.readouterr().err
    assert f"`num_key_value_heads` of {heads} does not divide `num_attention_heads` of 32" in said


@pytest.mark.parametrize(
    "config, message",
    [
        (MIXTRAL | {"num_experts_per_tok": 9}, "`num_experts_per_tok` of 9 does not fit into `num_local_experts` of 8"),
        (DEEPSEEK | {"n_group": 7}, "`n_group` of 7 does not divide `n_routed_experts` of 256"),
        (DEEPSEEK | {"topk_group": 9}, "`topk_group` of 9 does not fit into `n_group` of 8"),
        (DEEPSEEK | {"n_group": 64, "topk_group": 1}, "`num_experts_per_tok` is 8, but 1 of 64 groups"),
        (without(DEEPSEEK, "topk_group"), "`n_group` and `topk_group` come together"),
        (DEEPSEEK | {"first_k_dense_replace": 33}, "`first_k_dense_replace` of 33 does not fit into `num_hidden_layers`"),
        (QWEN_MOE | {"mlp_only_layers": [40]}, "`mlp_only_layers` must list layers from 0 to 31"),
        (QWEN_MOE | {"mlp_only_layers": [{}]}, "`mlp_only_layers` must list layers"),
        (QWEN_MOE | {"mlp_only_layers": 3}, "`mlp_only_layers` must list layers"),
        (LLAMA | {"sliding_window": 4096, "sliding_window_pattern": 40}, "but there are 32"),
        (LLAMA | {"sliding_window": 0}, "`sliding_window` must be a whole number of at least 1"),
    ],
)  # fmt: skip
def test_sizes_that_no_model_can_have(config, message):
    assert message in problems_of(config)


@pytest.mark.parametrize("name", ["MixtralForCausalLM", "Qwen3MoeForCausalLM", "GptOssForCausalLM"])
def test_an_architecture_with_experts_needs_the_keys_of_experts(name):
    said = problems_of(without(LLAMA, "model_type") | {"architectures": [name]})
    assert "there is no `n_routed_experts` or `num_local_experts` or `num_experts`" in said
    assert "`num_experts_per_tok`" in said


@pytest.mark.parametrize(
    "name", sorted(name for name, family in HUGGING_FACE_ARCHITECTURES.items() if family.moe)
)
def test_no_family_with_experts_becomes_a_dense_model(name):
    config = without(LLAMA, "architectures") | {"model_type": name}
    assert "nothing says how many experts a layer has" in problems_of(config)


@pytest.mark.parametrize(
    "config, key",
    [
        (without(DEEPSEEK, "kv_lora_rank"), "kv_lora_rank"),
        (without(DEEPSEEK, "first_k_dense_replace"), "first_k_dense_replace"),
        (without(QWEN_MOE, "num_key_value_heads"), "num_key_value_heads"),
        (without(DEEPSEEK, "intermediate_size"), "intermediate_size"),
        (
            without(LLAMA, "architectures", "num_key_value_heads") | {"model_type": "gemma2", "hidden_act": "gelu"},
            "sliding_window",
        ),
    ],
)  # fmt: skip
def test_a_key_without_a_safe_default_is_asked_for(config, key):
    assert f"`{key}`" in problems_of(config)


@pytest.mark.parametrize(
    "change, message",
    [
        ({"architectures": ["MixtralForCausalLM"]}, "but `architectures` says `mixtral`"),
        ({"architectures": ["LlamaForSequenceClassification"]}, "which is no language model"),
        ({"model_type": 5}, "`model_type` is `5`, which is not known"),
        ({"text_config": "llama"}, "`text_config` must be an object"),
        ({"layer_types": "full"}, "`layer_types` must be a list"),
        ({"use_qk_norm": "yes"}, "normalisation of queries and keys is not known"),
        ({"use_qk_norm": True, "qk_norm_type": ["l2"]}, "normalisation of queries and keys is not known"),
        ({"kv_lora_rank": 512}, "has no latent attention"),
        ({"n_layer": 24}, "keys that mean the same differ: `num_hidden_layers` is 32, `n_layer` is 24"),
        ({"quantization_config": "fp8"}, "`quantization_config` must be an object, not 'fp8'"),
        ({"quantization_config": []}, "`quantization_config` must be an object"),
        ({"quantization_config": {}}, "is not known"),
        ({"quantization_config": {"quant_method": "mxfp4"}}, "is not known"),
        ({"quantization_config": {"quant_method": "gptq", "bits": 3}}, "is not known"),
        ({"quantization_config": compressed({"type": "int", "num_bits": 3})}, "is not known"),
        ({"quantization_config": compressed(None)}, "is not known"),
        (
            {"quantization_config": {"quant_method": "fp8", "kv_cache_scheme": {"type": "int", "num_bits": 4}}},
            "data type of the KV cache is not known",
        ),
    ],
)  # fmt: skip
def test_what_would_have_to_be_guessed_is_a_problem(change, message):
    assert message in problems_of(LLAMA | change)


def test_a_family_of_the_same_sizes_may_have_another_name():
    assert problems_of(DEEPSEEK | {"model_type": "kimi_k2"}) == ""


@pytest.mark.parametrize(
    "quantised, precision",
    [
        (compressed({"type": "int", "num_bits": 4}), "weights = int4, activations = bf16, kv = bf16"),
        (compressed({"type": "int", "num_bits": 8}), "weights = int8, activations = bf16, kv = bf16"),
        (
            compressed({"type": "float", "num_bits": 8}, {"type": "float", "num_bits": 8}, format="float-quantized"),
            "weights = fp8, activations = fp8, kv = bf16",
        ),
        (
            {"quant_method": "modelopt", "quant_algo": "FP8", "kv_cache_quant_algo": "FP8"},
            "weights = fp8, activations = fp8, kv = fp8",
        ),
    ],
)  # fmt: skip
def test_bits_are_read_and_not_assumed(quantised, precision):
    text, _, problems = read_huggingface_config(LLAMA | {"quantization_config": quantised})
    assert problems == ()
    assert precision in text


def test_unused_keys_of_the_quantisation_are_listed():
    config = LLAMA | {"quantization_config": {"quant_method": "fp8", "activation_scheme": "dynamic"}}
    assert read_huggingface_config(config)[1] == ("quantization_config.activation_scheme",)
