"""Plots of a search of a study: its front among the points that were evaluated. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from accelscope.core.analysis.optimize.run import OptimizationResult
from accelscope.core.render.plot_figure import PlotFigure, PlotSeries
from accelscope.core.render.result import format_axis_value

_MOST_BACKGROUND_POINTS = 3_000
"""Points behind a front that a plot shows."""
DISPLAY_SCALES = {
    "USD/tok": ("USD/Mtok", 1e6),
    "s/tok": ("ms/tok", 1e3),
    "s": ("ms", 1e3),
    "B": ("GB", 1e-9),
    "B/s": ("TB/s", 1e-12),
    "W": ("kW", 1e-3),
}
"""Units that people read, for base units of goals."""


def plot_study_front(found: OptimizationResult, told: Mapping[str, Any]) -> tuple[PlotFigure, ...]:
    """Return a plot for each pair of goals, or of the goal over the points where there is one only."""
    goals = told["goals"]
    if len(goals) == 1:
        return (_progress(found, told),)
    return tuple(
        _pair(found, told, one, other) for one, other in itertools.combinations(range(len(goals)), 2)
    )


def _pair(found: OptimizationResult, told: Mapping[str, Any], one: int, other: int) -> PlotFigure:
    if found.judge.signs[one] < found.judge.signs[other]:  # what is to be large is drawn upwards
        one, other = other, one
    values = found.scores.goals * found.judge.signs
    tried = np.flatnonzero(found.scores.allowed)
    tried = tried[:: max(len(tried) // _MOST_BACKGROUND_POINTS, 1)]
    (x_label, x_scale), (y_label, y_scale) = (_axis(told["goals"][at]) for at in (one, other))
    texts = tuple(_text(row) for row in told["front"])

    def series(name: str, rows: Any, **options: Any) -> PlotSeries:
        x, y = (
            tuple(float(v) for v in values[rows, at] * scale)
            for at, scale in ((one, x_scale), (other, y_scale))
        )
        return PlotSeries(name=name, x=x, y=y, **options)

    best = series("no other beats it", found.front, texts=texts, line=len(told["goals"]) == 2)
    behind = series("tried", tried, faint=True)
    return PlotFigure(
        title=f"{told['study']}: {y_label} over {x_label}", x=x_label, y=y_label, series=(behind, best)
    )


def _progress(found: OptimizationResult, told: Mapping[str, Any]) -> PlotFigure:
    label, scale = _axis(told["goals"][0])
    values = found.scores.goals[:, 0]
    best = (
        np.minimum.accumulate(np.where(found.scores.allowed, values, np.inf)) * found.judge.signs[0] * scale
    )
    known = np.flatnonzero(np.isfinite(best))
    steps = tuple(float(at + 1) for at in known)
    line = PlotSeries(name="best so far", x=steps, y=tuple(float(best[at]) for at in known), line=True)
    return PlotFigure(title=f"{told['study']}: {label}", x="points tried", y=label, series=(line,))


def _axis(goal: Mapping[str, Any]) -> tuple[str, float]:
    unit, scale = DISPLAY_SCALES.get(goal["unit"], (goal["unit"], 1.0))
    return (f"{goal['name']} [{unit}]" if unit else goal["name"]), scale


def _text(row: Mapping[str, Any]) -> str:
    values: Sequence[str] = [
        f"{name.rpartition('.')[2]} {format_axis_value(value)}" for name, value in row["point"].items()
    ]
    bound = row["bound_by"]
    return ", ".join(values) + (f"; {bound['resource']} {bound['share']:.0%}" if bound else "")
