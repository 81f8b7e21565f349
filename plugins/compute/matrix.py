"""Matrix engines of cores that run thread blocks (SIMT chips): tiles, waves, split-K and the achieved share of peak."""

from __future__ import annotations

from typing import Any

from accelscope.core.records import ComputeModel
from accelscope.core.spec import choice, count, fraction, spec
from accelscope.core.term import Term, maximum, minimum
from accelscope.core.work import Device, Op, Part, Usage
from accelscope.plugins.compute.engine import (
    OP,
    Engine,
    at_least_one,
    computing_energy,
    needed_peak,
    peak,
    size,
)
from accelscope.plugins.compute.tiling import rounds, splits, tiles

_KINDS = ("matrix", "tensor")
_FITTED = "TO BE FITTED"

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

ATTENTION_ROWS = (
    64.0  # query rows of a thread block: Shah et al., FlashAttention-3, 2024, section 3.1 (one warp group)
)


@spec(kind="engine", select={"kind": _KINDS}, default=True)
class Matrix(Engine):
    """A matrix engine of a core that runs thread blocks, such as a tensor core or a matrix core."""

    kind: str | None = choice(*_KINDS, doc="sort of engine", optional=True)
    efficiency: Term = fraction(
        doc="share of the peak that a large product achieves with the largest tile",
        default=0.8,
        source=_FITTED,
    )
    attention_efficiency: Term = fraction(
        doc="share of the peak that the prefill of a long attention achieves", default=0.6, source=_FITTED
    )
    reuse: Term = count(
        doc="tile size m n / (m + n) at which operand delivery takes as long as the arithmetic",
        default=10,
        source=_FITTED,
    )
    prologue: Term = count(
        doc="length of k that filling and emptying the pipeline of a tile takes as long as",
        default=128,
        source=_FITTED,
    )
    least_k: Term = count(doc="least length of k worth a split of its own", default=512, source=_FITTED)


def run(part: Part[Any], op: Op, device: Device) -> Usage:
    """Return what an operation costs on the matrix engines of a device."""
    rate = needed_peak(peak(part, op.dtype), part, op.dtype)
    time = attention_time(part, op, rate) if op.kind == "attention" else product_time(part, op, rate)
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
    share = spec.efficiency * (rows * columns / (rows * columns + spec.reuse * (rows + columns)))
    return waves * each / (rate / part.cores * share).named(f"core rate with {rows:g} × {columns:g} tiles")


def attention_time(part: Part[Any], op: Op, rate: Term) -> Term:
    """Return the time in s of attention: flops with padded query rows, over waves of thread blocks.

    A thread block takes 64 query rows of one (sequence, KV head); where there are fewer blocks than cores the
    context is divided (split-KV). time = flops x padding / (rate x efficiency) x waves cores / blocks.
    """
    spec: Matrix = part.spec
    rows = tiles(op.m, ATTENTION_ROWS)
    padding = rows * ATTENTION_ROWS / at_least_one(op.m)
    pieces = at_least_one(op.groups * rows)
    parts = splits(pieces, part.cores, op.n / spec.least_k)
    idle = rounds(pieces * parts, part.cores) * part.cores / (pieces * parts)
    achieved = (rate * spec.attention_efficiency).named("achieved attention rate")
    return (op.flops * padding * maximum(idle, 1.0)) / achieved


MATRIX = ComputeModel(
    name="matrix",
    doc="Matrix engines of SIMT cores: best tile, waves over the cores, split-K, achieved share of peak.",
    spec=Matrix,
    kinds=("gemm", "grouped_gemm", "attention"),
    peak=peak,
    run=run,
)
