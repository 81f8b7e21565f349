"""What a design computes in, where the software decides: experts in a block format on devices that multiply it."""

from __future__ import annotations

from attrs import evolve

from accelscope.core.assemble.design import Design
from accelscope.core.assemble.engine_selection import find_matrix_engine
from accelscope.core.plugin.registry import Registry

_BLOCK_FORMAT = "mxfp4"


def with_narrow_experts(design: Design, registry: Registry) -> Design:
    """Return a design whose experts stored in mxfp4 compute in the type that its runtime narrows activations to.

    That holds on devices that multiply the format themselves; others widen the weights on the way, and then activations
    stay as they are.
    """
    precision, experts = design.precision, getattr(design.model.spec, "experts", None)
    stored = getattr(experts, "weights", None) or precision.weights
    narrow = design.runtime.mx_activations
    if experts is None or stored != _BLOCK_FORMAT or narrow is None or precision.experts is not None:
        return design
    if find_matrix_engine(design.machine.device, _BLOCK_FORMAT) is None:
        return design
    return evolve(design, precision=evolve(precision, experts=narrow))
