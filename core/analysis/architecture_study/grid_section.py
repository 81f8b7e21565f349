"""The section of a grid: winners, spreads by normalisation, what decides, and where each device stands."""

from __future__ import annotations

import itertools
from collections.abc import Iterator

import numpy as np

from accelscope.core.analysis.architecture_study import grid_plots as drawn
from accelscope.core.analysis.architecture_study import grid_tables as tables
from accelscope.core.analysis.architecture_study.cells import GridCells, evaluate_cells
from accelscope.core.analysis.architecture_study.entries import StudyParticipants, list_grid_entries
from accelscope.core.analysis.architecture_study.evaluated import (
    EvaluatedGrid,
    compute_device_spread,
    list_spread_groups,
)
from accelscope.core.analysis.architecture_study.findings import (
    describe_close_cells,
    describe_spreads,
    describe_winners,
)
from accelscope.core.analysis.architecture_study.folder import (
    StudyFolder,
    read_component_list,
    read_word_list,
)
from accelscope.core.analysis.architecture_study.section import SectionPlot, StudySection
from accelscope.core.analysis.architecture_study.spread import (
    NORMALISATIONS,
    BestAndWorst,
    find_architecture_best,
    find_best_and_worst,
    find_close_cells,
    stack_grid_cells,
    summarize_spread,
)
from accelscope.core.analysis.architecture_study.systems import read_study_model, sum_die_area
from accelscope.core.analysis.jobs.jobs import JobRunner
from accelscope.core.blocks.study import Grid
from accelscope.core.errors import UsageError
from accelscope.core.numeric.term import Array
from accelscope.core.render import plotly_figures as plots

_DEFAULT_METRICS = ("throughput",)
"""Metrics that are compared where a grid names none."""
_CLOSE_RATIO = 1.35
"""Ratio that is within the error of a prediction: a deviation of 0.3 of its logarithm, the library's `model_log_error_std`."""


def evaluate_study_grid(
    folder: StudyFolder, cast: StudyParticipants, name: str, block: Grid, runner: JobRunner
) -> EvaluatedGrid:
    """Evaluate every device with every model of a grid.

    Raises:
        UsageError: the folder has no devices, a model has no sizes, or nothing works.
    """
    registry = folder.session.registry
    found = []
    for component in read_component_list(block.models, f"{name}.models", "model"):
        subject = read_study_model(component, registry)
        if subject is None:
            raise UsageError(f"`{component.name}` has no sizes of its own; take a model that extends it")
        found.append(subject)
    subjects = tuple(found)
    measures = read_word_list(block.metrics) or _DEFAULT_METRICS
    streamed = block.offload_fallback == "full_offload"
    entries = list(
        list_grid_entries(folder, cast, block.scenario, subjects, measures=measures, streamed=streamed)
    )
    replies = runner.map(evaluate_cells, entries)
    works = [item for item in replies if isinstance(item, GridCells) and item.works.any()]
    if not works:
        raise UsageError(f"grid `{name}`: no device of the folder holds any of its models")
    without = {
        (entry.device, entry.model): item if isinstance(item, str) else item.why
        for entry, item in zip(entries, replies, strict=True)
        if isinstance(item, str) or not item.works.any()
    }
    areas = {kin.device.name: sum_die_area(kin.device) for kin in cast.devices}
    architectures = {kin.device.name: kin.architecture for kin in cast.devices}
    field = stack_grid_cells(works, architectures, areas)
    return EvaluatedGrid(
        name=name,
        title=block.title or name,
        block=block,
        participants=cast,
        field=field,
        subjects=subjects,
        without=without,
    )


def build_grid_section(grid: EvaluatedGrid) -> StudySection:
    """Return the section of an evaluated grid."""
    measure = grid.measures[0]
    verdicts = {per: find_best_and_worst(grid.field.measured(measure, per)) for per in NORMALISATIONS}
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
        SectionPlot(
            name=f"{grid.name}_winner",
            title=f"Best device of each cell by {measure}",
            traces=tuple(drawn.build_winner_traces(grid, verdicts)),
            layout=drawn.build_grid_plot_layout(grid),
            choices=plots.build_plot_menu(tuple(NORMALISATIONS.values())),
            legend=plots.assign_category_colours(drawn.list_architecture_titles(grid)),
            note="Colour is the architecture. Hover for the runner-up, the system, its split and what decides.",
        ),
        SectionPlot(
            name=f"{grid.name}_spread",
            title=f"Spread of {measure}: best over worst",
            traces=tuple(drawn.build_spread_traces(grid, measure)),
            layout=drawn.build_grid_plot_layout(grid),
            choices=plots.build_plot_menu(
                [
                    f"{title}, {NORMALISATIONS[per]}"
                    for _, title, _ in list_spread_groups(grid)
                    for per in NORMALISATIONS
                ]
            ),
            note="Between architectures, the best device of each takes part.",
        ),
        tables.build_wins_table(grid, wins),
        tables.build_wins_by_axis_table(grid, verdicts),
        tables.build_spread_table(grid, spreads),
        tables.build_all_spreads_table(grid, spreads),
        SectionPlot(
            name=f"{grid.name}_bound",
            title="What decides, by architecture",
            traces=tuple(drawn.build_bottleneck_traces(grid)),
            legend=plots.assign_category_colours(drawn.list_bottlenecks(grid)),
            layout=plots.build_bar_layout(
                len(drawn.list_architecture_titles(grid)),
                "share of cells in which it decides",
                barmode="stack",
            ),
            note="Over all devices and cells that work: the longer phase, and the resource that most of it waits for.",
        ),
        tables.build_best_devices_table(grid, verdicts),
        tables.build_results_table(grid),
        tables.build_infeasible_table(grid),
    )
    close = {per: int(find_close_cells(_champions(grid, per), _CLOSE_RATIO).sum()) for per in NORMALISATIONS}
    numbers |= {f"{grid.name}.contested.{per}": float(count) for per, count in close.items()}
    findings = (
        *describe_winners(grid, wins),
        *describe_close_cells(close, len(grid.points), _CLOSE_RATIO),
        *describe_spreads(grid, spreads),
    )
    return StudySection(name=grid.name, title=grid.title, findings=findings, parts=parts, numbers=numbers)


def _champions(grid: EvaluatedGrid, per: str) -> Array:
    return find_architecture_best(grid.field.measured(grid.measures[0], per), grid.field.architecture)[1]


def _spreads(grid: EvaluatedGrid) -> Iterator[tuple[tuple[str, str, str], tuple[float, float, float]]]:
    """Yield group, measure and normalisation with the least, median and largest spread over the cells."""
    for (group, _, places), measure, per in itertools.product(
        list_spread_groups(grid), grid.measures, NORMALISATIONS
    ):
        found = summarize_spread(compute_device_spread(grid, measure, per, places).spread)
        if found is not None:
            yield (group, measure, per), found


def _wins(grid: EvaluatedGrid, found: BestAndWorst) -> dict[str, int]:
    """Return in how many cells each architecture is best."""
    winners = np.array([*grid.field.architecture, ""])[found.best]
    return {name: int((winners == name).sum()) for name in grid.participants.titles}
