"""Which layers of a Hugging Face configuration attend to a sliding window."""

from __future__ import annotations

from collections.abc import Sequence

from accelscope.plugins.workload.families import Family
from accelscope.plugins.workload.keys import Keys

_EVERYTHING = ("full_attention", "attention", "global_attention")
_WINDOW = ("sliding_attention", "local_attention")


def windows_of(keys: Keys, family: Family, layers: int) -> dict[str, object]:
    """Return `window` and which layers see everything in spite of it, or nothing."""
    listed = keys.raw("layer_types")
    wanted = keys.flag("use_sliding_window", True)
    window = keys.count("sliding_window")
    if isinstance(listed, list):
        return _listed(keys, listed, window, layers)
    if listed is not None:
        keys.problems.append(f"`layer_types` must be a list of layers, not {listed!r}")
    if window is None or not wanted:
        keys.raw("max_window_layers", "sliding_window_pattern")
        return {}
    pattern = ("sliding_window_pattern", "_sliding_window_pattern")
    every = keys.count(*pattern) or family.every
    if every:
        if every > layers:
            keys.problems.append(
                f"every {every}th layer sees everything (`{pattern[0]}`), but there are {layers}"
            )
        return {"window": window, "global_every": every}
    first = keys.count("max_window_layers", least=0)
    if first is not None:
        return {"window": window, "global_layers": min(first, layers)} if first < layers else {}
    return {"window": window}


def _listed(keys: Keys, listed: Sequence[object], window: int | None, layers: int) -> dict[str, object]:
    keys.raw("sliding_window_pattern", "_sliding_window_pattern", "max_window_layers")
    strange = sorted({str(item) for item in listed if item not in (*_EVERYTHING, *_WINDOW)})
    if strange:
        keys.problems.append(f"`layer_types` has layers that no model here has: {', '.join(strange)}")
        return {}
    if len(listed) != layers:
        keys.problems.append(f"`layer_types` lists {len(listed)} layers, but there are {layers}")
        return {}
    everywhere = [index for index, item in enumerate(listed) if item in _EVERYTHING]
    if len(everywhere) == layers:
        return {}
    if window is None:
        keys.problems.append("`layer_types` has sliding layers, but there is no `sliding_window`")
        return {}
    every = everywhere[0] + 1 if everywhere else 0
    if everywhere and everywhere == list(range(every - 1, layers, every)):
        return {"window": window, "global_every": every}
    return {"window": window, "global_layers": len(everywhere)}
