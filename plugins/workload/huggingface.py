"""A Hugging Face `config.json` to the text of a `model` block; what is not understood is an error, never a guess."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from accelscope.dsl.suggest import did_you_mean
from accelscope.plugins.workload.families import FAMILIES, FIXED, Family, contradictions, family_name
from accelscope.plugins.workload.keys import Keys
from accelscope.plugins.workload.precision import precision_of
from accelscope.plugins.workload.routing import experts_of
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
_HEADS = ("num_attention_heads", "n_head", "n_heads")
_KV_HEADS = ("num_key_value_heads", "num_kv_heads", "n_head_kv")
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
    if family is None or model_type is None:
        return None, (), (_unknown(model_type),)
    keys = Keys(inner, family.defaults, problems=list(contradictions(inner, model_type)))
    keys.required(*family.needs)
    fields = _sizes(keys, family, model_type)
    blocks: dict[str, Fields] = _latent(keys, family)
    blocks |= experts_of(keys, family, fields)
    depth = keys.count("num_nextn_predict_layers", "num_mtp_layers", least=0)
    blocks |= {"mtp": {"depth": depth}} if depth else {}
    blocks |= {"precision": precision_of(keys, blocks)}
    keys.problems.extend(_foreign(config, inner))
    if keys.problems:
        return None, keys.unused, tuple(keys.problems)
    checkpoint = config.get("_name_or_path") or config.get("name_or_path")
    hub = checkpoint if isinstance(checkpoint, str) and checkpoint else None
    text = _text(label_of(name or hub or model_type), hub or name, fields, blocks)
    return text, tuple(sorted({*keys.unused, *outer})), ()


def _foreign(config: Mapping[str, object], inner: Mapping[str, object]) -> Iterator[str]:
    """Yield what belongs to no decoder that is modelled."""
    if config.get("text_config") is not None and inner is config:
        yield f"`text_config` must be an object, not {config['text_config']!r}"
    for key in _STATE_SPACE:
        if key in inner:
            yield f"`{key}` belongs to layers that no model here has"


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
    heads = fields["heads"] = keys.needed("heads", *_HEADS)
    inner = keys.count(family.dense_key, "n_inner", "ffn_dim", "ffn_hidden_size")
    if inner is None and model_type in FIXED and isinstance(hidden, int):
        inner = FIXED[model_type] * hidden
    fields["ffn"] = inner
    if "kv_lora_rank" not in keys.config:
        fields["kv_heads"] = keys.count(*_KV_HEADS) or heads
        keys.divides(_KV_HEADS, _HEADS)
        fields["head_dim"] = keys.count("head_dim") or _divided(keys, hidden, heads)
    fields["vocab"] = keys.needed("tokens the vocabulary has", "vocab_size")
    fields["activation"] = _activation(keys, family)
    fields |= {"norm": family.norm, "norms": family.norms, "qk_norm": _qk_norm(keys, family)}
    fields["attention_bias"] = _attention_bias(keys, family)
    fields["mlp_bias"] = keys.flag("mlp_bias", False) if family.mlp_bias is None else family.mlp_bias
    fields["sinks"] = family.sinks
    fields["tied"] = keys.flag("tie_word_embeddings", family.tied)
    fields["positions"] = _positions(keys, family)
    if isinstance(fields["layers"], int):
        fields |= windows_of(keys, family, fields["layers"])
    if inner is None and not family.moe:
        keys.needed("numbers the feed-forward network has", "intermediate_size")
    return fields


def _positions(keys: Keys, family: Family) -> int | None:
    if family.positions is None:
        return None
    longest = keys.needed("positions", "max_position_embeddings", "n_positions", "n_ctx")
    return None if longest is None else longest + family.positions


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
    if found is None:
        return family.qk_norm
    if not isinstance(found, bool) or kind not in (None, "per_head", "per_layer"):
        keys.problems.append(f"normalisation of queries and keys is not known: {found!r} of type {kind!r}")
        return "none"
    return ("full" if kind == "per_layer" else "head") if found else "none"


def _attention_bias(keys: Keys, family: Family) -> str:
    if family.attention_bias is not None:
        if not keys.flag("attention_bias", True):
            keys.problems.append("`attention_bias` is false, but the architecture always has one")
        return family.attention_bias
    if not keys.flag("attention_bias", False):
        return "none"
    return "all" if family.o_bias else "qkv"


def _latent(keys: Keys, family: Family) -> dict[str, Fields]:
    if "kv_lora_rank" not in keys.config:
        return {}
    if not family.latent:
        keys.problems.append("there is `kv_lora_rank`, but the architecture has no latent attention")
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
