"""Predictions against measurements: errors and coverage, of all points and by what they have in common. Pure.

The error of a point is APE = |predicted / measured - 1|. Points are rows of score 1 with a measured value; others are
predicted, but not scored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.numeric.term import Array

GROUP_COLUMNS = ("source", "hw", "model", "op", "metric", "tier", "engine")
"""Columns that errors are also given by."""


@frozen(kw_only=True, eq=False)
class ScoredTable:
    """A table with its predictions, and which of its rows are points."""

    table: MeasurementTable
    prediction: Prediction
    points: Array

    @property
    def measured(self) -> Array:
        """The measured value of each row."""
        return self.table.number(self.table.layout.measured)

    @property
    def predicted(self) -> Array:
        """Which rows are points that are predicted."""
        return np.asarray(self.points & (self.prediction.reasons == ""))


@frozen(kw_only=True)
class PredictionErrors:
    """The errors of some points; None where none of them is predicted.

    Attributes:
        points: number of points.
        predicted: number of points that are predicted.
        coverage: share of the predicted whose measured value lies between low and high.
    """

    points: int
    predicted: int
    median_ape: float | None
    mean_ape: float | None
    p90_ape: float | None
    median_abs_log_ratio: float | None
    coverage: float | None


@frozen(kw_only=True)
class ValidationSummary:
    """All that is said of predictions against measurements.

    Attributes:
        skip_reasons: reason to number of points.
        unscored_rows: rows that are no points, and how many of them are predicted.
        origins: what the kernels' parameters were measured on, to number of predicted points.
        groups: column to value to errors.
    """

    errors: PredictionErrors
    skip_reasons: Mapping[str, int]
    unscored_rows: Mapping[str, int]
    origins: Mapping[str, int]
    groups: Mapping[str, Mapping[str, PredictionErrors]]


def score_table(table: MeasurementTable, prediction: Prediction, above: float = 0.0) -> ScoredTable:
    """Return a table with its predictions and its points.

    Args:
        table: table of measurements.
        prediction: predictions of its rows.
        above: us that a kernel has to take to be a point.
    """
    measured = table.number(table.layout.measured)
    points = (table.number("score") == 1) & np.isfinite(measured)
    if table.layout.kind == "ops":
        points &= measured > above
    return ScoredTable(table=table, prediction=prediction, points=points)


def summarize_validation(parts: Sequence[ScoredTable]) -> ValidationSummary:
    """Return errors, reasons and groups of several tables."""
    skipped: Counter[str] = Counter()
    origins: Counter[str] = Counter()
    for part in parts:
        skipped.update(part.prediction.reasons[part.points & ~part.predicted])
        origins.update(part.prediction.origins[part.predicted])
    rest = [~part.points for part in parts]
    return ValidationSummary(
        errors=_errors(parts, [part.points for part in parts]),
        skip_reasons=dict(skipped.most_common()),
        unscored_rows={
            "rows": sum(int(rows.sum()) for rows in rest),
            "predicted": sum(
                int((rows & (part.prediction.reasons == "")).sum())
                for part, rows in zip(parts, rest, strict=True)
            ),
        },
        origins={name: count for name, count in origins.most_common() if name},
        groups={name: found for name in GROUP_COLUMNS if (found := dict(_grouped(parts, name)))},
    )


def absolute_percentage_errors(part: ScoredTable) -> Array:
    """Return the absolute percentage error of each row as a share; NaN where it is not predicted."""
    return np.asarray(np.abs(part.prediction.value / part.measured - 1.0))


def _grouped(parts: Sequence[ScoredTable], column: str) -> Iterator[tuple[str, PredictionErrors]]:
    having = [part for part in parts if column in part.table.columns]
    values = sorted({str(value) for part in having for value in part.table.text(column)[part.points]})
    for value in values:
        rows = [part.points & (part.table.text(column) == value) for part in having]
        yield value or "(none)", _errors(having, rows)


def _errors(parts: Sequence[ScoredTable], rows: Sequence[Array]) -> PredictionErrors:
    """Return the errors of some points of each part."""
    used = [mask & part.predicted for part, mask in zip(parts, rows, strict=True)]
    ratios = _joined(
        [(part.prediction.value / part.measured)[mask] for part, mask in zip(parts, used, strict=True)]
    )
    inside = _joined(
        [
            ((part.prediction.low <= part.measured) & (part.measured <= part.prediction.high))[mask]
            for part, mask in zip(parts, used, strict=True)
        ]
    )
    points = sum(int(mask.sum()) for mask in rows)
    if not ratios.size:
        return PredictionErrors(points=points, predicted=0, **dict.fromkeys(_MEASURES))
    errors = np.abs(ratios - 1.0)
    with np.errstate(divide="ignore"):
        logs = np.abs(np.log(ratios))
    return PredictionErrors(
        points=points,
        predicted=int(ratios.size),
        median_ape=float(np.median(errors)),
        mean_ape=float(np.mean(errors)),
        p90_ape=float(np.quantile(errors, 0.9)),
        median_abs_log_ratio=float(np.median(logs)),
        coverage=float(np.mean(inside)),
    )


_MEASURES = ("median_ape", "mean_ape", "p90_ape", "median_abs_log_ratio", "coverage")


def _joined(arrays: Sequence[Array]) -> Array:
    return np.concatenate(arrays) if arrays else np.array([])
