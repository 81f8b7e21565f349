"""The section of software: one system and model under several runtimes, and how far these lie apart."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import evolve, frozen

from accelscope.core.analysis.architecture_study.entries import (
    build_scenario_job,
    pair_systems_with_models,
    read_requested_dtype,
)
from accelscope.core.analysis.architecture_study.folder import (
    StudyFolder,
    read_component_list,
    read_word_list,
)
from accelscope.core.analysis.architecture_study.section import (
    SectionPlot,
    SectionTable,
    StudySection,
    TableCell,
)
from accelscope.core.analysis.jobs.jobs import JobRunner, ScenarioJob, describe_axis_point, evaluate_job
from accelscope.core.analysis.jobs.phrases import format_ratio, format_short_number
from accelscope.core.blocks.study import Software
from accelscope.core.query.result import Result
from accelscope.core.render import plotly_figures as plots

_DEFAULT_METRICS = ("throughput",)
"""Metrics that are compared where a block names none."""


@frozen(kw_only=True)
class _RuntimeCase:
    """A runtime on a system with a model."""

    system: str
    model: str
    runtime: str
    job: ScenarioJob


@frozen(kw_only=True, eq=False)
class _RuntimeComparison:
    """One point of the scenario under all runtimes.

    Attributes:
        values: by runtime, of those that work.
    """

    system: str
    model: str
    point: str
    measure: str
    values: Mapping[str, float]

    @property
    def label(self) -> str:
        """What the page calls it."""
        return " · ".join(filter(None, (self.system, self.model, self.point)))

    @property
    def gap(self) -> float:
        """How much larger the largest value is than the smallest, as a share of the smallest."""
        return max(self.values.values()) / min(self.values.values()) - 1.0


def build_software_section(
    folder: StudyFolder, name: str, block: Software, runner: JobRunner
) -> StudySection:
    """Evaluate the runtimes of a block and return its section."""
    measures = read_word_list(block.metrics) or _DEFAULT_METRICS
    runs = tuple(_runs(folder, name, block))
    replies = runner.map(evaluate_job, [run.job for run in runs])
    rows = _rows(runs, replies, measures)
    runtimes = tuple(dict.fromkeys(run.runtime for run in runs))
    return StudySection(
        name=name,
        title=block.title or name,
        findings=tuple(_findings(rows)),
        parts=(*(_map(name, runtimes, rows, measure) for measure in measures), _table(name, runtimes, rows)),
        numbers={
            ".".join(filter(None, (name, "gap", row.measure, row.system, row.model, row.point))): row.gap
            for row in rows
        },
    )


def _runs(folder: StudyFolder, name: str, block: Software) -> Iterator[_RuntimeCase]:
    dtype = read_requested_dtype(block.scenario)
    for component, system, model in pair_systems_with_models(
        folder, name, block.systems, block.models, dtype
    ):
        job = build_scenario_job(folder, block.scenario, system, model, dtype)
        for runtime in read_component_list(block.runtimes, f"{name}.runtimes", "runtime"):
            fields = {**job.fields, "runtime": folder.used(runtime)}
            yield _RuntimeCase(
                system=component.name,
                model=model.name,
                runtime=runtime.name,
                job=evolve(job, fields=fields),
            )


def _rows(
    runs: Sequence[_RuntimeCase], replies: Sequence[Result | str], measures: Sequence[str]
) -> list[_RuntimeComparison]:
    """Return the points at which at least two runtimes work."""
    found: dict[tuple[str, str, str, str], dict[str, float]] = {}
    for run, reply in zip(runs, replies, strict=True):
        if isinstance(reply, str):
            continue
        for index in np.ndindex(reply.shape):
            point = describe_axis_point(reply, index)
            for measure in measures:
                column = reply.metrics.get(measure)
                if column is not None and column.value is not None and reply.feasible[index]:
                    value = float(np.broadcast_to(column.value, reply.shape)[index])
                    found.setdefault((run.system, run.model, point, measure), {})[run.runtime] = value
    return [
        _RuntimeComparison(system=system, model=model, point=point, measure=measure, values=values)
        for (system, model, point, measure), values in found.items()
        if len(values) > 1
    ]


def _findings(rows: Sequence[_RuntimeComparison]) -> Iterator[str]:
    """Yield how far runtimes lie apart, where most, and which is ahead how often."""
    for measure in dict.fromkeys(row.measure for row in rows):
        own = [row for row in rows if row.measure == measure]
        most = max(own, key=lambda row: row.gap)
        median = float(np.median([row.gap for row in own]))
        ahead: dict[str, int] = {}
        for row in own:
            best = max(row.values, key=lambda name, row=row: row.values[name])  # type: ignore[misc]
            ahead[best] = ahead.get(best, 0) + 1
        first = max(ahead, key=lambda name: ahead[name])
        yield (
            f"On the same hardware the best runtime has {format_short_number(100 * median, 2)} % more {measure} than the last in the median "
            f"of {len(own)} points and up to {format_short_number(100 * most.gap, 2)} % more ({most.label}); {first} is ahead most often, "
            f"in {ahead[first]}."
        )


def _map(name: str, runtimes: Sequence[str], rows: Sequence[_RuntimeComparison], measure: str) -> SectionPlot:
    own = [row for row in rows if row.measure == measure]
    share = [[_behind(row, runtime) for runtime in runtimes] for row in own]
    text = [["" if value is None else f"{100 * value:.0f} %" for value in line] for line in share]
    hover = [
        [
            f"{row.label}<br>{runtime}: {format_short_number(row.values[runtime]) if runtime in row.values else 'does not work'}"
            for runtime in runtimes
        ]
        for row in own
    ]
    trace = plots.build_value_heat_map(
        rows=[row.label for row in own],
        columns=list(runtimes),
        values=[[None if value is None else 1.0 - value for value in line] for line in share],
        text=text,
        hover=hover,
        low=0.0,
        high=0.6,
        visible=True,
    )
    layout = plots.build_heat_map_layout(len(own), "", "")
    return SectionPlot(
        name=f"{name}_{measure}",
        title=f"{measure} as a share of that of the best runtime",
        traces=(trace,),
        layout=layout,
    )


def _behind(row: _RuntimeComparison, runtime: str) -> float | None:
    return row.values[runtime] / max(row.values.values()) if runtime in row.values else None


def _table(name: str, runtimes: Sequence[str], rows: Sequence[_RuntimeComparison]) -> SectionTable:
    lines: tuple[tuple[TableCell, ...], ...] = tuple(
        (
            row.system,
            row.model,
            row.point,
            row.measure,
            *(row.values.get(runtime) for runtime in runtimes),
            format_ratio(row.gap + 1.0),
        )
        for row in rows
    )
    heads = ("system", "model", "point", "measure", *runtimes, "best over last")
    return SectionTable(name=f"{name}_results", title="All runtimes", heads=heads, rows=lines, collapsed=True)
