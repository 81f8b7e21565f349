"""Blocks of a configuration that mix tokens otherwise: linear attention, state spaces, convolutions, an indexer."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence

from accelscope.plugins.workload.importers.huggingface.architecture import HuggingFaceArchitecture
from accelscope.plugins.workload.importers.huggingface.config_keys import ConfigKeys
from accelscope.plugins.workload.importers.huggingface.layers import HYBRID, MIXER, count_layers
from accelscope.plugins.workload.importers.model_text import BlockFields, TokenCount

_WIDTH = ("hidden_size", "n_embd", "d_model", "dim", "n_embed")
_STATE = ("mamba_d_state", "ssm_state_size", "state_size")
_CONV = ("mamba_d_conv", "conv_kernel")
_CHUNK = ("mamba_chunk_size", "chunk_size")
_EXPAND = ("mamba_expand", "expand")
_PROJECTIONS = ("mamba_proj_bias", "add_bias_linear")
_FILTERS = ("mamba_conv_bias", "use_conv_bias")
_DTYPES = {"float32": "fp32", "bfloat16": "bf16", "float16": "fp16"}
_FOREIGN = {
    "linear": ("linear_num_key_heads", "linear_num_value_heads"),
    "mamba": ("mamba_d_state", "state_size", "ssm_state_size", "conv_kernel"),
    "conv": ("conv_L_cache",),
    "indexer": ("index_topk",),
}


def read_mixers(
    keys: ConfigKeys, family: HuggingFaceArchitecture, kinds: Sequence[str]
) -> dict[str, BlockFields]:
    """Return the blocks of all layers that do not have attention alone."""
    blocks: dict[str, BlockFields] = {}
    count = count_layers(kinds, MIXER, HYBRID)
    if family.mixer is not None and count:
        blocks |= _READERS[family.mixer](keys, count)
    if family.shared:
        blocks |= _shared(keys, count_layers(kinds, HYBRID))
    if family.has_indexer:
        blocks |= _indexer(keys)
    _foreign(keys, family)
    return blocks


def _foreign(keys: ConfigKeys, family: HuggingFaceArchitecture) -> None:
    """Refuse sizes of layers that the architecture does not have."""
    own = "mamba" if family.mixer in ("mamba1", "mamba2") else family.mixer
    for kind, names in _FOREIGN.items():
        if kind == own or (kind == "indexer" and family.has_indexer):
            continue
        keys.problems.extend(
            f"`{name}` belongs to layers that no model here has for this architecture"
            for name in names
            if keys.config.get(name) is not None
        )


def _linear(keys: ConfigKeys, layers: int) -> dict[str, BlockFields]:
    keys.divides(("linear_num_key_heads",), ("linear_num_value_heads",))
    return {
        "linear_attention": {
            "layers": layers,
            "key_heads": keys.needed("heads keys of linear attention have", "linear_num_key_heads"),
            "value_heads": keys.needed("heads values of linear attention have", "linear_num_value_heads"),
            "key_dim": keys.needed("numbers a key of linear attention has", "linear_key_head_dim"),
            "value_dim": keys.needed("numbers a value of linear attention has", "linear_value_head_dim"),
            "conv_width": keys.needed("tokens the convolution sees", "linear_conv_kernel_dim"),
        }
    }


def _mamba1(keys: ConfigKeys, layers: int) -> dict[str, BlockFields]:
    _biases(keys)
    inner, width = _inner(keys), keys.whole(*_WIDTH)
    rank = keys.raw("mamba_dt_rank", "time_step_rank")
    if rank == "auto":
        rank = math.ceil(width / 16) if width else None  # transformers 5.23 configuration_jamba.py
    else:
        rank = keys.needed("numbers a step size is made of", "mamba_dt_rank", "time_step_rank")
    return {
        "ssm": {
            "kind": "mamba1",
            "layers": layers,
            "inner_dim": inner,
            "state_dim": keys.needed("states a channel has", *_STATE),
            "dt_rank": rank,
            "conv_width": keys.needed("tokens the convolution sees", *_CONV),
            "inner_norms": keys.flag("mamba_inner_norms", False),
        }
    }


def _mamba2(keys: ConfigKeys, layers: int) -> dict[str, BlockFields]:
    _biases(keys)
    heads = keys.needed(
        "heads the state space has", "mamba_num_heads", "mamba_n_heads", "n_mamba_heads", "num_heads"
    )
    groups = keys.count("mamba_n_groups", "mamba_ngroups", "n_groups")
    if heads is not None and groups is not None and heads % groups:
        keys.problems.append(f"{groups} groups of the state space do not divide {heads} heads")
    chunk = keys.count(*_CHUNK)
    return {
        "ssm": {
            "kind": "mamba2",
            "layers": layers,
            "heads": heads,
            "head_dim": _channels(keys, heads),
            "state_dim": keys.needed("states a channel has", *_STATE),
            "groups": groups,
            "conv_width": keys.needed("tokens the convolution sees", *_CONV),
            "chunk_size": None if chunk is None else TokenCount(chunk),
            "state_dtype": _state_dtype(keys),
        }
    }


def _channels(keys: ConfigKeys, heads: int | None) -> int | None:
    """Return the channels of a head: given, or what is inside over the heads."""
    names = ("mamba_head_dim", "mamba_d_head", "mamba_headdim")
    given = keys.raw(*names)
    if given is not None and given != "auto":
        return keys.count(*names)
    own = None if keys.raw("num_attention_heads") is not None else keys.count("head_dim")
    inner = None if own else _inner(keys)
    if own or inner is None or heads is None:
        return own
    if inner % heads:
        keys.problems.append(f"{heads} heads do not divide the {inner} channels of the state space")
    return inner // heads


def _inner(keys: ConfigKeys) -> int | None:
    """Return the channels of a state space."""
    width, expand = keys.whole(*_WIDTH), keys.needed("times as wide the state space is", *_EXPAND)
    return None if width is None or expand is None else width * expand


def _biases(keys: ConfigKeys) -> None:
    """Refuse the biases that no state space here has, and the absence of those that all have."""
    for name in _PROJECTIONS:
        if keys.flag(name, False):
            keys.problems.append(f"`{name}` is true, but projections of a state space have no biases here")
    for name in _FILTERS:
        if not keys.flag(name, True):
            keys.problems.append(f"`{name}` is false, but filters of a state space have biases here")


def _state_dtype(keys: ConfigKeys) -> str | None:
    found = keys.raw("mamba_ssm_cache_dtype", "mamba_ssm_dtype")
    if found is None:
        return None
    if found not in _DTYPES:
        keys.problems.append(f"data type {found!r} of the state is not known; known: {', '.join(_DTYPES)}")
    return _DTYPES.get(str(found))


def _conv(keys: ConfigKeys, layers: int) -> dict[str, BlockFields]:
    return {
        "conv": {
            "kind": "short",
            "layers": layers,
            "conv_width": keys.needed("tokens the convolution sees", "conv_L_cache"),
            "bias": keys.flag("conv_bias", False),
        }
    }


def _shared(keys: ConfigKeys, uses: int) -> dict[str, BlockFields]:
    """Return the block that mixers share; each use adds an adapter to its network."""
    if keys.flag("use_shared_attention_adapter", False):
        keys.problems.append(
            "`use_shared_attention_adapter` is true, but adapters of attention have no model here"
        )
    if not uses:
        keys.problems.append("no layer is `hybrid`, so nothing uses the shared block")
    rank = keys.count("adapter_rank") if keys.flag("use_shared_mlp_adapter", True) else None
    blocks = keys.needed("shared blocks there are", "num_mem_blocks")
    return {"shared_block": {"invocations": uses or None, "distinct_blocks": blocks, "lora_rank": rank}}


def _indexer(keys: ConfigKeys) -> dict[str, BlockFields]:
    """Return the indexer; every layer has one here."""
    kinds, step = keys.raw("indexer_types"), keys.count("index_topk_freq")
    pattern = keys.raw("index_topk_pattern")
    keys.raw("index_skip_topk_offset")
    listed = [
        *(kinds if isinstance(kinds, list) else []),
        *(pattern if isinstance(pattern, str | list) else []),
    ]
    if (step or 1) > 1 or any(item in ("shared", "S") for item in listed):
        keys.problems.append(
            "some layers read the tokens that another layer's indexer picked, which has no model here"
        )
    top_k = keys.needed("tokens the indexer picks", "index_topk")
    return {
        "indexer": {
            "heads": keys.needed("heads the indexer has", "index_n_heads"),
            "head_dim": keys.needed("numbers a head of the indexer has", "index_head_dim"),
            "top_k": None if top_k is None else TokenCount(top_k),
        }
    }


_READERS: Mapping[str, Callable[[ConfigKeys, int], dict[str, BlockFields]]] = {
    "linear": _linear,
    "mamba1": _mamba1,
    "mamba2": _mamba2,
    "conv": _conv,
}
