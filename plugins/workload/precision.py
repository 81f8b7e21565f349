"""The data types of a Hugging Face configuration: of its numbers, and of its quantisation."""

from __future__ import annotations

from collections.abc import Mapping

from accelscope.plugins.workload.keys import Keys

_DTYPES = {"bfloat16": "bf16", "float16": "fp16", "float32": "fp32", "half": "fp16"}
_BITS = {4: "int4", 8: "int8"}
_MODELOPT = {"FP8": ("fp8", "fp8"), "NVFP4": ("nvfp4", "nvfp4"), "W4A16_AWQ": ("int4", None)}


def precision_of(keys: Keys, blocks: Mapping[str, dict[str, object]]) -> dict[str, object]:
    """Return the fields of the `precision` block; experts stored in MXFP4 say so in their own block."""
    stored = keys.raw("dtype", "torch_dtype")
    wide = _DTYPES.get(str(stored).removeprefix("torch."), "bf16") if stored is not None else "bf16"
    if stored is not None and str(stored).removeprefix("torch.") not in _DTYPES:
        keys.problems.append(f"data type `{stored}` is not known; known: {', '.join(_DTYPES)}")
    cache = wide if wide != "fp32" else "bf16"
    found = keys.raw("quantization_config")
    if not isinstance(found, Mapping):
        return {"weights": wide, "activations": wide, "kv": cache}
    method = str(found.get("quant_method", "")).lower()
    if method == "mxfp4" and "experts" in blocks:
        blocks["experts"]["weights"] = "mxfp4"
        return {"weights": wide, "activations": wide, "kv": cache}
    pair = _quantised(method, found)
    if pair is None:
        keys.problems.append(f"`quantization_config` with `quant_method` {method!r} is not known")
        return {}
    return {"weights": pair[0], "activations": pair[1] or wide, "kv": cache}


def _quantised(method: str, config: Mapping[str, object]) -> tuple[str, str | None] | None:
    """Return data types of weights and activations; None for activations means that they stay as they are."""
    if method in ("fp8", "fbgemm_fp8"):
        return "fp8", "fp8"
    if method in ("gptq", "awq"):
        bits = config.get("bits", config.get("w_bit"))
        return (_BITS[bits], None) if isinstance(bits, int) and bits in _BITS else None
    if method == "modelopt":
        return _MODELOPT.get(str(config.get("quant_algo")))
    if method == "compressed-tensors":
        return _compressed(str(config.get("format")))
    return None


def _compressed(layout: str) -> tuple[str, str | None] | None:
    """Return the data types of a compressed-tensors layout."""
    known = {
        "float-quantized": ("fp8", "fp8"),
        "int-quantized": ("int8", "int8"),
        "pack-quantized": ("int4", None),
    }
    return known.get(layout)
