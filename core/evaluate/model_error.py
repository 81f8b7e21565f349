"""How far off a predicted time may be, from how far off its parts are known to be.

Every kernel has a spread: the deviation of the logarithm of measured over predicted time, found on points that it was not
fitted to. Errors of different classes of kernel that were measured on the device itself are independent, so their shares
of the time add up as squares. What was measured on other devices only is off in common, so its shares add up plainly.
A runtime whose passes were measured end to end has a spread of its own, which holds that of its kernels.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from accelscope.core.numeric.term import Array, Term

if TYPE_CHECKING:
    from accelscope.core.blocks.calibration import CalibratedKernel
    from accelscope.core.blocks.runtime import EngineProfile
    from accelscope.core.evaluate.op_cost import OpCost

DEVICE_ORIGINS = ("device", "given")
"""Origins of what was measured on the device itself."""
ORIGIN_ERROR_FACTORS: Mapping[str, float] = {"device": 1.0, "family": 1.3, "none": 2.0}
"""How much wider errors are, by what a runtime was measured on: fits that left the configuration out are off by 7 % at the
median, those that left the device out by 13 %."""


def estimate_kernel_spread(known: CalibratedKernel, package: Any) -> float:
    """Return the deviation of the logarithm of a kernel's time: as measured, or that of the models of a device."""
    spread: Term = (
        package.model_log_error_std if known.kernel.log_error_std is None else known.kernel.log_error_std
    )
    return float(np.max(spread.value))


def estimate_runtime_spread(pace: EngineProfile, package: Any) -> float:
    """Return the deviation of passes under a runtime, wider where it was not measured on the device."""
    usual: Term = package.model_log_error_std if pace.log_error_std is None else pace.log_error_std
    return float(np.max(usual.value)) * ORIGIN_ERROR_FACTORS[find_measurement_origin(pace)]


def find_measurement_origin(pace: EngineProfile) -> str:
    """Return what the pace of a runtime was measured on: `device`, `family`, or `none` for neither."""
    return pace.port if pace.port in ORIGIN_ERROR_FACTORS else "none"


def estimate_pass_spread(
    ops: Iterable[OpCost], others: Iterable[Term], package: Any, pace: EngineProfile
) -> Array:
    """Return the deviation of the logarithm of a stage's time: as passes of the runtime were measured, or as its kernels.

    Args:
        ops: costed operations of the stage.
        others: times of what no kernel parameters are known of, such as communication.
        package: package of the device.
        pace: runtime on the device, whose own error goes first.
    """
    if pace.log_error_std is None:
        return combine_kernel_spreads(ops, others, package)
    return np.asarray(estimate_runtime_spread(pace, package))


def combine_kernel_spreads(ops: Iterable[OpCost], others: Iterable[Term], package: Any) -> Array:
    """Return the deviation of the logarithm of a stage's time, from those of its kernels.

    Args:
        ops: costed operations of the stage.
        others: times of what no kernel parameters are known of, such as communication.
        package: package of the device.
    """
    unknown = float(np.max(package.model_log_error_std.value))
    own: dict[str, Array] = {}
    common: Array = np.zeros(())
    whole: Array = np.zeros(())
    for cost in ops:
        seconds = nominal_time(cost.seconds)
        whole = whole + seconds
        spread = estimate_kernel_spread(cost.known, package)
        if cost.known.origin in DEVICE_ORIGINS:
            name = cost.op.kernel or cost.op.kind
            own[name] = own.get(name, np.zeros(())) + seconds * spread
        else:
            common = common + seconds * spread
    for time in others:
        seconds = nominal_time(time)
        whole, common = whole + seconds, common + seconds * unknown
    squares = common**2 + sum(part**2 for part in own.values())
    found: Array = np.sqrt(squares / np.maximum(whole, 1e-300) ** 2)
    return found


def nominal_time(time: Term) -> Array:
    """Return a time without its change along the last dimension, that of uncertain inputs."""
    return time.value[..., :1] if time.value.ndim else time.value
