"""Sweeps that would not end: refused before anything is evaluated, with the axis that does it and what to change."""

from __future__ import annotations

import math
from collections.abc import Sequence

from accelscope.core.errors import UsageError
from accelscope.core.numeric.axes import Axis

USUAL = 1e10
"""Evaluations of a sweep that does not say `limits { points = ... }`: some hours of one core."""
MOST = 1e13
"""Evaluations of any sweep: a year of one core, or hours of a thousand."""
RATE = 300_000.0
"""Evaluations a second of one core, to say how long it would take (docs/explanation/speed.md)."""
OF_VARIANT = 30_000
"""Evaluations that take as long as the description of one variant."""
TUNED = 1_000_000
"""Combinations of tuned values that are tried at every point."""
UNITS = ((31_557_600.0, "years"), (86_400.0, "days"), (3_600.0, "hours"), (60.0, "minutes"), (1.0, "seconds"))


def refuse_endless(axes: Sequence[Axis], tuned: Sequence[Axis], allowed: float | None) -> None:
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
    if combinations > TUNED:
        raise UsageError(
            f"{_product(tuned)} = {_amount(combinations)} combinations would be tried at every point, more than "
            f"{TUNED:,}; {_remedy(tuned)}"
        )
    every = (*axes, *tuned)
    variants = math.prod(axis.size for axis in every if not axis.numeric)
    evaluations = max(math.prod(axis.size for axis in every), variants * OF_VARIANT)
    if evaluations <= (USUAL if allowed is None else MOST):
        return
    what = f"{_product(every)} = {_amount(math.prod(axis.size for axis in every))} points"
    raise UsageError(
        f"{what} would take {_time(evaluations / RATE)} on one core; {_remedy(every)}"
        + (
            ", or allow them with `limits { points = ... }` in the study"
            if evaluations <= MOST and allowed is None
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
    size, unit = next((item for item in UNITS if seconds >= 2 * item[0]), UNITS[-1])
    return f"{seconds / size:,.0f} {unit}"
