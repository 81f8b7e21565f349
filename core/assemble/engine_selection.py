"""Which engine of a device runs an operation: the fastest one that can run its kind in its data type."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelscope.core.ir.constants import NO_OPS
from accelscope.core.ir.hardware import Device, EnginePart
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import OpKind
from accelscope.core.numeric.term import Term


def find_matrix_engine(device: Device, dtype: str) -> EnginePart[Any] | None:
    """Return the fastest engine that multiplies matrices in a data type, or None where the device has none."""
    return find_engine(Op(name="product", component="", kind=OpKind.GEMM, dtype=dtype, flops=NO_OPS), device)


def find_engine(op: Op, device: Device) -> EnginePart[Any] | None:
    """Return the fastest engine that runs an operation in its data type, or None where the device has none.

    Products need an engine that multiplies in this type; other arithmetic may be done in fp32.
    """
    dtypes = compute_dtypes(op)
    best: EnginePart[Any] | None = None
    best_rate = 0.0
    for part in device.engines:
        if op.kind not in part.model.kinds:
            continue
        rate = first_peak_rate(part, dtypes)
        value = float(np.max(rate.value)) if rate is not None else 0.0
        if value > best_rate:
            best, best_rate = part, value
    return best


def compute_peak_op_rate(engine: EnginePart[Any] | None, op: Op) -> Term | None:
    """Return the op/s at which an engine could run an operation at best, or None without an engine."""
    return None if engine is None else first_peak_rate(engine, compute_dtypes(op))


def compute_dtypes(op: Op) -> tuple[str, ...]:
    """Return the data types that an operation may be computed in, the first that an engine supports counts."""
    return (op.dtype,) if op.kind.multiplies_matrices else (op.dtype, "fp32")


def first_peak_rate(part: EnginePart[Any], dtypes: tuple[str, ...]) -> Term | None:
    """Return the peak op/s of an engine in the first of some data types that it supports, or None."""
    rates = (part.peak(dtype) for dtype in dtypes)
    return next((rate for rate in rates if rate is not None), None)
