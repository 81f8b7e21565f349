"""The heat maps and bars of a grid."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from accelscope.core.analysis.architecture_study.cells import NOTHING
from accelscope.core.analysis.architecture_study.evaluated import Evaluated, groups, spread_of
from accelscope.core.analysis.architecture_study.spread import PER, Verdict
from accelscope.core.analysis.jobs.phrases import few, said, times
from accelscope.core.render import plotly_figures as plots


def class_titles(grid: Evaluated) -> list[str]:
    """Return the titles of the architectures that have a result."""
    return [grid.cast.titles[name] for name in grid.cast.titles if name in grid.field.architecture]


def _rows(grid: Evaluated) -> tuple[list[str], list[str], list[list[tuple[int, ...]]]]:
    """Return the labels of rows and columns of heat maps, and the cells: the last axis lies across."""
    last = grid.field.axes[-1]
    columns = [said(value) for value in last[2]]
    table: dict[str, list[tuple[int, ...]]] = {}
    for at in grid.points:
        name, *values = grid.labels(at)
        label = " · ".join((str(name), *(said(value) for value in values[:-1])))
        table.setdefault(label, []).append(at)
    return list(table), columns, list(table.values())


def layout(grid: Evaluated) -> dict[str, object]:
    """Return the layout of a heat map of the grid."""
    rows, _, _ = _rows(grid)
    path, unit, _ = grid.field.axes[-1]
    others = " · ".join(name.rpartition(".")[2] for name, _, _ in grid.field.axes[:-1])
    return plots.grid_layout(
        len(rows),
        f"{path.rpartition('.')[2]}{f' [{unit}]' if unit else ''}",
        f"model · {others}" if others else "model",
        showlegend=False,
    )


def winner_traces(grid: Evaluated, verdicts: Mapping[str, Verdict]) -> Iterator[dict[str, object]]:
    """Yield a heat map of the best device for each normalisation."""
    rows, columns, table = _rows(grid)
    classes = [name for name in grid.cast.titles if name in grid.field.architecture]
    titles = class_titles(grid)
    for number, (per, found) in enumerate(verdicts.items()):
        place = [[_class_at(grid, found, at, classes) for at in row] for row in table]
        text = [
            ["" if found.best[at] < 0 else grid.field.devices[found.best[at]] for at in row] for row in table
        ]
        hover = [[_hover(grid, per, found, at) for at in row] for row in table]
        yield plots.categories(
            titles, rows=rows, columns=columns, place=place, text=text, hover=hover, visible=number == 0
        )


def _class_at(grid: Evaluated, found: Verdict, at: tuple[int, ...], classes: Sequence[str]) -> int:
    best = int(found.best[at])
    return -1 if best < 0 else classes.index(grid.field.architecture[best])


def _hover(grid: Evaluated, per: str, found: Verdict, at: tuple[int, ...]) -> str:
    head = ", ".join(said(value) for value in grid.labels(at))
    if found.best[at] < 0:
        return f"{head}<br>no system of the library holds it"
    values = np.moveaxis(grid.field.measured(grid.measures[0], per), 0, -1)[at]
    order = np.argsort(np.where(np.isfinite(values), -values, np.inf))
    lines = [head]
    for place in order[:3]:
        if np.isfinite(values[place]):
            cells = grid.field.found[grid.field.devices[place], grid.field.models[at[0]]]
            lines.append(
                f"{cells.systems[int(cells.rung[at[1:]])]}: {few(float(values[place]))}, "
                f"{cells.split_at(at[1:])} ({cells.bound[at[1:]]})"
            )
    return "<br>".join(lines)


def spread_traces(grid: Evaluated, measure: str) -> Iterator[dict[str, object]]:
    """Yield a heat map of best over worst for each group of devices and normalisation."""
    rows, columns, table = _rows(grid)
    first = True
    for (_, title, places), per in itertools.product(groups(grid), PER):
        found = spread_of(grid, measure, per, places)
        spread = found.spread
        values = [
            [float(np.log10(spread[at])) if np.isfinite(spread[at]) else None for at in row] for row in table
        ]
        text = [[times(float(spread[at])) if np.isfinite(spread[at]) else "" for at in row] for row in table]
        hover = [
            [
                f"{', '.join(map(said, grid.labels(at)))}<br>{text[n][m] or 'fewer than two work'} {title}, {PER[per]}"
                for m, at in enumerate(row)
            ]
            for n, row in enumerate(table)
        ]
        yield plots.amounts(
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


def _bounds(grid: Evaluated) -> dict[str, dict[str, int]]:
    """Return how often each resource decides, by architecture."""
    counts: dict[str, dict[str, int]] = {}
    for (device, _), cells in grid.field.found.items():
        kin = grid.cast.of(device)
        if kin is not None:
            own = counts.setdefault(kin.architecture, {})
            for name in cells.bound[cells.works & (cells.bound != NOTHING)].ravel():
                own[str(name)] = own.get(str(name), 0) + 1
    return counts


def bound_names(grid: Evaluated) -> list[str]:
    """Return everything that decides somewhere."""
    return sorted({name for own in _bounds(grid).values() for name in own})


def bound_traces(grid: Evaluated) -> Iterator[dict[str, object]]:
    """Yield bars of how often each resource decides, by architecture."""
    counts = _bounds(grid)
    names = bound_names(grid)
    for number, name in enumerate(names):
        values = {
            grid.cast.titles[architecture]: own.get(name, 0) / max(sum(own.values()), 1)
            for architecture, own in counts.items()
        }
        hover = {
            key: f"{key}: {name} decides in {100 * value:.0f} % of cells" for key, value in values.items()
        }
        yield plots.bars(name, values, plots.PALETTE[number % len(plots.PALETTE)], hover)
