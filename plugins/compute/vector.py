"""Vector units: elementwise work, special functions, and products on machines that have nothing else."""

from __future__ import annotations

from typing import Any

from accelscope.core.ir.hardware import Device, Part
from accelscope.core.ir.operation import Op
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import OpKind
from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.core.numeric.term import Term
from accelscope.core.plugin.records import ComputeModel
from accelscope.core.spec.spec import choice, fraction, spec
from accelscope.plugins.compute.engine import (
    ComputeEngine,
    arithmetic_energy,
    clamp_to_one,
    dense_peak,
    require_peak,
    special_rate,
)

_UNIT_KINDS = ("vector", "simd", "vpu", "scalar")
_WIDER = ("fp32", "fp64")


@spec(kind="engine", select={"kind": _UNIT_KINDS}, default=False)
class VectorUnit(ComputeEngine):
    """A unit that works on many elements at once, without reusing operands between them."""

    kind: str | None = choice(*_UNIT_KINDS, doc="type of engine", optional=True)
    efficiency: Term = fraction(
        doc="achieved share of the peak",
        default=0.75,
        source="the compute efficiency that the MIST simulator assumes for every engine; not measured by us",
    )


def vector_peak(part: Part[Any], dtype: str) -> Term | None:
    """Return the op/s of all instances; narrow floats that are not given are computed in fp32."""
    found = (dense_peak(part, name) for name in (dtype, *_wider(dtype)))
    return next((rate for rate in found if rate is not None), None)


def _wider(dtype: str) -> tuple[str, ...]:
    if dtype.startswith("int"):
        return ()
    return tuple(name for name in _WIDER if DTYPE_BITS[name] >= DTYPE_BITS[dtype])


def cost_vector_op(part: Part[Any], op: Op, device: Device) -> Usage:
    """Return what an operation costs: flops / (peak x efficiency), and the exponentials of an attention after it.

    The unit that multiplies also computes exponentials, so their times add up: one for every score, which is
    flops / (4 x head size).
    """
    rate = require_peak(vector_peak(part, op.dtype), part, op.dtype) * part.spec.efficiency
    time = op.flops / rate.named(f"achieved {part.name} rate")
    special = special_rate(part)
    if op.kind == OpKind.ATTENTION and special is not None:
        exponentials = op.flops / (4.0 * clamp_to_one(op.k))
        time = time + (exponentials / special).named("exponentials")
    return Usage(time=time.named(f"{part.name} time"), energy=arithmetic_energy(part, op))


VECTOR = ComputeModel(
    name="vector",
    doc="Vector and SIMD units: flops over the achieved share of peak.",
    spec=VectorUnit,
    kinds=("elementwise", "gather", "gemm", "grouped_gemm", "attention"),
    peak=dense_peak,
    run=cost_vector_op,
)
