"""Hugging Face configurations: small dictionaries with the facts of published models."""

from __future__ import annotations

import json

import pytest

from accelscope.core.cli.main import run_cli
from accelscope.plugins.workload.decoder.parameters import count_parameters, kv_bytes_per_token
from accelscope.plugins.workload.importers.huggingface.reader import read_huggingface_config
from accelscope.plugins.workload.importers.model_text import make_model_label

LLAMA3_70B = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "hidden_size": 8192,
    "intermediate_size": 28672, "num_attention_heads": 64, "num_hidden_layers": 80, "num_key_value_heads": 8,
    "vocab_size": 128256, "torch_dtype": "bfloat16", "rope_theta": 500000.0,
}  # fmt: skip
QWEN2 = {"model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]}
QWEN3 = {"model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"]}
MIXTRAL = {
    "model_type": "mixtral", "hidden_act": "silu", "hidden_size": 4096, "intermediate_size": 14336,
    "num_attention_heads": 32, "num_hidden_layers": 32, "num_key_value_heads": 8, "num_local_experts": 8,
    "num_experts_per_tok": 2, "vocab_size": 32000, "sliding_window": None, "tie_word_embeddings": False,
}  # fmt: skip
QWEN3_MOE = {
    "model_type": "qwen3_moe", "hidden_act": "silu", "hidden_size": 2048, "intermediate_size": 6144, "head_dim": 128,
    "moe_intermediate_size": 768, "num_attention_heads": 32, "num_hidden_layers": 48, "num_key_value_heads": 4,
    "num_experts": 128, "num_experts_per_tok": 8, "vocab_size": 151936, "decoder_sparse_step": 1,
    "mlp_only_layers": [], "sliding_window": None, "use_sliding_window": False, "max_window_layers": 48,
    "attention_bias": False,
}  # fmt: skip
DEEPSEEK_V3 = {
    "model_type": "deepseek_v3", "hidden_act": "silu", "hidden_size": 7168, "intermediate_size": 18432,
    "moe_intermediate_size": 2048, "num_attention_heads": 128, "num_key_value_heads": 128, "num_hidden_layers": 61,
    "kv_lora_rank": 512, "q_lora_rank": 1536, "qk_rope_head_dim": 64, "qk_nope_head_dim": 128, "v_head_dim": 128,
    "n_routed_experts": 256, "n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3,
    "moe_layer_freq": 1, "n_group": 8, "topk_group": 4, "num_nextn_predict_layers": 1, "vocab_size": 129280,
    "torch_dtype": "bfloat16", "quantization_config": {"quant_method": "fp8", "fmt": "e4m3"},
}  # fmt: skip
GPT_OSS_20B = {
    "model_type": "gpt_oss", "hidden_act": "silu", "hidden_size": 2880, "intermediate_size": 2880, "head_dim": 64,
    "num_attention_heads": 64, "num_key_value_heads": 8, "num_hidden_layers": 24, "num_local_experts": 32,
    "num_experts_per_tok": 4, "experts_per_token": 4, "vocab_size": 201088, "sliding_window": 128,
    "layer_types": ["sliding_attention", "full_attention"] * 12, "attention_bias": True,
    "tie_word_embeddings": False, "quantization_config": {"quant_method": "mxfp4"},
}  # fmt: skip
GEMMA3 = {
    "model_type": "gemma3", "architectures": ["Gemma3ForConditionalGeneration"], "vision_config": {"hidden_size": 1152},
    "text_config": {
        "model_type": "gemma3_text", "hidden_size": 5376, "intermediate_size": 21504, "num_attention_heads": 32,
        "num_hidden_layers": 62, "num_key_value_heads": 16, "head_dim": 128, "sliding_window": 1024,
    },
}  # fmt: skip
GPT2 = {
    "model_type": "gpt2", "activation_function": "gelu_new", "n_embd": 768, "n_head": 12, "n_layer": 12,
    "n_positions": 1024, "n_ctx": 1024, "vocab_size": 50257,
}  # fmt: skip
GLM = {
    "model_type": "glm4_moe", "hidden_act": "silu", "hidden_size": 5120, "intermediate_size": 12288, "head_dim": 128,
    "moe_intermediate_size": 1536, "num_attention_heads": 96, "num_key_value_heads": 8, "num_hidden_layers": 92,
    "n_routed_experts": 160, "n_shared_experts": 1, "num_experts_per_tok": 8, "first_k_dense_replace": 3,
    "attention_bias": True, "use_qk_norm": True, "vocab_size": 151552, "n_group": 1, "topk_group": 1,
}  # fmt: skip
LLAMA4_MAVERICK = {
    "model_type": "llama4",
    "text_config": {
        "model_type": "llama4_text", "hidden_act": "silu", "hidden_size": 5120, "intermediate_size": 8192,
        "intermediate_size_mlp": 16384, "num_attention_heads": 40, "num_key_value_heads": 8, "head_dim": 128,
        "num_hidden_layers": 48, "num_local_experts": 128, "num_experts_per_tok": 1, "interleave_moe_layer_step": 2,
        "vocab_size": 202048, "tie_word_embeddings": False,
    },
}  # fmt: skip

# Totals of the checkpoints' language models, see tests/plugins/workload/decoder/test_counts.py.
TOTALS = {
    "llama": (LLAMA3_70B, 70_553_706_496),
    "mixtral": (MIXTRAL, 46_702_792_704),
    "qwen3_moe": (QWEN3_MOE, 30_532_122_624),
    "deepseek_v3": (DEEPSEEK_V3, 671_026_419_200),
    "gpt_oss": (GPT_OSS_20B, 20_914_757_184),
    "gemma3": (GEMMA3, 27_009_346_304),
    "gpt2": (GPT2, 124_439_808),
    "glm4_moe": (GLM, 352_797_829_024),
    "llama4": (LLAMA4_MAVERICK, 400_711_848_960),
}


def text_of(config, name="m"):
    text, _, problems = read_huggingface_config(config, name)
    assert problems == ()
    return text


@pytest.mark.parametrize("name", TOTALS)
def test_imported_models_have_the_parameters_of_the_checkpoint(name, bound):
    config, total = TOTALS[name]
    assert total == int(count_parameters(bound(text_of(config))).value)


def test_keys_without_use_are_listed():
    assert read_huggingface_config(LLAMA3_70B)[1] == ("rope_theta",)
    assert read_huggingface_config(GEMMA3)[1] == ("vision_config",)


def test_latent_attention_and_its_cache(bound):
    spec = bound(text_of(DEEPSEEK_V3))
    assert float(kv_bytes_per_token(spec).to("B")) == 70_272
    assert spec.precision.weights == "fp8"
    assert float(spec.mtp.depth.value) == 1


def test_experts_in_mxfp4_leave_the_rest_at_16_bit(bound):
    spec = bound(text_of(GPT_OSS_20B))
    assert (spec.experts.weight_dtype, spec.precision.weights) == ("mxfp4", "bf16")
    assert float(spec.global_every.value) == 2
    assert float(spec.sliding_window.to("tok")) == 128


def test_class_defaults_of_absent_keys():
    assert "tied_embeddings = true" in text_of(GEMMA3)
    assert "vocab = 262_208" in text_of(GEMMA3)
    assert "global_every = 6" in text_of(GEMMA3)
    assert "tied_embeddings = false" in text_of(LLAMA3_70B)
    absent = {key: value for key, value in LLAMA3_70B.items() if key != "num_key_value_heads"}
    assert "kv_heads = 64" in text_of(absent)


def test_head_dim_is_not_hidden_over_heads_where_the_class_says_otherwise():
    qwen3 = LLAMA3_70B | QWEN3 | {"hidden_size": 5120, "num_attention_heads": 64}
    assert "head_dim = 128" in text_of(qwen3)


def test_windows_that_are_switched_off():
    qwen2 = LLAMA3_70B | QWEN2 | {"sliding_window": 131072, "use_sliding_window": False}
    assert "window" not in text_of(qwen2)
    assert "attention_bias = qkv" in text_of(qwen2)


def test_irregular_layer_types_become_a_count():
    listed = ["full_attention"] * 8 + ["sliding_attention"] * 72
    text = text_of(LLAMA3_70B | {"layer_types": listed, "sliding_window": 4096})
    assert "window = 4_096 tok" in text
    assert "global_layers = 8" in text


@pytest.mark.parametrize(
    "change, message",
    [
        ({"model_type": "lama"}, "did you mean `llama`"),
        ({"num_hidden_layers": None}, "nothing says how many layers"),
        ({"num_hidden_layers": "80"}, "`num_hidden_layers` must be a whole number of at least 1, not '80'"),
        ({"num_hidden_layers": float("nan")}, "must be a whole number"),
        ({"num_attention_heads": -64}, "must be a whole number"),
        ({"hidden_act": "tanh"}, "activation function 'tanh' is not known"),
        ({"layer_types": ["linear_attention"] * 80}, "linear_attention"),
        ({"layer_types": ["full_attention"]}, "lists 1 layers, but there are 80"),
        ({"num_experts": 8, "num_experts_per_tok": 2}, "has none"),
        ({"quantization_config": {"quant_method": "exl3"}}, "'exl3' is not known"),
        ({"torch_dtype": "posit8"}, "`posit8` is not known"),
        ({"index_topk": 2048}, "`index_topk` belongs to layers that no model here has"),
        ({"tie_word_embeddings": "no"}, "must be true or false"),
    ],
)
def test_what_is_not_understood_is_a_problem(change, message):
    text, _, problems = read_huggingface_config(LLAMA3_70B | change)
    assert text is None
    assert message in "; ".join(problems)


def test_architecture_stands_in_for_the_model_type():
    config = {key: value for key, value in LLAMA3_70B.items() if key != "model_type"}
    assert "layers = 80" in text_of(config)
    assert "neither `model_type` nor `architectures`" in read_huggingface_config({})[2][0]


@pytest.mark.parametrize(
    "name, label",
    [("Qwen/Qwen3-8B", "qwen3_8b"), ("7B chat", "model_7b_chat"), ("///", "model"), ("check", "model_check")],
)
def test_labels(name, label):
    assert make_model_label(name) == label


def test_command_writes_a_file_that_checks(tmp_path, capsys):
    (tmp_path / "config.json").write_text(json.dumps(LLAMA3_70B))
    target = tmp_path / "m.accel"
    assert run_cli(["import", "hf", str(tmp_path / "config.json"), "-o", str(target), "--name", "mine"]) == 0
    assert "model mine {" in target.read_text()
    assert "1 keys" not in capsys.readouterr().out
    assert run_cli(["check", str(target)]) == 0


@pytest.mark.parametrize(
    "content, message",
    [
        ('{"a" 1}', ":1:6` is not JSON"),
        ("[1]", "holds a JSON list, but a configuration is an object"),
        ("[" * 100_000, "nested too deeply"),
        ("", "is not JSON"),
    ],
)
def test_command_refuses_what_is_no_configuration(content, message, tmp_path, capsys):
    (tmp_path / "config.json").write_text(content)
    assert run_cli(["import", "hf", str(tmp_path / "config.json")]) == 2
    assert message in capsys.readouterr().err


def test_command_refuses_folders_and_missing_files(tmp_path, capsys):
    assert run_cli(["import", "hf", str(tmp_path)]) == 2
    assert run_cli(["import", "hf", str(tmp_path / "none.json")]) == 2
    assert "there is no such file" in capsys.readouterr().err
