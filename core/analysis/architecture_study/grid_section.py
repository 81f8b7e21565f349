"""The section of a grid: winners, spreads by normalisation, what decides, and where each device stands."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from accelscope.core.analysis.architecture_study import grid_plots as drawn
from accelscope.core.analysis.architecture_study import grid_tables as tables
from accelscope.core.analysis.architecture_study.cells import Cells, cells_of
from accelscope.core.analysis.architecture_study.entries import Cast, entries_of
from accelscope.core.analysis.architecture_study.evaluated import Evaluated, groups, spread_of
from accelscope.core.analysis.architecture_study.findings import (
    cell_findings,
    close_findings,
    spread_findings,
)
from accelscope.core.analysis.architecture_study.folder import Folder, components_of, words_of
from accelscope.core.analysis.architecture_study.section import Plot, Section
from accelscope.core.analysis.architecture_study.spread import (
    PER,
    Verdict,
    champions,
    contested,
    field_of,
    quartiles,
    verdict,
)
from accelscope.core.analysis.architecture_study.systems import area_of, subject_of
from accelscope.core.analysis.jobs.jobs import Crew
from accelscope.core.blocks.study import Grid
from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array
from accelscope.core.render import plotly_figures as plots

MEASURES = ("throughput",)
"""Metrics that are compared where a grid names none."""
CLOSE = 1.35
"""Ratio that is within the error of a prediction: a deviation of 0.3 of its logarithm, the library's `model_spread`."""


def evaluate_grid(folder: Folder, cast: Cast, name: str, block: Grid, crew: Crew) -> Evaluated:
    """Evaluate every device with every model of a grid.

    Raises:
        UsageError: the folder has no devices, a model has no sizes, or nothing works.
    """
    registry = folder.session.registry
    found = []
    for component in components_of(block.models, f"{name}.models", "model"):
        subject = subject_of(component, registry)
        if subject is None:
            raise UsageError(f"`{component.name}` has no sizes of its own; take a model that extends it")
        found.append(subject)
    subjects = tuple(found)
    measures = words_of(block.measures) or MEASURES
    streamed = block.overflow == "streamed"
    entries = list(entries_of(folder, cast, block.scenario, subjects, measures=measures, streamed=streamed))
    replies = crew.map(cells_of, entries)
    works = [item for item in replies if isinstance(item, Cells) and item.works.any()]
    if not works:
        raise UsageError(f"grid `{name}`: no device of the folder holds any of its models")
    without = {
        (entry.device, entry.model): item if isinstance(item, str) else item.why
        for entry, item in zip(entries, replies, strict=True)
        if isinstance(item, str) or not item.works.any()
    }
    areas = {kin.device.name: area_of(kin.device) for kin in cast.kin}
    architectures = {kin.device.name: kin.architecture for kin in cast.kin}
    field = field_of(works, architectures, areas)
    return Evaluated(
        name=name,
        title=block.title or name,
        block=block,
        cast=cast,
        field=field,
        subjects=subjects,
        without=without,
    )


def section_of(grid: Evaluated) -> Section:
    """Return the section of an evaluated grid."""
    measure = grid.measures[0]
    verdicts = {per: verdict(grid.field.measured(measure, per)) for per in PER}
    spreads = dict(_spreads(grid))
    wins = {per: _wins(grid, found) for per, found in verdicts.items()}
    numbers = {
        f"{grid.name}.spread.{group}.{name}.{per}.{label}": value
        for (group, name, per), found in spreads.items()
        for label, value in zip(("least", "median", "most"), found, strict=True)
    }
    numbers |= {
        f"{grid.name}.wins.{per}.{key}": float(count)
        for per, found in wins.items()
        for key, count in found.items()
    }
    numbers |= {
        f"{grid.name}.leader_share.{per}": max(found.values()) / max(sum(found.values()), 1)
        for per, found in wins.items()
    }
    parts = (
        Plot(
            name=f"{grid.name}_winner",
            title=f"Best device of each cell by {measure}",
            traces=tuple(drawn.winner_traces(grid, verdicts)),
            layout=drawn.layout(grid),
            choices=plots.choices(tuple(PER.values())),
            legend=plots.legend(drawn.class_titles(grid)),
            note="Colour is the architecture. Hover for the runner-up, the system, its split and what decides.",
        ),
        Plot(
            name=f"{grid.name}_spread",
            title=f"Spread of {measure}: best over worst",
            traces=tuple(drawn.spread_traces(grid, measure)),
            layout=drawn.layout(grid),
            choices=plots.choices([f"{title}, {PER[per]}" for _, title, _ in groups(grid) for per in PER]),
            note="Between architectures, the best device of each takes part.",
        ),
        tables.wins_table(grid, wins),
        tables.where_table(grid, verdicts),
        tables.spread_table(grid, spreads),
        tables.all_spreads_table(grid, spreads),
        Plot(
            name=f"{grid.name}_bound",
            title="What decides, by architecture",
            traces=tuple(drawn.bound_traces(grid)),
            legend=plots.legend(drawn.bound_names(grid)),
            layout=plots.bar_layout(
                len(drawn.class_titles(grid)),
                "share of cells in which it decides",
                barmode="stack",
            ),
            note="Over all devices and cells that work: the longer phase, and the resource that most of it waits for.",
        ),
        tables.best_table(grid, verdicts),
        tables.results_table(grid),
        tables.without_table(grid),
    )
    close = {per: int(contested(_champions(grid, per), CLOSE).sum()) for per in PER}
    numbers |= {f"{grid.name}.contested.{per}": float(count) for per, count in close.items()}
    findings = (
        *cell_findings(grid, wins),
        *close_findings(close, len(grid.points), CLOSE),
        *spread_findings(grid, spreads),
    )
    return Section(name=grid.name, title=grid.title, findings=findings, parts=parts, numbers=numbers)


def _champions(grid: Evaluated, per: str) -> Array:
    return champions(grid.field.measured(grid.measures[0], per), grid.field.architecture)[1]


def _spreads(grid: Evaluated) -> Iterator[tuple[tuple[str, str, str], tuple[float, float, float]]]:
    """Yield group, measure and normalisation with the least, median and largest spread over the cells."""
    for (group, _, places), measure, per in itertools.product(groups(grid), grid.measures, PER):
        found = quartiles(spread_of(grid, measure, per, places).spread)
        if found is not None:
            yield (group, measure, per), found


def _wins(grid: Evaluated, found: Verdict) -> dict[str, int]:
    """Return in how many cells each architecture is best."""
    winners = np.array([*grid.field.architecture, ""])[found.best]
    return {name: int((winners == name).sum()) for name in grid.cast.titles}
