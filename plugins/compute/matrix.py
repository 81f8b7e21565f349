"""Matrix engines of cores that run thread blocks (SIMT chips): tiles, waves, split-K and the achieved share of peak."""

from __future__ import annotations

from typing import Any

from accelscope.core.ir.constants import NO_OPS, NO_TIME
from accelscope.core.ir.hardware import Device, Part
from accelscope.core.ir.operation import Op
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import OpKind
from accelscope.core.numeric.term import Term, where
from accelscope.core.plugin.records import ComputeModel
from accelscope.core.spec.spec import choice, count, fraction, quantity, spec
from accelscope.plugins.compute.attention import ThreadBlockEngine, attention_time
from accelscope.plugins.compute.engine import arithmetic_energy, dense_peak, require_peak
from accelscope.plugins.compute.product import product_time

_KINDS = ("matrix", "tensor")
_FIT = (
    "fit to public products of ten GPUs from A100 to GB300 and Arc Pro B60 (aiconfigurator, Apache-2.0; Vidur and "
    "LLMServingSim, MIT), robustly on log ratios, all engines together"
)
_NARROW = f"{_FIT}; types of 8 bits and fewer"
_CHOSEN = f"{_FIT}; the value with the least error on shapes left out, of the few that were tried"


@spec(kind="engine", select={"kind": _KINDS}, default=True)
class MatrixEngine(ThreadBlockEngine):
    """A matrix engine of a core that runs thread blocks, such as a tensor core or a matrix core."""

    kind: str | None = choice(*_KINDS, doc="type of engine", optional=True)
    efficiency: Term = fraction(
        doc="fraction of peak that a large matrix multiplication achieves with the largest tile",
        default=0.84,
        source=_FIT,
    )
    low_precision_efficiency: Term = fraction(
        aliases=("narrow_efficiency",),
        doc="fraction of peak that a large matrix multiplication of 8 bits or fewer achieves below the power limit",
        default=0.8,
        source=_NARROW,
    )
    device_energy_per_op: Term = quantity(
        "J/op",
        aliases=("draw",),
        doc="energy per operation of the whole device in a large 16-bit matrix multiplication, which limits the rate at tdp; narrower types scale with the square root of their bits",
        gt=0,
        default=0.48e-12,
        source=f"{_FIT}: 0.47 pJ in bf16, 0.35 to 0.41 in fp8, 0.25 in nvfp4 make the rates of A100, H100, B200, GB200, GB300 "
        "and RTX PRO 6000 alike; of each device those of the others predict its own best",
        plausible=(1e-14, 1e-11),
    )
    half_rate_tile_intensity: Term = count(
        aliases=("reuse",),
        doc="tile intensity m n / (m + n) at which operand delivery takes as long as the arithmetic, so that half the rate is achieved",
        default=8,
        source=_CHOSEN,
    )
    pipeline_fill_k: Term = count(
        aliases=("prologue",),
        doc="length of k whose computation takes as long as filling and draining the pipeline of a tile",
        default=96,
        source=_CHOSEN,
    )
    wave_quantization: Term = fraction(
        aliases=("tail",),
        doc="fraction of the last wave of thread blocks that costs a full wave: 1 for full wave quantization, 0 for none",
        default=0.5,
        source=_CHOSEN,
    )
    min_split_k: Term = count(
        aliases=("least_k",), doc="minimum k per split of a split-K product", default=1000, source=_FIT
    )
    low_precision_min_split_k: Term = count(
        aliases=("narrow_least_k",),
        doc="minimum k per split of a split-K product of 8 bits or fewer",
        default=65000,
        source=_NARROW,
    )
    min_tile_dim: Term = count(
        aliases=("least_tile",),
        doc="rows and columns of a thread-block tile below which a smaller tile is no faster",
        default=16,
        source=_FIT,
    )
    low_precision_min_tile_dim: Term = count(
        aliases=("narrow_least_tile",),
        doc="rows and columns of a thread-block tile below which a smaller tile is no faster, for 8 bits or fewer",
        default=64,
        source=_NARROW,
    )


def cost_matrix_op(part: Part[Any], op: Op, device: Device) -> Usage:
    """Return what an operation costs on the matrix engines of a device."""
    rate = require_peak(dense_peak(part, op.dtype), part, op.dtype)
    time = (
        attention_time(part, op, rate, device)
        if op.kind == OpKind.ATTENTION
        else product_time(part, op, rate, device)
    )
    time = where(op.flops > NO_OPS, time, NO_TIME)
    return Usage(time=time.named(f"{part.name} time"), energy=arithmetic_energy(part, op))


MATRIX = ComputeModel(
    name="matrix",
    doc="Matrix engines of SIMT cores: best tile, waves over the cores, split-K, achieved share of peak.",
    spec=MatrixEngine,
    kinds=("gemm", "grouped_gemm", "attention"),
    peak=dense_peak,
    run=cost_matrix_op,
)
