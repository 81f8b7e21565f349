"""Matrix engines of cores that run thread blocks (SIMT chips): tiles, waves, split-K and the achieved share of peak."""

from __future__ import annotations

from typing import Any

from accelscope.core.dtypes import BITS
from accelscope.core.records import ComputeModel
from accelscope.core.spec import choice, count, fraction, spec
from accelscope.core.term import Term, minimum, where
from accelscope.core.work import NO_OPS, NO_TIME, Device, Op, Part, Usage
from accelscope.plugins.compute.attention import Attending, attention_time
from accelscope.plugins.compute.engine import OP, computing_energy, needed_peak, peak, size
from accelscope.plugins.compute.tiling import rounds, splits, tiles

_KINDS = ("matrix", "tensor")
_GEMMS = (
    "fit to half of 254 public bf16 GEMMs of H100 SXM (aiconfigurator, Apache-2.0), held-out median error 7 %"
)

# Rows and columns of the output that one thread block computes: the shapes that CUTLASS instantiates for dense
# products (NVIDIA/cutlass, media/docs/profiler.md), and 16 rows for the decode kernels of engines.
BLOCKS = (
    (256.0, 128.0),
    (128.0, 256.0),
    (128.0, 128.0),
    (128.0, 64.0),
    (64.0, 128.0),
    (64.0, 64.0),
    (16.0, 128.0),
)

_WIDE = 16  # bits: types at least this wide are not narrow


@spec(kind="engine", select={"kind": _KINDS}, default=True)
class Matrix(Attending):
    """A matrix engine of a core that runs thread blocks, such as a tensor core or a matrix core."""

    kind: str | None = choice(*_KINDS, doc="sort of engine", optional=True)
    efficiency: Term = fraction(
        doc="share of the peak that a large product achieves with the largest tile",
        default=0.87,
        source=f"{_GEMMS}; other public sets give 0.78 (Vidur, MIT) to 0.91 (A100)",
    )
    narrow_efficiency: Term = fraction(
        doc="the same share for types of 8 bits and fewer",
        default=0.74,
        source="fit to half of 85 public fp8 GEMMs of H100 SXM (aiconfigurator, Apache-2.0), held-out median error 7 %; "
        "stas00/ml-engineering finds 0.71 to 0.78 at the best shape",
    )
    reuse: Term = count(
        doc="tile size m n / (m + n) at which delivering operands takes as long as the arithmetic",
        default=14,
        source=_GEMMS,
    )
    prologue: Term = count(
        doc="length of k that takes as long as filling and emptying the pipeline of a tile",
        default=192,
        source=_GEMMS,
    )
    least_k: Term = count(
        doc="least length of k that is worth a split of its own", default=2048, source=_GEMMS
    )


def run(part: Part[Any], op: Op, device: Device) -> Usage:
    """Return what an operation costs on the matrix engines of a device."""
    rate = needed_peak(peak(part, op.dtype), part, op.dtype)
    time = attention_time(part, op, rate, device) if op.kind == "attention" else product_time(part, op, rate)
    time = where(op.flops > NO_OPS, time, NO_TIME)
    return Usage(time=time.named(f"{part.name} time"), energy=computing_energy(part, op))


def product_time(part: Part[Any], op: Op, rate: Term) -> Term:
    """Return the time in s of `groups` products with the best of the thread-block shapes.

    For each shape: waves x (2 M N (k / splits + prologue)) / (rate of a core x efficiency x M N / (M N + reuse (M + N))),
    where waves = ceil(groups ceil(m / M) ceil(n / N) splits / cores).
    """
    return minimum(*(_with_block(part, op, rate, rows, columns) for rows, columns in BLOCKS)).named(
        "best tile"
    )


def _with_block(part: Part[Any], op: Op, rate: Term, rows: float, columns: float) -> Term:
    spec: Matrix = part.spec
    step = size(spec.tile, 2, 1.0)
    padded = tiles(op.k, step) * step
    pieces = op.groups * tiles(op.m, rows) * tiles(op.n, columns)
    parts = splits(pieces, part.cores, padded / spec.least_k)
    waves = rounds(pieces * parts, part.cores).named("waves")
    each = OP * (2.0 * rows * columns) * (padded / parts + spec.prologue)
    achieved = spec.efficiency if BITS[op.dtype] >= _WIDE else spec.narrow_efficiency
    share = achieved * _delivery(rows, columns, spec.reuse) / _delivery(*BLOCKS[0], spec.reuse)
    speed = (rate / part.cores * share).named(f"rate of a core with {rows:g} × {columns:g} tiles")
    return (waves * each / speed).named(f"{rows:g} × {columns:g} tiles")


def _delivery(rows: float, columns: float, reuse: Term) -> Term:
    """Share of the time that operands of a tile arrive in time: intensity / (intensity + reuse)."""
    intensity = rows * columns / (rows + columns)
    return intensity / (reuse + intensity)


MATRIX = ComputeModel(
    name="matrix",
    doc="Matrix engines of SIMT cores: best tile, waves over the cores, split-K, achieved share of peak.",
    spec=Matrix,
    kinds=("gemm", "grouped_gemm", "attention"),
    peak=peak,
    run=run,
)
