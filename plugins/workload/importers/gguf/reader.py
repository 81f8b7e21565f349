"""Metadata and tensor table of a GGUF file to the text of a `model` block; nothing is guessed.

Names of keys and tensors are those of `gguf.constants` (gguf 0.19). Sizes come from the keys; whether there are biases,
gates, sinks and normalisations, which layers have experts, and what the weights take come from the tensors themselves.
"""

from __future__ import annotations

from collections.abc import Mapping

from attrs import frozen

from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.plugins.workload.importers.gguf.file import GgufFile
from accelscope.plugins.workload.importers.gguf.storage import describe_storage
from accelscope.plugins.workload.importers.gguf.tensors import GgufTensorTable
from accelscope.plugins.workload.importers.huggingface.config_keys import ConfigKeys
from accelscope.plugins.workload.importers.huggingface.layers import FULL, SLIDING
from accelscope.plugins.workload.importers.huggingface.sliding_window import find_global_layers
from accelscope.plugins.workload.importers.model_text import (
    BlockFields,
    TokenCount,
    make_model_label,
    model_text,
)

_MOST_LAYERS = 10_000


@frozen(kw_only=True)
class GgufArchitecture:
    """What an architecture has that a file does not say: its activation, and which layers see everything.

    Attributes:
        gated: activation with a gate.
        plain: activation without a gate.
        every: each so many-th layer sees everything in spite of a window (llama.cpp, llama-model.cpp).
    """

    gated: str = "swiglu"
    plain: str = "gelu"
    every: int | None = None


_SWIGLU = GgufArchitecture()
GGUF_ARCHITECTURES: Mapping[str, GgufArchitecture] = {
    "gemma": GgufArchitecture(gated="geglu"),
    "gemma2": GgufArchitecture(gated="geglu", every=2),
    "gemma3": GgufArchitecture(gated="geglu", every=6),
    "gpt-oss": GgufArchitecture(every=2),
    "cohere2": GgufArchitecture(every=4),
    **dict.fromkeys(
        (
            "llama", "mistral3", "qwen2", "qwen2moe", "qwen3", "qwen3moe", "phi3", "deepseek2", "command-r",
            "starcoder2", "granite", "granitemoe", "olmo2", "glm4moe", "minimax-m2", "smollm3", "ernie4_5",
            "ernie4_5-moe", "gpt2", "falcon", "dbrx",
        ),
        _SWIGLU,
    ),
}  # fmt: skip
"""By `general.architecture`."""


@frozen(kw_only=True)
class ImportedModel:
    """What a file became: text, what to tell about it, keys that were not used, and problems."""

    text: str | None = None
    notes: tuple[str, ...] = ()
    unused: tuple[str, ...] = ()
    problems: tuple[str, ...] = ()


def read_gguf(file: GgufFile, name: str | None = None) -> ImportedModel:
    """Return a model block from what stands in front of the weights of a GGUF file.

    Args:
        file: metadata and tensors.
        name: label of the block; without it the name that the file gives.
    """
    arch = file.metadata.get("general.architecture")
    if not isinstance(arch, str) or arch not in GGUF_ARCHITECTURES:
        return ImportedModel(problems=(_unknown(arch),))
    parts = file.metadata.get("split.count")
    if isinstance(parts, int) and parts > 1:
        return ImportedModel(
            problems=(
                f"it is one of {parts} parts; join them first, for example with `llama-gguf-split --merge`",
            )
        )
    prefix = arch + "."
    keys = ConfigKeys(
        {key.removeprefix(prefix): value for key, value in file.metadata.items() if key.startswith(prefix)},
        {},
    )
    tensors = GgufTensorTable(items=file.tensors)
    fields, blocks = _model(keys, tensors, GGUF_ARCHITECTURES[arch])
    told, precision = describe_storage(file.tensors, blocks)
    blocks |= {"precision": precision}
    problems = (*keys.problems, *tensors.find_unsupported())
    if problems:
        return ImportedModel(problems=problems, unused=keys.unused)
    known = file.metadata.get("general.name")
    label = make_model_label(name or (known if isinstance(known, str) and known else arch))
    return ImportedModel(text=model_text(label, None, fields, blocks, told), notes=told, unused=keys.unused)


def _unknown(arch: object) -> str:
    if not isinstance(arch, str):
        return "there is no `general.architecture`, so nothing says what the keys mean"
    hint = did_you_mean(arch, tuple(GGUF_ARCHITECTURES))
    known = ", ".join(sorted(GGUF_ARCHITECTURES))
    return f"`general.architecture` is `{arch}`, which is not known{'; ' + hint if hint else ''} (known: {known})"


def _model(
    keys: ConfigKeys, tensors: GgufTensorTable, arch: GgufArchitecture
) -> tuple[BlockFields, dict[str, BlockFields]]:
    """Return the fields of the block and the blocks in it."""
    layers = _layers(keys, tensors)
    hidden = keys.needed("numbers a token has", "embedding_length")
    fields: BlockFields = {"family": "decoder", "layers": layers, "hidden": hidden}
    blocks: dict[str, BlockFields] = {}
    heads = _per_layer(keys, "attention.head_count")
    fields["heads"] = heads
    if keys.count("attention.kv_lora_rank") is None:
        fields |= _grouped(keys, heads, hidden)
    else:
        blocks |= _latent(keys)
    fields["ffn"] = _per_layer(keys, "feed_forward_length")
    fields["vocab"] = tensors.size("token_embd.weight", 1) or keys.needed(
        "tokens the vocabulary has", "vocab_size"
    )
    keys.count("vocab_size")
    fields["activation"] = arch.gated if tensors.gated(keys.whole("feed_forward_length")) else arch.plain
    fields["norm"], fields["norms_per_layer"] = _norm(keys, tensors), tensors.norms() or None
    fields["qk_norm"] = tensors.qk_norm(fields.get("head_dim"))
    fields["attention_bias"] = tensors.attention_bias()
    fields["mlp_bias"] = tensors.has("ffn_up.bias") or tensors.has("ffn_down.bias")
    fields["attention_sinks"] = tensors.has("attn_sinks.weight") or None
    fields["tied_embeddings"] = not tensors.named("output.weight")
    fields["position_embeddings"] = tensors.size("position_embd.weight", 1)
    if layers is not None:
        fields |= _window(keys, arch, layers)
        blocks |= _experts(keys, tensors, fields, layers)
    depth = keys.count("nextn_predict_layers", least=0)
    blocks |= {"mtp": {"depth": depth}} if depth else {}
    return fields, blocks


def _layers(keys: ConfigKeys, tensors: GgufTensorTable) -> int | None:
    """Return decoder layers: blocks but those that predict further tokens."""
    blocks = keys.needed("layers", "block_count")
    if blocks is None:
        return None
    if blocks > _MOST_LAYERS:
        keys.problems.append(f"`block_count` is {blocks}, but no model has more than {_MOST_LAYERS}")
        return None
    if not tensors.items:
        keys.problems.append("there are no tensors, so nothing says what the layers are made of")
    extra = tensors.count_prediction_layers()
    return blocks - extra if extra < blocks else blocks


def _per_layer(keys: ConfigKeys, name: str) -> int | None:
    """Return a number that the file gives once or for each layer, all alike."""
    found = keys.raw(name)
    if not isinstance(found, list):
        return keys.needed(name.rpartition(".")[2].replace("_", " "), name)
    if len(set(map(repr, found))) != 1 or not isinstance(found[0], int) or found[0] < 1:
        keys.problems.append(
            f"`{name}` differs from layer to layer, but a model here has one for all: {found[:8]}"
        )
        return None
    return found[0]


def _grouped(keys: ConfigKeys, heads: int | None, hidden: int | None) -> BlockFields:
    kv_heads = (
        heads if keys.raw("attention.head_count_kv") is None else _per_layer(keys, "attention.head_count_kv")
    )
    if heads is not None and kv_heads is not None and heads % kv_heads:
        keys.problems.append(
            f"`attention.head_count_kv` of {kv_heads} does not divide `attention.head_count` of {heads}"
        )
    key, value = keys.count("attention.key_length"), keys.count("attention.value_length")
    if key is not None and value is not None and key != value:
        keys.problems.append(f"keys have {key} numbers and values {value}, but heads here have one width")
    if key is None and heads and hidden is not None and hidden % heads:
        keys.problems.append(f"there is no `attention.key_length`, and {heads} heads do not divide {hidden}")
    return {"kv_heads": kv_heads, "head_dim": key or (hidden // heads if hidden and heads else None)}


def _latent(keys: ConfigKeys) -> dict[str, BlockFields]:
    """Return latent attention; newer files give the widths before the latent is absorbed as `*_length_mla`."""
    rope = keys.needed("rotated numbers a key has", "rope.dimension_count")
    plain_key, plain_value = keys.count("attention.key_length"), keys.count("attention.value_length")
    key = keys.count("attention.key_length_mla") or plain_key
    value = keys.count("attention.value_length_mla") or plain_value
    keys.raw("attention.head_count_kv")
    if key is None or value is None or (rope is not None and key <= rope):
        keys.problems.append("nothing says how many numbers a key and a value have beside the rotated ones")
        return {}
    return {
        "attention": {
            "kind": "mla",
            "kv_rank": keys.needed("numbers the latent has", "attention.kv_lora_rank"),
            "q_rank": keys.count("attention.q_lora_rank"),
            "rope_dim": rope,
            "nope_dim": key - (rope or 0),
            "v_dim": value,
        }
    }


def _norm(keys: ConfigKeys, tensors: GgufTensorTable) -> str:
    if keys.raw("attention.layer_norm_rms_epsilon") is not None:
        return "rmsnorm"
    if keys.raw("attention.layer_norm_epsilon") is None:
        keys.problems.append(
            "nothing says how a layer normalises: there is no `attention.layer_norm_rms_epsilon` or `..._epsilon`"
        )
    return "layernorm" if tensors.named("output_norm.bias") else "layernorm_no_bias"


def _window(keys: ConfigKeys, arch: GgufArchitecture, layers: int) -> BlockFields:
    """Return the sliding window, and which layers see everything in spite of it."""
    window, pattern = (
        keys.count("attention.sliding_window", least=0),
        keys.raw("attention.sliding_window_pattern"),
    )
    if not window:
        return {}
    if isinstance(pattern, list):
        if len(pattern) < layers:
            keys.problems.append(f"`attention.sliding_window_pattern` has {len(pattern)} layers of {layers}")
        kinds = [SLIDING if item else FULL for item in pattern[:layers]]
    else:
        every = keys.count("attention.sliding_window_pattern") or arch.every
        kinds = [FULL if every and (index + 1) % every == 0 else SLIDING for index in range(layers)]
    return {"sliding_window": TokenCount(window)} | find_global_layers(kinds) if SLIDING in kinds else {}


def _experts(
    keys: ConfigKeys, tensors: GgufTensorTable, fields: BlockFields, layers: int
) -> dict[str, BlockFields]:
    routed = keys.count("expert_count", least=0)
    if not routed:
        keys.raw("expert_used_count")
        return {}
    top_k = keys.needed("experts a token visits", "expert_used_count")
    keys.at_most(("expert_used_count",), ("expert_count",))
    width = keys.count("expert_feed_forward_length") or fields.get("ffn")
    with_experts = tensors.layers_with("ffn_gate_inp.weight", layers)
    if not with_experts:
        keys.problems.append(
            "there are experts by `expert_count`, but no layer has a router (`ffn_gate_inp.weight`)"
        )
    keys.count("leading_dense_block_count", least=0)
    dense, inner = layers - with_experts, fields.pop("ffn", None)
    groups, top_groups = keys.count("expert_group_count"), keys.count("expert_group_used_count")
    found: BlockFields = {
        "routed": routed,
        "top_k": top_k,
        "ffn": width,
        **_shared(keys, tensors),
        "dense_layers": dense or None,
        "dense_ffn": inner if dense else None,
        "router_bias": tensors.has("ffn_gate_inp.bias") or tensors.has("exp_probs_b.bias"),
        "bias": tensors.has("ffn_down_exps.bias"),
    }
    if groups is not None and groups > 1 and top_groups is not None:
        found |= {"groups": groups, "top_groups": top_groups}
    return {"experts": found}


def _shared(keys: ConfigKeys, tensors: GgufTensorTable) -> BlockFields:
    """Return the experts that every token visits; the tensor has the width of all of them together."""
    width = tensors.size("ffn_down_shexp.weight", 0, block=True)
    count = keys.count("expert_shared_count", least=0) or (1 if width else None)
    keys.count("expert_shared_feed_forward_length", least=0)
    if not count or width is None:
        return {}
    if width % count:
        keys.problems.append(f"{count} shared experts do not divide their width of {width}")
    gate = tensors.has("ffn_gate_inp_shexp.weight") or None
    return {"shared": count, "shared_ffn": width // count, "shared_gate": gate}
