"""The tables of a grid."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from accelscope.core.analysis.architecture_study.evaluated import EvaluatedGrid, list_spread_groups
from accelscope.core.analysis.architecture_study.section import SectionTable, TableCell
from accelscope.core.analysis.architecture_study.spread import NORMALISATIONS, BestAndWorst
from accelscope.core.analysis.jobs.phrases import format_axis_number, format_ratio, format_short_number
from accelscope.core.numeric.term import Array


def build_wins_table(grid: EvaluatedGrid, wins: Mapping[str, Mapping[str, int]]) -> SectionTable:
    """Return in how many cells each architecture has the best device."""
    heads = ("architecture", *(NORMALISATIONS[per] for per in wins))
    rows: tuple[tuple[TableCell, ...], ...] = tuple(
        (title, *(found[name] for found in wins.values())) for name, title in grid.participants.titles.items()
    )
    return SectionTable(
        name=f"{grid.name}_wins",
        title=f"Cells in which the best device is of an architecture, by {grid.measures[0]}",
        heads=heads,
        rows=rows,
        note="Devices without a price or a published area take no part where these count.",
    )


def build_wins_by_axis_table(grid: EvaluatedGrid, verdicts: Mapping[str, BestAndWorst]) -> SectionTable:
    """Return how many cells each architecture leads in, for each model and each value of an axis."""
    names = [
        ("model", grid.field.models),
        *((axis[0].rpartition(".")[2], axis[2]) for axis in grid.field.axes),
    ]
    rows: list[tuple[TableCell, ...]] = []
    for dimension, (name, values) in enumerate(names):
        for at, value in enumerate(values):
            leads = [
                _leads(grid, np.take(found.best, at, axis=dimension).ravel().tolist())
                for found in verdicts.values()
            ]
            rows.append((f"{name} {format_axis_number(value)}", *leads))
    return SectionTable(
        name=f"{grid.name}_where",
        title="Which architecture leads where, in so many cells",
        heads=("cells of", *(NORMALISATIONS[per] for per in verdicts)),
        rows=tuple(rows),
    )


def _leads(grid: EvaluatedGrid, best: Sequence[int]) -> str:
    counts: dict[str, int] = {}
    for place in best:
        if place >= 0:
            title = grid.participants.titles[grid.field.architecture[place]]
            counts[title] = counts.get(title, 0) + 1
    order = sorted(counts, key=lambda title: -counts[title])
    return ", ".join(f"{title} {counts[title]}" for title in order)


def build_spread_table(
    grid: EvaluatedGrid, spreads: Mapping[tuple[str, str, str], tuple[float, float, float]]
) -> SectionTable:
    """Return the spreads for a reader: the median cell, with the least and the largest of all."""
    rows = []
    for group, title, _ in list_spread_groups(grid):
        for measure in grid.measures:
            found = [spreads.get((group, measure, per)) for per in NORMALISATIONS]
            texts = [
                ""
                if item is None
                else f"{format_ratio(item[1])} ({format_short_number(item[0], 2)} to {format_short_number(item[2], 2)})"
                for item in found
            ]
            rows.append((title, measure, *texts))
    return SectionTable(
        name=f"{grid.name}_spread_summary",
        title="Best over worst in the median cell (and the least and largest of all cells)",
        heads=("among", "measure", *NORMALISATIONS.values()),
        rows=tuple(rows),
        note="A cell counts where at least two of the devices hold the model.",
    )


def build_all_spreads_table(
    grid: EvaluatedGrid, spreads: Mapping[tuple[str, str, str], tuple[float, float, float]]
) -> SectionTable:
    """Return the spreads as numbers."""
    titles = {name: title for name, title, _ in list_spread_groups(grid)}
    rows = tuple(
        (titles[group], measure, NORMALISATIONS[per], *found)
        for (group, measure, per), found in spreads.items()
    )
    heads = ("among", "measure", "normalisation", "least", "median", "most")
    return SectionTable(
        name=f"{grid.name}_spreads", title="Best over worst", heads=heads, rows=rows, on_page=False
    )


def build_best_devices_table(grid: EvaluatedGrid, verdicts: Mapping[str, BestAndWorst]) -> SectionTable:
    """Return the best and the worst device of each cell."""
    axes = tuple(name.rpartition(".")[2] for name, _, _ in grid.field.axes)
    rows = []
    for at in grid.points:
        for per, found in verdicts.items():
            if found.best[at] >= 0:
                best, worst = (grid.field.devices[int(place[at])] for place in (found.best, found.worst))
                cells = grid.field.cells_by_pair[best, grid.field.models[at[0]]]
                rows.append(
                    (
                        *grid.labels(at),
                        NORMALISATIONS[per],
                        grid.participants.titles[grid.field.architecture[int(found.best[at])]],
                        best,
                        cells.systems[int(cells.candidate[at[1:]])],
                        float(found.best_value[at]),
                        worst,
                        float(found.worst_value[at]),
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
    return SectionTable(name=f"{grid.name}_best", title=title, heads=heads, rows=tuple(rows), collapsed=True)


def build_results_table(grid: EvaluatedGrid) -> SectionTable:
    """Return every device with every model in every cell."""
    axes = tuple(name.rpartition(".")[2] for name, _, _ in grid.field.axes)
    rows = []
    for (device, model), cells in grid.field.cells_by_pair.items():
        kin = grid.participants.of(device)
        for at in np.ndindex(cells.candidate.shape):
            if cells.candidate[at] >= 0:
                place = (grid.field.devices.index(device), grid.field.models.index(model), *at)
                rows.append(
                    (
                        "" if kin is None else grid.participants.titles[kin.architecture],
                        device,
                        *grid.labels(place[1:]),
                        cells.systems[int(cells.candidate[at])],
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
    return SectionTable(
        name=f"{grid.name}_results", title="All results", heads=heads, rows=tuple(rows), on_page=False
    )


def build_infeasible_table(grid: EvaluatedGrid) -> SectionTable:
    """Return which devices hold which model nowhere."""
    rows = tuple((device, model, why) for (device, model), why in grid.without.items())
    return SectionTable(
        name=f"{grid.name}_without",
        title="Devices whose systems in the library hold a model in no cell",
        heads=("device", "model", "why"),
        rows=rows,
        collapsed=True,
    )


def _known(value: Array | float) -> float | None:
    number = float(value)
    return number if np.isfinite(number) else None
