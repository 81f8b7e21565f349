"""Systolic arrays: cycles from the published closed form, spread over all arrays of a device."""

from __future__ import annotations

from typing import Any

from accelscope.core.ir.hardware import Device, Part
from accelscope.core.ir.operation import Op
from accelscope.core.ir.usage import Usage
from accelscope.core.ir.vocabulary import OpKind
from accelscope.core.numeric.dtypes import bytes_per_element
from accelscope.core.numeric.term import Term, maximum, minimum, term
from accelscope.core.plugin.records import ComputeModel
from accelscope.core.spec.spec import choice, flag, fraction, listing, quantity, spec
from accelscope.plugins.compute import matrix
from accelscope.plugins.compute.engine import OP_UNIT, arithmetic_energy, dense_peak, pick_size, require_peak
from accelscope.plugins.compute.tiling import count_rounds, count_splits, count_tiles

_ONE_CYCLE = term(1.0, "cycle")


@spec(kind="engine", select={"kind": ("systolic",)}, default=False)
class SystolicArray(matrix.MatrixEngine):
    """A systolic array of `shape`; without a shape its instruction `tile` stands for a matrix engine of a core."""

    kind: str | None = choice("systolic", doc="type of engine", optional=True)
    shape: Any = listing("", doc="[rows, columns] of multipliers in one array")
    dataflow: str | None = choice(
        "weight_stationary",
        "output_stationary",
        "input_stationary",
        doc="dataflow, named by the operand that stays in the array",
        default="weight_stationary",
        source="Jouppi et al., In-Datacenter Performance Analysis of a Tensor Processing Unit, ISCA 2017, section 2",
    )
    double_buffered: bool | None = flag(
        doc="whether the next stationary tile is loaded during computation",
        default=True,
        source="Jouppi et al., ISCA 2017, section 2: the matrix unit holds a second tile of weights to hide the load",
    )
    stationary_load_rate: Term | None = quantity(
        "B/cycle",
        aliases=("load",),
        doc="load bandwidth of the stationary operand of one array; if absent, one row per cycle",
        gt=0,
        optional=True,
    )
    array_efficiency: Term = fraction(
        doc="ideal over actual cycles of a large product",
        default=0.89,
        source="stas00/ml-engineering, best matmul over the peak at the shipped clock: mean of Gaudi 2 (96.9 %) and "
        "Gaudi 3 (81 %)",
    )


def systolic_cycles(m: Term, n: Term, k: Term, rows: Term, columns: Term, dataflow: str) -> Term:
    """Return the cycles of one (m x k) by (k x n) product on one array, filled and drained for each fold.

    folds x (fill and drain + T) - 1, with the two sizes that lie across the array (S_R, S_C) and the one that
    streams (T): output stationary (m, n; k) takes R + C + T - 2 a fold, weight stationary (k, n; m) and input
    stationary (k, m; n) load the stationary operand first and take 2 R + C + T - 2. Source: Samajdar et al., "A
    systematic methodology for characterizing scalability of DNN accelerators using SCALE-Sim", ISPASS 2020; exact for
    the cycles of SCALE-Sim 3.0.0, which overlaps the drain of an output-stationary fold with its skew.
    """
    across_rows, across_columns, streamed = _mapped(m, n, k, dataflow)
    folds = count_tiles(across_rows, rows) * count_tiles(across_columns, columns)
    loading = rows if dataflow != "output_stationary" else rows * 0.0
    return maximum(folds * (loading + rows + columns + streamed - 2.0) - 1.0, 0.0)


def cost_systolic_op(part: Part[Any], op: Op, device: Device) -> Usage:
    """Return what an operation costs on all arrays of a device; without a shape, as a matrix engine."""
    if not part.spec.shape:
        return matrix.cost_matrix_op(part, op, device)
    rate = require_peak(dense_peak(part, op.dtype), part, op.dtype) / part.count
    rows, columns = pick_size(part.spec.shape, 0, 1.0), pick_size(part.spec.shape, 1, 1.0)
    a_cycle = rows * columns * OP_UNIT * 2.0 / rate
    loading = _loading(part, op.dtype, rows, columns, a_cycle)
    filling = _filling(part, rows, columns, a_cycle)
    if op.kind == OpKind.ATTENTION:
        taken = _attention(part, op, loading, filling)
    else:
        taken = _product(part, op, (op.m, op.n, op.k), loading, filling)
    time = taken.named("array cycles") * a_cycle / part.spec.array_efficiency
    return Usage(time=time.named(f"{part.name} time"), energy=arithmetic_energy(part, op))


def _loading(part: Part[Any], dtype: str, rows: Term, columns: Term, a_cycle: Term) -> Term:
    """Return the array cycles that loading one stationary tile takes: a row each, or its bytes at the given width."""
    given: Term | None = part.spec.stationary_load_rate
    if given is None or part.clock is None:
        return rows
    tile = rows * columns * term(bytes_per_element(dtype), "B")
    return (tile / (given * part.clock) / a_cycle).named("cycles of loading a tile")


def _filling(part: Part[Any], rows: Term, columns: Term, a_cycle: Term) -> Term:
    """Return the array cycles of filling and draining: operands move one place a clock, whatever the data type's rate."""
    places = rows + columns - 2.0
    if part.clock is None:
        return places
    return (places / part.clock * _ONE_CYCLE / a_cycle).named("cycles of filling and draining")


def _attention(part: Part[Any], op: Op, loading: Term, filling: Term) -> Term:
    """Scores (m x k by k x n) and values (m x n by n x k); masked halves are skipped in proportion to the flops."""
    both = _product(part, op, (op.m, op.n, op.k), loading, filling) + _product(
        part, op, (op.m, op.k, op.n), loading, filling
    )
    full = maximum(op.groups * op.m * op.n * op.k * OP_UNIT * 4.0, OP_UNIT)
    return both * minimum(op.flops / full, 1.0).named("unmasked share")


def _product(part: Part[Any], op: Op, sizes: tuple[Term, Term, Term], loading: Term, filling: Term) -> Term:
    """Cycles of `groups` products on all arrays at once.

    Whole folds go to different arrays; where there are fewer folds than arrays, the streamed size is divided too. With
    double buffering a fold takes the longer of streaming (T) and loading (R cycles, or `stationary_load_rate`), and the pipeline fills and drains once.
    """
    rows, columns = pick_size(part.spec.shape, 0, 1.0), pick_size(part.spec.shape, 1, 1.0)
    across_rows, across_columns, streamed = _mapped(*sizes, part.spec.dataflow)
    folds = op.groups * count_tiles(across_rows, rows) * count_tiles(across_columns, columns)
    parts = count_splits(folds, part.count, streamed / rows)
    turns = count_rounds(folds * parts, part.count).named("folds of an array")
    stream = streamed / parts
    if part.spec.double_buffered:
        busy = turns * maximum(stream, loading) + minimum(turns, 1.0) * filling
    else:
        first = loading if part.spec.dataflow != "output_stationary" else rows * 0.0
        busy = turns * (first + filling + stream)
    return busy * minimum(streamed, 1.0)


def _mapped(m: Term, n: Term, k: Term, dataflow: str) -> tuple[Term, Term, Term]:
    if dataflow == "output_stationary":
        return m, n, k
    return (k, n, m) if dataflow == "weight_stationary" else (k, m, n)


SYSTOLIC = ComputeModel(
    name="systolic",
    doc="Systolic arrays: folds, fill and drain of the closed form, over all arrays of a device.",
    spec=SystolicArray,
    kinds=("gemm", "grouped_gemm", "attention"),
    peak=dense_peak,
    run=cost_systolic_op,
)
