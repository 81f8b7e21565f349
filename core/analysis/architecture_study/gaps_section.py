"""The section of gaps: how a metric answers to each number of the hardware, on the natural system of each cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import evolve

from accelscope.core.analysis.architecture_study.cells import evaluate_cells
from accelscope.core.analysis.architecture_study.effects import (
    SMALLEST_EFFECT,
    DeviceEffects,
    EffectsRequest,
    ParameterEffect,
    evaluate_device_effects,
)
from accelscope.core.analysis.architecture_study.entries import StudyParticipants, list_grid_entries
from accelscope.core.analysis.architecture_study.evaluated import EvaluatedGrid
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
from accelscope.core.analysis.architecture_study.uncertainty import (
    ToleranceContribution,
    attribute_uncertainty,
    build_uncertainty_table,
    describe_uncertainty,
)
from accelscope.core.analysis.jobs.jobs import JobEvaluator, JobRunner
from accelscope.core.analysis.jobs.phrases import format_noun_count, format_short_number, join_phrases
from accelscope.core.blocks.study import Gaps
from accelscope.core.render import plotly_figures as plots

_PLOTTED_PARAMETERS = 8
"""Parameters of a device that its plot shows."""
_HEADS = ("architecture", "device", "model", "cell", "system")
_LESS, _MORE = "#d97f1e", "#2f6db3"


def build_gaps_section(
    folder: StudyFolder,
    cast: StudyParticipants,
    grid: EvaluatedGrid,
    name: str,
    block: Gaps,
    runner: JobRunner,
) -> StudySection:
    """Evaluate the elasticities of a block and return its section."""
    chosen = {
        component.name for component in read_component_list(block.devices, f"{name}.devices", "package")
    }
    models = {component.name for component in read_component_list(block.models, f"{name}.models", "model")}
    subjects = [item for item in grid.subjects if not models or item.component.name in models]
    part = evolve(cast, devices=tuple(kin for kin in cast.devices if kin.device.name in chosen))
    entries = list_grid_entries(folder, part, block.scenario, subjects, measures=grid.measures)
    metric = block.metric or grid.measures[0]
    samples = 0 if block.sobol_samples is None else int(np.asarray(block.sobol_samples.value).flat[0])
    probes = [EffectsRequest(entry=entry, metric=metric, samples=samples) for entry in entries]
    answers = runner.map(_evaluate_request, probes)
    replies, doubts = [reply for reply, _ in answers], [one for _, found in answers for one in found]
    effects = [one for reply in replies for one in reply.effects]
    sign = -1.0 if folder.session.registry.metrics[metric].better == "low" else 1.0
    hardware = [
        one
        for one in effects
        if one.given and one.parameter.rpartition(".")[2] not in read_word_list(block.excluded_parameters)
    ]
    devices = dict.fromkeys(reply.device for reply in replies)
    ranked = {device: _ranked(hardware, device, sign) for device in devices}
    held = {device: _held(replies, device) for device in devices}
    return StudySection(
        name=name,
        title=block.title or name,
        findings=(
            *_findings(cast, held, ranked, metric),
            *filter(None, [describe_uncertainty(metric, doubts)]),
        ),
        parts=(
            _tornado(name, cast, hardware, ranked, metric),
            _first_table(name, cast, hardware, sign),
            *([build_uncertainty_table(name, metric, doubts)] if samples else []),
            _table(name, cast, effects),
        ),
        numbers={
            f"{name}.gain.{device}.{parameter}": gain
            for device, order in ranked.items()
            for parameter, gain in order
        },
    )


def _evaluate_request(
    desk: JobEvaluator, probe: EffectsRequest
) -> tuple[DeviceEffects, tuple[ToleranceContribution, ...]]:
    """Return the effects and, where they are asked for, the doubts of a device with a model."""
    cells = evaluate_cells(desk, probe.entry)
    if isinstance(cells, str):
        return DeviceEffects(device=probe.entry.device, effects=(), works=0, cells=0), ()
    return evaluate_device_effects(desk, probe, cells), attribute_uncertainty(
        desk, probe, cells
    ) if probe.samples else ()


def _held(replies: Sequence[DeviceEffects], device: str) -> tuple[int, int]:
    """Return in how many cells a device works, and of how many; a model that it never holds counts as often as others."""
    own = [reply for reply in replies if reply.device == device]
    size = max((reply.cells for reply in replies), default=0)
    return sum(reply.works for reply in own), size * len(own)


def _ranked(effects: Sequence[ParameterEffect], device: str, sign: float) -> list[tuple[str, float]]:
    """Return the parameters of a device by their mean gain over its cells, the largest first."""
    own = [one for one in effects if one.device == device]
    cells = len({(one.model, one.cell) for one in own})
    gains: dict[str, float] = {}
    for one in own:
        gains[one.parameter] = gains.get(one.parameter, 0.0) + one.gain(sign) / cells
    return sorted(gains.items(), key=lambda pair: -pair[1])


def _findings(
    cast: StudyParticipants,
    held: Mapping[str, tuple[int, int]],
    ranked: Mapping[str, Sequence[tuple[str, float]]],
    metric: str,
) -> Iterator[str]:
    """Yield what to change first, for each device: memory where it holds models in less than half of the cells."""
    firsts, lines = [], []
    for device, order in ranked.items():
        works, cells = held[device]
        top = [
            f"{name} (+{format_short_number(100 * gain, 2)} %)"
            for name, gain in order[:3]
            if gain > SMALLEST_EFFECT
        ]
        scarce = 2 * works < cells
        words = [f"memory for the model (held in {works} of {cells} cells)"] if scarce else []
        words += [order[0][0]] if top else []
        if words:
            firsts.append(f"{_architecture(cast, device)} ({device}): {', then '.join(words)}")
        if top:
            lines.append(
                f"{device} holds the model in {works} of {format_noun_count(cells, 'cell')}; in these a tenth of one number gives most "
                f"{metric} by {join_phrases(top)}."
            )
    if firsts:
        yield f"What to change first for more {metric}. {'; '.join(firsts)}."
    yield from lines


def _architecture(cast: StudyParticipants, device: str) -> str:
    kin = cast.of(device)
    return device if kin is None else cast.titles[kin.architecture]


def _tornado(
    name: str,
    cast: StudyParticipants,
    effects: Sequence[ParameterEffect],
    ranked: Mapping[str, Sequence[tuple[str, float]]],
    metric: str,
) -> SectionPlot:
    traces = []
    for number, (device, order) in enumerate(ranked.items()):
        own = [one for one in effects if one.device == device]
        cells = max(len({(one.model, one.cell) for one in own}), 1)
        for side, colour in (("less", _LESS), ("more", _MORE)):
            values = {
                parameter: 100 * sum(getattr(one, side) for one in own if one.parameter == parameter) / cells
                for parameter, _ in order[:_PLOTTED_PARAMETERS]
            }
            label = f"a tenth {side}"
            hover = {
                key: f"{device}: {key} {label}<br>{metric} {value:+.2g} %" for key, value in values.items()
            }
            trace = plots.build_bar_trace(label, values, colour, hover)
            traces.append(trace | {"visible": number == 0})
    labels = [f"{_architecture(cast, device)}: {device}" for device in ranked]
    layout = plots.build_bar_layout(
        _PLOTTED_PARAMETERS,
        f"mean change of {metric} [%]",
        barmode="overlay",
    )
    return SectionPlot(
        name=f"{name}_tornado",
        title=f"What a tenth of each number does to {metric}",
        traces=tuple(traces),
        layout=layout,
        choices=plots.build_plot_menu(labels, each=2),
        legend={"a tenth less": _LESS, "a tenth more": _MORE},
        note="Mean over the cells in which the device works; the parameters that help most come first.",
    )


def _row(cast: StudyParticipants, one: ParameterEffect) -> tuple[TableCell, ...]:
    return _architecture(cast, one.device), one.device, one.model, one.cell, one.system, one.parameter


def _first_table(
    name: str, cast: StudyParticipants, effects: Sequence[ParameterEffect], sign: float
) -> SectionTable:
    """Return the parameter that helps most in each cell."""
    best: dict[tuple[str, str, str], ParameterEffect] = {}
    for one in effects:
        key = (one.device, one.model, one.cell)
        if key not in best or one.gain(sign) > best[key].gain(sign):
            best[key] = one
    rows = tuple(
        (
            *_row(cast, one),
            one.elasticity,
            100 * one.gain(sign),
        )
        for one in best.values()
    )
    heads = (*_HEADS, "change first", "elasticity", "gain by a tenth [%]")
    return SectionTable(
        name=f"{name}_first",
        title="What to change first, cell by cell",
        heads=heads,
        rows=rows,
        collapsed=True,
    )


def _table(name: str, cast: StudyParticipants, effects: Sequence[ParameterEffect]) -> SectionTable:
    rows = tuple(
        (
            *_row(cast, one),
            one.source,
            one.elasticity,
            100 * one.less,
            100 * one.more,
        )
        for one in effects
    )
    heads = (*_HEADS, "parameter", "written at", "elasticity", "a tenth less [%]", "a tenth more [%]")
    return SectionTable(
        name=f"{name}_elasticities", title="All elasticities", heads=heads, rows=rows, on_page=False
    )
