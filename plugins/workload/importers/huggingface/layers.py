"""What each layer of a Hugging Face configuration is: attention of some reach, a mixer, or a network alone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from accelscope.plugins.workload.importers.huggingface.architecture import HuggingFaceArchitecture
from accelscope.plugins.workload.importers.huggingface.config_keys import ConfigKeys

FULL, SLIDING, CHUNKED = "full", "sliding", "chunked"
MIXER, HYBRID, NETWORK, EXPERTS = "mixer", "hybrid", "network", "experts"

_KINDS = {
    "full_attention": FULL, "attention": FULL, "global_attention": FULL, "indexed_attention": FULL,
    "deepseek_sparse_attention": FULL, "sliding_attention": SLIDING, "local_attention": SLIDING,
    "chunked_attention": CHUNKED, "linear_attention": MIXER, "mamba": MIXER, "mamba2": MIXER, "conv": MIXER,
    "hybrid": HYBRID, "mlp": NETWORK, "moe": EXPERTS,
}  # fmt: skip
_PATTERN = {
    "M": MIXER,
    "*": FULL,
    "-": NETWORK,
    "E": EXPERTS,
}  # transformers 5.23 configuration_nemotron_h.py
_LISTS = ("layer_types", "layers_block_type")
_EVERY = ("sliding_window_pattern", "_sliding_window_pattern", "layer_switch")
_OTHER = (
    *_EVERY, "max_window_layers", "full_attention_interval", "attn_layer_period", "attn_layer_offset",
    "full_attn_idxs", "no_rope_layers", "no_rope_layer_interval", "hybrid_layer_ids",
)  # fmt: skip


def read_layer_kinds(keys: ConfigKeys, family: HuggingFaceArchitecture, layers: int) -> tuple[str, ...]:
    """Return the kind of each layer; all are full attention where something is wrong with the keys."""
    listed, pattern = keys.raw(*_LISTS), keys.raw("hybrid_override_pattern")
    if listed is not None or pattern is not None:
        keys.raw(*_OTHER)
        kinds = _patterned(keys, pattern, layers) if listed is None else _listed(keys, family, listed, layers)
        return (FULL,) * layers if kinds is None else kinds
    if family.only_mixers:
        return (MIXER,) * layers
    if family.mixer is not None:
        return _mixed(keys, layers)
    return _reaches(keys, family, layers)


def _listed(
    keys: ConfigKeys, family: HuggingFaceArchitecture, listed: object, layers: int
) -> tuple[str, ...] | None:
    """Return what `layer_types` says."""
    name = keys.find_present(*_LISTS)
    if not isinstance(listed, list):
        keys.problems.append(f"`{name}` must be a list of layers, not {listed!r}")
        return None
    known = {FULL, SLIDING, CHUNKED}
    known |= {MIXER} if family.mixer else set()
    known |= {NETWORK, EXPERTS} if family.single_role_layers else set()
    known |= {HYBRID} if family.shared else set()
    strange = sorted({str(item) for item in listed if _kind(item) not in known})
    if strange:
        keys.problems.append(
            f"`{name}` has layers that no model here has for this architecture: {', '.join(strange)}"
        )
        return None
    if len(listed) != layers:
        keys.problems.append(f"`{name}` lists {len(listed)} layers, but there are {layers}")
        return None
    return tuple(_KINDS[item] for item in listed)


def _kind(item: object) -> str | None:
    return _KINDS.get(item) if isinstance(item, str) else None


def _patterned(keys: ConfigKeys, pattern: object, layers: int) -> tuple[str, ...] | None:
    """Return what `hybrid_override_pattern` says, one letter for each layer."""
    if not isinstance(pattern, str) or set(pattern) - set(_PATTERN):
        keys.problems.append(
            f"`hybrid_override_pattern` has letters other than {', '.join(_PATTERN)}: {pattern!r}"
        )
        return None
    if len(pattern) != layers:
        keys.problems.append(f"`hybrid_override_pattern` has {len(pattern)} layers, but there are {layers}")
        return None
    return tuple(_PATTERN[letter] for letter in pattern)


def _mixed(keys: ConfigKeys, layers: int) -> tuple[str, ...]:
    """Return layers of which some have attention and the others a mixer."""
    listed = keys.raw("full_attn_idxs")
    if listed is not None:
        full = read_layer_indices(keys, "full_attn_idxs", listed, layers)
        return tuple(FULL if index in full else MIXER for index in range(layers))
    period, offset = keys.count("attn_layer_period"), keys.count("attn_layer_offset", least=0)
    if period is not None and offset is not None:
        if offset >= period:
            keys.problems.append(f"`attn_layer_offset` is {offset}, but the period is {period} layers")
        return tuple(FULL if index % period == offset else MIXER for index in range(layers))
    interval = keys.count("full_attention_interval")
    if interval is None:
        keys.problems.append(
            "nothing says which layers have attention: there is no `layer_types`, `layers_block_type`, "
            "`hybrid_override_pattern`, `full_attention_interval`, `full_attn_idxs`, or `attn_layer_period` and its offset"
        )
        return (FULL,) * layers
    return tuple(MIXER if (index + 1) % interval else FULL for index in range(layers))


def _reaches(keys: ConfigKeys, family: HuggingFaceArchitecture, layers: int) -> tuple[str, ...]:
    """Return layers of attention, which see everything, a window or their chunk."""
    roped = _roped(keys, layers)
    if keys.count("attention_chunk_size") is not None:
        return tuple(CHUNKED if item else FULL for item in roped)
    wanted = keys.flag("use_sliding_window", True)
    window = keys.count("sliding_window")
    every = keys.count(*_EVERY) or family.every
    first = keys.count("max_window_layers", least=0)
    if window is None or not wanted:
        return (FULL,) * layers
    if every:
        if every > layers:
            keys.problems.append(
                f"every {every}th layer sees everything (`{_EVERY[0]}`), but there are {layers}"
            )
        return tuple(SLIDING if (index + 1) % every else FULL for index in range(layers))
    return tuple(FULL if first is not None and index < first else SLIDING for index in range(layers))


def _roped(keys: ConfigKeys, layers: int) -> Sequence[bool]:
    """Return which layers rotate queries and keys; those of Llama 4 that do not see everything."""
    interval = keys.count("no_rope_layer_interval") or layers + 1
    listed = keys.raw("no_rope_layers")
    if not listed:  # transformers 5.23 configuration_llama4.py: an empty list is none
        return [bool((index + 1) % interval) for index in range(layers)]
    items = listed if isinstance(listed, list) else []
    if len(items) != layers or any(item not in (0, 1) for item in items):
        keys.problems.append(f"`no_rope_layers` must list 0 or 1 for each of {layers} layers, not {listed!r}")
        return [True] * layers
    return [bool(item) for item in items]


def read_layer_indices(keys: ConfigKeys, name: str, listed: object, layers: int) -> frozenset[int]:
    """Return the indices of layers that a key lists."""
    items = listed if isinstance(listed, list) else [listed]
    known = [item for item in items if type(item) is int and 0 <= item < layers]
    if not isinstance(listed, list) or len(known) != len(items):
        keys.problems.append(f"`{name}` must list layers from 0 to {layers - 1}, not {listed!r}")
    return frozenset(known)


def count_layers(kinds: Sequence[str], *wanted: str) -> int:
    """Return how many layers are of some kinds."""
    found = Counter(kinds)
    return sum(found[kind] for kind in wanted)
