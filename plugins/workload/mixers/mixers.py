"""Records of the layers that ship: linear attention, state spaces and convolutions, in place of attention."""

from __future__ import annotations

from accelscope.core.numeric.term import Term
from accelscope.core.plugin.records import LayerModel
from accelscope.plugins.workload.mixers.convolution import conv_ops, conv_parameters, conv_state
from accelscope.plugins.workload.mixers.linear_attention import linear_ops, linear_parameters, linear_state
from accelscope.plugins.workload.mixers.spec import Hyena, LinearAttention, Mamba1, Mamba2, ShortConv
from accelscope.plugins.workload.mixers.state_space import (
    inner_channels,
    ssm_ops,
    ssm_parameters,
    ssm_state,
)


def _layers(spec: LinearAttention | Mamba1 | Mamba2 | ShortConv) -> Term:
    return spec.layers


def _hyena_layers(spec: Hyena) -> Term:
    return spec.short_layers + spec.medium_layers + spec.long_layers


LINEAR_ATTENTION = LayerModel(
    name="linear_attention",
    doc="Linear attention by the gated delta rule.",
    spec=LinearAttention,
    count=_layers,
    build=lambda spec, run: linear_ops(run, spec),
    parameters=lambda spec, hidden: spec.layers * linear_parameters(hidden, spec),
    cache=lambda spec, run: spec.layers * linear_state(spec, run.wide),
    heads=lambda spec: spec.value_heads,
    width=lambda spec, hidden: 4.0 * spec.value_heads * spec.value_dim,
)
MAMBA1 = LayerModel(
    name="mamba1",
    doc="State space of Mamba.",
    spec=Mamba1,
    count=_layers,
    build=lambda spec, run: ssm_ops(run, spec),
    parameters=lambda spec, hidden: spec.layers * ssm_parameters(hidden, spec),
    cache=lambda spec, run: spec.layers * ssm_state(spec, run.wide),
    heads=lambda spec: spec.inner_dim,
    width=lambda spec, hidden: 3.0 * inner_channels(spec),
)
MAMBA2 = LayerModel(
    name="mamba2",
    doc="State space of Mamba-2.",
    spec=Mamba2,
    count=_layers,
    build=lambda spec, run: ssm_ops(run, spec),
    parameters=lambda spec, hidden: spec.layers * ssm_parameters(hidden, spec),
    cache=lambda spec, run: spec.layers * ssm_state(spec, run.wide),
    heads=lambda spec: spec.heads,
    width=lambda spec, hidden: 3.0 * inner_channels(spec),
)
SHORT_CONV = LayerModel(
    name="short_conv",
    doc="Gated short convolution.",
    spec=ShortConv,
    count=_layers,
    build=lambda spec, run: conv_ops(run, spec),
    parameters=lambda spec, hidden: conv_parameters(hidden, spec),
    cache=lambda spec, run: conv_state(run.hidden, spec, run.wide),
    width=lambda spec, hidden: 4.0 * hidden,
)
HYENA = LayerModel(
    name="hyena",
    doc="Hyena operators of StripedHyena 2.",
    spec=Hyena,
    count=_hyena_layers,
    build=lambda spec, run: conv_ops(run, spec),
    parameters=lambda spec, hidden: conv_parameters(hidden, spec),
    cache=lambda spec, run: conv_state(run.hidden, spec, run.wide),
    width=lambda spec, hidden: 4.0 * hidden,
)
MIXERS = (LINEAR_ATTENTION, MAMBA1, MAMBA2, SHORT_CONV, HYENA)
"""In the order in which `accelscope models` lists them."""
