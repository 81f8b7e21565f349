"""Sweeps that would not end: refused before anything is evaluated, with the axis that does it and what to change."""

from __future__ import annotations

import math
from collections.abc import Sequence

from accelscope.core.errors import UsageError
from accelscope.core.numeric.axes import Axis

_DEFAULT_MAX_EVALUATIONS = 1e10
"""Evaluations of a sweep that does not say `limits { points = ... }`: some hours of one core."""
_MAX_EVALUATIONS = 1e13
"""Evaluations of any sweep: a year of one core, or hours of a thousand."""
_EVALUATIONS_PER_SECOND = 300_000.0
"""Evaluations a second of one core, to say how long it would take (docs/explanation/speed.md)."""
_EVALUATIONS_PER_VARIANT = 30_000
"""Evaluations that take as long as the description of one variant."""
_MAX_TUNED_COMBINATIONS = 1_000_000
"""Combinations of tuned values that are tried at every point."""
_TIME_UNITS = (
    (31_557_600.0, "years"),
    (86_400.0, "days"),
    (3_600.0, "hours"),
    (60.0, "minutes"),
    (1.0, "seconds"),
)


def check_sweep_size(axes: Sequence[Axis], tuned: Sequence[Axis], allowed: float | None) -> None:
    """Refuse a grid with more points than its study allows, or than anybody waits for.

    Args:
        axes: those of `sweep`.
        tuned: those of `tune`: every combination is evaluated at every point.
        allowed: points that the study says it may have, or None.

    Raises:
        UsageError: there are too many.
    """
    points = math.prod(axis.size for axis in axes)
    if allowed is not None and points > allowed:
        raise UsageError(
            f"{_product(axes)} = {points:,} points are more than the {allowed:,.0f} of `limits {{ points }}`; "
            f"{_remedy(axes)}"
        )
    combinations = math.prod(axis.size for axis in tuned)
    if combinations > _MAX_TUNED_COMBINATIONS:
        raise UsageError(
            f"{_product(tuned)} = {_amount(combinations)} combinations would be tried at every point, more than "
            f"{_MAX_TUNED_COMBINATIONS:,}; {_remedy(tuned)}"
        )
    every = (*axes, *tuned)
    variants = math.prod(axis.size for axis in every if not axis.numeric)
    evaluations = max(math.prod(axis.size for axis in every), variants * _EVALUATIONS_PER_VARIANT)
    if evaluations <= (_DEFAULT_MAX_EVALUATIONS if allowed is None else _MAX_EVALUATIONS):
        return
    what = f"{_product(every)} = {_amount(math.prod(axis.size for axis in every))} points"
    raise UsageError(
        f"{what} would take {_time(evaluations / _EVALUATIONS_PER_SECOND)} on one core; {_remedy(every)}"
        + (
            ", or allow them with `limits { points = ... }` in the study"
            if evaluations <= _MAX_EVALUATIONS and allowed is None
            else ""
        )
    )


def _product(axes: Sequence[Axis]) -> str:
    return " x ".join(f"`{axis.name}` ({axis.size:,})" for axis in axes)


def _remedy(axes: Sequence[Axis]) -> str:
    """Say which axis to make smaller and how."""
    largest = max(axes, key=lambda axis: axis.size)
    coarser = "`step x2` or `points 20 log`" if largest.numeric else "fewer blocks in its list"
    return (
        f"`{largest.name}` does most of it: {coarser} makes it smaller, and `accelscope search` needs no grid"
    )


def _amount(points: int) -> str:
    return f"{points:,}" if points < 1e12 else f"{points:.3g}"


def _time(seconds: float) -> str:
    size, unit = next((item for item in _TIME_UNITS if seconds >= 2 * item[0]), _TIME_UNITS[-1])
    return f"{seconds / size:,.0f} {unit}"
