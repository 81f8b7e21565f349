"""Parameters of kernels that were fitted to measurements and ship with libraries, varied in a design that is assembled."""

from __future__ import annotations

from typing import Any

from attrs import evolve

from accelscope.core.analysis.sensitivity.parameters import ParameterVariation
from accelscope.core.assemble.design import Design
from accelscope.core.blocks.calibration import CalibrationLayer, DeviceKernels, Kernel
from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import fields_of

_ABOUT = ("measurement_count", "log_error_std")
"""Fields of a kernel that say how well it is known, not how it runs."""


def vary_fitted_kernels(design: Design, variants: ParameterVariation) -> Design:
    """Return a design whose shipped calibrations are varied; those that it names itself are varied as they are read."""
    pools = design.pools
    if pools is not None:
        pools = evolve(
            pools,
            prefill=vary_fitted_kernels(pools.prefill, variants),
            decode=vary_fitted_kernels(pools.decode, variants),
        )
    device = design.machine.device
    if device.kernels is None:
        return evolve(design, pools=pools)
    layers = tuple(_layer(layer, place, variants) for place, layer in enumerate(device.kernels.layers))
    device = evolve(device, kernels=DeviceKernels(layers))
    return evolve(design, pools=pools, machine=evolve(design.machine, device=device))


def _layer(layer: CalibrationLayer, place: int, variants: ParameterVariation) -> CalibrationLayer:
    if layer.origin == "given":
        return layer
    words = [layer.origin, *(word for word in (layer.runtime, layer.backend, layer.release) if word)]
    kernels = {
        op: tuple(
            _kernel(item, ("calibration", *words, _label(item)), f"{place}.{op}.{at}", variants)
            for at, item in enumerate(found)
        )
        for op, found in layer.kernels.items()
    }
    return evolve(layer, kernels=kernels)


def _label(kernel: Kernel) -> str:
    types = "/".join(kernel.dtypes or ())
    if kernel.storage_dtypes and kernel.storage_dtypes != kernel.dtypes:
        types += f" of {'/'.join(kernel.storage_dtypes)}"
    return f"{kernel.op}[{types}]" if types else kernel.op


def _kernel(kernel: Kernel, block: tuple[str, ...], key: str, variants: ParameterVariation) -> Kernel:
    changed: dict[str, Any] = {}
    for name in fields_of(Kernel):
        value = getattr(kernel, name)
        if isinstance(value, Term) and name not in _ABOUT:
            changed[name] = variants.term(("calibration", f"{key}.{name}"), block, name, value)
    made: Any = kernel
    return evolve(made, **changed)  # type: ignore[no-any-return]
