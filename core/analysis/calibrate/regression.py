"""Robust regression on the logarithm of measured over predicted time, drawn towards what is expected.

The sum of rho(r / noise) over points, with r the logarithm of predicted over measured, and of squared distances of each
parameter from its expectation over its width, is the least: a maximum a posteriori estimate. rho is soft L1, so that a
point far off counts by its distance, not by its square (scipy.optimize.least_squares).
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.calibrate.parameters import (
    FitParameter,
    ParameterValues,
    pack_parameters,
    unpack_parameters,
)
from accelscope.core.numeric.error_bars import PERCENTILE_90_SIGMAS
from accelscope.core.numeric.term import Array

_NOISE = 0.10
"""Deviation that measurements of one kernel have between versions of an engine (7 to 15 %)."""
_WORST = 20.0  # logarithm of a ratio: what a prediction that is no number counts as
_STEP = 1e-4
_CLOSE = 1e-4  # relative change of cost and values at which a fit ends
_TRIAL = 6  # evaluations that tell whether a choice is worth fitting to the end
_EVIDENCE = 2.0  # by how much the negative logarithm of the likelihood has to fall for another choice

TimePredictor = Callable[[ParameterValues], Array]
"""Parameter values to predicted times of all points, in any unit that the measured ones have too."""


@frozen(eq=False)
class RegressionFit:
    """Values with the residuals that they leave: logarithms of predicted over measured."""

    values: dict[str, float]
    residuals: Array


def fit_parameters(
    predict: TimePredictor,
    measured: Array,
    parameters: Sequence[FitParameter],
    expected: ParameterValues,
    *,
    drawn: bool = True,
    scale: float = 1.0,
    weights: Array | None = None,
    near: ParameterValues | None = None,
) -> RegressionFit:
    """Return the values that fit best.

    Parameters with choices are tried one after the other, and a choice is changed only for clear evidence; not by a first
    level, whose kernels are of all sorts.

    Args:
        predict: what is fitted.
        measured: times above zero, one for each point.
        parameters: parameters to fit, with bounds and widths.
        expected: what the values are drawn towards, and where the fit starts.
        drawn: whether expectations count; the first level of a hierarchy has none.
        scale: factor on the widths of the parameters.
        weights: how much each point counts, 1 where none are given.
        near: values of a fit to more points, where this one starts; its choices are kept.
    """
    smooth = [item for item in parameters if not item.choices]
    weight = np.ones(len(measured)) if weights is None else np.sqrt(weights)
    widths = np.array([item.width for item in smooth]) * (scale if drawn else 10.0)
    problem = _Problem(predict, np.log(measured), weight, smooth, pack_parameters(smooth, expected), widths)
    if near is not None:
        best = _smooth(problem, near, pack_parameters(smooth, near))
        return RegressionFit(values=best.values, residuals=_residuals(predict(best.values), problem.goal))
    best = _smooth(problem, expected, problem.centre)
    for item in (item for item in parameters if item.choices and drawn):
        for choice in item.choices:
            if choice == best.values[item.name]:
                continue
            start = pack_parameters(smooth, best.values)
            other = _smooth(problem, best.values | {item.name: choice}, start, _TRIAL)
            if other.cost < best.cost - _EVIDENCE:
                best = _smooth(problem, other.values, pack_parameters(smooth, other.values))
    return RegressionFit(values=best.values, residuals=_residuals(predict(best.values), problem.goal))


@frozen(eq=False)
class _Problem:
    """A fit of parameters on a continuous scale, and what their logarithms are drawn towards."""

    predict: TimePredictor
    goal: Array
    weight: Array
    parameters: Sequence[FitParameter]
    centre: Array
    widths: Array


@frozen(eq=False)
class _Found:
    values: dict[str, float]
    cost: float


def _smooth(problem: _Problem, values: ParameterValues, start: Array, most: int = 40) -> _Found:
    """Return the best values with the choices of `values`, which stay as they are.

    Args:
        problem: predictor, measurements and parameters on a continuous scale.
        values: values of all parameters, choices included.
        start: (parameters,) logarithms from which the fit starts.
        most: evaluations of the slope.
    """
    from scipy.optimize import least_squares

    low = np.log([item.low for item in problem.parameters])
    high = np.log([item.high for item in problem.parameters])

    def distance(position: Array) -> Array:
        tried = dict(values) | unpack_parameters(problem.parameters, position)
        left = problem.weight * _residuals(problem.predict(tried), problem.goal) / _NOISE
        return np.concatenate([left, (position - problem.centre) / problem.widths])

    inside = np.clip(start, low + 1e-9, high - 1e-9)
    step = np.full(len(problem.parameters), _STEP)
    found = least_squares(
        distance,
        inside,
        bounds=(low, high),
        loss="soft_l1",
        diff_step=step,
        max_nfev=most,
        ftol=_CLOSE,
        xtol=_CLOSE,
    )
    return _Found(dict(values) | unpack_parameters(problem.parameters, found.x), float(found.cost))


def _residuals(predicted: Array, goal: Array) -> Array:
    with np.errstate(all="ignore"):
        left = np.log(predicted) - goal
    found: Array = np.clip(np.nan_to_num(left, nan=_WORST, posinf=_WORST, neginf=-_WORST), -_WORST, _WORST)
    return found


def estimate_error_spread(residuals: Array, least: float = 0.01) -> float:
    """Return the deviation of a log-normal error whose 10th to 90th percentile holds 80 % of the residuals, at least `least`."""
    return max(float(np.quantile(np.abs(residuals), 0.8)) / PERCENTILE_90_SIGMAS, least)
