"""The data types of a Hugging Face configuration: of its numbers, and of its quantisation."""

from __future__ import annotations

import math
from collections.abc import Mapping

from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.plugins.workload.importers.huggingface.config_keys import ConfigKeys

_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "half": "fp16"}
_BITS = {4: "int4", 8: "int8"}
_LAYOUTS = (
    "float-quantized",
    "int-quantized",
    "pack-quantized",
    "naive-quantized",
    "nvfp4-pack-quantized",
    "mxfp4-pack-quantized",
)
_SCHEMES = {("float", "8"): "fp8", ("int", "8"): "int8", ("int", "4"): "int4"}
_FLOAT4 = {"16": "nvfp4", "32": "mxfp4"}  # by the elements that share a scale
_LEFT_OUT = ("modules_to_not_convert", "ignored_layers", "ignore", "exclude_modules")
_SCALE_BITS = {"fp8": 32, "int4": 16, "int8": 16}  # DeepSeek-V3 keeps fp32 scales, AWQ and GPTQ fp16 ones
_NEGLIGIBLE = 0.005
_MODELOPT = {"FP8": ("fp8", "fp8"), "NVFP4": ("nvfp4", "nvfp4"), "W4A16_AWQ": ("int4", None)}


def read_precision(keys: ConfigKeys, blocks: Mapping[str, dict[str, object]]) -> dict[str, object]:
    """Return the fields of the `precision` block; experts stored in MXFP4 say so in their own block."""
    stored = keys.raw("dtype", "torch_dtype")
    wide = _DTYPES.get(str(stored).removeprefix("torch."), "bf16") if stored is not None else "bf16"
    if stored is not None and str(stored).removeprefix("torch.") not in _DTYPES:
        keys.problems.append(f"data type `{stored}` is not known; known: {', '.join(_DTYPES)}")
    cache = wide if wide != "fp32" else "bf16"
    found = keys.raw("quantization_config")
    if found is None:
        return {"weights": wide, "activations": wide, "kv": cache}
    if not isinstance(found, Mapping):
        keys.problems.append(f"`quantization_config` must be an object, not {found!r}")
        return {}
    inner = ConfigKeys(found, {}, problems=keys.problems)
    method = str(inner.raw("quant_method")).lower()
    pair = _experts_only(blocks, wide) if method == "mxfp4" else _quantised(method, inner)
    if pair is None:
        keys.problems.append(
            f"`quantization_config` with `quant_method` {method!r} is not known as it is here"
        )
        return {}
    cache = "fp8" if _narrow_cache(inner) else cache
    pair = _scaled(keys, inner, pair)
    pair = _left_out(keys, inner, blocks, pair, wide)
    keys.within.extend(f"quantization_config.{name}" for name in inner.unused)
    return {"weights": pair[0], "activations": pair[1] or wide, "kv": cache}


def _experts_only(blocks: Mapping[str, dict[str, object]], wide: str) -> tuple[str, str | None] | None:
    """Store experts in MXFP4 and leave the rest; None where there are no experts."""
    if "experts" not in blocks:
        return None
    blocks["experts"]["weight_dtype"] = "mxfp4"
    return wide, None


def _scaled(keys: ConfigKeys, config: ConfigKeys, pair: tuple[str, str | None]) -> tuple[str, str | None]:
    """Return the types with the scales of their blocks, where a type has them, and note those that no type has."""
    shape = config.raw("weight_block_size")
    size = config.whole("group_size")
    if isinstance(shape, list) and all(type(item) is int and item > 0 for item in shape):
        size = math.prod(shape)
    elif shape is not None:
        keys.problems.append(
            f"`quantization_config.weight_block_size` must list whole numbers, not {shape!r}"
        )
    bits = _SCALE_BITS.get(pair[0])
    if size is None or size <= 0 or bits is None:
        return pair
    if pair[0] == "fp8" and size == 32:
        return "mxfp8", "mxfp8" if pair[1] else None
    if bits / size > _NEGLIGIBLE * DTYPE_BITS[pair[0]]:
        keys.notes.append(
            f"scales of {size} weights each take about {bits / size:.3g} bit per weight more than {pair[0]}"
        )
    return pair


def _left_out(
    keys: ConfigKeys,
    config: ConfigKeys,
    blocks: Mapping[str, dict[str, object]],
    pair: tuple[str, str | None],
    wide: str,
) -> tuple[str, str | None]:
    """Return the types where some modules stay as they are: all but experts if attention does, else a note says which."""
    listed = config.raw(*_LEFT_OUT)
    names = [str(item) for item in listed] if isinstance(listed, list) else []
    if not names or pair[0] == wide:
        return pair
    if "experts" in blocks and any("attn" in name or "attention" in name for name in names):
        blocks["experts"]["weight_dtype"] = pair[0]
        return wide, pair[1]
    keys.notes.append(
        f"{len(names)} modules keep {wide} in the checkpoint ({config.find_present(*_LEFT_OUT)}), which count as {pair[0]} here"
    )
    return pair


def _quantised(method: str, config: ConfigKeys) -> tuple[str, str | None] | None:
    """Return data types of weights and activations; None for activations means that they stay as they are."""
    if method in ("fp8", "fbgemm_fp8"):
        return "fp8", "fp8"
    if method in ("gptq", "awq"):
        bits = config.count("bits", "w_bit")
        return (_BITS[bits], None) if bits in _BITS else None
    if method == "modelopt":
        return _MODELOPT.get(str(config.raw("quant_algo")))
    if method == "compressed-tensors" and str(config.raw("format")) in _LAYOUTS:
        return _compressed(config.raw("config_groups"))
    return None


def _compressed(groups: object) -> tuple[str, str | None] | None:
    """Return the data types that all groups of layers of a compressed-tensors configuration share."""
    if not isinstance(groups, Mapping) or not groups:
        return None
    items = [group if isinstance(group, Mapping) else {} for group in groups.values()]
    kinds = {(_scheme(item.get("weights")), _scheme(item.get("input_activations"))) for item in items}
    weights, activations = kinds.pop()
    if kinds or weights in (None, "unknown") or activations == "unknown":
        return None
    return str(weights), activations


def _scheme(found: object) -> str | None:
    """Return the data type of a scheme such as {"type": "float", "num_bits": 8}; None where there is none."""
    if found is None:
        return None
    if not isinstance(found, Mapping):
        return "unknown"
    kind = (str(found.get("type")), str(found.get("num_bits")))
    if kind == ("float", "4"):
        return _FLOAT4.get(str(found.get("group_size")), "unknown")
    return _SCHEMES.get(kind, "unknown")


def _narrow_cache(config: ConfigKeys) -> bool:
    """Return whether the KV cache has 8 bit floats; anything else that is not the default is a problem."""
    scheme, algorithm = config.raw("kv_cache_scheme"), config.raw("kv_cache_quant_algo")
    if scheme is None and algorithm is None:
        return False
    if algorithm not in (None, "FP8") or _scheme(scheme) not in (None, "fp8"):
        config.problems.append(f"data type of the KV cache is not known: {scheme or algorithm!r}")
    return True
