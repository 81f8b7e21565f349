"""Rows of pools: which devices work on prompts and which decode, as the notes of a row give it.

A note reads `disagg prefill workers/tp/dp=[1, 4, 1] decode=[4, 8, 1]`: instances of each pool, and how each is divided.
"""

from __future__ import annotations

import re

import numpy as np
from attrs import frozen

from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.serving_design import ParallelDegrees, build_row_strategies
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.assemble.design import Model
from accelscope.core.assemble.parts import DesignParts, DisaggregatedParts, PoolParts
from accelscope.core.assemble.precision import FALLBACK_DTYPE
from accelscope.core.ir.constants import ONE
from accelscope.core.ir.operation import Precision, Step
from accelscope.core.ir.vocabulary import Phase
from accelscope.core.numeric.term import Array

_NOTE = re.compile(r"prefill workers/tp/dp=\[([^\]]*)\] decode=\[([^\]]*)\]")
_ANY_PRECISION = Precision(weights=FALLBACK_DTYPE, activations=FALLBACK_DTYPE, kv=FALLBACK_DTYPE)
_MANY_CLIENTS = 64.0
"""Clients from which on engines divide sequences, not heads, over the devices of an instance that decodes with a latent
cache, where a row does not say how its instances are divided."""
_WIDEST = 8.0
"""Devices of an instance up to which all of them divide every layer. Wider ones are DeepSeek's, where sequences are
divided over the devices and experts too (DeepSeek-V3 report, arXiv 2412.19437, section 3.4)."""


@frozen(kw_only=True, eq=False)
class PoolDegrees:
    """Pools of rows.

    Attributes:
        known: which rows give their pools.
        counted: which of these rows say how many instances work on prompts.
        prefill, decode: degrees of each row's pools.
    """

    known: Array
    counted: Array
    prefill: ParallelDegrees
    decode: ParallelDegrees


def read_pool_degrees(rows: MeasurementTable) -> PoolDegrees:
    """Return the pools of rows.

    Where a row does not say how many instances there are, its devices are those of one for prompts and of the decode pool;
    there are as many for prompts as keep up with decoding.
    """
    devices = rows.number("n_devices")
    told = np.full((2, 3, len(rows)), np.nan)
    for place, note in enumerate(rows.text("notes")):
        found = _NOTE.search(str(note))
        if found is not None:
            told[:, :, place] = [[float(part) for part in group.split(",")] for group in found.groups()]
    size = np.nan_to_num(told[:, 1] * told[:, 2], nan=1.0)
    workers = np.where(np.isfinite(told[:, 0]), told[:, 0], 1.0)
    left = np.floor((devices - workers[0] * size[0]) / size[1])
    workers[1] = np.where(np.isfinite(told[1, 0]), told[1, 0], np.maximum(left, 1.0))
    whole = np.sum(workers * size, axis=0) == devices
    return PoolDegrees(
        known=np.isfinite(told[0, 1]) & np.isfinite(told[1, 1]) & whole,
        counted=np.isfinite(told[0, 0]),
        prefill=_split(workers[0], *told[0, 1:]),
        decode=_split(workers[1], *told[1, 1:]),
    )


def _split(workers: Array, tp: Array, dp: Array) -> ParallelDegrees:
    """Return the degrees of a pool; devices with sequences of their own spread the experts over each instance."""
    tp, dp = np.nan_to_num(tp, nan=1.0), np.nan_to_num(dp, nan=1.0)
    by_sequence = (dp > 1.0) | (tp > _WIDEST)
    return ParallelDegrees(
        tp=np.where(by_sequence, 1.0, tp),
        pp=np.ones_like(tp),
        ep=np.where(by_sequence, tp * dp, 1.0),
        dp=workers * np.where(by_sequence, tp * dp, dp),
    )


def make_pool_parts(parts: DesignParts, pools: PoolDegrees, names: LibraryNames) -> DisaggregatedParts:
    """Return the pools of rows; engines send the cache layer by layer.

    Args:
        parts: of the rows without pools.
        pools: their degrees.
        names: the plugins.
    """
    decode = pools.decode
    if _latent(parts.model) and parts.load.concurrency is not None:
        many = ~pools.counted & (parts.load.concurrency.value >= _MANY_CLIENTS)
        decode = _by_sequence(decode, many & (decode.tp > 1.0))
    return DisaggregatedParts(
        prefill=PoolParts(strategies=build_row_strategies(names, pools.prefill)),
        decode=PoolParts(strategies=build_row_strategies(names, decode)),
        overlap="layerwise",
        keeps_up=~pools.counted,
    )


def _latent(model: Model) -> bool:
    """Return whether one head's cache serves all heads, so that devices that divide heads all hold the whole of it."""
    step = Step(phase=Phase.DECODE, sequences=ONE, tokens=ONE, context=ONE)
    work = model.record.build(model.spec, step, _ANY_PRECISION)
    return bool(np.all(work.kv_heads.value <= 1.0))


def _by_sequence(split: ParallelDegrees, where: Array) -> ParallelDegrees:
    """Return a split whose devices have sequences of their own where a mask holds."""
    return ParallelDegrees(
        tp=np.where(where, 1.0, split.tp),
        pp=split.pp,
        ep=np.where(where, split.tp, split.ep),
        dp=np.where(where, split.dp * split.tp, split.dp),
    )
