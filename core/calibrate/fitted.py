"""Which parameters of each class of kernel are fitted, where a fit begins, and how far siblings differ."""

from __future__ import annotations

from collections.abc import Mapping

from accelscope.core.calibrate.parameters import Parameter, parameter
from accelscope.core.kernels import Kernel

_START = parameter(Kernel, "start", 4e-6, 0.5, low=1e-7, high=1e-3)
_BANDWIDTH = parameter(Kernel, "bandwidth", 0.8, 0.15, low=0.02)
_COMPUTE = parameter(Kernel, "compute", 0.7, 0.2, low=0.01)
_OVERLAP = parameter(Kernel, "overlap", 4.0, 0.5, low=1.0, high=16.0)

_MOVING = (_BANDWIDTH, _START)
_WORKING = (_COMPUTE, _BANDWIDTH, _START, _OVERLAP)

FITTED: Mapping[str, tuple[Parameter, ...]] = {
    "gemm": _WORKING,
    "grouped_gemm": _WORKING,
    "attention_prefill": _WORKING,
    "attention_decode": _WORKING,
    "mla_prefill": _WORKING,
    "mla_decode": _WORKING,
    "linear_attention": _WORKING,
    "scan": _WORKING,
    "norm": _MOVING,
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


def order_of(kernel: str) -> int:
    """Return when a class is fitted: simple ones first, since rows of the others hold them."""
    return 0 if FITTED.get(kernel, _MOVING) == _MOVING else 1


def parameters_of(kernel: str) -> tuple[Parameter, ...]:
    """Return the parameters of a class of kernel; of one that nobody named, those of a kernel that moves bytes."""
    return FITTED.get(kernel, _MOVING)
