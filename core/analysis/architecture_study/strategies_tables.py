"""What the section of strategies shows: sentences, tables and points relative to the first strategy. Pure."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.architecture_study.section import SectionPlot, SectionTable
from accelscope.core.analysis.jobs.jobs import ScenarioJob
from accelscope.core.analysis.jobs.phrases import format_ratio, join_phrases
from accelscope.core.render import plotly_figures as plots

_MOST_PLOT_ROWS = 40
"""Questions that have a row each in the plot; of more, those of one model and system share a row."""


@frozen(kw_only=True)
class StrategyCase:
    """A strategy for a model on a system."""

    model: str
    system: str
    strategy: str
    job: ScenarioJob


@frozen(kw_only=True, eq=False)
class StrategyOutcome:
    """What a way gives at one point of the scenario's axes.

    Attributes:
        point: values of the axes, in words.
        values: by metric; empty where the way is impossible, for the reason `why`.
    """

    case: StrategyCase
    point: str
    values: Mapping[str, float]
    why: str = ""


def describe_strategies(
    titles: Mapping[str, str],
    outcomes: Sequence[StrategyOutcome],
    relative: Mapping[tuple[int, str], float],
    measures: Sequence[str],
) -> Iterator[str]:
    """Yield the range of each strategy relative to the first, and which works for how many models and systems."""
    strategies = list(dict.fromkeys(one.case.strategy for one in outcomes))
    if not strategies:
        return
    for measure in measures:
        parts = []
        for strategy in strategies[1:]:
            values = _of(outcomes, relative, strategy, measure)
            if values:
                parts.append(f"{_range(values)} with {titles[strategy]}")
        if parts:
            yield f"Relative to {titles[strategies[0]]}, {measure} is {join_phrases(parts)}."
    broken = [
        f"{titles[strategy]} for {join_phrases(models)}"
        for strategy in strategies
        if (
            models := sorted(
                {one.case.model for one in outcomes if one.why and one.case.strategy == strategy}
            )
        )
    ]
    if broken:
        yield f"Impossible on some system: {'; '.join(broken)}."


def _of(
    outcomes: Sequence[StrategyOutcome],
    relative: Mapping[tuple[int, str], float],
    strategy: str,
    measure: str,
) -> list[float]:
    places = [place for place, one in enumerate(outcomes) if one.case.strategy == strategy]
    return sorted(relative[place, measure] for place in places if (place, measure) in relative)


def _range(values: Sequence[float]) -> str:
    low, high = format_ratio(values[0]), format_ratio(values[-1])
    return low if low == high else f"{format_ratio(float(np.median(values)))} in the median ({low} to {high})"


def build_strategy_summary(
    name: str,
    titles: Mapping[str, str],
    about: Mapping[str, str],
    outcomes: Sequence[StrategyOutcome],
    relative: Mapping[tuple[int, str], float],
    measures: Sequence[str],
) -> SectionTable:
    """Return the ranges of each strategy relative to the first."""
    rows = []
    for strategy in dict.fromkeys(one.case.strategy for one in outcomes):
        own = [one for one in outcomes if one.case.strategy == strategy]
        works = sum(1 for one in own if not one.why)
        cells = [
            _range(found) if (found := _of(outcomes, relative, strategy, measure)) else ""
            for measure in measures
        ]
        rows.append((titles[strategy], about[strategy], f"{works} of {len(own)}", *cells))
    return SectionTable(
        name=f"{name}_summary",
        title="Each strategy relative to the first",
        heads=("strategy", "what it is", "possible", *measures),
        rows=tuple(rows),
        note="Over models, systems and points at which both are possible.",
    )


def plot_strategies(
    name: str,
    titles: Mapping[str, str],
    outcomes: Sequence[StrategyOutcome],
    relative: Mapping[tuple[int, str], float],
    measures: Sequence[str],
) -> SectionPlot:
    """Return points of all strategies on a row for each question, or for each model and system; a menu chooses the metric."""
    strategies = list(dict.fromkeys(one.case.strategy for one in outcomes))
    many = len({_row(one) for one in outcomes}) > _MOST_PLOT_ROWS
    label = _pair if many else _row
    rows = list(dict.fromkeys(label(one) for one in outcomes if not one.why))
    traces = []
    for measure, (number, strategy) in itertools.product(measures, enumerate(strategies)):
        points = (
            (
                label(one),
                relative[place, measure],
                f"{_row(one)}<br>{measure}, {titles[strategy]}: {format_ratio(relative[place, measure])}",
            )
            for place, one in enumerate(outcomes)
            if one.case.strategy == strategy and (place, measure) in relative
        )
        colour = plots.CATEGORY_COLOURS[number % len(plots.CATEGORY_COLOURS)]
        trace = plots.build_point_trace(titles[strategy], points, colour, size=6 if many else 9)
        traces.append(trace | {"visible": measure == measures[0]})
    layout = plots.build_bar_layout(
        len(rows),
        f"relative to {titles[strategies[0]]}",
        height=len(rows) * plots.ROW_HEIGHT + 90,
    )
    layout["xaxis"] |= plots.build_log_ratio_axis(relative.values())
    layout["yaxis"] |= {"categoryorder": "array", "categoryarray": rows}
    return SectionPlot(
        name=f"{name}_relative",
        title=f"Each strategy relative to {titles[strategies[0]]}",
        traces=tuple(traces),
        layout=layout,
        choices=plots.build_plot_menu(measures, each=len(strategies)),
        legend=plots.assign_category_colours(titles[strategy] for strategy in strategies),
    )


def _pair(one: StrategyOutcome) -> str:
    return f"{one.case.model} · {one.case.system}"


def _row(one: StrategyOutcome) -> str:
    return " · ".join(filter(None, (one.case.model, one.case.system, one.point)))


def plot_strategy_medians(
    name: str,
    titles: Mapping[str, str],
    outcomes: Sequence[StrategyOutcome],
    relative: Mapping[tuple[int, str], float],
    measures: Sequence[str],
) -> SectionPlot:
    """Return a heat map of the medians over models and systems: a row for each point, a menu chooses the metric."""
    strategies = list(dict.fromkeys(one.case.strategy for one in outcomes))
    points = list(dict.fromkeys(one.point for one in outcomes if one.point))
    traces = []
    for measure in measures:
        found = [
            [_median(outcomes, relative, point, strategy, measure) for strategy in strategies]
            for point in points
        ]
        text = [["" if value is None else format_ratio(value) for value in row] for row in found]
        hover = [
            [
                f"{point}<br>{measure}, {titles[strategy]}: {text[n][m]}"
                for m, strategy in enumerate(strategies)
            ]
            for n, point in enumerate(points)
        ]
        trace = plots.build_value_heat_map(
            rows=points,
            columns=[titles[strategy] for strategy in strategies],
            values=[
                [None if value is None or value <= 0 else float(np.log2(value)) for value in row]
                for row in found
            ],
            text=text,
            hover=hover,
            low=-4.0,
            high=4.0,
            visible=measure == measures[0],
        )
        traces.append(trace | {"colorscale": plots.RATIO_COLOUR_SCALE})
    return SectionPlot(
        name=f"{name}_medians",
        title=f"Relative to {titles[strategies[0]]}, median over models and systems",
        traces=tuple(traces),
        layout=plots.build_heat_map_layout(len(points), "", ""),
        choices=plots.build_plot_menu(measures),
    )


def _median(
    outcomes: Sequence[StrategyOutcome],
    relative: Mapping[tuple[int, str], float],
    point: str,
    strategy: str,
    measure: str,
) -> float | None:
    values = [
        relative[place, measure]
        for place, one in enumerate(outcomes)
        if (one.point, one.case.strategy) == (point, strategy) and (place, measure) in relative
    ]
    return float(np.median(values)) if values else None


def build_strategy_table(
    name: str,
    titles: Mapping[str, str],
    outcomes: Sequence[StrategyOutcome],
    measures: Sequence[str],
    units: Mapping[str, str],
) -> SectionTable:
    """Return every outcome that is possible."""
    heads = (
        "model",
        "system",
        "point",
        "strategy",
        *(f"{m} [{units[m]}]" if units[m] else m for m in measures),
    )
    rows = tuple(
        (
            one.case.model,
            one.case.system,
            one.point,
            titles[one.case.strategy],
            *(one.values.get(m) for m in measures),
        )
        for one in outcomes
        if not one.why
    )
    return SectionTable(
        name=f"{name}_results", title="All strategies", heads=heads, rows=rows, collapsed=True
    )


def build_impossible_table(
    name: str, titles: Mapping[str, str], outcomes: Sequence[StrategyOutcome]
) -> SectionTable:
    """Return what is impossible, with the reason."""
    rows = tuple(
        (one.case.model, one.case.system, one.point, titles[one.case.strategy], one.why)
        for one in outcomes
        if one.why
    )
    heads = ("model", "system", "point", "strategy", "why not")
    return SectionTable(
        name=f"{name}_impossible", title="What is impossible, and why", heads=heads, rows=rows, collapsed=True
    )
