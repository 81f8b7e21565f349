"""Which layers of a configuration attend to a sliding window or to their chunk only."""

from __future__ import annotations

from collections.abc import Sequence

from accelscope.plugins.workload.importers.huggingface.config_keys import ConfigKeys
from accelscope.plugins.workload.importers.huggingface.layers import CHUNKED, FULL, SLIDING
from accelscope.plugins.workload.importers.model_text import TokenCount


def read_windows(keys: ConfigKeys, kinds: Sequence[str]) -> dict[str, object]:
    """Return `sliding_window` or `attention_chunk_size` and which layers see everything in spite of it, or nothing."""
    window, chunk = keys.count("sliding_window"), keys.count("attention_chunk_size")
    if SLIDING in kinds and CHUNKED in kinds:
        keys.problems.append(
            "there are layers with a sliding window and layers with chunks, but a model has one kind"
        )
        return {}
    if SLIDING in kinds:
        return _reach(keys, "sliding_window", window, kinds)
    if CHUNKED in kinds:
        return _reach(keys, "attention_chunk_size", chunk, kinds)
    return {}


def _reach(keys: ConfigKeys, key: str, tokens: int | None, kinds: Sequence[str]) -> dict[str, object]:
    if tokens is None:
        word = "sliding" if key == "sliding_window" else "chunked"
        keys.problems.append(f"there are {word} layers, but there is no `{key}`")
        return {}
    return {key: TokenCount(tokens)} | find_global_layers(kinds)


def find_global_layers(kinds: Sequence[str]) -> dict[str, object]:
    """Return which of the layers with attention see everything: each so many-th one, or how many."""
    attention = [kind for kind in kinds if kind in (FULL, SLIDING, CHUNKED)]
    everywhere = [index for index, kind in enumerate(attention) if kind == FULL]
    if not everywhere:
        return {}
    every = everywhere[0] + 1
    if everywhere == list(range(every - 1, len(attention), every)):
        return {"global_every": every}
    return {"global_layers": len(everywhere)}
