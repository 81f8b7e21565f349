"""Products of matrices on cores that run thread blocks: the best tile, waves over the cores, and splits along k.

The equation is documented in docs/explanation/models/compute.md. It does not know memory: bytes are costed there.
"""

from __future__ import annotations

from typing import Any

from attrs import frozen

from accelscope.core.blocks.calibration import kernel_for, value_or_default
from accelscope.core.ir.hardware import Device, Part
from accelscope.core.ir.operation import Op
from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.core.numeric.term import Term, floor, maximum, minimum, power
from accelscope.plugins.compute.engine import OP_UNIT, pick_size
from accelscope.plugins.compute.grouped import count_row_tiles
from accelscope.plugins.compute.tiling import count_tiles, count_waves

# Rows and columns of the output that one thread block computes: the shapes that CUTLASS instantiates for dense
# products (NVIDIA/cutlass, media/docs/profiler.md), and 16 rows for the decode kernels of engines.
_BLOCK_SHAPES = (
    (256.0, 128.0),
    (128.0, 256.0),
    (128.0, 128.0),
    (128.0, 64.0),
    (64.0, 128.0),
    (64.0, 64.0),
    (16.0, 128.0),
)

_WIDE = 16  # bits: types at least this wide are not narrow
_SHARP = 4.0  # how sharply the power limit sets in: clocks fall before the mean power is at it


@frozen(kw_only=True, eq=False)
class Tiling:
    """How the kernel of a product cuts it up, and what a core reaches.

    Attributes:
        speed: op/s of a core with the largest tile, which the power limit allows.
        depth: length of k, padded to that of an instruction.
        most_parts: largest number of parts into which it is worth splitting k.
        least_tile: rows and columns below which a smaller tile takes no less time.
    """

    speed: Term
    depth: Term
    most_parts: Term
    least_tile: Term


def product_time(part: Part[Any], op: Op, rate: Term, device: Device) -> Term:
    """Return the time in s of `groups` products with the best of the thread-block shapes.

    For each shape: waves x 2 M N (k / splits + prologue) / (rate of a core x efficiency x M N / (M N + reuse (M + N))),
    with M and N no less than `min_tile_dim` in this time, and waves of groups ceil(m / M) ceil(n / N) splits blocks.
    """
    tiling = _tiling(part, op, rate, device)
    down = {rows: count_row_tiles(op, rows) for rows, _ in _BLOCK_SHAPES}
    across = {columns: count_tiles(op.n, columns) for _, columns in _BLOCK_SHAPES}
    times = (
        _with_block(part, tiling, down[rows] * across[columns], rows, columns)
        for rows, columns in _BLOCK_SHAPES
    )
    return minimum(*times).named("best tile")


def _tiling(part: Part[Any], op: Op, rate: Term, device: Device) -> Tiling:
    spec, kernel = part.spec, kernel_for(device, op)
    wide = DTYPE_BITS[op.dtype] >= _WIDE
    achieved: Term = value_or_default(
        kernel.compute_efficiency, spec.efficiency if wide else spec.low_precision_efficiency
    )
    step = pick_size(spec.tile, 2, 1.0)
    depth = count_tiles(op.k, step) * step
    return Tiling(
        speed=power_limited_rate(part, op, rate * achieved, device)
        / part.cores
        / _delivery(*_BLOCK_SHAPES[0], spec.half_rate_tile_intensity),
        depth=depth,
        most_parts=depth
        / value_or_default(kernel.min_split_k, spec.min_split_k if wide else spec.low_precision_min_split_k),
        least_tile=value_or_default(
            kernel.min_tile_dim, spec.min_tile_dim if wide else spec.low_precision_min_tile_dim
        ),
    )


def power_limited_rate(part: Part[Any], op: Op, rate: Term, device: Device) -> Term:
    """Return the op/s at which products run on, at most `rate`: a device at its power limit lowers its clock.

    rate / (1 + (rate / limit)^4)^(1/4), limit = tdp / device_energy_per_op. That is the energy of an operation in 16 bit;
    narrower types take less by the square root of the bits: multipliers shrink faster, what delivers operands to them more slowly.
    """
    tdp: Term | None = getattr(device.package, "tdp", None)
    if tdp is None:
        return rate
    limit: Term = (tdp / (part.spec.device_energy_per_op * (DTYPE_BITS[op.dtype] / _WIDE) ** 0.5)).named(
        "rate at the power limit"
    )
    lowered = power(1.0 + power(rate / limit, _SHARP), 1.0 / _SHARP)
    return (rate / lowered).named("sustained rate")


def _with_block(part: Part[Any], tiling: Tiling, pieces: Term, rows: float, columns: float) -> Term:
    fewest = floor(part.cores / maximum(pieces, 1.0))
    parts = maximum(minimum(fewest, tiling.most_parts), 1.0)
    high, wide = maximum(tiling.least_tile, rows), maximum(tiling.least_tile, columns)
    share = _delivery(high, wide, part.spec.half_rate_tile_intensity)
    each: Term = tiling.depth / parts + part.spec.pipeline_fill_k
    turns = count_waves(pieces * parts, part.cores, part.spec.wave_quantization).named("waves")
    a_step = OP_UNIT * 2.0 * high * wide / share / tiling.speed
    return (turns * each * a_step).named(f"{rows:g} × {columns:g} tiles")


def _delivery(rows: Term | float, columns: Term | float, reuse: Term) -> Term:
    """Share of the time that operands of a tile arrive in time: intensity / (intensity + reuse)."""
    intensity = rows * columns / (rows + columns)
    return intensity / (reuse + intensity)
