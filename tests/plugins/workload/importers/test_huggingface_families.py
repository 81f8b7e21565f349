"""Configurations of one published model for each way to build layers, and the totals they have to give."""

from __future__ import annotations

import re

import pytest

from accelscope.plugins.workload.decoder.parameters import count_parameters, kv_bytes_per_token
from accelscope.plugins.workload.importers.huggingface.architectures import (
    HUGGING_FACE_ARCHITECTURES,
    UNSUPPORTED_MODEL_TYPES,
)
from accelscope.plugins.workload.importers.huggingface.reader import read_huggingface_config


def sizes(model_type, layers, hidden, ffn, heads, kv, vocab, **more):
    return {
        "model_type": model_type, "num_hidden_layers": layers, "hidden_size": hidden, "intermediate_size": ffn,
        "num_attention_heads": heads, "num_key_value_heads": kv, "vocab_size": vocab,
    } | more  # fmt: skip


MPT_7B = {
    "model_type": "mpt", "d_model": 4096, "n_layers": 32, "n_heads": 32, "expansion_ratio": 4, "vocab_size": 50432,
    "max_seq_len": 2048, "no_bias": True, "learned_pos_emb": True, "attn_config": {"alibi": True, "qk_ln": False},
}  # fmt: skip
DBRX = {
    "model_type": "dbrx", "d_model": 6144, "n_layers": 40, "n_heads": 48, "vocab_size": 100352, "max_seq_len": 32768,
    "attn_config": {"kv_n_heads": 8, "clip_qkv": 8, "model_type": ""}, "tie_word_embeddings": False,
    "ffn_config": {"ffn_hidden_size": 10752, "moe_num_experts": 16, "moe_top_k": 4, "ffn_act_fn": {"name": "silu"}},
}  # fmt: skip
FALCON_7B = {
    "model_type": "falcon", "hidden_size": 4544, "num_hidden_layers": 32, "num_attention_heads": 71, "num_kv_heads": 71,
    "vocab_size": 65024, "multi_query": True, "parallel_attn": True, "new_decoder_architecture": False, "bias": False,
}  # fmt: skip
FALCON_180B = {
    "model_type": "falcon", "hidden_size": 14848, "num_hidden_layers": 80, "num_attention_heads": 232,
    "num_kv_heads": 8, "vocab_size": 65024, "new_decoder_architecture": True, "tie_word_embeddings": False,
}  # fmt: skip
PHI3_MINI = sizes("phi3", 32, 3072, 8192, 32, 32, 32064, hidden_act="silu", sliding_window=2047)
OLMO2_13B = sizes("olmo2", 40, 5120, 13824, 40, 40, 100352, hidden_act="silu", tie_word_embeddings=False)
COMMAND_R = sizes("cohere", 40, 8192, 22528, 64, 64, 256000, hidden_act="silu", use_qk_norm=False)
COMMAND_R_PLUS = sizes("cohere", 64, 12288, 33792, 96, 8, 256000, hidden_act="silu", use_qk_norm=True)
STARCODER2_7B = sizes("starcoder2", 32, 4608, 18432, 36, 4, 49152, use_bias=True, sliding_window=4096)
GRANITE_8B = sizes("granite", 40, 4096, 12800, 32, 8, 49155, tie_word_embeddings=True, mlp_bias=False)
ERNIE_21B = sizes(
    "ernie4_5_moe", 28, 2560, 12288, 20, 4, 103424, use_bias=False, tie_word_embeddings=True, moe_num_experts=64,
    moe_k=6, moe_num_shared_experts=2, moe_intermediate_size=1536, moe_layer_start_index=1, moe_layer_end_index=28,
    moe_layer_interval=1,
)  # fmt: skip
QWEN3_NEXT = sizes(
    "qwen3_next", 48, 2048, 5120, 16, 2, 151936, head_dim=256, full_attention_interval=4, linear_num_key_heads=16,
    linear_num_value_heads=32, linear_key_head_dim=128, linear_value_head_dim=128, linear_conv_kernel_dim=4,
    num_experts=512, num_experts_per_tok=10, moe_intermediate_size=512, shared_expert_intermediate_size=512,
    decoder_sparse_step=1, mlp_only_layers=[], tie_word_embeddings=False,
)  # fmt: skip
DEEPSEEK_V32 = sizes(
    "deepseek_v32", 61, 7168, 18432, 128, 128, 129280, hidden_act="silu", kv_lora_rank=512, q_lora_rank=1536,
    qk_rope_head_dim=64, qk_nope_head_dim=128, v_head_dim=128, index_topk=2048, index_n_heads=64, index_head_dim=128,
    n_routed_experts=256, n_shared_experts=1, num_experts_per_tok=8, moe_intermediate_size=2048, n_group=8,
    topk_group=4, first_k_dense_replace=3, num_nextn_predict_layers=1,
)  # fmt: skip
GLM_5 = sizes(
    "glm_moe_dsa", 78, 6144, 12288, 64, 64, 154880, hidden_act="silu", kv_lora_rank=512, q_lora_rank=2048,
    qk_rope_head_dim=64, qk_nope_head_dim=192, v_head_dim=256, index_topk=2048, index_n_heads=32, index_head_dim=128,
    n_routed_experts=256, n_shared_experts=1, num_experts_per_tok=8, moe_intermediate_size=2048, n_group=1,
    topk_group=1, mlp_layer_types=["dense"] * 3 + ["sparse"] * 75,
)  # fmt: skip
JAMBA = sizes(
    "jamba", 32, 4096, 14336, 32, 8, 65536, attn_layer_period=8, attn_layer_offset=4, expert_layer_period=2,
    expert_layer_offset=1, num_experts=16, num_experts_per_tok=2, mamba_d_state=16, mamba_d_conv=4, mamba_expand=2,
    mamba_dt_rank=256, mamba_conv_bias=True, mamba_proj_bias=False, tie_word_embeddings=False,
)  # fmt: skip
MAMBA2_2_7B = {
    "model_type": "mamba2", "num_hidden_layers": 64, "hidden_size": 2560, "num_heads": 80, "head_dim": 64, "expand": 2,
    "state_size": 128, "conv_kernel": 4, "n_groups": 1, "chunk_size": 256, "vocab_size": 50288,
    "tie_word_embeddings": True, "use_bias": False, "use_conv_bias": True,
}  # fmt: skip
_HYBRID = [5, 11, 17, 23, 29, 35, 41, 47, 53]
ZAMBA2_2_7B = sizes(
    "zamba2", 54, 2560, 10240, 32, 32, 32000, attention_head_dim=160, n_mamba_heads=80, mamba_headdim=64,
    mamba_d_state=64, mamba_ngroups=1, mamba_expand=2, mamba_d_conv=4, num_mem_blocks=2, adapter_rank=128,
    use_shared_attention_adapter=False, hybrid_layer_ids=_HYBRID,
    layers_block_type=["hybrid" if index in _HYBRID else "mamba" for index in range(54)],
)  # fmt: skip
NEMOTRON_H_8B = sizes(
    "nemotron_h", 52, 4096, 21504, 32, 8, 131072, head_dim=128, mlp_hidden_act="relu2", n_groups=8, ssm_state_size=128,
    mamba_num_heads=128, mamba_head_dim=64, conv_kernel=4, chunk_size=128, expand=2, tie_word_embeddings=False,
    hybrid_override_pattern="M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M*-M-M-M-M-M-",
)  # fmt: skip
NEMOTRON_3_NANO = sizes(
    "nemotron_h", 52, 2688, 1856, 32, 2, 131072, head_dim=128, mlp_hidden_act="relu2", n_groups=8, ssm_state_size=128,
    mamba_num_heads=64, mamba_head_dim=64, conv_kernel=4, chunk_size=128, expand=2, tie_word_embeddings=False,
    n_routed_experts=128, num_experts_per_tok=6, n_shared_experts=1, moe_intermediate_size=1856,
    moe_shared_expert_intermediate_size=3712, n_group=1, topk_group=1,
    hybrid_override_pattern="MEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEM*EMEMEMEM*EMEMEMEME",
)  # fmt: skip
LFM2_1_2B = {
    "model_type": "lfm2", "num_hidden_layers": 16, "hidden_size": 2048, "block_ff_dim": 12288, "vocab_size": 65536,
    "num_attention_heads": 32, "num_key_value_heads": 8, "conv_L_cache": 3, "conv_bias": False,
    "block_auto_adjust_ff_dim": True, "block_ffn_dim_multiplier": 1.0, "block_multiple_of": 256,
    "full_attn_idxs": [2, 5, 8, 10, 12, 14], "tie_embedding": True,
}  # fmt: skip
QWEN15_MOE = sizes(
    "qwen2_moe", 24, 2048, 5632, 16, 16, 151936, hidden_act="silu", num_experts=60, num_experts_per_tok=4,
    moe_intermediate_size=1408, shared_expert_intermediate_size=5632, tie_word_embeddings=False,
)  # fmt: skip
LLAMA4_SCOUT = {
    "model_type": "llama4",
    "text_config": sizes(
        "llama4_text", 48, 5120, 8192, 40, 8, 202048, intermediate_size_mlp=16384, head_dim=128, num_local_experts=16,
        num_experts_per_tok=1, interleave_moe_layer_step=1, attention_chunk_size=8192, no_rope_layers=[1, 1, 1, 0] * 12,
    ),
}  # fmt: skip

# The rest of the table in tests/library/models.csv that has published integers and another way to build layers.
LLAMA31_405B = sizes("llama", 126, 16384, 53248, 128, 8, 128256, hidden_act="silu")
LLAMA32_1B = sizes("llama", 16, 2048, 8192, 32, 8, 128256, head_dim=64, tie_word_embeddings=True)
MISTRAL_7B = sizes("mistral", 32, 4096, 14336, 32, 8, 32000, sliding_window=4096)
QWEN25_7B = sizes("qwen2", 28, 3584, 18944, 28, 4, 152064, use_sliding_window=False, sliding_window=131072)
QWEN3_8B = sizes("qwen3", 36, 4096, 12288, 32, 8, 151936, head_dim=128, attention_bias=False)
GEMMA2_27B = sizes(
    "gemma2",
    46,
    4608,
    36864,
    32,
    16,
    256000,
    head_dim=128,
    sliding_window=4096,
    hidden_activation="gelu_pytorch_tanh",
)
QWEN3_235B = sizes(
    "qwen3_moe", 94, 4096, 12288, 64, 4, 151936, head_dim=128, num_experts=128, num_experts_per_tok=8,
    moe_intermediate_size=1536, decoder_sparse_step=1, mlp_only_layers=[],
)  # fmt: skip
DEEPSEEK_V2 = sizes(
    "deepseek_v2", 60, 5120, 12288, 128, 128, 102400, kv_lora_rank=512, q_lora_rank=1536, qk_rope_head_dim=64,
    qk_nope_head_dim=128, v_head_dim=128, n_routed_experts=160, n_shared_experts=2, num_experts_per_tok=6,
    moe_intermediate_size=1536, first_k_dense_replace=1, moe_layer_freq=1, n_group=8, topk_group=3,
)  # fmt: skip
OPT_175B = {
    "model_type": "opt", "num_hidden_layers": 96, "hidden_size": 12288, "ffn_dim": 49152, "num_attention_heads": 96,
    "vocab_size": 50272, "max_position_embeddings": 2048,
}  # fmt: skip

# Hugging Face safetensors.total, or the count by the structure where hubs publish a rounded one (from DeepSeek-V3.2 on).
EXACT = {
    "llama3.1-405b": (LLAMA31_405B, 405_853_388_800),
    "llama3.2-1b": (LLAMA32_1B, 1_235_814_400),
    "mistral-7b": (MISTRAL_7B, 7_241_732_096),
    "qwen2.5-7b": (QWEN25_7B, 7_615_616_512),
    "qwen3-8b": (QWEN3_8B, 8_190_735_360),
    "gemma2-27b": (GEMMA2_27B, 27_227_128_320),
    "qwen3-235b": (QWEN3_235B, 235_093_634_560),
    "deepseek-v2": (DEEPSEEK_V2, 235_741_434_880),
    "falcon-180b": (FALCON_180B, 179_522_565_120),
    "deepseek-v3.2": (DEEPSEEK_V32, 671_877_944_064),
    "llama4-scout": (LLAMA4_SCOUT, 107_769_861_120),
    "jamba": (JAMBA, 51_570_323_328),
    "mamba2-2.7b": (MAMBA2_2_7B, 2_702_599_680),
    "zamba2-2.7b": (ZAMBA2_2_7B, 2_688_756_640),
    "opt-175b": (OPT_175B, 174_604_468_224),
}
# Totals of checkpoints as remembered, not looked up; the sizes give them to the digit.
RECALLED = {
    "mpt-7b": (MPT_7B, 6_649_286_656),
    "dbrx": (DBRX, 131_596_523_520),
    "falcon-7b without lm_head": (FALCON_7B, 7_217_189_760 - 65_024 * 4_544),
    "phi3-mini": (PHI3_MINI, 3_821_079_552),
    "olmo2-13b": (OLMO2_13B, 13_716_198_400),
    "command-r": (COMMAND_R, 34_980_831_232),
    "command-r-plus": (COMMAND_R_PLUS, 103_810_674_688),
    "starcoder2-7b": (STARCODER2_7B, 7_173_923_840),
    "granite3.1-8b": (GRANITE_8B, 8_170_848_256),
    "ernie4.5-21b": (ERNIE_21B, 21_825_437_888),
    "qwen1.5-moe": (QWEN15_MOE, 14_315_784_192),
    "lfm2-1.2b": (LFM2_1_2B, 1_170_340_608),
}
# Rounded totals of the model cards.
ROUNDED = {
    "qwen3-next": (QWEN3_NEXT, 79.7e9),
    "glm-5": (GLM_5, 744e9),
    "nemotron-h-8b": (NEMOTRON_H_8B, 8.1e9),
    "nemotron-3-nano": (NEMOTRON_3_NANO, 31.6e9),
}


def text_of(config):
    text, _, problems = read_huggingface_config(config, "m")
    assert problems == ()
    return text


@pytest.mark.parametrize("name", [*EXACT, *RECALLED])
def test_imported_models_have_the_published_parameters(name, bound):
    config, total = (EXACT | RECALLED)[name]
    assert total == int(count_parameters(bound(text_of(config))).value)


@pytest.mark.parametrize("name", ROUNDED)
def test_imported_models_have_the_parameters_of_the_card(name, bound):
    config, total = ROUNDED[name]
    assert float(count_parameters(bound(text_of(config))).value) == pytest.approx(total, rel=0.001)


@pytest.mark.parametrize(
    "config, kept",
    [
        (FALCON_7B, 8_192),  # 32 layers, one KV head of 64
        (FALCON_180B, 163_840),
        (DEEPSEEK_V32, 85_888),  # 61 layers of 576 numbers of the latent and 128 of the index
        (JAMBA, 16_384),  # 4 of 32 layers have attention
        (QWEN3_NEXT, 24_576),  # 12 of 48
        (ZAMBA2_2_7B, 184_320),  # 9 uses of shared blocks
        (MAMBA2_2_7B, 0),
    ],
)
def test_only_attention_leaves_a_kv_cache(config, kept, bound):
    assert float(kv_bytes_per_token(bound(text_of(config))).to("B")) == kept


@pytest.mark.parametrize(
    "config, written",
    [
        (LLAMA4_SCOUT, "attention_chunk_size = 8_192 tok, global_every = 4"),
        (QWEN3_NEXT, "attention_gate = true"),
        (QWEN3_NEXT, "shared_gate = true"),
        (QWEN3_NEXT, "linear_attention { layers = 36, key_heads = 16, value_heads = 32"),
        (NEMOTRON_3_NANO, "attention_layers = 6, ffn_layers = 23"),
        (NEMOTRON_3_NANO, "shared = 1, shared_ffn = 3712"),
        (NEMOTRON_H_8B, "ssm { kind = mamba2, layers = 24, heads = 128, head_dim = 64"),
        (MAMBA2_2_7B, "ffn_layers = 0"),
        (JAMBA, "dense_layers = 16, dense_ffn = 14_336"),
        (JAMBA | {"mamba_dt_rank": "auto"}, "dt_rank = 256"),
        (LFM2_1_2B, "ffn = 8192"),
        (LFM2_1_2B | {"block_ffn_dim_multiplier": 1.3}, "ffn = 10_752"),
        (LFM2_1_2B | {"block_auto_adjust_ff_dim": False}, "ffn = 12_288"),
        (LFM2_1_2B, "conv { kind = short, layers = 10, conv_width = 3"),
        (ZAMBA2_2_7B, "shared_block { invocations = 9, distinct_blocks = 2, lora_rank = 128 }"),
        (GLM_5, "indexer { heads = 32, head_dim = 128, top_k = 2_048 tok }"),
        (GLM_5, "dense_layers = 3"),
        (ERNIE_21B, "dense_layers = 1"),
        (FALCON_7B, "kv_heads = 1"),
        (FALCON_7B | {"multi_query": False}, "kv_heads = 71"),
        (MPT_7B | {"attn_config": {"attn_type": "multiquery_attention", "alibi": True}}, "kv_heads = 1"),
        (MPT_7B | {"attn_config": {"alibi": False}}, "position_embeddings = 2048"),
        (MPT_7B | {"no_bias": False}, "attention_bias = all"),
    ],
)
def test_layer_kinds_are_written_as_counts(config, written):
    text = read_huggingface_config(config, "m")[0]
    assert text is not None
    assert written in re.sub(r"\n +", ", ", text)


@pytest.mark.parametrize(
    "config, message",
    [
        (GLM_5 | {"index_topk_freq": 2}, "another layer's indexer picked, which has no model here"),
        (GLM_5 | {"indexer_types": ["full"] * 77 + ["shared"]}, "another layer's indexer picked"),
        (
            GLM_5 | {"mlp_layer_types": ["dense"]},
            "`mlp_layer_types` must list dense or sparse for each of 78 layers",
        ),
        (
            NEMOTRON_H_8B | {"hybrid_override_pattern": "M-X"},
            "`hybrid_override_pattern` has letters other than",
        ),
        (NEMOTRON_H_8B | {"hybrid_override_pattern": "M-*"}, "has 3 layers, but there are 52"),
        (JAMBA | {"attn_layer_offset": 8}, "`attn_layer_offset` is 8, but the period is 8 layers"),
        (JAMBA | {"expert_layer_offset": 2}, "`expert_layer_offset` is 2, but the period is 2 layers"),
        (JAMBA | {"mamba_proj_bias": True}, "`mamba_proj_bias` is true, but projections of a state space"),
        (JAMBA | {"mamba_conv_bias": False}, "`mamba_conv_bias` is false"),
        (MAMBA2_2_7B | {"n_groups": 3}, "3 groups of the state space do not divide 80 heads"),
        (QWEN3_NEXT | {"linear_num_key_heads": 5}, "does not divide `linear_num_value_heads` of 32"),
        (ZAMBA2_2_7B | {"layers_block_type": ["mamba"] * 54}, "nothing uses the shared block"),
        (ZAMBA2_2_7B | {"use_shared_attention_adapter": True}, "adapters of attention have no model here"),
        (LFM2_1_2B | {"block_ffn_dim_multiplier": "wide"}, "must be a positive number, not 'wide'"),
        (MPT_7B | {"attn_config": "alibi"}, "`attn_config` must be an object, not 'alibi'"),
        (MPT_7B | {"attn_config": {"attn_type": "sparse"}}, "`attn_type` 'sparse'"),
        (LLAMA31_405B | {"num_hidden_layers": 10**11}, "but no model has more than 10000"),
        (LLAMA31_405B | {"linear_num_key_heads": 4}, "`linear_num_key_heads` belongs to layers"),
        (QWEN3_235B | {"zero_expert_num": 8}, "`zero_expert_num` experts do nothing"),
    ],
)
def test_layers_that_nothing_here_describes_are_refused(config, message):
    text, _, problems = read_huggingface_config(config, "m")
    assert text is None
    assert message in "; ".join(problems)


@pytest.mark.parametrize("name", UNSUPPORTED_MODEL_TYPES)
def test_known_architectures_without_a_model_say_what_is_missing(name):
    text, _, problems = read_huggingface_config(LLAMA31_405B | {"model_type": name})
    assert text is None
    assert UNSUPPORTED_MODEL_TYPES[name] in problems[0]
    assert name not in HUGGING_FACE_ARCHITECTURES


# transformers 5.23, configuration_*.py of each class: what an absent key stands for, where it is not Llama's.
CLASS_DEFAULTS = {
    "mistral": {"num_key_value_heads": 8},
    "mixtral": {"num_key_value_heads": 8},
    "qwen2": {"use_sliding_window": False, "max_window_layers": 28},
    "qwen3": {"use_sliding_window": False, "max_window_layers": 28, "head_dim": 128},
    "gpt_oss": {"head_dim": 64, "num_key_value_heads": 8},
    "llama4_text": {"attention_chunk_size": 8192, "no_rope_layer_interval": 4},
    "gemma": {"head_dim": 256, "tie_word_embeddings": True, "hidden_act": "gelu_pytorch_tanh"},
    "gemma2": {"head_dim": 256, "tie_word_embeddings": True},
    "gemma3_text": {"head_dim": 256, "tie_word_embeddings": True, "vocab_size": 262_208},
    "smollm3": {"tie_word_embeddings": True, "use_sliding_window": False},
    "ernie4_5": {"tie_word_embeddings": True, "head_dim": 128},
    "ernie4_5_moe": {
        "tie_word_embeddings": True, "moe_layer_start_index": 1, "moe_layer_end_index": -1, "moe_layer_interval": 1,
    },
    "cohere": {"tie_word_embeddings": True},
    "cohere2": {"tie_word_embeddings": True},
    "starcoder2": {"tie_word_embeddings": True, "use_bias": True, "hidden_act": "gelu_pytorch_tanh"},
    "mpt": {"tie_word_embeddings": True, "expansion_ratio": 4},
    "falcon": {"tie_word_embeddings": True, "activation": "gelu"},
    "qwen3_next": {
        "head_dim": 256, "linear_conv_kernel_dim": 4, "linear_key_head_dim": 128, "linear_value_head_dim": 128,
    },
    "jamba": {
        "attn_layer_period": 8, "attn_layer_offset": 4, "expert_layer_period": 2, "expert_layer_offset": 1,
        "mamba_d_state": 16, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_dt_rank": "auto",
    },
    "mamba": {"tie_word_embeddings": True, "expand": 2, "conv_kernel": 4, "state_size": 16, "time_step_rank": "auto"},
    "mamba2": {"expand": 2, "conv_kernel": 4},
    "zamba2": {
        "tie_word_embeddings": True, "hidden_act": "gelu", "mamba_d_conv": 4, "mamba_expand": 2, "mamba_ngroups": 1,
        "adapter_rank": 128,
    },
    "nemotron_h": {"mlp_hidden_act": "relu2", "conv_kernel": 4, "expand": 2},
    "granitemoehybrid": {"mamba_n_groups": 1, "mamba_d_conv": 4, "mamba_expand": 2, "mamba_d_head": "auto"},
    "lfm2": {
        "tie_word_embeddings": True, "conv_L_cache": 3, "block_ffn_dim_multiplier": 1.0, "block_multiple_of": 256,
    },
    "lfm2_moe": {"tie_word_embeddings": True, "conv_L_cache": 3},
    "gpt2": {"tie_word_embeddings": True},
    "opt": {"tie_word_embeddings": True},
    "bloom": {"tie_word_embeddings": True},
}  # fmt: skip


@pytest.mark.parametrize("name", sorted(HUGGING_FACE_ARCHITECTURES))
def test_absent_keys_stand_for_what_the_class_says(name):
    cited = {"tie_word_embeddings": False} | CLASS_DEFAULTS.get(name, {})
    family = HUGGING_FACE_ARCHITECTURES[name]
    assert {key: family.defaults.get(key, family.tied) for key in cited} == cited
