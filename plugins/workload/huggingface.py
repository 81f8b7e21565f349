"""A Hugging Face `config.json` to the text of a `model` block; what is not understood is an error, never a guess."""

from __future__ import annotations

import re
from collections.abc import Mapping

from accelscope.dsl.suggest import did_you_mean
from accelscope.plugins.workload.families import FAMILIES, FIXED, Family, family_name
from accelscope.plugins.workload.keys import Keys
from accelscope.plugins.workload.precision import precision_of
from accelscope.plugins.workload.windows import windows_of

Fields = dict[str, object]

_GATED = {"silu": "swiglu", "swish": "swiglu", "gelu": "geglu", "gelu_pytorch_tanh": "geglu", "relu": "reglu"}
_PLAIN = {
    "gelu": "gelu", "gelu_new": "gelu", "gelu_fast": "gelu", "gelu_pytorch_tanh": "gelu", "relu": "relu",
    "relu2": "relu2", "silu": "silu",
}  # fmt: skip
_WORDS = (
    "use", "let", "sweep", "tune", "assert", "check", "require", "prefer", "minimize", "maximize", "connect", "if",
    "then", "else", "true", "false", "none", "not", "and", "or", "in", "as", "via", "step", "points", "when",
)  # fmt: skip
_STATE_SPACE = (
    "mamba_d_state",
    "state_size",
    "ssm_state_size",
    "linear_num_key_heads",
    "conv_kernel",
    "index_topk",
)


def read_config(
    config: Mapping[str, object], name: str | None = None
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Return (text of a model block, keys that were not used, problems); the text is None where there are problems.

    Args:
        config: the content of a config.json; that of a multi-modal model has its language model in `text_config`.
        name: label of the block; without it that of the checkpoint.
    """
    inner, outer = _language_part(config)
    model_type = family_name(inner) or family_name(config)
    family = FAMILIES.get(model_type or "")
    if family is None:
        return None, (), (_unknown(model_type),)
    keys = Keys(inner, family.defaults)
    fields = _sizes(keys, family, model_type or "")
    blocks: dict[str, Fields] = _latent(keys)
    blocks |= _experts(keys, family, fields)
    depth = keys.count("num_nextn_predict_layers", "num_mtp_layers", least=0)
    blocks |= {"mtp": {"depth": depth}} if depth else {}
    blocks |= {"precision": precision_of(keys, blocks)}
    keys.problems.extend(
        f"`{key}` belongs to layers that no model here has" for key in _STATE_SPACE if key in inner
    )
    if keys.problems:
        return None, keys.unused, tuple(keys.problems)
    checkpoint = config.get("_name_or_path") or config.get("name_or_path")
    hub = checkpoint if isinstance(checkpoint, str) and checkpoint else None
    text = _text(label_of(name or hub or model_type or "model"), hub or name, fields, blocks)
    return text, tuple(sorted({*keys.unused, *outer})), ()


def label_of(name: str) -> str:
    """Return a name as a label of the language: `Qwen/Qwen3-8B` is `qwen3_8b`."""
    label = re.sub(r"[^a-z0-9]+", "_", name.rstrip("/").rpartition("/")[2].lower()).strip("_")
    return label if label[:1].isalpha() and label not in _WORDS else f"model_{label}".rstrip("_")


def _language_part(config: Mapping[str, object]) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """Return the part that describes the language model, and the keys beside it that are left."""
    inner = config.get("text_config")
    if not isinstance(inner, Mapping):
        return config, ()
    shared = ("tie_word_embeddings", "torch_dtype", "dtype", "quantization_config")
    merged = {key: config[key] for key in shared if key in config} | dict(inner)
    left = set(config) - set(shared) - {"text_config", "architectures", "model_type", "_name_or_path"}
    return merged, tuple(left - {"transformers_version"})


def _unknown(model_type: str | None) -> str:
    if model_type is None:
        return "there is neither `model_type` nor `architectures`, so nothing says what the keys mean"
    hint = did_you_mean(model_type, tuple(FAMILIES))
    known = ", ".join(sorted(FAMILIES))
    return f"`model_type` is `{model_type}`, which is not known{'; ' + hint if hint else ''} (known: {known})"


def _sizes(keys: Keys, family: Family, model_type: str) -> Fields:
    """Return the fields of the block itself."""
    fields: Fields = {"family": "decoder"}
    fields["layers"] = keys.needed(
        "layers", "num_hidden_layers", "n_layer", "n_layers", "num_layers", "layers"
    )
    hidden = fields["hidden"] = keys.needed("numbers a token has", "hidden_size", "n_embd", "d_model", "dim")
    heads = fields["heads"] = keys.needed("heads", "num_attention_heads", "n_head", "n_heads")
    inner = keys.count("intermediate_size_mlp", "intermediate_size", "n_inner", "ffn_dim", "ffn_hidden_size")
    if inner is None and model_type in FIXED and isinstance(hidden, int):
        inner = FIXED[model_type] * hidden
    fields["ffn"] = inner
    if "kv_lora_rank" not in keys.config:
        fields["kv_heads"] = keys.count("num_key_value_heads", "num_kv_heads", "n_head_kv") or heads
        fields["head_dim"] = keys.count("head_dim") or _divided(keys, hidden, heads)
    fields["vocab"] = keys.needed("tokens the vocabulary has", "vocab_size")
    fields["activation"] = _activation(keys, family)
    fields |= {"norm": family.norm, "norms": family.norms, "qk_norm": _qk_norm(keys, family)}
    fields["attention_bias"] = _attention_bias(keys, family)
    fields["mlp_bias"] = keys.flag("mlp_bias", False) if family.mlp_bias is None else family.mlp_bias
    fields["sinks"] = family.sinks
    fields["tied"] = keys.flag("tie_word_embeddings", family.tied)
    if family.positions is not None:
        longest = keys.needed("positions", "max_position_embeddings", "n_positions", "n_ctx")
        fields["positions"] = None if longest is None else longest + family.positions
    if isinstance(fields["layers"], int):
        fields |= windows_of(keys, family, fields["layers"])
    if inner is None and not family.moe:
        keys.needed("numbers the feed-forward network has", "intermediate_size")
    return fields


def _divided(keys: Keys, hidden: object, heads: object) -> int | None:
    if not isinstance(hidden, int) or not isinstance(heads, int):
        return None
    if hidden % heads:
        keys.problems.append(
            f"there is no `head_dim`, and {heads} heads do not divide a hidden size of {hidden}"
        )
        return None
    return hidden // heads


def _activation(keys: Keys, family: Family) -> str | None:
    found = keys.raw("hidden_activation", "hidden_act", "activation_function", "hidden_activation_function")
    known = _GATED if family.gated else _PLAIN
    if isinstance(found, str) and found in known:
        return known[found]
    keys.problems.append(f"activation function {found!r} is not known; known: {', '.join(known)}")
    return None


def _qk_norm(keys: Keys, family: Family) -> str:
    found = keys.raw("use_qk_norm", "qk_norm")
    kind = keys.raw("qk_norm_type")
    if isinstance(found, bool):
        return "none" if not found else ("full" if kind == "per_layer" else "head")
    return family.qk_norm


def _attention_bias(keys: Keys, family: Family) -> str:
    if family.attention_bias is not None:
        keys.raw("attention_bias")
        return family.attention_bias
    if not keys.flag("attention_bias", False):
        return "none"
    return "all" if family.o_bias else "qkv"


def _latent(keys: Keys) -> dict[str, Fields]:
    if "kv_lora_rank" not in keys.config:
        return {}
    keys.raw("num_key_value_heads", "head_dim")  # latent attention has no KV heads of its own
    return {
        "attention": {
            "kind": "mla",
            "kv_rank": keys.needed("numbers the latent has", "kv_lora_rank"),
            "q_rank": keys.count("q_lora_rank"),
            "rope_dim": keys.needed("rotated numbers a key has", "qk_rope_head_dim"),
            "nope_dim": keys.needed("unrotated numbers a key has", "qk_nope_head_dim"),
            "v_dim": keys.needed("numbers a value has", "v_head_dim"),
        }
    }


def _experts(keys: Keys, family: Family, fields: Fields) -> dict[str, Fields]:
    """Return the block of experts; the width of dense layers moves into it, or away where there are none."""
    routed = keys.count("n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts", least=0)
    if not routed:
        return {}
    if not family.moe:
        keys.problems.append("there are experts, but the architecture that `model_type` names has none")
    dense = _dense_layers(keys, fields["layers"])
    found: Fields = {"routed": routed}
    found["top_k"] = keys.needed(
        "experts a token visits", "num_experts_per_tok", "moe_topk", "moe_k", "moe_top_k"
    )
    found["ffn"] = keys.needed("numbers an expert has", family.expert_key)
    found |= _shared(keys, family)
    found["dense_layers"] = dense or None
    found["dense_ffn"] = fields.pop("ffn", None) if dense else None
    fields.pop("ffn", None)
    found["router_bias"], found["bias"] = family.router_bias, family.expert_bias
    groups, top_groups = keys.count("n_group"), keys.count("topk_group")
    if groups and top_groups and groups > 1:
        found |= {"groups": groups, "top_groups": top_groups}
    return {"experts": found}


def _shared(keys: Keys, family: Family) -> Fields:
    shared = keys.count("n_shared_experts", "moe_num_shared_experts", least=0)
    width = keys.count(family.shared_key) if family.shared_key else None
    if shared is None and width:
        return {"shared": 1, "shared_ffn": width}
    return {"shared": shared} if shared else {}


def _dense_layers(keys: Keys, layers: object) -> int:
    """Return how many layers have no experts: the first ones, those listed, or all but each n-th."""
    if not isinstance(layers, int):
        return 0
    first = keys.count("first_k_dense_replace", least=0) or 0
    step = keys.count("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_freq") or 1
    listed = keys.raw("mlp_only_layers")
    dense = set(listed) if isinstance(listed, list) else set()
    sparse = [i for i in range(layers) if i >= first and (i + 1) % step == 0 and i not in dense]
    return layers - len(sparse)


def _text(label: str, hub: str | None, fields: Fields, blocks: Mapping[str, Fields]) -> str:
    lines = [f"model {label} {{"]
    if hub:
        lines.append("  hf = " + '"' + re.sub(r'[\\"\n\r]', "_", hub) + '"')
    lines += [f"  {name} = {_written(name, value)}" for name, value in fields.items() if value is not None]
    for kind, inner in blocks.items():
        given = ", ".join(
            f"{name} = {_written(name, value)}" for name, value in inner.items() if value is not None
        )
        lines.append(f"  {kind} {{ {given} }}")
    return "\n".join([*lines, "}"]) + "\n"


def _written(name: str, value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return (
            f"{value:_}{' tok' if name == 'window' else ''}"
            if value >= 10_000 or name == "window"
            else str(value)
        )
    return str(value)
