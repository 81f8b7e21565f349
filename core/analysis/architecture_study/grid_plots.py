"""The heat maps and bars of a grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from accelscope.core.analysis.architecture_study.cells import NO_BOTTLENECK
from accelscope.core.analysis.architecture_study.evaluated import (
    EvaluatedGrid,
    compute_device_spread,
    list_spread_groups,
)
from accelscope.core.analysis.architecture_study.spread import NORMALISATIONS, BestAndWorst
from accelscope.core.analysis.jobs.phrases import format_axis_number, format_ratio, format_short_number
from accelscope.core.render import plotly_figures as plots


def list_architecture_titles(grid: EvaluatedGrid) -> list[str]:
    """Return the titles of the architectures that have a result."""
    return [
        grid.participants.titles[name] for name in grid.participants.titles if name in grid.field.architecture
    ]


def _rows(grid: EvaluatedGrid) -> tuple[list[str], list[str], list[list[tuple[int, ...]]]]:
    """Return the labels of rows and columns of heat maps, and the cells: the last axis lies across."""
    last = grid.field.axes[-1]
    columns = [format_axis_number(value) for value in last[2]]
    table: dict[str, list[tuple[int, ...]]] = {}
    for at in grid.points:
        name, *values = grid.labels(at)
        label = " · ".join((str(name), *(format_axis_number(value) for value in values[:-1])))
        table.setdefault(label, []).append(at)
    return list(table), columns, list(table.values())


def build_grid_plot_layout(grid: EvaluatedGrid) -> dict[str, object]:
    """Return the layout of a heat map of the grid."""
    rows, _, _ = _rows(grid)
    path, unit, _ = grid.field.axes[-1]
    others = " · ".join(name.rpartition(".")[2] for name, _, _ in grid.field.axes[:-1])
    return plots.build_heat_map_layout(
        len(rows),
        f"{path.rpartition('.')[2]}{f' [{unit}]' if unit else ''}",
        f"model · {others}" if others else "model",
        showlegend=False,
    )


def build_winner_traces(
    grid: EvaluatedGrid, verdicts: Mapping[str, BestAndWorst]
) -> Iterator[dict[str, object]]:
    """Yield a heat map of the best device for each normalisation."""
    rows, columns, table = _rows(grid)
    classes = [name for name in grid.participants.titles if name in grid.field.architecture]
    titles = list_architecture_titles(grid)
    for number, (per, found) in enumerate(verdicts.items()):
        place = [[_class_at(grid, found, at, classes) for at in row] for row in table]
        text = [
            ["" if found.best[at] < 0 else grid.field.devices[found.best[at]] for at in row] for row in table
        ]
        hover = [[_hover(grid, per, found, at) for at in row] for row in table]
        yield plots.build_category_heat_map(
            titles, rows=rows, columns=columns, place=place, text=text, hover=hover, visible=number == 0
        )


def _class_at(grid: EvaluatedGrid, found: BestAndWorst, at: tuple[int, ...], classes: Sequence[str]) -> int:
    best = int(found.best[at])
    return -1 if best < 0 else classes.index(grid.field.architecture[best])


def _hover(grid: EvaluatedGrid, per: str, found: BestAndWorst, at: tuple[int, ...]) -> str:
    head = ", ".join(format_axis_number(value) for value in grid.labels(at))
    if found.best[at] < 0:
        return f"{head}<br>no system of the library holds it"
    values = np.moveaxis(grid.field.measured(grid.measures[0], per), 0, -1)[at]
    order = np.argsort(np.where(np.isfinite(values), -values, np.inf))
    lines = [head]
    for place in order[:3]:
        if np.isfinite(values[place]):
            cells = grid.field.cells_by_pair[grid.field.devices[place], grid.field.models[at[0]]]
            lines.append(
                f"{cells.systems[int(cells.candidate[at[1:]])]}: {format_short_number(float(values[place]))}, "
                f"{cells.split_at(at[1:])} ({cells.bound[at[1:]]})"
            )
    return "<br>".join(lines)


def build_spread_traces(grid: EvaluatedGrid, measure: str) -> Iterator[dict[str, object]]:
    """Yield a heat map of best over worst for each group of devices and normalisation."""
    rows, columns, table = _rows(grid)
    first = True
    for (_, title, places), per in itertools.product(list_spread_groups(grid), NORMALISATIONS):
        found = compute_device_spread(grid, measure, per, places)
        spread = found.spread
        values = [
            [float(np.log10(spread[at])) if np.isfinite(spread[at]) else None for at in row] for row in table
        ]
        text = [
            [format_ratio(float(spread[at])) if np.isfinite(spread[at]) else "" for at in row]
            for row in table
        ]
        hover = [
            [
                f"{', '.join(map(format_axis_number, grid.labels(at)))}<br>{text[n][m] or 'fewer than two work'} {title}, {NORMALISATIONS[per]}"
                for m, at in enumerate(row)
            ]
            for n, row in enumerate(table)
        ]
        yield plots.build_value_heat_map(
            rows=rows,
            columns=columns,
            values=values,
            text=text,
            hover=hover,
            low=0.0,
            high=2.5,
            visible=first,
        )
        first = False


def _bounds(grid: EvaluatedGrid) -> dict[str, dict[str, int]]:
    """Return how often each resource decides, by architecture."""
    counts: dict[str, dict[str, int]] = {}
    for (device, _), cells in grid.field.cells_by_pair.items():
        kin = grid.participants.of(device)
        if kin is not None:
            own = counts.setdefault(kin.architecture, {})
            for name in cells.bound[cells.works & (cells.bound != NO_BOTTLENECK)].ravel():
                own[str(name)] = own.get(str(name), 0) + 1
    return counts


def list_bottlenecks(grid: EvaluatedGrid) -> list[str]:
    """Return everything that decides somewhere."""
    return sorted({name for own in _bounds(grid).values() for name in own})


def build_bottleneck_traces(grid: EvaluatedGrid) -> Iterator[dict[str, object]]:
    """Yield bars of how often each resource decides, by architecture."""
    counts = _bounds(grid)
    names = list_bottlenecks(grid)
    for number, name in enumerate(names):
        values = {
            grid.participants.titles[architecture]: own.get(name, 0) / max(sum(own.values()), 1)
            for architecture, own in counts.items()
        }
        hover = {
            key: f"{key}: {name} decides in {100 * value:.0f} % of cells" for key, value in values.items()
        }
        yield plots.build_bar_trace(
            name, values, plots.CATEGORY_COLOURS[number % len(plots.CATEGORY_COLOURS)], hover
        )
