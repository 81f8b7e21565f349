"""Which parameters of each class of kernel are fitted, where a fit begins, and how far siblings differ."""

from __future__ import annotations

from collections.abc import Mapping

from accelscope.core.analysis.calibrate.parameters import (
    FitParameter,
    define_choice_parameter,
    define_parameter,
)
from accelscope.core.blocks.calibration import Kernel
from accelscope.core.numeric.dtypes import DTYPE_BITS

_WIDE = 16  # bits: types at least this wide are not narrow
_START = define_parameter(Kernel, "fixed_overhead", 4e-6, 0.5, low=1e-7, high=1e-3)
_BANDWIDTH = define_parameter(Kernel, "bandwidth_efficiency", 0.8, 0.15, low=0.02)
_COMPUTE = define_parameter(Kernel, "compute_efficiency", 0.7, 0.2, low=0.01)
_OVERLAP = define_parameter(Kernel, "overlap_exponent", 4.0, 0.5, low=1.0, high=16.0)

_LOOP = define_parameter(Kernel, "compute_efficiency", 0.5, 0.3, low=0.01)
_EXPONENTIALS = define_parameter(Kernel, "sfu_efficiency", 0.7, 0.3, low=0.02)
_BLOCK = define_parameter(Kernel, "block_overhead", 3e-6, 0.4, low=1e-8, high=1e-3)
_TOKEN_BLOCK = define_parameter(Kernel, "block_overhead", 1e-6, 0.5, low=1e-8, high=1e-3)
_STREAM = define_parameter(Kernel, "kv_read_rate_per_core", 1e11, 0.5, low=1e8, high=1e13)
_PASSES = define_parameter(Kernel, "bandwidth_efficiency", 0.4, 0.3, low=0.02)
_SEVERAL = define_parameter(Kernel, "fixed_overhead", 1.2e-5, 0.5, low=1e-7, high=1e-3)
_MASKED = define_choice_parameter("masked_compute_fraction", 1e-6, 1.0)
_ALL = 1e6  # more query heads, tokens, or columns of an input, than there are
_PREFILL_ROWS = define_choice_parameter("query_rows_per_block", 128.0, 64.0)
_DECODE_ROWS = define_choice_parameter("query_rows_per_block", 64.0, 16.0)
_ALONE = define_choice_parameter("max_heads_per_block", 1.0, _ALL)
_TOGETHER = define_choice_parameter("max_heads_per_block", _ALL, 32.0, 1.0)
_LONE = define_choice_parameter("single_head_overhead_ratio", 1.0, 0.35)
_LEAST = define_choice_parameter("min_split_context", 256.0, _ALL)

_MOVING = (_BANDWIDTH, _START)
_WORKING = (_COMPUTE, _BANDWIDTH, _START, _OVERLAP)

_PROMPT = (_LOOP, _EXPONENTIALS, _BLOCK, _PASSES, _SEVERAL, _OVERLAP, _PREFILL_ROWS)
_PREFILL = (*_PROMPT, _ALONE, _MASKED)
_TOKEN = (_LOOP, _TOKEN_BLOCK, _STREAM, _BANDWIDTH, _SEVERAL, _OVERLAP, _DECODE_ROWS, _LEAST)
_DECODE = (*_TOKEN, _TOGETHER, _LONE)

_CHAIN = define_choice_parameter("max_sequential_chunks", 1.0, _ALL)
_CHUNKS = (_LOOP, _BLOCK, _PASSES, _SEVERAL, _OVERLAP, _CHAIN)

_GATHER = define_parameter(Kernel, "gather_scatter_passes", 1.5, 0.5, low=0.01, high=100.0)
_GROUPED_START = define_parameter(Kernel, "fixed_overhead", 1e-5, 0.5, low=1e-7, high=1e-3)
_COLLECTIVE_START = define_parameter(Kernel, "fixed_overhead", 8e-6, 0.5, low=1e-7, high=1e-3)
_LINKS = define_parameter(Kernel, "bandwidth_efficiency", 0.65, 0.25, low=0.01)
_STEP = define_parameter(Kernel, "step_latency", 1e-6, 0.5, low=1e-9, high=1e-4)
_EAGER = define_parameter(Kernel, "small_message_efficiency", 0.5, 0.4, low=0.02)
_BULK = define_parameter(Kernel, "large_message_startup", 2e-5, 0.6, low=1e-7, high=1e-3)
_OWN = define_parameter(Kernel, "local_copy_cost", 0.3, 0.6, low=0.01, high=20.0)

_LEAST_K = define_choice_parameter("min_split_k", 2048.0, 1024.0, 8192.0, _ALL)
_LEAST_TILE = define_parameter(Kernel, "min_tile_dim", 20.0, 0.5, low=8.0, high=256.0)
_TILES = define_choice_parameter("min_tile_dim", 16.0, 32.0, 64.0, 128.0)
_PRODUCT = (*_WORKING, _TILES, _LEAST_K)
_NARROW_PRODUCT = (
    *_WORKING,
    define_choice_parameter("min_tile_dim", 128.0, 64.0, 32.0, 16.0),
    define_choice_parameter("min_split_k", _ALL, 8192.0, 2048.0, 1024.0),
)
_GROUPED = (_COMPUTE, _BANDWIDTH, _GROUPED_START, _OVERLAP, _LEAST_TILE, _GATHER)
_SEND = (_LINKS, _COLLECTIVE_START)
_EXCHANGE = (_LINKS, _COLLECTIVE_START, _STEP, _EAGER, _BULK, _OWN)

KERNEL_PARAMETERS: Mapping[str, tuple[FitParameter, ...]] = {
    "gemm": _PRODUCT,
    "grouped_gemm": _GROUPED,
    "all_reduce": _EXCHANGE,
    "custom_all_reduce": _EXCHANGE,
    "eager_custom_all_reduce": _EXCHANGE,
    "all_gather": _EXCHANGE,
    "all_to_all": _EXCHANGE,
    "send_recv": _SEND,
    "eager_all_reduce": _EXCHANGE,
    "eager_send_recv": _SEND,
    "experts_dispatch": _EXCHANGE,
    "experts_combine": _EXCHANGE,
    "attention_prefill": _PREFILL,
    "attention_decode": _DECODE,
    "mla_prefill": _PROMPT,
    "mla_decode": _TOKEN,
    "linear_attention": _CHUNKS,
    "scan": _CHUNKS,
    "norm": _MOVING,
    "native_norm": _MOVING,
    "activation": _MOVING,
    "rope": _MOVING,
    "embedding": _MOVING,
    "sampling": _MOVING,
    "softmax": _MOVING,
    "quantize": _MOVING,
    "elementwise": _MOVING,
    "gather": _MOVING,
}
"""Class of kernel to its parameters; in this order, so that what larger kernels hold is known before they are fitted."""


NARROW_KERNEL_PARAMETERS: Mapping[str, tuple[FitParameter, ...]] = {"gemm": _NARROW_PRODUCT}
"""The same for types of 8 bits and fewer, where it differs: libraries for them hardly split k, and have few small tiles."""


def only_moves_bytes(kernel: str) -> bool:
    """Say whether a class of kernel only moves bytes: its parameters are a share of bandwidth and a start."""
    return KERNEL_PARAMETERS.get(kernel, _MOVING) == _MOVING


def fit_order_of(kernel: str) -> int:
    """Return when a class is fitted: simple ones first, since rows of the others hold them."""
    return 0 if only_moves_bytes(kernel) else 1


def kernel_parameters_of(kernel: str, dtype: str = "") -> tuple[FitParameter, ...]:
    """Return the parameters of a class of kernel; of one that nobody named, those of a kernel that moves bytes."""
    if DTYPE_BITS.get(dtype, _WIDE) < _WIDE and kernel in NARROW_KERNEL_PARAMETERS:
        return NARROW_KERNEL_PARAMETERS[kernel]
    return KERNEL_PARAMETERS.get(kernel, _MOVING)
