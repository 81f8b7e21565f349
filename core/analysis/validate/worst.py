"""The rows that are predicted worst, each with a command that shows how its prediction comes about."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.validate.kernel_rows import KERNEL_ROW_MAPPINGS
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.scenario_text import format_row_scenario
from accelscope.core.analysis.validate.score import ScoredTable
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.numeric.term import Array

_MOST_ROWS = 20
_SIZES = ("tokens", "hidden", "topk")
_UNITS: Mapping[str, str] = {"ops": "us"}


@frozen(kw_only=True)
class WorstRow:
    """A row whose prediction is far off.

    Attributes:
        what: the operation, or model and metric, with the sizes of the row.
        command: shell command that explains the prediction, or predicts the row alone.
    """

    id: str
    source: str
    hw: str
    what: str
    unit: str
    measured: float
    predicted: float
    command: str

    @property
    def ratio(self) -> float:
        """Predicted over measured."""
        return self.predicted / self.measured


def find_worst_rows(
    parts: Sequence[ScoredTable], names: LibraryNames, most: int = _MOST_ROWS
) -> tuple[WorstRow, ...]:
    """Return the points that are off by the largest factor, the worst first."""
    ranked: list[tuple[float, int, int]] = []
    for at, part in enumerate(parts):
        used = np.flatnonzero(part.predicted)
        with np.errstate(divide="ignore"):
            off = np.abs(np.log((part.prediction.value / part.measured)[used]))
        order = np.argsort(-off, kind="stable")[:most]
        ranked += [(float(off[place]), at, int(used[place])) for place in order]
    ranked.sort(key=lambda item: -item[0])
    return tuple(_worst(parts[at], row, names) for _, at, row in ranked[:most])


def _worst(part: ScoredTable, row: int, names: LibraryNames) -> WorstRow:
    table = part.table
    unit = _UNITS.get(table.layout.kind) or str(table.text("unit")[row])
    return WorstRow(
        id=str(table.text("id")[row]),
        source=str(table.text("source")[row]),
        hw=str(table.text("hw")[row]),
        what=format_row_label(table, row),
        unit=unit,
        measured=float(part.measured[row]),
        predicted=float(part.prediction.value[row]),
        command=format_row_command(table, row, names),
    )


def format_row_command(table: MeasurementTable, row: int, names: LibraryNames) -> str:
    """Return a shell command that explains the prediction of a row, or else predicts it alone."""
    file = str(table.places[row]).rpartition(":")[0]
    alone = f"accelscope validate {file} --where id={table.text('id')[row]}"
    found = format_row_scenario(table, row, names)
    if found is not None:
        metric, text = found
        return f"accelscope explain - {metric} <<'END'\n{text}END"
    return f"{alone} --explain" if table.layout.kind == "ops" else alone


def format_row_label(table: MeasurementTable, row: int) -> str:
    """Return what a row measures and its sizes, such as `gemm m=16 n=4096 k=4096 bf16 vllm`."""
    kernels = table.layout.kind == "ops"
    words = ("op", "dtype", "engine") if kernels else ("model", "metric", "weights_dtype", "engine")
    named = [str(table.text(name)[row]) for name in words]
    left_out = ("year", "score", "power_w", table.layout.measured)
    sizes = [
        f"{name}={table.number(name)[row]:g}"
        for name in table.layout.number
        if name not in left_out and np.isfinite(table.number(name)[row])
    ]
    return " ".join((named[0], *sizes, *(word for word in named[1:] if word)))


def compute_row_sizes(table: MeasurementTable) -> Array:
    """Return one number for the size of each row: the product of its sizes, or the bytes of a collective."""
    if table.layout.kind == "e2e":
        tokens = np.nan_to_num(table.number("isl")) + np.nan_to_num(table.number("osl"))
        return np.asarray(np.fmax(tokens, 1.0) * np.fmax(table.number("batch_or_concurrency"), 1.0))
    size = np.ones(len(table))
    for (op,), places in table.groups("op"):
        columns = (
            tuple(KERNEL_ROW_MAPPINGS[op].columns.values())
            if op in KERNEL_ROW_MAPPINGS
            else ("bytes", *_SIZES)
        )
        for column in columns:
            values = table.number(column)[places]
            size[places] *= np.where(np.nan_to_num(values) > 0, values, 1.0)
    return size
