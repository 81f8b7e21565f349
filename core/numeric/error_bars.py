"""Error bars from tolerances: each uncertain input gets a place in one extra, last array dimension.

Place 0 of that dimension is the nominal evaluation; in place j input j stands one standard deviation higher. One pass
over the arrays thus gives every sensitivity at once, and correlated uses of one input stay correlated. The variance of
the logarithm of a metric is the sum of the squared changes: first order, independent inputs. `±` is half of a 95 %
interval, so a standard deviation is that over 1.96; low and high are the 10th and 90th percentile, 1.2816 deviations.
The last place is that of the floor, where every operation runs at full peaks: no bar reaches beyond it.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from attrs import define, field

from accelscope.core.numeric.term import Array
from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.values.values import Quantity

INTERVAL_95_SIGMAS = 1.96
"""Standard deviations in half of a 95 % interval of a normal distribution."""
PERCENTILE_90_SIGMAS = 1.2816
"""Standard deviations between the median and the 90th percentile of a normal distribution."""


@define
class UncertainInputs:
    """The uncertain values that a description uses, in the order of first use.

    A first evaluation notes them; after `freeze` a second one gets arrays.

    Attributes:
        places: file and offset of each to its place; the models' own error and the floor come behind them.
        dimensions: array dimensions of the evaluation, the one for uncertainty included.
    """

    dimensions: int
    places: dict[tuple[str, int], int] = field(factory=dict)
    frozen: bool = False

    def vary(self, quantity: Quantity, span: Span) -> Any:
        """Return the magnitude to use for a value with a tolerance."""
        tolerance = quantity.tolerance
        if tolerance is None or tolerance.half_width is None:
            return quantity.magnitude
        key = (span.source.name, span.start)
        if not self.frozen:
            self.places.setdefault(key, len(self.places) + 1)
            return quantity.magnitude
        if key not in self.places:
            return quantity.magnitude
        step = self._step(self.places[key], float(np.max(tolerance.half_width)) / INTERVAL_95_SIGMAS)
        return quantity.magnitude + step

    def freeze(self) -> UncertainInputs:
        """Return the same inputs, ready to give arrays."""
        return UncertainInputs(self.dimensions, self.places, frozen=True)

    @property
    def size(self) -> int:
        """Length of the last dimension: the nominal place, each input, the error of the models, the floor."""
        return len(self.places) + 3

    def model_error(self) -> Array:
        """Return 1 at the place that stands for the error of the models, 0 elsewhere."""
        return self._step(self.size - 2, 1.0)

    def at_floor(self) -> Array:
        """Return where the place of the floor is."""
        return self._step(self.size - 1, 1.0) > 0

    def _step(self, place: int, amount: float) -> Array:
        step = np.zeros(self.size)
        step[place] = amount
        return step.reshape((1,) * (self.dimensions - 1) + (self.size,))


def compute_error_bars(values: Array) -> tuple[Array, Array, Array]:
    """Return (nominal, low, high) of a metric whose last dimension is that of the uncertain inputs."""
    nominal = values[..., 0]
    with np.errstate(all="ignore"):
        change = np.log(np.abs(values[..., 1:-1])) - np.log(np.abs(nominal))[..., None]
        spread = np.sqrt(np.sum(np.square(np.nan_to_num(change)), axis=-1))
        factor = np.exp(PERCENTILE_90_SIGMAS * spread)
    ends = nominal / factor, nominal * factor
    low, high, floor = np.minimum(*ends), np.maximum(*ends), values[..., -1]
    low = np.where(floor < nominal, np.maximum(low, floor), low)
    return nominal, low, np.where(floor > nominal, np.minimum(high, floor), high)
