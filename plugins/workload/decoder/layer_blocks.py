"""Layers that other blocks of a model describe: their operations, parameters, caches and sizes, added up."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from accelscope.core.ir.constants import NO_BYTES, NOTHING
from accelscope.core.ir.layer import LayerPart, LayerRole
from accelscope.core.ir.operation import Op
from accelscope.core.numeric.term import Term, maximum
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass
from accelscope.plugins.workload.decoder.shape import DecoderShape


def build_layer_blocks(run: ForwardPass, role: LayerRole) -> tuple[Op, ...]:
    """Return the operations of all layer blocks of a role, in the order written."""
    blocks = (part for part in run.shape.spec.layer_blocks if part.model.role is role)
    return tuple(op for part in blocks for op in part.model.build(part.spec, run))


def count_layer_parameters(shape: DecoderShape) -> Term:
    """Return the parameters of all layer blocks, without the norm before each layer."""
    return _total(shape, lambda part: part.model.parameters(part.spec, shape.hidden), NOTHING)


def count_idle_parameters(shape: DecoderShape) -> Term:
    """Return the parameters of layer blocks that one token does not use."""

    def idle(part: LayerPart[Any]) -> Term:
        if part.model.active_parameters is None:
            return NOTHING
        used = part.model.active_parameters(part.spec, shape.hidden)
        return part.model.parameters(part.spec, shape.hidden) - used

    return _total(shape, idle, NOTHING)


def count_cached_bytes(run: ForwardPass) -> Term:
    """Return the bytes that one sequence keeps in all layer blocks at the end of a pass."""

    def kept(part: LayerPart[Any]) -> Term:
        return NO_BYTES if part.model.cache is None else part.model.cache(part.spec, run)

    return _total(run.shape, kept, NO_BYTES)


def count_cached_bytes_per_token(run: ForwardPass) -> Term:
    """Return the bytes that one more token adds to the caches of all layer blocks."""

    def grows(part: LayerPart[Any]) -> Term:
        each = part.model.cache_per_token
        return NO_BYTES if each is None else each(part.spec, run)

    return _total(run.shape, grows, NO_BYTES)


def find_widest(shape: DecoderShape, widest: Term) -> Term:
    """Return the numbers of a token in the widest activation of any layer.

    Args:
        shape: sizes of the decoder.
        widest: those of its own layers.
    """
    for part in shape.spec.layer_blocks:
        if part.model.width is not None:
            widest = maximum(widest, part.model.width(part.spec, shape.hidden))
    return widest


def _total(shape: DecoderShape, each: Callable[[LayerPart[Any]], Term], total: Term) -> Term:
    for part in shape.spec.layer_blocks:
        total = total + each(part)
    return total
