"""Layers with convolutions: Hyena operators of StripedHyena 2 and the gated short convolution of LFM2.

A Hyena layer is y = (q . G(k . v)) M with q, k, v = T(x W), H(x U), K(x P): W, U, P, M are d x d, T, H, K filters of a
few tokens, G the inner filter (arXiv 2503.01868, section 2).
"""

from __future__ import annotations

from attrs import frozen

from accelscope.core.ir.constants import NOTHING, ONE
from accelscope.core.ir.layer import LayerPass
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import OpKind, Split
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, ceil, log2, term
from accelscope.core.workload.op_builders import ONE_OP, elementwise_op, gemm_op
from accelscope.plugins.workload.mixers.recurrent_state import Recurrence, recurrence_op, short_convolution_op
from accelscope.plugins.workload.mixers.spec import Hyena, ShortConv

_STATE = term(bytes_per_element("fp32"), "B")  # modes of an implicit filter are kept at 32 bit
_MODE = 4.0  # of a mode in decode: decay, sum, product with the residue and its sum
_GATES = 2.0  # k . v and q . G
_FFT = 10.0  # of s log2 s for each channel (arXiv 2503.01868, as its authors count)
_SPECTRA = (
    3.0  # of the input, the filter and the output, each written and read once at 32 bit: s complex numbers
)


@frozen(kw_only=True, eq=False)
class HyenaOperator:
    """One Hyena operator: its layers, parameters of a filter, bytes of state, and operations of a token in decode."""

    name: str
    layers: Term
    own: Term
    state: Term
    token: Term


def conv_ops(run: LayerPass, conv: ShortConv | Hyena) -> tuple[Op, ...]:
    """Return the operations of all layers with a convolution."""
    return _short(run, conv) if isinstance(conv, ShortConv) else _hyena(run, conv)


def conv_state(hidden: Term, conv: ShortConv | Hyena, wide: Term) -> Term:
    """Return the bytes of one sequence in all layers with a convolution."""
    if isinstance(conv, ShortConv):
        return conv.layers * hidden * (conv.conv_width - 1.0) * wide
    found = list_hyena_operators(hidden, conv, wide)
    return (
        found[0].layers * found[0].state + found[1].layers * found[1].state + found[2].layers * found[2].state
    )


def conv_parameters(hidden: Term, conv: ShortConv | Hyena) -> Term:
    """Return the parameters of all layers with a convolution."""
    if isinstance(conv, ShortConv):
        biases = 5.0 * hidden if conv.bias else NOTHING
        return conv.layers * (4.0 * hidden * hidden + hidden * conv.conv_width + biases)
    layers = conv.short_layers + conv.medium_layers + conv.long_layers
    common = 4.0 * hidden * hidden + hidden + 3.0 * conv.featurizer_width * hidden
    own = (item.layers * item.own for item in list_hyena_operators(hidden, conv, _STATE))
    return layers * common + sum(own, NOTHING)


def list_hyena_operators(
    hidden: Term, conv: Hyena, wide: Term
) -> tuple[HyenaOperator, HyenaOperator, HyenaOperator]:
    """Return the operators of a striped model; `wide` is bytes of a number in the caches of explicit filters."""
    before = 3.0 * hidden * (conv.featurizer_width - 1.0) * wide
    short, medium, modes = conv.short_width, conv.medium_width, conv.modes
    return (
        HyenaOperator(
            name="hyena_se",
            layers=conv.short_layers,
            own=conv.groups * short,
            state=before + hidden * (short - 1.0) * wide,
            token=(2.0 * short + _GATES) * hidden,
        ),
        HyenaOperator(
            name="hyena_mr",
            layers=conv.medium_layers,
            own=conv.groups * medium + hidden,
            state=before + hidden * (medium - 1.0) * wide,
            token=(2.0 * medium + _GATES) * hidden,
        ),
        HyenaOperator(
            name="hyena_li",
            layers=conv.long_layers,
            own=(2.0 * modes + 1.0) * hidden,
            state=before + hidden * modes * _STATE,
            token=(_MODE * modes + _GATES) * hidden,
        ),
    )


def _hyena(run: LayerPass, conv: Hyena) -> tuple[Op, ...]:
    found = list_hyena_operators(run.hidden, conv, run.wide)
    return tuple(op for item in found for op in _operator(run, conv, item))


def _operator(run: LayerPass, conv: Hyena, item: HyenaOperator) -> tuple[Op, ...]:
    hidden, rows, name = run.hidden, run.rows, item.name
    project = gemm_op(
        run, f"{name}_in", "conv", m=rows, k=hidden, n=3.0 * hidden, repeat=item.layers, split=Split.COLUMN
    )
    before = short_convolution_op(
        run, f"{name}_featurizer", "conv", channels=3.0 * hidden, width=conv.featurizer_width,
        own=3.0 * conv.featurizer_width * hidden + item.own, repeat=item.layers,
    )  # fmt: skip
    out = gemm_op(
        run,
        f"{name}_out",
        "conv",
        m=rows,
        k=hidden,
        n=hidden,
        repeat=item.layers,
        split=Split.ROW,
        bias=hidden,
    )
    return (project, before, *_filter(run, conv, item), out)


def _filter(run: LayerPass, conv: Hyena, item: HyenaOperator) -> tuple[Op, ...]:
    """Decode convolves one token with the cache; prefill of a medium filter is products, of an endless one an FFT."""
    hidden = run.hidden
    state = Recurrence(heads=hidden, moved=item.state, inputs=3.0 * hidden, outputs=hidden, update=item.token)
    step = recurrence_op(run, item.name, "conv", state, item.layers)
    if run.decode or item.name == "hyena_se":
        return (step,)
    gated = recurrence_op(run, f"{item.name}_gates", "conv", _gates(state, hidden), item.layers)
    return (gated, _blocked(run, conv, item) if item.name == "hyena_mr" else _fourier(run, item))


def _gates(state: Recurrence, hidden: Term) -> Recurrence:
    return Recurrence(
        heads=state.heads, moved=state.moved, inputs=state.inputs, outputs=hidden, update=_GATES * hidden
    )


def _blocked(run: LayerPass, conv: Hyena, item: HyenaOperator) -> Op:
    """Return the two-stage blocked convolution: y_n = H0 x_n + H1 x_(n-1), a pair of l x l Toeplitz matrices a group.

    4 l l d operations for each block of l tokens, l being the length of the filter (arXiv 2503.01868, section 3).
    """
    hidden, block = run.hidden, conv.medium_width
    groups = run.sequences * ceil(run.tokens / block) * conv.groups
    width = hidden / conv.groups
    return Op(
        name=item.name,
        component="conv",
        kind=OpKind.GEMM,
        dtype=run.wide_dtype,
        flops=(4.0 * groups * block * block * width * ONE_OP).named("hyena_mr flops"),
        reads=run.rows * hidden * run.wide,
        writes=run.rows * hidden * run.wide,
        m=block,
        n=width,
        k=2.0 * block,
        groups=groups,
        repeat=item.layers,
        split=Split.HEADS,
    )


def _fourier(run: LayerPass, item: HyenaOperator) -> Op:
    """Return the convolution by FFT over the whole sequence: 10 s log2 s operations of a channel, bound by memory."""
    hidden = run.hidden
    spectra = _SPECTRA * run.rows * hidden * 2.0 * _STATE
    return elementwise_op(
        run,
        item.name,
        "conv",
        reads=run.rows * hidden * run.wide + spectra,
        writes=run.rows * hidden * run.wide + spectra,
        ops=_FFT * run.rows * log2(run.tokens + ONE) * hidden,
        repeat=item.layers,
        split=Split.COLUMN,
        columns=hidden,
        launches=term(3.0),
    )


def _short(run: LayerPass, conv: ShortConv) -> tuple[Op, ...]:
    """Two gates and a filter between two projections (transformers modeling_lfm2.py); filters are read with the first."""
    hidden, rows = run.hidden, run.rows
    own = hidden * conv.conv_width + (4.0 * hidden if conv.bias else NOTHING)
    project = gemm_op(
        run,
        "conv_in",
        "conv",
        m=rows,
        k=hidden,
        n=3.0 * hidden,
        repeat=conv.layers,
        split=Split.COLUMN,
        bias=own,
    )
    state = Recurrence(
        heads=hidden,
        moved=hidden * (conv.conv_width - 1.0) * run.wide,
        inputs=3.0 * hidden,
        outputs=hidden,
        update=(2.0 * conv.conv_width + _GATES) * hidden,
    )
    step = recurrence_op(run, "conv", "conv", state, conv.layers)
    out = gemm_op(
        run, "conv_out", "conv", m=rows, k=hidden, n=hidden, repeat=conv.layers, split=Split.ROW,
        bias=hidden if conv.bias else None,
    )  # fmt: skip
    return (project, step, out)
