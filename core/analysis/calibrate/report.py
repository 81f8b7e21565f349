"""How far off a calibration is on rows that it was not fitted to, as rows of a table."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.calibrate.cross_validation import KERNEL_HOLDOUTS, HeldOutRows
from accelscope.core.numeric.term import Array
from accelscope.core.render.document import Block
from accelscope.core.render.table import Cell, Column, make_table

LONG_KERNEL_SECONDS = 20e-6
"""s from which on a kernel is not ruled by its launch."""


@frozen
class HoldoutError:
    """Errors of one group of rows under one split, as shares of what was measured.

    Attributes:
        split: what was left out of the fit: `configuration`, `device` or `family`.
        points: rows above 20 us; shorter ones are predicted, but say little.
        bias: median of the logarithm of predicted over measured.
    """

    group: str
    split: str
    points: int
    median_ape: float
    p90_ape: float
    bias: float


def compute_holdout_errors(found: Sequence[HeldOutRows]) -> list[HoldoutError]:
    """Return the errors of all rows, then by class of kernel and by device, for each split."""
    groups: dict[str, list[HeldOutRows]] = {"all": list(found)}
    for item in found:
        subject = item.sample.subject
        groups.setdefault(f"{subject.kernel} {subject.dtype} {subject.stored}", []).append(item)
    for item in found:
        groups.setdefault(item.sample.device, []).append(item)
    rows = (_error(name, split, items) for name, items in groups.items() for split in KERNEL_HOLDOUTS)
    return [row for row in rows if row is not None]


def _error(group: str, split: str, found: Iterable[HeldOutRows]) -> HoldoutError | None:
    chosen = [item for item in found if item.split == split]
    if not chosen:
        return None
    residuals: Array = np.concatenate([item.residuals for item in chosen])
    residuals = residuals[np.concatenate([item.sample.measured for item in chosen]) > LONG_KERNEL_SECONDS]
    return summarize_residuals(group, split, residuals) if len(residuals) else None


def summarize_residuals(group: str, split: str, residuals: Array, *, rates: bool = False) -> HoldoutError:
    """Return the errors of a group of rows.

    Args:
        group: name of the group.
        split: what was left out of the fit: `configuration`, `device` or `family`.
        residuals: logarithms of predicted over measured times, at least one.
        rates: whether the rows measured rates, so that the shares are of those.
    """
    ape = np.abs(np.expm1(-residuals if rates else residuals))
    return HoldoutError(
        group=group,
        split=split,
        points=len(residuals),
        median_ape=float(np.median(ape)),
        p90_ape=float(np.quantile(ape, 0.9)),
        bias=float(np.median(residuals)),
    )


def holdout_errors_to_records(found: Sequence[HoldoutError]) -> list[Mapping[str, object]]:
    """Return errors as plain objects, for JSON."""
    return [
        {
            "group": item.group,
            "left_out": item.split,
            "points": item.points,
            "median_ape": item.median_ape,
            "p90_ape": item.p90_ape,
            "bias": item.bias,
        }
        for item in found
    ]


_COLUMNS = (
    Column("group", wraps=True),
    Column("left_out", title="LEFT OUT"),
    Column("points", align="right"),
    Column("median_ape", title="MEDIAN APE", align="right"),
    Column("p90_ape", title="P90 APE", align="right"),
    Column("bias", align="right", doc="median of predicted over measured, less one"),
)


def build_holdout_blocks(found: Sequence[HoldoutError]) -> Iterator[Block]:
    """Yield the error on rows that were left out of the fit, in one sentence, and the table of all groups.

    Args:
        found: errors by group and split, those of all rows first.
    """
    whole = [item for item in found if item.group == "all"] or list(found[:1])
    if not whole:
        yield "no row was left out of the fit, so its error is not known"
        return
    shares = ", ".join(f"{item.median_ape:.1%} with its {item.split} left out" for item in whole)
    yield f"median error of what was not fitted: {shares}"
    rows = [
        (
            item.group,
            item.split,
            item.points,
            Cell(f"{item.median_ape:.1%}", item.median_ape),
            Cell(f"{item.p90_ape:.1%}", item.p90_ape),
            Cell(f"{np.expm1(item.bias):+.1%}", item.bias),
        )
        for item in found
    ]
    yield make_table(_COLUMNS, rows)
