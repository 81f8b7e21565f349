"""Attention on cores that run thread blocks: tiles of query rows, waves over the cores, split contexts, exponentials.

The equation is documented in docs/explanation/models/attention.md. It does not know memory: bytes are costed there, and
what one core can read at most is here.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from accelscope.core.blocks.calibration import Kernel, kernel_for, overlap_times, value_or_default
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.hardware import Device, Part
from accelscope.core.ir.operation import Op
from accelscope.core.numeric.term import Term, maximum, minimum, term, where
from accelscope.core.spec.spec import count, fraction, quantity, spec
from accelscope.plugins.compute.engine import OP_UNIT, ComputeEngine, clamp_to_one, special_rate
from accelscope.plugins.compute.tiling import count_rounds, count_splits, count_tiles

_PREFILLS = (
    "fit to 958 public bf16 attentions of prompts on A100, H100, B200, GB200, GB300 and RTX PRO 6000 (aiconfigurator, "
    "Apache-2.0), all engines at once; the error on a device left out is 20 % at the median"
)
_DECODES = (
    "fit to 808 public bf16 attentions of one new token on A100, H100, B200, GB200, GB300 and RTX PRO 6000 "
    "(aiconfigurator, Apache-2.0), all engines at once; the error on a device left out is 18 % at the median"
)
_FLASH_3 = "Shah et al., FlashAttention-3 (arXiv 2407.08608), section 3: 128 query rows of a block, 64 of a warp group"
_FLASH_DECODING = "Dao et al., Flash-Decoding, 2023: the context of few sequences is divided among the cores"

_PREFILL_KERNELS = ("attention_prefill", "mla_prefill")
_SCAN_KERNELS = ("linear_attention", "scan")
_UNSPLIT_KERNELS = _PREFILL_KERNELS + _SCAN_KERNELS
"""Classes of kernel whose blocks are not split along the context, and whose operands come from caches."""

_ZERO = term(0.0)
_TILE_KEYS = term(128.0)  # of a tile: FlashAttention-2 and 3 take 64 to 176 (hopper/tile_size.h)
_TILE_NUMBERS = _TILE_KEYS * 256.0  # numbers that a tile of wider keys holds: FlashMLA takes 64 keys of 576
_COMBINE_PROLOGUES = (
    2.0  # prologues of the kernel that adds up the parts of a split context: its launch and a block
)
_OVERLAP_EXPONENT = term(4.0)  # arithmetic, exponentials and reads of a block overlap, but not wholly


@spec(kind="engine", default=False)
class ThreadBlockEngine(ComputeEngine):
    """Fields of engines of cores that run thread blocks, as far as attention needs them."""

    prefill_attention_efficiency: Term = fraction(
        aliases=("attention_efficiency",),
        doc="fraction of peak that the inner loop of prefill attention achieves",
        default=0.52,
        source=_PREFILLS,
    )
    decode_attention_efficiency: Term = fraction(
        aliases=("decode_efficiency",),
        doc="fraction of peak that the inner loop of decode attention achieves, padded rows included",
        default=0.37,
        source=_DECODES,
    )
    attention_sfu_efficiency: Term = fraction(
        aliases=("attention_exponentials",),
        doc="fraction of the peak special-function rate that attention achieves",
        default=0.6,
        source=_PREFILLS,
    )
    prefill_block_overhead: Term = quantity(
        "s",
        aliases=("attention_prologue",),
        doc="time of a prefill-attention thread block outside its loop over keys",
        ge=0,
        default=3.3e-6,
        source=_PREFILLS,
    )
    decode_block_overhead: Term = quantity(
        "s",
        aliases=("decode_prologue",),
        doc="time of a decode-attention thread block outside its loop over keys; blocks that share a core overlap it",
        ge=0,
        default=0.87e-6,
        source=_DECODES,
    )
    prefill_rows_per_block: Term = count(
        aliases=("attention_rows",),
        doc="query rows of a prefill-attention thread block",
        default=128,
        source=_FLASH_3,
    )
    decode_rows_per_block: Term = count(
        aliases=("decode_rows",),
        doc="query rows of a decode-attention thread block, which holds a group of heads",
        default=64,
        source=_FLASH_3,
    )
    kv_read_rate_per_core: Term = quantity(
        "B/s",
        aliases=("stream",),
        doc="maximum rate at which one core reads KV cache: bytes in flight over memory latency",
        gt=0,
        default=1.75e11,
        source=_DECODES,
    )
    min_split_context: Term = count(
        aliases=("least_context",),
        doc="minimum context length per split of a split-KV attention",
        default=256,
        source=_FLASH_DECODING,
    )


@frozen(kw_only=True, eq=False)
class ThreadBlocks:
    """Thread blocks of an attention.

    Attributes:
        number: number of blocks of all pairs, before contexts are split.
        rows: query rows of each block, padded.
        keys: keys that a block goes through on average.
        longest_keys: keys that the longest block goes through.
        parts: into how many blocks each is split along its keys.
        heads: query heads of a block.
    """

    number: Term
    rows: Term
    keys: Term
    longest_keys: Term
    parts: Term
    heads: Term


def attention_time(part: Part[Any], op: Op, rate: Term, device: Device) -> Term:
    """Return the time in s of attention on the cores: waves of thread blocks, no shorter than the longest block.

    time = max(waves x loop(keys / parts), loop(longest / parts)) + waves x prologue, waves = ceil(blocks x parts / cores).
    Where contexts are split, a second kernel combines the parts.
    """
    kernel = kernel_for(device, op)
    blocks = _blocks(part, kernel, op)
    chain = minimum(op.steps, value_or_default(kernel.max_sequential_chunks, ONE))
    waves = (count_rounds(blocks.number * blocks.parts / chain, part.cores) * chain).named("attention waves")
    mean = waves * _loop(part, op, rate, device, blocks, blocks.keys / blocks.parts)
    longest = _loop(part, op, rate, device, blocks, blocks.longest_keys / blocks.parts)
    prologue = _prologue(part.spec, kernel, op, blocks)
    turns = where(blocks.parts > ONE, waves + _COMBINE_PROLOGUES, waves)
    return maximum(mean, longest).named("loops of blocks") + turns * prologue


def _blocks(part: Part[Any], kernel: Kernel, op: Op) -> ThreadBlocks:
    """Return the thread blocks of an attention.

    A block takes rows of one query head, or of all heads on a KV head where these share blocks. Causal rows go through
    half a block more keys than they see, since tiles on the diagonal are computed whole.
    """
    spec: ThreadBlockEngine = part.spec
    prefill = op.kernel in _PREFILL_KERNELS
    pack: Term | None = value_or_default(kernel.max_heads_per_block, ONE if prefill else None)
    heads = ONE if pack is None else where(op.queries > pack, op.queries, ONE)
    positions = op.m / heads
    rows: Term = (
        op.m
        if op.kernel in _SCAN_KERNELS
        else value_or_default(
            kernel.query_rows_per_block,
            spec.prefill_rows_per_block if prefill else spec.decode_rows_per_block,
        )
    )
    number = clamp_to_one(op.groups * heads * count_tiles(positions, rows)).named("thread blocks")
    seen = op.flops / (clamp_to_one(op.groups * op.m * op.k) * OP_UNIT * 4.0)
    diagonal = minimum(rows, positions) * heads / (op.queries * 2.0) if prefill else _ZERO
    hidden: Term = seen * op.outside * value_or_default(kernel.masked_compute_fraction, _ZERO)
    keys = minimum(seen + hidden + diagonal, op.n)
    least: Term = value_or_default(kernel.min_split_context, spec.min_split_context)
    parts = (
        ONE
        if op.kernel in _UNSPLIT_KERNELS
        else count_splits(number, part.cores, op.n / least).named("split context")
    )
    longest = minimum(op.n, keys * 2.0)
    return ThreadBlocks(
        number=number, rows=rows, keys=keys, longest_keys=longest, parts=parts, heads=op.queries / heads
    )


def _prologue(spec: ThreadBlockEngine, kernel: Kernel, op: Op, blocks: ThreadBlocks) -> Term:
    """Return the time in s of a block outside of its loop."""
    if op.kernel in _UNSPLIT_KERNELS:
        whole: Term = value_or_default(kernel.block_overhead, spec.prefill_block_overhead)
        return whole
    found: Term = value_or_default(kernel.block_overhead, spec.decode_block_overhead)
    return (
        found
        if kernel.single_head_overhead_ratio is None
        else where(blocks.heads > ONE, found, found * kernel.single_head_overhead_ratio)
    )


def _loop(part: Part[Any], op: Op, rate: Term, device: Device, blocks: ThreadBlocks, keys: Term) -> Term:
    """Return the time in s that a block takes for some keys: products, exponentials and reading them, overlapped."""
    spec: ThreadBlockEngine = part.spec
    kernel = kernel_for(device, op)
    padded = keys if op.kernel in _UNSPLIT_KERNELS else _padded(op, keys)
    pairs = blocks.rows * padded * OP_UNIT
    share = (
        spec.prefill_attention_efficiency
        if op.kernel in _UNSPLIT_KERNELS
        else spec.decode_attention_efficiency
    )
    speed = rate / part.cores * value_or_default(kernel.compute_efficiency, share)
    times = [(pairs * op.k * 4.0 / speed.named("attention rate of a core")).named("products of a block")]
    special = _special(device)
    if special is not None:
        exponentials = (
            special / part.cores * value_or_default(kernel.sfu_efficiency, spec.attention_sfu_efficiency)
        )
        times.append((pairs / exponentials).named("exponentials of a block"))
    if op.kernel not in _UNSPLIT_KERNELS:
        stream: Term = value_or_default(kernel.kv_read_rate_per_core, spec.kv_read_rate_per_core)
        times.append((op.kv_read / clamp_to_one(op.groups * op.n) * keys / stream).named("reads of a block"))
    return overlap_times(tuple(times), _OVERLAP_EXPONENT).named("loop of a block")


def _padded(op: Op, keys: Term) -> Term:
    """Return keys in whole tiles; of wide keys a tile holds fewer."""
    tile = minimum(maximum(_TILE_NUMBERS / clamp_to_one(op.k), 1.0), _TILE_KEYS)
    return count_tiles(keys, tile) * tile


def _special(device: Device) -> Term | None:
    """Return the special functions a second of the fastest engine that has some, or None."""
    rates = [rate for part in device.engines if (rate := special_rate(part)) is not None]
    return maximum(*rates) if rates else None
