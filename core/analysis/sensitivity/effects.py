"""What parameters do to metrics: elasticities, sides of a kink, and what a tenth less and more gives."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, frozen

from accelscope.core.analysis.sensitivity.naming import SensitivityParameter
from accelscope.core.analysis.sensitivity.trials import Trials
from accelscope.core.numeric.axes import Axis
from accelscope.core.numeric.term import Array
from accelscope.dsl.values.units import Dimension, built_in_unit_table

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Metric

_JUMP_RATIO = 3.0
"""Ratio of the slopes of a small and a large step that only a jump has: a tenfold step over one makes it ten."""
_KINK_DIFFERENCE = 0.02
"""Difference of left and right elasticity from which both are told; a smooth share differs by less than 0.003."""
_ROUNDING = 1e-9
"""Largest change of a logarithm that rounding makes."""

LEAST_GAIN = 0.001
"""Smallest relative improvement that is worth a word."""


@frozen(kw_only=True, eq=False)
class MetricEffects:
    """What the parameters do to one metric; arrays have the parameters first, then the axes of a grid.

    NaN stands where a value cannot be tried, or is not feasible.

    Attributes:
        nominal: the metric as described, in `unit`, over the grid.
        central: elasticity; from one side where the other is not to be had, and of a whole step where `by_one`.
        left, right: elasticity below and above the value.
        less, more: relative change of the metric where the parameter is a tenth less and a tenth more.
        by_one: where only a step of one moves the metric, as of a count that a model rounds.
        jump: where the metric jumps beside the value, as one more tile is begun; the elasticities are then over a tenth.
    """

    name: str
    unit: str
    better: str
    nominal: Array
    central: Array
    left: Array
    right: Array
    less: Array
    more: Array
    by_one: Array
    jump: Array

    def of(self, rows: Array) -> MetricEffects:
        """Return the effects of some of the parameters."""
        names = ("central", "left", "right", "less", "more", "by_one", "jump")
        changed: dict[str, Any] = {name: getattr(self, name)[rows] for name in names}
        return evolve(self, **changed)

    @property
    def has_kink(self) -> Array:
        """Where the elasticity differs on both sides of the value, as at the knee of a roofline."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.abs(self.left - self.right) > _KINK_DIFFERENCE) & ~self.by_one

    @property
    def gain(self) -> Array:
        """Relative improvement by a tenth of the parameter in the direction that helps, 0 where none does."""
        sign = -1.0 if self.better == "low" else 1.0
        return np.maximum(np.maximum(np.nan_to_num(sign * self.less), np.nan_to_num(sign * self.more)), 0.0)


@frozen(kw_only=True, eq=False)
class Sensitivity:
    """The elasticities of metrics to the parameters that have any effect.

    Attributes:
        axes: of a grid of points; none for a single point.
        parameters: those with an effect on any of the metrics at any point.
        effects: by metric.
        without: how many parameters were tried and have no effect.
        feasible: (grid) whether each point is feasible.
        bounds: (parameters, 2, grid) whether a tenth less and a tenth more are feasible.
        bound: of a single point, by phase the resources that decide its time, with their shares.
    """

    scenario: str
    axes: tuple[Axis, ...]
    parameters: tuple[SensitivityParameter, ...]
    effects: Mapping[str, MetricEffects]
    without: int
    feasible: Array
    bounds: Array
    bound: Mapping[str, tuple[tuple[str, float], ...]]


def compute_metric_effects(metric: Metric, values: Array, feasible: Array, trials: Trials) -> MetricEffects:
    """Return what the trials do to a metric.

    An elasticity is (ln f(x+) - ln f(x-)) / (ln x+ - ln x-).

    Args:
        metric: the metric.
        values: (..., trials) values of the metric.
        feasible: (..., trials) whether each point is feasible.
        trials: place of each trial along the last dimension.
    """
    values = np.where(feasible, values, np.nan)
    nominal = values[..., 0]
    with np.errstate(all="ignore"):
        change = np.log(values / nominal[..., None])
        change = np.where(np.abs(change) < _ROUNDING, 0.0, change)
        logs = {name: trials.taken(change, name) for name in trials.ratios}
        steps = {name: _column(np.log(ratio), nominal.ndim) for name, ratio in trials.ratios.items()}
    left, right, central = _slopes(logs["down"], logs["up"], steps["down"], steps["up"])
    fewer, another, whole = _slopes(logs["fewer"], logs["another"], steps["fewer"], steps["another"])
    less, more, wide = _slopes(logs["less"], logs["more"], steps["less"], steps["more"])
    by_one = (np.nan_to_num(central) == 0.0) & (np.nan_to_num(whole) != 0.0)
    jump = ~by_one & (_jumps(left, less) | _jumps(right, more))
    return MetricEffects(
        name=metric.name,
        unit=metric.unit,
        better=metric.better,
        nominal=nominal,
        central=np.where(jump, wide, np.where(by_one, whole, central)),
        left=np.where(jump, less, np.where(by_one, fewer, left)),
        right=np.where(jump, more, np.where(by_one, another, right)),
        less=np.expm1(logs["less"]),
        more=np.expm1(logs["more"]),
        by_one=by_one,
        jump=jump,
    )


def _jumps(near: Array, far: Array) -> Array:
    """Return where a small step changes as much as a ten times larger one, so that its slope says nothing."""
    with np.errstate(invalid="ignore"):
        return np.asarray(np.abs(near) > _JUMP_RATIO * np.abs(far) + _KINK_DIFFERENCE)


def _slopes(low: Array, high: Array, below: Array, above: Array) -> tuple[Array, Array, Array]:
    """Return the slope on the left, on the right, and across; that of one side where the other is missing."""
    with np.errstate(all="ignore"):
        left, right, both = low / below, high / above, (high - low) / (above - below)
    one = np.where(np.isfinite(left), left, right)
    return left, right, np.where(np.isfinite(both), both, one)


def _column(values: Array, dimensions: int) -> Array:
    return values.reshape(-1, *(1,) * dimensions)


def rank_parameters(sensitivity: Sensitivity, metric: str) -> list[int]:
    """Return the rows of the parameters, the largest elasticity of a metric first, at a single point.

    Of parameters that multiply each other, what a text gives with a unit comes before counts, shares and defaults. Those
    that do not move this metric follow in the order of what they do to the others.
    """
    own = np.abs(np.nan_to_num(sensitivity.effects[metric].central))
    others = np.max([np.abs(np.nan_to_num(item.central)) for item in sensitivity.effects.values()], axis=0)

    def key(row: int) -> tuple[float, float, bool, bool, str]:
        item = sensitivity.parameters[row]
        plain = not item.dimension.powers
        moved = round(own[row], 3)
        return -moved, 0.0 if moved else -round(others[row], 3), item.sort != "given", plain, item.path

    return sorted(range(len(sensitivity.parameters)), key=key)


def find_best_parameter(sensitivity: Sensitivity, metric: str) -> int | None:
    """Return the row of the given parameter of which a tenth helps a metric most; None where none helps by 0.1 %."""
    gain = np.nan_to_num(sensitivity.effects[metric].gain)
    rows = [
        row for row in rank_parameters(sensitivity, metric) if sensitivity.parameters[row].sort == "given"
    ]
    best = max(rows, key=lambda row: round(float(gain[row]), 3), default=None)
    return best if best is not None and gain[best] >= LEAST_GAIN else None


def accounted_time_share(sensitivity: Sensitivity, metric: str) -> float | None:
    """Return the share of a time that the parameters account for, at a single point; None for what is no time.

    Where every number is told in a k times shorter second, a time is k times longer: the elasticities, each times the
    power of seconds in the dimension of its parameter, add up to that in the metric's (Euler's theorem on homogeneous
    functions). What is missing belongs to times that were not varied.
    """
    item = sensitivity.effects[metric]
    own = _seconds(built_in_unit_table().parse(item.unit)[1]) if item.unit else 0
    if own == 0:
        return None
    powers = np.array([_seconds(one.dimension) for one in sensitivity.parameters], dtype=float)
    return float(np.sum(powers * np.nan_to_num(item.central)) / own)


def _seconds(dimension: Dimension) -> float:
    return float(dict(dimension.powers).get("s", 0))
