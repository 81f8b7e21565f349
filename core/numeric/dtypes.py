"""Data types by name and how many bytes one element takes, scales of block formats included."""

from __future__ import annotations

from collections.abc import Mapping

DTYPE_BITS: Mapping[str, float] = {
    "fp64": 64,
    "fp32": 32,
    "tf32": 32,  # stored as fp32, computed with 10 bits of mantissa
    "bf16": 16,
    "fp16": 16,
    "fp8": 8,
    "fp8_block": 8.002,  # 128 x 128 elements share an fp32 scale: DeepSeek-V3 Technical Report, section 3.3.2
    "fp6": 6,
    "fp4": 4,
    "mxfp8": 8.25,  # 32 elements share an 8-bit scale: OCP Microscaling Formats v1.0, section 5
    "mxfp6": 6.25,
    "mxfp4": 4.25,
    "nvfp4": 4.5,  # 16 elements share an fp8 scale: NVIDIA, "Introducing NVFP4", 2025
    "int32": 32,
    "int16": 16,
    "int8": 8,
    "int4": 4,
    "q4_0": 4.5,  # llama.cpp: 32 elements share an fp16 scale (ggml-common.h, block_q4_0)
    "q8_0": 8.5,
    "q4_k": 4.5,  # 256 elements share scales and minima of 6 bits (block_q4_K)
    "q6_k": 6.5625,  # 256 elements share scales of 8 bits (block_q6_K)
    "q4_k_m": 4.83,  # q4_k, and q6_k for half of the values and of ffn_down (llama_tensor_get_type)
}

DTYPE_NAMES = tuple(DTYPE_BITS)

# A dtype whose arithmetic another name stands for, where a description gives only one of them.
SAME_RATE_DTYPES: Mapping[str, str] = {
    "fp16": "bf16",
    "bf16": "fp16",
    "fp8_block": "fp8",
    "mxfp8": "fp8",
    "mxfp6": "fp6",
    "mxfp4": "fp4",
    "nvfp4": "fp4",
}


def bytes_per_element(dtype: str) -> float:
    """Return the bytes of one element; raise KeyError for an unknown name."""
    return DTYPE_BITS[dtype] / 8
