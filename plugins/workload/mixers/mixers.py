"""What layers without attention add to a decoder: their operations, parameters and state, whatever they are."""

from __future__ import annotations

from accelscope.core.ir.constants import NO_BYTES
from accelscope.core.ir.operation import Op
from accelscope.core.numeric.term import Term
from accelscope.plugins.workload.decoder.forward_pass import ForwardPass
from accelscope.plugins.workload.decoder.shape import ZERO_COUNT, DecoderShape
from accelscope.plugins.workload.mixers.convolution import conv_ops, conv_parameters, conv_state
from accelscope.plugins.workload.mixers.linear_attention import linear_ops, linear_parameters, linear_state
from accelscope.plugins.workload.mixers.state_space import ssm_ops, ssm_parameters, ssm_state


def mixer_ops(run: ForwardPass) -> tuple[Op, ...]:
    """Return the operations of all layers with linear attention, a state space or a convolution."""
    spec = run.shape.spec
    linear = () if spec.linear is None else linear_ops(run, spec.linear)
    space = () if spec.ssm is None else ssm_ops(run, spec.ssm)
    return (*linear, *space, *(() if spec.conv is None else conv_ops(run, spec.conv)))


def mixer_parameters(shape: DecoderShape) -> Term:
    """Return the parameters of all such layers, without the normalisation before each."""
    spec, found = shape.spec, ZERO_COUNT
    if spec.linear is not None:
        found = found + spec.linear.layers * linear_parameters(shape, spec.linear)
    if spec.ssm is not None:
        found = found + spec.ssm.layers * ssm_parameters(shape, spec.ssm)
    return found if spec.conv is None else found + conv_parameters(shape, spec.conv)


def mixer_state(shape: DecoderShape, wide: Term) -> Term:
    """Return the bytes of state that one sequence keeps in all such layers, however long it is."""
    spec, found = shape.spec, NO_BYTES
    if spec.linear is not None:
        found = found + spec.linear.layers * linear_state(spec.linear, wide)
    if spec.ssm is not None:
        found = found + spec.ssm.layers * ssm_state(spec.ssm, wide)
    return found if spec.conv is None else found + conv_state(shape, spec.conv, wide)
