"""A Hugging Face `config.json` to the text of a `model` block; what is not understood is an error, never a guess."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.plugins.workload.importers.huggingface.architecture import HuggingFaceArchitecture
from accelscope.plugins.workload.importers.huggingface.architectures import (
    HUGGING_FACE_ARCHITECTURES,
    UNSUPPORTED_MODEL_TYPES,
    find_contradictions,
    infer_model_type,
)
from accelscope.plugins.workload.importers.huggingface.attention import read_attention, read_latent_attention
from accelscope.plugins.workload.importers.huggingface.config_keys import ConfigKeys
from accelscope.plugins.workload.importers.huggingface.experts import read_experts
from accelscope.plugins.workload.importers.huggingface.feedforward import (
    read_activation,
    read_ffn_width,
    read_mlp_bias,
)
from accelscope.plugins.workload.importers.huggingface.layers import (
    CHUNKED,
    EXPERTS,
    FULL,
    NETWORK,
    SLIDING,
    count_layers,
    read_layer_kinds,
)
from accelscope.plugins.workload.importers.huggingface.mixers import read_mixers
from accelscope.plugins.workload.importers.huggingface.quantization import read_precision
from accelscope.plugins.workload.importers.huggingface.sliding_window import read_windows
from accelscope.plugins.workload.importers.model_text import BlockFields, make_model_label, model_text

__all__ = ["make_model_label", "read_huggingface_config"]

_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "layers")
_WIDTH = ("hidden_size", "n_embd", "d_model", "dim", "n_embed")
_POSITIONS = ("max_position_embeddings", "n_positions", "n_ctx", "max_seq_len")
_TIED = ("tie_word_embeddings", "tie_embedding", "tie_embeddings")
_MOST_LAYERS = 10_000  # ten times the deepest model that was published
_NESTED = ("attn_config", "ffn_config")


def read_huggingface_config(
    config: Mapping[str, object], name: str | None = None
) -> tuple[str | None, tuple[str, ...], tuple[str, ...]]:
    """Return (text of a model block, keys that were not used, problems); the text is None where there are problems.

    Args:
        config: the content of a config.json; that of a multi-modal model has its language model in `text_config`.
        name: label of the block; without it that of the checkpoint.
    """
    inner, outer = _language_part(config)
    model_type = infer_model_type(inner) or infer_model_type(config)
    family = HUGGING_FACE_ARCHITECTURES.get(model_type or "")
    if family is None or model_type is None:
        return None, (), (_unknown(model_type),)
    flat, origins = _flat(inner)
    keys = ConfigKeys(
        flat, family.defaults, problems=list(find_contradictions(inner, model_type)), origins=origins
    )
    keys.required(*family.needs)
    fields, blocks = _model(keys, family, model_type)
    blocks |= {"precision": read_precision(keys, blocks)}
    keys.problems.extend(_foreign(config, inner))
    if keys.problems:
        return None, keys.unused, tuple(keys.problems)
    checkpoint = config.get("_name_or_path") or config.get("name_or_path")
    hub = checkpoint if isinstance(checkpoint, str) and checkpoint else None
    notes = [*([family.note] if family.note else []), *keys.notes]
    text = model_text(make_model_label(name or hub or model_type), hub or name, fields, blocks, notes)
    return text, tuple(sorted({*keys.unused, *outer})), ()


def _foreign(config: Mapping[str, object], inner: Mapping[str, object]) -> Iterator[str]:
    """Yield what belongs to no decoder that is modelled."""
    if config.get("text_config") is not None and inner is config:
        yield f"`text_config` must be an object, not {config['text_config']!r}"
    for name in _NESTED:
        if inner.get(name) is not None and not isinstance(inner[name], Mapping):
            yield f"`{name}` must be an object, not {inner[name]!r}"


def _language_part(config: Mapping[str, object]) -> tuple[Mapping[str, object], tuple[str, ...]]:
    """Return the part that describes the language model, and the keys beside it that are left."""
    inner = config.get("text_config")
    if not isinstance(inner, Mapping):
        return config, ()
    shared = (*_TIED, "torch_dtype", "dtype", "quantization_config")
    merged = {key: config[key] for key in shared if key in config} | dict(inner)
    left = set(config) - set(shared) - {"text_config", "architectures", "model_type", "_name_or_path"}
    return merged, tuple(left - {"transformers_version"})


def _flat(config: Mapping[str, object]) -> tuple[dict[str, object], dict[str, str]]:
    """Return a configuration with the keys of `attn_config` and `ffn_config` beside the others, and their full names."""
    flat, origins = dict(config), {}
    for name in _NESTED:
        inner = config.get(name)
        if not isinstance(inner, Mapping):
            continue
        del flat[name]
        for key in set(inner) - set(config) - {"model_type"}:
            flat[key] = inner[key]
            origins[key] = f"{name}.{key}"
    return flat, origins


def _unknown(model_type: str | None) -> str:
    if model_type is None:
        return "there is neither `model_type` nor `architectures`, so nothing says what the keys mean"
    if model_type in UNSUPPORTED_MODEL_TYPES:
        return f"`model_type` is `{model_type}`, which cannot be described yet: {UNSUPPORTED_MODEL_TYPES[model_type]}"
    hint = did_you_mean(model_type, tuple(HUGGING_FACE_ARCHITECTURES))
    known = ", ".join(sorted(HUGGING_FACE_ARCHITECTURES))
    return f"`model_type` is `{model_type}`, which is not known{'; ' + hint if hint else ''} (known: {known})"


def _model(
    keys: ConfigKeys, family: HuggingFaceArchitecture, model_type: str
) -> tuple[BlockFields, dict[str, BlockFields]]:
    """Return the fields of the block and the blocks in it."""
    layers = _layers(keys)
    hidden = keys.needed("numbers a token has", *_WIDTH)
    fields: BlockFields = {"family": "decoder", "layers": layers, "hidden": hidden}
    kinds = read_layer_kinds(keys, family, layers) if layers is not None else ()
    if not family.only_mixers:
        fields |= read_attention(keys, family, hidden)
        fields |= _network(keys, family, model_type, kinds)
    fields["vocab"] = keys.needed("tokens the vocabulary has", "vocab_size")
    fields |= {"norm": _norm(keys, family), "norms_per_layer": _norms(keys, family)}
    fields["tied_embeddings"] = keys.flag(keys.find_present(*_TIED), family.tied)
    fields["position_embeddings"] = _positions(keys, family)
    fields |= read_windows(keys, kinds)
    fields |= _counts(family, kinds)
    blocks: dict[str, BlockFields] = read_latent_attention(keys, family)
    blocks |= read_mixers(keys, family, kinds)
    if kinds and not family.only_mixers:
        blocks |= read_experts(keys, family, fields, kinds)
    depth = keys.count("num_nextn_predict_layers", "num_mtp_layers", "mtp_num_hidden_layers", least=0)
    blocks |= {"mtp": {"depth": depth}} if depth else {}
    return fields, blocks


def _layers(keys: ConfigKeys) -> int | None:
    found = keys.needed("layers", *_LAYERS)
    if found is not None and found > _MOST_LAYERS:
        keys.problems.append(
            f"`{keys.find_present(*_LAYERS)}` is {found}, but no model has more than {_MOST_LAYERS}"
        )
        return None
    return found


def _network(
    keys: ConfigKeys, family: HuggingFaceArchitecture, model_type: str, kinds: Sequence[str]
) -> BlockFields:
    inner = read_ffn_width(keys, family, model_type)
    if inner is None and not family.moe:
        keys.needed("numbers the feed-forward network has", family.dense_key)
    if family.single_role_layers and NETWORK not in kinds:
        inner = None
    return {
        "ffn": inner,
        "activation": read_activation(keys, family),
        "mlp_bias": read_mlp_bias(keys, family),
    }


def _counts(family: HuggingFaceArchitecture, kinds: Sequence[str]) -> BlockFields:
    """Return how many layers have attention and a network, where it is not what the other blocks leave."""
    if family.only_mixers:
        return {"ffn_layers": 0}
    if not family.single_role_layers:
        return {}
    return {
        "attention_layers": count_layers(kinds, FULL, SLIDING, CHUNKED),
        "ffn_layers": count_layers(kinds, NETWORK, EXPERTS),
    }


def _norm(keys: ConfigKeys, family: HuggingFaceArchitecture) -> str:
    if family.rules == "mpt" and keys.flag("no_bias", True):
        return "layernorm_no_bias"
    return family.norm


def _norms(keys: ConfigKeys, family: HuggingFaceArchitecture) -> int:
    """Return the normalisations of a layer; of Falcon, attention and network in parallel may share one."""
    if family.rules != "falcon":
        return family.norms
    newer, parallel = keys.flag("new_decoder_architecture", False), keys.flag("parallel_attn", True)
    given = keys.count("num_ln_in_parallel_attn")
    if not parallel and not newer:
        return 2
    return given or (2 if newer else 1)


def _positions(keys: ConfigKeys, family: HuggingFaceArchitecture) -> int | None:
    """Return learned positions."""
    if family.rules == "mpt":
        given = (
            keys.flag("learned_pos_emb", True)
            and not keys.flag("alibi", True)
            and not keys.flag("rope", False)
        )
    else:
        given = family.positions is not None
    if not given:
        return None
    longest = keys.needed("positions", *_POSITIONS)
    return None if longest is None else longest + (family.positions or 0)
