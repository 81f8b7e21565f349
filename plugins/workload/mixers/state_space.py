"""Layers with a state space: h = a h + dt B x, y = C h + D x for each channel, a being one number of a head in Mamba-2.

Mamba (arXiv 2312.00752), section 3; Mamba-2 (arXiv 2405.21060), sections 6 and 7.
"""

from __future__ import annotations

from functools import partial

from accelscope.core.ir.constants import NOTHING
from accelscope.core.ir.layer import LayerPass
from accelscope.core.ir.operation import Op
from accelscope.core.ir.vocabulary import KernelClass, Split
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, term
from accelscope.core.workload.op_builders import elementwise_op, gemm_op
from accelscope.plugins.workload.mixers.recurrent_state import (
    Recurrence,
    recurrence_op,
    scan_op,
    short_convolution_op,
)
from accelscope.plugins.workload.mixers.spec import Mamba1, Mamba2

_UPDATE_1 = 8.0  # of a state: decay (2: product, exponential), input (2), update (2), output (2)
_UPDATE_2 = 6.0  # of a state: decay (1), input (2), sum (1), output (2)
_NORM = 8.0  # gate and normalisation of the output


def ssm_ops(run: LayerPass, ssm: Mamba1 | Mamba2) -> tuple[Op, ...]:
    """Return the operations of all layers with a state space."""
    return _mamba1(run, ssm) if isinstance(ssm, Mamba1) else _mamba2(run, ssm)


def ssm_state(ssm: Mamba1 | Mamba2, wide: Term) -> Term:
    """Return the bytes of one sequence in one layer: states of all channels, and the last inputs of the filter."""
    channels = inner_channels(ssm)
    filtered = channels if isinstance(ssm, Mamba1) else _mixed(ssm)
    return (
        channels * ssm.state_dim * term(bytes_per_element(ssm.state_dtype), "B")
        + filtered * (ssm.conv_width - 1.0) * wide
    )


def ssm_parameters(hidden: Term, ssm: Mamba1 | Mamba2) -> Term:
    """Return the parameters of one layer: projections, filter with bias, decays, skips, step sizes, normalisations."""
    inner = inner_channels(ssm)
    if isinstance(ssm, Mamba2):
        projected = hidden * (2.0 * inner + _mixed(ssm) - inner + ssm.heads)
        return projected + _mixed(ssm) * (ssm.conv_width + 1.0) + 3.0 * ssm.heads + inner + inner * hidden
    selected = ssm.dt_rank + 2.0 * ssm.state_dim
    steps = inner * selected + ssm.dt_rank * inner + inner
    norms = selected if ssm.inner_norms else NOTHING
    own = inner * (ssm.conv_width + 1.0) + inner * ssm.state_dim + inner
    return 2.0 * hidden * inner + own + steps + norms + inner * hidden


def inner_channels(ssm: Mamba1 | Mamba2) -> Term:
    """Return the channels of a layer."""
    return ssm.inner_dim if isinstance(ssm, Mamba1) else ssm.heads * ssm.head_dim


def _mixed(ssm: Mamba2) -> Term:
    """Return the channels that go through the short convolution: x, B and C."""
    return ssm.heads * ssm.head_dim + 2.0 * ssm.groups * ssm.state_dim


def _mamba2(run: LayerPass, ssm: Mamba2) -> tuple[Op, ...]:
    hidden, rows, repeat = run.hidden, run.rows, ssm.layers
    inner, mixed = inner_channels(ssm), _mixed(ssm)
    project = gemm_op(
        run, "ssm_in", "ssm", m=rows, k=hidden, n=inner + mixed + ssm.heads, repeat=repeat, split=Split.COLUMN
    )  # fmt: skip
    convolve = short_convolution_op(
        run, "ssm_conv", "ssm", channels=mixed, width=ssm.conv_width, own=mixed * (ssm.conv_width + 1.0) + 3.0 * ssm.heads,
        repeat=repeat,
    )  # fmt: skip
    norm = elementwise_op(
        run,
        "ssm_norm",
        "ssm",
        reads=2.0 * rows * inner * run.wide,
        writes=rows * inner * run.gemm_input_bytes,
        ops=_NORM * rows * inner,
        weights=inner * run.outer,
        repeat=repeat,
        split=Split.COLUMN,
        columns=inner,
    )
    out = gemm_op(run, "ssm_out", "ssm", m=rows, k=inner, n=hidden, repeat=repeat, split=Split.ROW)
    return (project, convolve, _scan(run, ssm), norm, out)


def _scan(run: LayerPass, ssm: Mamba2) -> Op:
    inner = inner_channels(ssm)
    found = Recurrence(
        heads=ssm.heads,
        moved=ssm_state(ssm, run.wide),
        inputs=_mixed(ssm) + ssm.heads,
        outputs=inner,
        update=_UPDATE_2 * inner * ssm.state_dim,
        kernel=KernelClass.SCAN,
    )
    token = partial(mamba2_token_ops, ssm)
    return scan_op(run, "ssm_scan", "ssm", found, chunk=ssm.chunk_size, token=token, repeat=ssm.layers)


def mamba2_token_ops(ssm: Mamba2, chunk: Term) -> Term:
    """Return the operations of one token in a chunk of C: 2 C N a group, and 2 C P + 4 N P a head.

    C B' of each group, its product with x, the state of a chunk and the output of the state (arXiv 2405.21060, 6.2).
    """
    inner = inner_channels(ssm)
    return 2.0 * chunk * ssm.state_dim * ssm.groups + 2.0 * chunk * inner + 4.0 * ssm.state_dim * inner


def _mamba1(run: LayerPass, ssm: Mamba1) -> tuple[Op, ...]:
    """The decay differs for each channel and state, so prefill is the plain recurrence, on vector engines."""
    hidden, rows, repeat, inner = run.hidden, run.rows, ssm.layers, ssm.inner_dim
    selected = ssm.dt_rank + 2.0 * ssm.state_dim
    project = gemm_op(
        run, "ssm_in", "ssm", m=rows, k=hidden, n=2.0 * inner, repeat=repeat, split=Split.COLUMN
    )
    convolve = short_convolution_op(
        run, "ssm_conv", "ssm", channels=inner, width=ssm.conv_width, own=inner * (ssm.conv_width + 2.0 + ssm.state_dim), repeat=repeat
    )  # fmt: skip
    select = gemm_op(run, "ssm_select", "ssm", m=rows, k=inner, n=selected, repeat=repeat, split=Split.ROW)
    norms = elementwise_op(
        run,
        "ssm_norms",
        "ssm",
        reads=rows * selected * run.wide,
        writes=rows * selected * run.wide,
        ops=_NORM * rows * selected,
        weights=selected * run.outer,
        repeat=repeat,
    )
    steps = gemm_op(
        run, "ssm_steps", "ssm", m=rows, k=ssm.dt_rank, n=inner, repeat=repeat, split=Split.COLUMN, bias=inner
    )  # fmt: skip
    found = Recurrence(
        heads=inner,
        moved=ssm_state(ssm, run.wide),
        inputs=3.0 * inner + 2.0 * ssm.state_dim,
        outputs=inner,
        update=_UPDATE_1 * inner * ssm.state_dim,
    )
    scan = recurrence_op(run, "ssm_scan", "ssm", found, repeat)
    out = gemm_op(run, "ssm_out", "ssm", m=rows, k=inner, n=hidden, repeat=repeat, split=Split.ROW)
    between = (select, norms, steps) if ssm.inner_norms else (select, steps)
    return (project, convolve, *between, scan, out)
