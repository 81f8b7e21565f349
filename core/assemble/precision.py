"""Data types of a design: those that are asked for, widened to what the device can compute in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.core.assemble.engine_selection import find_matrix_engine
from accelscope.core.assemble.parts import PrecisionRequest
from accelscope.core.blocks.scenario import PrecisionBlock
from accelscope.core.ir.hardware import Device
from accelscope.core.ir.operation import Precision
from accelscope.core.spec.spec import fields_of

if TYPE_CHECKING:
    from accelscope.core.assemble.design import Model
    from accelscope.core.blocks.runtime import EngineProfile

FALLBACK_DTYPE = "bf16"
"""What is computed in, and what a KV cache holds, if nothing else is asked for."""
_BLOCK_FORMAT = "mxfp4"


def resolve_precision(
    request: PrecisionRequest,
    *,
    device: Device,
    model: Model | None = None,
    runtime: EngineProfile | None = None,
) -> Precision:
    """Return the data types of all roles.

    Weights in a type that no engine of the device multiplies are widened to 16 bit on the way: that is what weight-only
    quantisation does. Experts that are stored in mxfp4 are computed in the type that the runtime narrows activations
    to, if the device multiplies mxfp4.

    Args:
        request: data types that are asked for.
        device: what computes.
        model: whose experts may be stored in a type of their own; None for a single kernel.
        runtime: the engine profile, which may narrow the activations of experts; None for a single kernel.
    """
    weights = request.weights or str(fields_of(PrecisionBlock)["weights"].default)
    activations = request.activations or weights
    if request.activations is None or request.widen:
        activations = _widened(activations, device)
    return Precision(
        weights=weights,
        activations=activations,
        kv=request.kv or FALLBACK_DTYPE,
        head=request.lm_head,
        experts=request.expert_activations or _narrow_experts(weights, device, model, runtime),
    )


def _widened(dtype: str, device: Device) -> str:
    """Return a data type, or 16 bit if no engine of the device multiplies it."""
    return dtype if find_matrix_engine(device, dtype) is not None else FALLBACK_DTYPE


def _narrow_experts(
    weights: str, device: Device, model: Model | None, runtime: EngineProfile | None
) -> str | None:
    """Return what a runtime computes experts stored in mxfp4 in; None if it is as for all else."""
    experts = None if model is None else getattr(model.spec, "experts", None)
    narrow = None if runtime is None else runtime.mxfp4_compute_dtype
    stored = getattr(experts, "weight_dtype", None) or weights
    if experts is None or narrow is None or stored != _BLOCK_FORMAT:
        return None
    return narrow if find_matrix_engine(device, _BLOCK_FORMAT) is not None else None
