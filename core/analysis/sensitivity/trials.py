"""Which values each parameter is tried at: a little less and more, a tenth less and more, and a count by one."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

import numpy as np
from attrs import define, field

from accelscope.core.analysis.sensitivity.parameters import ParameterKey, ParameterReading
from accelscope.core.errors import UsageError
from accelscope.core.numeric.axes import reshape_along
from accelscope.core.numeric.term import Array
from accelscope.dsl.diagnostics.suggest import did_you_mean

ELASTICITY_STEP = 0.01
"""Share by which a parameter is moved for an elasticity: small beside what changes a bottleneck, large beside rounding."""
LARGE_STEP = 0.1
"""Share of the larger change whose effect is printed."""
TRIAL_KINDS = ("down", "up", "less", "more", "fewer", "another")


@define(eq=False)
class Trials:
    """Variants of the parameters along one dimension, whose place 0 is the description as it is.

    Attributes:
        ratios: by kind of trial, what each parameter is multiplied by; NaN where its field does not allow it.
        places: by kind of trial, where along the dimension.
        size: length of the dimension.
    """

    keys: tuple[ParameterKey, ...]
    ratios: dict[str, Array] = field(factory=dict)
    places: dict[str, Array] = field(factory=dict)
    size: int = 1

    def factors(self, dimensions: int) -> Mapping[ParameterKey, Array]:
        """Return for each parameter what multiplies it along the last dimension: 1 but at its own trials.

        Args:
            dimensions: of the arrays.
        """
        found = {}
        for row, key in enumerate(self.keys):
            factor = np.ones(self.size)
            for name in TRIAL_KINDS:
                if self.places[name][row]:
                    factor[self.places[name][row]] = self.ratios[name][row]
            found[key] = reshape_along(factor, dimensions - 1, dimensions)
        return found

    def taken(self, values: Array, name: str) -> Array:
        """Return what a metric is at the trials of a kind: the parameters first, then the other dimensions.

        Args:
            values: with the dimension of the trials last; NaN is returned where a parameter has no such trial.
            name: kind of trial, such as `less` or `more`.
        """
        found = np.moveaxis(values[..., self.places[name]], -1, 0)
        missing = (self.places[name] == 0).reshape(-1, *(1,) * (found.ndim - 1))
        return np.where(missing, np.nan, found)


def build_trials(parameters: Mapping[ParameterKey, ParameterReading]) -> Trials:
    """Return the trials of parameters, in their order."""
    made = Trials(tuple(parameters))
    notes = tuple(parameters.values())
    for name in TRIAL_KINDS:
        ratios = np.array([_ratio(item, name) for item in notes], dtype=float)
        there = np.isfinite(ratios)
        places = np.zeros(len(notes), dtype=int)
        places[there] = made.size + np.arange(int(there.sum()))
        made.ratios[name], made.places[name] = ratios, places
        made.size += int(there.sum())
    return made


def _ratio(item: ParameterReading, name: str) -> float:
    """Return what a trial multiplies a parameter by, or NaN where it is not tried."""
    if name in ("fewer", "another"):
        step = 1.0 if name == "another" else -1.0
        ratio = 1.0 + step / item.value if item.whole and item.value > 1.0 - step else np.nan
    else:
        ratio = {
            "down": 1.0 / (1.0 + ELASTICITY_STEP),
            "up": 1.0 + ELASTICITY_STEP,
            "less": 1.0 - LARGE_STEP,
            "more": 1.0 + LARGE_STEP,
        }[name]
    return ratio if item.allows(item.value * ratio) else float("nan")


def select_parameters(
    noted: Mapping[ParameterKey, ParameterReading], paths: Iterable[str] | None, names: Sequence[str]
) -> dict[ParameterKey, ParameterReading]:
    """Return the parameters whose path is one of some, or ends in one of them; all without any.

    Args:
        noted: all parameters.
        paths: full paths, or ends of them; None for all parameters.
        names: the path of each parameter.

    Raises:
        UsageError: a path is that of no parameter.
    """
    if paths is None:
        return dict(noted)
    wanted: set[str] = set()
    for path in paths:
        found = {name for name in names if f".{name}".endswith(f".{path}")}
        if not found:
            hint = did_you_mean(path, names)
            raise UsageError(f"no parameter is called `{path}`" + (f"; {hint}" if hint else ""))
        wanted |= found
    return {key: item for (key, item), name in zip(noted.items(), names, strict=True) if name in wanted}
