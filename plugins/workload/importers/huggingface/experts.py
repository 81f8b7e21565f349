"""Experts of a Hugging Face configuration: how many, how wide, which layers have them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from accelscope.plugins.workload.importers.huggingface.architecture import HuggingFaceArchitecture
from accelscope.plugins.workload.importers.huggingface.config_keys import ConfigKeys
from accelscope.plugins.workload.importers.huggingface.layers import EXPERTS, NETWORK, read_layer_indices
from accelscope.plugins.workload.importers.model_text import BlockFields

_ROUTED = ("n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts")
_TOP_K = (
    "num_experts_per_tok",
    "moe_topk",
    "moe_k",
    "moe_top_k",
    "experts_per_token",
    "num_experts_per_token",
)
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "layers")
_FIRST = ("first_k_dense_replace", "num_dense_layers")


def read_experts(
    keys: ConfigKeys, family: HuggingFaceArchitecture, fields: BlockFields, kinds: Sequence[str]
) -> Mapping[str, BlockFields]:
    """Return the block of experts; the width of dense layers moves into it, or away where there are none.

    Args:
        keys: keys of the configuration.
        family: architecture of the model.
        fields: of the model, whose `ffn` this takes where layers have experts.
        kinds: of the layers.
    """
    if keys.count("zero_expert_num", least=0):
        keys.problems.append(
            "`zero_expert_num` experts do nothing, and experts without weights have no model here"
        )
    if not family.moe:
        if keys.count(*_ROUTED, least=0):
            keys.problems.append("there are experts, but the architecture that `model_type` names has none")
        return {}
    if _none(keys, family, fields, kinds):
        return {}
    found: BlockFields = {"routed": keys.needed("experts a layer has", *_ROUTED)}
    found["top_k"] = keys.needed("experts a token visits", *_TOP_K)
    keys.at_most(_TOP_K, _ROUTED)
    found["ffn"] = keys.needed("numbers an expert has", *_widths(family))
    found |= _shared(keys, family)
    dense = _dense_layers(keys, kinds)
    width = fields.pop("ffn", None)
    if width is None and family.dense_key == family.expert_key:
        width = found["ffn"]  # Jamba: dense layers are as wide as an expert
    if dense and width is None:
        keys.needed("numbers a layer without experts has", family.dense_key)
    found["dense_layers"], found["dense_ffn"] = dense or None, width if dense else None
    found["latent_dim"] = keys.count("moe_latent_size")
    found["router_bias"], found["bias"] = keys.flag("use_expert_bias", family.router_bias), family.expert_bias
    return {"experts": found | _groups(keys)}


def _widths(family: HuggingFaceArchitecture) -> tuple[str, ...]:
    plain = family.expert_key == "moe_intermediate_size"
    return (family.expert_key, *(("expert_ffn_hidden_size", "moe_ffn_hidden_size") if plain else ()))


def _none(
    keys: ConfigKeys, family: HuggingFaceArchitecture, fields: BlockFields, kinds: Sequence[str]
) -> bool:
    """Return whether a checkpoint of an architecture with experts has none."""
    if family.single_role_layers:
        if (
            EXPERTS in kinds
            or keys.raw("layer_types", "layers_block_type", "hybrid_override_pattern") is None
        ):
            return False
        keys.raw(*_ROUTED), keys.raw(*_TOP_K), keys.raw(*_widths(family))
        return True
    fewest = 1 if family.mixer == "mamba1" else 0
    if family.mixer not in ("mamba1", "mamba2") or keys.whole(*_ROUTED) not in range(fewest + 1):
        return False
    keys.raw(*_TOP_K), keys.raw("expert_layer_period"), keys.raw("expert_layer_offset")
    if family.dense_key == family.expert_key:
        fields["ffn"] = keys.needed("numbers the feed-forward network has", family.dense_key)
    return True


def _shared(keys: ConfigKeys, family: HuggingFaceArchitecture) -> BlockFields:
    shared = keys.count("n_shared_experts", "moe_num_shared_experts", "num_shared_experts", least=0)
    width = keys.count(family.shared_key, least=0) if family.shared_key else None
    if shared is None and width:
        shared = 1
    if not shared:
        return {}
    return {"shared": shared, "shared_ffn": width or None, "shared_gate": family.shared_gate or None}


def _groups(keys: ConfigKeys) -> BlockFields:
    groups, top_groups = keys.count("n_group"), keys.count("topk_group")
    if groups is None and top_groups is None:
        return {}
    if groups is None or top_groups is None:
        keys.problems.append("`n_group` and `topk_group` come together or not at all")
        return {}
    whole = keys.divides(("n_group",), _ROUTED) and keys.at_most(("topk_group",), ("n_group",))
    routed, top_k = keys.whole(*_ROUTED), keys.whole(*_TOP_K)
    if whole and routed and top_k and top_k > top_groups * routed // groups:
        keys.problems.append(
            f"`{keys.find_present(*_TOP_K)}` is {top_k}, but {top_groups} of {groups} groups (`topk_group`, `n_group`) "
            f"hold {top_groups * routed // groups} experts"
        )
    return {"groups": groups, "top_groups": top_groups} if groups > 1 else {}


def _dense_layers(keys: ConfigKeys, kinds: Sequence[str]) -> int:
    """Return how many layers have a plain network: listed, the first ones, or all but each n-th."""
    layers = len(kinds)
    if EXPERTS in kinds:
        return sum(kind == NETWORK for kind in kinds)
    named = keys.raw("mlp_layer_types")
    if named is not None:
        keys.raw(*_FIRST)
        return _named(keys, named, layers)
    keys.at_most(_FIRST, _LAYERS)
    sparse = _sparse(keys, layers)
    listed = keys.raw("moe_layers")
    if listed:
        sparse = read_layer_indices(keys, "moe_layers", listed, layers)
    without = keys.raw("mlp_only_layers")
    if without is not None:
        sparse -= read_layer_indices(keys, "mlp_only_layers", without, layers)
    return layers - len(sparse)


def _named(keys: ConfigKeys, named: object, layers: int) -> int:
    """Return how many layers `mlp_layer_types` calls dense."""
    if (
        not isinstance(named, list)
        or len(named) != layers
        or any(x not in ("dense", "sparse") for x in named)
    ):
        keys.problems.append(f"`mlp_layer_types` must list dense or sparse for each of {layers} layers")
        return 0
    return named.count("dense")


def _sparse(keys: ConfigKeys, layers: int) -> frozenset[int]:
    """Return the layers that have experts by the keys that count them."""
    first = keys.count(*_FIRST, "moe_layer_start_index", least=0) or 0
    last = keys.count("moe_layer_end_index", least=-1)
    step = keys.count("decoder_sparse_step", "interleave_moe_layer_step", "moe_layer_interval") or 1
    since = keys.count("moe_layer_freq") or 1
    period, offset = keys.count("expert_layer_period") or 1, keys.count("expert_layer_offset", least=0) or 0
    if offset >= period > 1:
        keys.problems.append(f"`expert_layer_offset` is {offset}, but the period is {period} layers")
    end = layers if last in (None, -1) else int(last or 0) + 1
    return frozenset(
        i
        for i in range(first, min(end, layers))
        if (i + 1) % step == 0 and i % since == 0 and i % period == offset % period
    )
