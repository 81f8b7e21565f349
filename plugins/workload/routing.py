"""Experts of a Hugging Face configuration: how many, how wide, which layers have them."""

from __future__ import annotations

from collections.abc import Mapping

from accelscope.plugins.workload.families import Family
from accelscope.plugins.workload.keys import Keys

Fields = dict[str, object]

_ROUTED = ("n_routed_experts", "num_local_experts", "num_experts", "moe_num_experts")
_TOP_K = ("num_experts_per_tok", "moe_topk", "moe_k", "moe_top_k")
_LAYERS = ("num_hidden_layers", "n_layer", "n_layers", "num_layers", "layers")


def experts_of(keys: Keys, family: Family, fields: Fields) -> Mapping[str, Fields]:
    """Return the block of experts; the width of dense layers moves into it, or away where there are none."""
    if not family.moe:
        if keys.count(*_ROUTED, least=0):
            keys.problems.append("there are experts, but the architecture that `model_type` names has none")
        return {}
    found: Fields = {"routed": keys.needed("experts a layer has", *_ROUTED)}
    found["top_k"] = keys.needed("experts a token visits", *_TOP_K)
    keys.at_most(_TOP_K, _ROUTED)
    found["ffn"] = keys.needed("numbers an expert has", family.expert_key)
    found |= _shared(keys, family)
    dense = _dense_layers(keys, fields["layers"])
    width = fields.pop("ffn", None)
    if dense and width is None:
        keys.needed("numbers a layer without experts has", family.dense_key)
    found["dense_layers"], found["dense_ffn"] = dense or None, width if dense else None
    found["router_bias"], found["bias"] = family.router_bias, family.expert_bias
    return {"experts": found | _groups(keys)}


def _shared(keys: Keys, family: Family) -> Fields:
    shared = keys.count("n_shared_experts", "moe_num_shared_experts", least=0)
    width = keys.count(family.shared_key) if family.shared_key else None
    if shared is None and width:
        return {"shared": 1, "shared_ffn": width}
    return {"shared": shared, "shared_ffn": width} if shared else {}


def _groups(keys: Keys) -> Fields:
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
            f"`{keys.name_of(*_TOP_K)}` is {top_k}, but {top_groups} of {groups} groups (`topk_group`, `n_group`) "
            f"hold {top_groups * routed // groups} experts"
        )
    return {"groups": groups, "top_groups": top_groups} if groups > 1 else {}


def _dense_layers(keys: Keys, layers: object) -> int:
    """Return how many layers have no experts: the first ones, those listed, or all but each n-th."""
    first = keys.count("first_k_dense_replace", least=0) or 0
    step = keys.count("decoder_sparse_step", "interleave_moe_layer_step") or 1
    since = keys.count("moe_layer_freq") or 1
    listed = keys.raw("mlp_only_layers")
    if not isinstance(layers, int):
        return 0
    keys.at_most(("first_k_dense_replace",), _LAYERS)
    dense = _listed(keys, listed, layers)
    sparse = [
        i for i in range(layers) if i >= first and (i + 1) % step == 0 and i % since == 0 and i not in dense
    ]
    return layers - len(sparse)


def _listed(keys: Keys, listed: object, layers: int) -> frozenset[int]:
    """Return the indices that `mlp_only_layers` lists."""
    if listed is None:
        return frozenset()
    items = listed if isinstance(listed, list) else [listed]
    known = [item for item in items if type(item) is int and 0 <= item < layers]
    if not isinstance(listed, list) or len(known) != len(items):
        keys.problems.append(f"`mlp_only_layers` must list layers from 0 to {layers - 1}, not {listed!r}")
    return frozenset(known)
