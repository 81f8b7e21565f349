"""The tables of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from accelscope.core.analysis.architecture_study.evaluated import Evaluated, groups
from accelscope.core.analysis.architecture_study.section import Cell, Table
from accelscope.core.analysis.architecture_study.spread import PER, Verdict
from accelscope.core.analysis.jobs.phrases import few, said, times
from accelscope.core.numeric.term import Array


def wins_table(grid: Evaluated, wins: Mapping[str, Mapping[str, int]]) -> Table:
    """Return in how many cells each architecture has the best device."""
    heads = ("architecture", *(PER[per] for per in wins))
    rows: tuple[tuple[Cell, ...], ...] = tuple(
        (title, *(found[name] for found in wins.values())) for name, title in grid.cast.titles.items()
    )
    return Table(
        name=f"{grid.name}_wins",
        title=f"Cells in which the best device is of an architecture, by {grid.measures[0]}",
        heads=heads,
        rows=rows,
        note="Devices without a price or a published area take no part where these count.",
    )


def where_table(grid: Evaluated, verdicts: Mapping[str, Verdict]) -> Table:
    """Return how many cells each architecture leads in, for each model and each value of an axis."""
    names = [
        ("model", grid.field.models),
        *((axis[0].rpartition(".")[2], axis[2]) for axis in grid.field.axes),
    ]
    rows: list[tuple[Cell, ...]] = []
    for dimension, (name, values) in enumerate(names):
        for at, value in enumerate(values):
            leads = [
                _leads(grid, np.take(found.best, at, axis=dimension).ravel().tolist())
                for found in verdicts.values()
            ]
            rows.append((f"{name} {said(value)}", *leads))
    return Table(
        name=f"{grid.name}_where",
        title="Which architecture leads where, in so many cells",
        heads=("cells of", *(PER[per] for per in verdicts)),
        rows=tuple(rows),
    )


def _leads(grid: Evaluated, best: Sequence[int]) -> str:
    counts: dict[str, int] = {}
    for place in best:
        if place >= 0:
            title = grid.cast.titles[grid.field.architecture[place]]
            counts[title] = counts.get(title, 0) + 1
    order = sorted(counts, key=lambda title: -counts[title])
    return ", ".join(f"{title} {counts[title]}" for title in order)


def spread_table(
    grid: Evaluated, spreads: Mapping[tuple[str, str, str], tuple[float, float, float]]
) -> Table:
    """Return the spreads for a reader: the median cell, with the least and the largest of all."""
    rows = []
    for group, title, _ in groups(grid):
        for measure in grid.measures:
            found = [spreads.get((group, measure, per)) for per in PER]
            texts = [
                "" if item is None else f"{times(item[1])} ({few(item[0], 2)} to {few(item[2], 2)})"
                for item in found
            ]
            rows.append((title, measure, *texts))
    return Table(
        name=f"{grid.name}_spread_summary",
        title="Best over worst in the median cell (and the least and largest of all cells)",
        heads=("among", "measure", *PER.values()),
        rows=tuple(rows),
        note="A cell counts where at least two of the devices hold the model.",
    )


def all_spreads_table(
    grid: Evaluated, spreads: Mapping[tuple[str, str, str], tuple[float, float, float]]
) -> Table:
    """Return the spreads as numbers."""
    titles = {name: title for name, title, _ in groups(grid)}
    rows = tuple(
        (titles[group], measure, PER[per], *found) for (group, measure, per), found in spreads.items()
    )
    heads = ("among", "measure", "normalisation", "least", "median", "most")
    return Table(name=f"{grid.name}_spreads", title="Best over worst", heads=heads, rows=rows, shown=False)


def best_table(grid: Evaluated, verdicts: Mapping[str, Verdict]) -> Table:
    """Return the best and the worst device of each cell."""
    axes = tuple(name.rpartition(".")[2] for name, _, _ in grid.field.axes)
    rows = []
    for at in grid.points:
        for per, found in verdicts.items():
            if found.best[at] >= 0:
                best, worst = (grid.field.devices[int(place[at])] for place in (found.best, found.worst))
                cells = grid.field.found[best, grid.field.models[at[0]]]
                rows.append(
                    (
                        *grid.labels(at),
                        PER[per],
                        grid.cast.titles[grid.field.architecture[int(found.best[at])]],
                        best,
                        cells.systems[int(cells.rung[at[1:]])],
                        float(found.top[at]),
                        worst,
                        float(found.bottom[at]),
                        _known(found.spread[at]),
                        str(cells.bound[at[1:]]),
                    )
                )
    heads = (
        "model",
        *axes,
        "normalisation",
        "architecture",
        "best",
        "system",
        "value",
        "worst",
        "its value",
        "best over worst",
        "best is bound by",
    )
    title = f"Best and worst of each cell by {grid.measures[0]}"
    return Table(name=f"{grid.name}_best", title=title, heads=heads, rows=tuple(rows), folded=True)


def results_table(grid: Evaluated) -> Table:
    """Return every device with every model in every cell."""
    axes = tuple(name.rpartition(".")[2] for name, _, _ in grid.field.axes)
    rows = []
    for (device, model), cells in grid.field.found.items():
        kin = grid.cast.of(device)
        for at in np.ndindex(cells.rung.shape):
            if cells.rung[at] >= 0:
                place = (grid.field.devices.index(device), grid.field.models.index(model), *at)
                rows.append(
                    (
                        "" if kin is None else grid.cast.titles[kin.architecture],
                        device,
                        *grid.labels(place[1:]),
                        cells.systems[int(cells.rung[at])],
                        int(cells.devices[at]),
                        cells.split_at(at),
                        *(float(values[at]) for values in cells.values.values()),
                        *(
                            _known(array[place])
                            for name, array in grid.field.shares.items()
                            if name in ("watt", "dollar", "area")
                        ),
                        str(cells.bound[at]),
                    )
                )
    heads = (
        "architecture",
        "device",
        "model",
        *axes,
        "system",
        "devices",
        "split",
        *grid.measures,
        "power [W]",
        "price [USD/s]",
        "silicon [mm²]",
        "bound by",
    )
    return Table(name=f"{grid.name}_results", title="All results", heads=heads, rows=tuple(rows), shown=False)


def without_table(grid: Evaluated) -> Table:
    """Return which devices hold which model nowhere."""
    rows = tuple((device, model, why) for (device, model), why in grid.without.items())
    return Table(
        name=f"{grid.name}_without",
        title="Devices whose systems in the library hold a model in no cell",
        heads=("device", "model", "why"),
        rows=rows,
        folded=True,
    )


def _known(value: Array | float) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
