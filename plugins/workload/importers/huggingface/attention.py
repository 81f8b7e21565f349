"""Attention of a Hugging Face configuration: heads, biases, normalisation of queries and keys, and the latent."""

from __future__ import annotations

from accelscope.plugins.workload.importers.huggingface.architecture import HuggingFaceArchitecture
from accelscope.plugins.workload.importers.huggingface.config_keys import ConfigKeys
from accelscope.plugins.workload.importers.model_text import BlockFields

_HEAD_KEYS = ("num_attention_heads", "n_head", "n_heads")
_KV_HEAD_KEYS = ("num_key_value_heads", "num_kv_heads", "n_head_kv", "kv_n_heads")
_HEAD_DIM = ("head_dim", "attention_head_dim")


def read_attention(keys: ConfigKeys, family: HuggingFaceArchitecture, hidden: int | None) -> BlockFields:
    """Return the fields that say how attention is built."""
    fields: BlockFields = {"heads": keys.needed("heads", *_HEAD_KEYS)}
    if "kv_lora_rank" not in keys.config:
        fields["kv_heads"] = _kv_heads(keys, family, keys.whole(*_HEAD_KEYS))
        width = 2 * hidden if family.shared and hidden else hidden  # Zamba2 concatenates with the embedding
        fields["head_dim"] = keys.count(*_HEAD_DIM) or _divided(keys, width, keys.whole(*_HEAD_KEYS))
    fields["qk_norm"] = _qk_norm(keys, family)
    fields["attention_bias"] = _bias(keys, family)
    fields["attention_gate"] = keys.flag("attn_output_gate", True) if family.attention_gate else None
    fields["attention_sinks"] = family.sinks or None
    return fields


def has_biases(keys: ConfigKeys, family: HuggingFaceArchitecture) -> bool:
    """Return whether the one key for biases of all projections says that there are some."""
    if family.bias_key is None:
        return False
    said = keys.flag(family.bias_key, family.bias_key == "no_bias")
    return said != (family.bias_key == "no_bias")


def _kv_heads(keys: ConfigKeys, family: HuggingFaceArchitecture, heads: int | None) -> int | None:
    """Return KV heads: given, as many as heads, or one where all heads share it."""
    given = keys.count(*_KV_HEAD_KEYS)
    if family.rules == "falcon" and not keys.flag("new_decoder_architecture", False):
        # transformers 5.23 modeling_falcon.py: `num_kv_heads` counts for the newer architecture only
        return 1 if keys.flag("multi_query", True) else heads
    kind = keys.raw("attn_type")
    if kind == "multiquery_attention" and given in (None, 1):
        return 1
    if isinstance(kind, str) and kind not in ("multihead_attention", "grouped_query_attention"):
        keys.problems.append(f"`attn_type` {kind!r} does not go with {given} KV heads, or is not known")
    keys.divides(_KV_HEAD_KEYS, _HEAD_KEYS)
    return given or heads


def _divided(keys: ConfigKeys, hidden: int | None, heads: int | None) -> int | None:
    if hidden is None or not heads:
        return None
    if hidden % heads:
        keys.problems.append(
            f"there is no `head_dim`, and {heads} heads do not divide a hidden size of {hidden}"
        )
        return None
    return hidden // heads


def _qk_norm(keys: ConfigKeys, family: HuggingFaceArchitecture) -> str:
    found = keys.raw("use_qk_norm", "qk_norm", "qk_ln")
    kind = keys.raw("qk_norm_type")
    if found is None:
        return family.qk_norm
    if not isinstance(found, bool) or kind not in (None, "per_head", "per_layer"):
        keys.problems.append(f"normalisation of queries and keys is not known: {found!r} of type {kind!r}")
        return "none"
    over_all = kind == "per_layer" or family.rules in ("cohere", "mpt")
    return ("full" if over_all else "per_head") if found else "none"


def _bias(keys: ConfigKeys, family: HuggingFaceArchitecture) -> str:
    if family.bias_key is not None:
        return "all" if has_biases(keys, family) else "none"
    if family.attention_bias is not None:
        for name in ("attention_bias", "qkv_bias"):
            if not keys.flag(name, True):
                keys.problems.append(f"`{name}` is false, but the architecture always has one")
        return family.attention_bias
    if not keys.flag("attention_bias", False):
        return "none"
    return "all" if family.o_bias else "qkv"


def read_latent_attention(keys: ConfigKeys, family: HuggingFaceArchitecture) -> dict[str, BlockFields]:
    """Return the block of latent attention."""
    if "kv_lora_rank" not in keys.config:
        return {}
    if not family.latent:
        keys.problems.append("there is `kv_lora_rank`, but the architecture has no latent attention")
    keys.raw("num_key_value_heads", "head_dim", "qk_head_dim")  # latent attention has no KV heads of its own
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
