"""What predicts measurements: the seam between tables of measurements and the models.

A predictor takes all rows of its sort at once and works on whole groups of rows as arrays; it never guesses: what it
cannot predict, it skips with a reason. `PREDICTORS` lists them by the tier of end-to-end rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from importlib import import_module
from typing import Protocol

import numpy as np
from attrs import define

from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.table import MeasurementTable
from accelscope.core.numeric.error_bars import PERCENTILE_90_SIGMAS
from accelscope.core.numeric.term import Array


@define(eq=False)
class Prediction:
    """What is predicted of the rows of a table, in the order of its rows.

    Attributes:
        value: in the unit of the row's measured column; NaN where a row is skipped.
        low, high: 10th and 90th percentile.
        reasons: why a row is skipped, "" where it is predicted.
        origins: what the parameters of the kernels were measured on: `device`, `family`, `model`, `given` or `none`; ""
            where that is not said.
    """

    value: Array
    low: Array
    high: Array
    reasons: Array
    origins: Array

    @classmethod
    def empty(cls, rows: int, reason: str = "not predicted") -> Prediction:
        """Return a prediction that skips every row, to be filled."""
        return cls(
            value=np.full(rows, np.nan),
            low=np.full(rows, np.nan),
            high=np.full(rows, np.nan),
            reasons=np.full(rows, reason, dtype=object),
            origins=np.full(rows, "", dtype=object),
        )

    def put(self, places: Array, value: Array, spread: Array | float, origin: str = "") -> None:
        """Predict some rows, with a lognormal error: low and high are at 1.28 standard deviations of the logarithm.

        Args:
            places: of the rows.
            value: predicted value of each of these rows, in the unit of the table.
            spread: standard deviation of the logarithm of measured over predicted.
            origin: what the parameters of the kernels were measured on, or "".
        """
        factor = np.exp(PERCENTILE_90_SIGMAS * np.asarray(spread))
        self.value[places] = value
        self.low[places] = value / factor
        self.high[places] = value * factor
        self.reasons[places] = np.where(np.isfinite(value), "", "no finite prediction")
        self.value[places] = np.where(np.isfinite(value), value, np.nan)
        self.origins[places] = origin

    def skip(self, places: Array, reason: str) -> None:
        """Skip some rows."""
        self.value[places] = np.nan
        self.reasons[places] = reason or "not predicted"

    def update(self, places: Array, other: Prediction) -> None:
        """Take over what was predicted of some rows."""
        for name in ("value", "low", "high", "reasons", "origins"):
            getattr(self, name)[places] = getattr(other, name)


class Predictor(Protocol):
    """Predicts every row of a table, or says why not."""

    def __call__(self, rows: MeasurementTable, names: LibraryNames) -> Prediction:
        """Return the prediction of each row.

        Args:
            rows: rows of the sort that it predicts, of any source, device and model.
            names: devices, systems and models of the library by their names in the table, and the registry.
        """
        ...


PREDICTORS: Mapping[str, str] = {
    "A": "static_batch:predict_static_batch_rows",
    "P": "static_batch:predict_static_batch_rows",
    "B": "serving:predict_serving_rows",
    "C": "serving:predict_serving_rows",
    "G": "serving:predict_serving_rows",
    "T": "training:predict_training_rows",
}
"""Tier of end-to-end rows to its `Predictor`, as `module:function` of this package."""


def predict_rows(rows: MeasurementTable, names: LibraryNames) -> Prediction:
    """Return the prediction of each row of a table of either layout."""
    if rows.layout.kind == "ops":
        from accelscope.core.analysis.validate.kernels import predict_kernel_rows as kernels

        return kernels(rows, names)
    found = Prediction.empty(len(rows))
    for (tier,), places in rows.groups("tier"):
        predictor = load_predictor(tier)
        if predictor is None:
            found.skip(places, f"tier {tier} is not predicted yet")
            continue
        found.update(places, predictor(rows.take(places), names))
    return found


def load_predictor(tier: str) -> Predictor | None:
    """Return what predicts a tier of end-to-end rows, or None if nothing does."""
    if tier not in PREDICTORS:
        return None
    module, _, function = PREDICTORS[tier].partition(":")
    predictor: Predictor = getattr(import_module(f"{__package__}.{module}"), function)
    return predictor
