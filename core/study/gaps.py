"""The section of gaps: how a metric answers to each number of the hardware, on the natural system of each cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import evolve, frozen

from accelscope.core.errors import DescriptionError
from accelscope.core.sensitivity.elastic import elasticities
from accelscope.core.study import plots
from accelscope.core.study.cells import PARALLEL, Cells, Entry, cells_of
from accelscope.core.study.entries import Cast, entries_of
from accelscope.core.study.evaluated import Evaluated
from accelscope.core.study.folder import Folder, components_of
from accelscope.core.study.jobs import SCENARIO, Desk, side_by_side
from accelscope.core.study.kinds import Gaps
from accelscope.core.study.section import Plot, Section, Table
from accelscope.core.study.words import counted, few, listed, point_of

SHOWN = 8
"""Parameters of a device that its plot shows."""
_LEAST = 0.001
_LESS, _MORE = "#d97f1e", "#2f6db3"


@frozen(kw_only=True, eq=False)
class Effect:
    """What a tenth of one parameter does in one cell.

    Attributes:
        cell: values of the axes, in words.
        elasticity: relative change of the metric over that of the parameter.
        less, more: relative change of the metric where the parameter is a tenth less and a tenth more.
    """

    device: str
    model: str
    cell: str
    system: str
    parameter: str
    source: str
    elasticity: float
    less: float
    more: float

    def gain(self, sign: float) -> float:
        """Return the relative improvement by a tenth in the direction that helps."""
        return max(sign * self.less, sign * self.more, 0.0)


@frozen(kw_only=True)
class Probe:
    """An entry of a grid, and the metric that answers."""

    entry: Entry
    metric: str


def gaps_section(
    folder: Folder,
    cast: Cast,
    grid: Evaluated,
    name: str,
    block: Gaps,
    disabled: Sequence[str] = (),
    workers: int | None = None,
) -> Section:
    """Evaluate the elasticities of a block and return its section."""
    chosen = {component.name for component in components_of(block.devices, f"{name}.devices", "package")}
    models = {component.name for component in components_of(block.models, f"{name}.models", "model")}
    subjects = [item for item in grid.subjects if not models or item.component.name in models]
    part = evolve(cast, kin=tuple(kin for kin in cast.kin if kin.device.name in chosen))
    entries = entries_of(folder, part, block.scenario, subjects, measures=grid.measures)
    metric = block.metric or grid.measures[0]
    probes = [Probe(entry=entry, metric=metric) for entry in entries]
    replies = side_by_side(effects_of, probes, desk=folder.desk, disabled=disabled, workers=workers)
    effects = [one for reply in replies for one in reply]
    sign = -1.0 if folder.session.registry.metrics[metric].better == "low" else 1.0
    ranked = {
        device: _ranked(effects, device, sign) for device in dict.fromkeys(one.device for one in effects)
    }
    return Section(
        name=name,
        title=block.title or name,
        findings=tuple(_findings(cast, effects, ranked, metric)),
        parts=(
            _tornado(name, cast, effects, ranked, metric),
            _first_table(name, cast, effects, sign),
            _table(name, cast, effects),
        ),
        numbers={
            f"{name}.gain.{device}.{parameter}": gain
            for device, order in ranked.items()
            for parameter, gain in order
        },
    )


def effects_of(desk: Desk, probe: Probe) -> tuple[Effect, ...]:
    """Return the effects of a device with a model: one evaluation for each split that any of its cells has."""
    cells = cells_of(desk, probe.entry)
    if isinstance(cells, str):
        return ()
    groups: dict[tuple[int, tuple[str, ...]], list[tuple[int, ...]]] = {}
    for at in np.ndindex(cells.rung.shape):
        if cells.rung[at] >= 0:
            sets = tuple(f"{PARALLEL}{name} = {values[at]:g}" for name, values in cells.split.items())
            groups.setdefault((int(cells.rung[at]), sets), []).append(at)
    return tuple(
        one
        for (rung, sets), places in groups.items()
        for one in _effects(desk, probe, cells, rung, sets, places)
    )


def _effects(
    desk: Desk,
    probe: Probe,
    cells: Cells,
    rung: int,
    sets: tuple[str, ...],
    places: Sequence[tuple[int, ...]],
) -> Iterator[Effect]:
    job = probe.entry.rungs[rung].job
    try:
        found = elasticities(
            desk.program(job), desk.session.registry, f"scenario {SCENARIO}", (probe.metric,), sets=sets
        )
    except DescriptionError:
        return
    effects = found.effects[probe.metric]
    for at in places:
        label = point_of(
            (name, values[place]) for (name, _, values), place in zip(cells.axes, at, strict=True)
        )
        for row, parameter in enumerate(found.parameters):
            less, more = (float(np.nan_to_num(array[(row, *at)])) for array in (effects.less, effects.more))
            if max(abs(less), abs(more)) > _LEAST:
                yield Effect(
                    device=cells.device,
                    model=cells.model,
                    cell=label,
                    system=cells.systems[rung],
                    parameter=_of_device(parameter.path, probe.entry.rungs[rung].above),
                    source=parameter.source,
                    elasticity=float(np.nan_to_num(effects.central[(row, *at)])),
                    less=less,
                    more=more,
                )


def _of_device(path: str, above: Sequence[str]) -> str:
    """Return the path of a parameter from below the package, so that it is called alike in all systems."""
    return path.removeprefix(".".join((*above, ""))) if above else path


def _ranked(effects: Sequence[Effect], device: str, sign: float) -> list[tuple[str, float]]:
    """Return the parameters of a device by their mean gain over its cells, the largest first."""
    own = [one for one in effects if one.device == device]
    cells = len({(one.model, one.cell) for one in own})
    gains: dict[str, float] = {}
    for one in own:
        gains[one.parameter] = gains.get(one.parameter, 0.0) + one.gain(sign) / cells
    return sorted(gains.items(), key=lambda pair: -pair[1])


def _findings(
    cast: Cast, effects: Sequence[Effect], ranked: Mapping[str, Sequence[tuple[str, float]]], metric: str
) -> Iterator[str]:
    """Yield what to change first, for each device."""
    firsts, lines = [], []
    for device, order in ranked.items():
        top = [f"{name} (+{few(100 * gain, 2)} %)" for name, gain in order[:3] if gain > _LEAST]
        if top:
            firsts.append(f"{order[0][0]} of {device} ({_architecture(cast, device)})")
            cells = len({(one.model, one.cell) for one in effects if one.device == device})
            lines.append(
                f"{device}: over {counted(cells, 'cell')} in which it works, a tenth of one number changes {metric} most by "
                f"{listed(top)}."
            )
    if firsts:
        yield f"What to change first for more {metric}: {listed(firsts)}."
    yield from lines


def _architecture(cast: Cast, device: str) -> str:
    kin = cast.of(device)
    return device if kin is None else cast.titles[kin.architecture]


def _tornado(
    name: str,
    cast: Cast,
    effects: Sequence[Effect],
    ranked: Mapping[str, Sequence[tuple[str, float]]],
    metric: str,
) -> Plot:
    traces = []
    for number, (device, order) in enumerate(ranked.items()):
        own = [one for one in effects if one.device == device]
        cells = max(len({(one.model, one.cell) for one in own}), 1)
        for side, colour in (("less", _LESS), ("more", _MORE)):
            values = {
                parameter: 100 * sum(getattr(one, side) for one in own if one.parameter == parameter) / cells
                for parameter, _ in order[:SHOWN]
            }
            label = f"a tenth {side}"
            hover = {
                key: f"{device}: {key} {label}<br>{metric} {value:+.2g} %" for key, value in values.items()
            }
            trace = plots.bars(label, values, colour, hover)
            traces.append(trace | {"visible": number == 0})
    labels = [f"{_architecture(cast, device)}: {device}" for device in ranked]
    shown = [[place // 2 == at for place in range(2 * len(labels))] for at in range(len(labels))]
    layout = plots.bar_layout(
        SHOWN,
        f"mean change of {metric} [%]",
        barmode="overlay",
        updatemenus=plots.chooser(labels, shown),
        margin={"t": 80, "l": 10, "r": 10, "b": 50},
        height=SHOWN * 26 + 150,
    )
    return Plot(
        name=f"{name}_tornado",
        title=f"What a tenth of each number does to {metric}",
        traces=tuple(traces),
        layout=layout,
        legend={"a tenth less": _LESS, "a tenth more": _MORE},
        note="Mean over the cells in which the device works; the parameters that help most come first.",
    )


def _first_table(name: str, cast: Cast, effects: Sequence[Effect], sign: float) -> Table:
    """Return the parameter that helps most in each cell."""
    best: dict[tuple[str, str, str], Effect] = {}
    for one in effects:
        key = (one.device, one.model, one.cell)
        if key not in best or one.gain(sign) > best[key].gain(sign):
            best[key] = one
    rows = tuple(
        (
            _architecture(cast, one.device),
            one.device,
            one.model,
            one.cell,
            one.system,
            one.parameter,
            one.elasticity,
            100 * one.gain(sign),
        )
        for one in best.values()
    )
    heads = (
        "architecture",
        "device",
        "model",
        "cell",
        "system",
        "change first",
        "elasticity",
        "gain by a tenth [%]",
    )
    return Table(
        name=f"{name}_first", title="What to change first, cell by cell", heads=heads, rows=rows, folded=True
    )


def _table(name: str, cast: Cast, effects: Sequence[Effect]) -> Table:
    rows = tuple(
        (
            _architecture(cast, one.device),
            one.device,
            one.model,
            one.cell,
            one.system,
            one.parameter,
            one.source,
            one.elasticity,
            100 * one.less,
            100 * one.more,
        )
        for one in effects
    )
    heads = (
        "architecture", "device", "model", "cell", "system", "parameter", "written at", "elasticity", "a tenth less [%]",
        "a tenth more [%]",
    )  # fmt: skip
    return Table(name=f"{name}_elasticities", title="All elasticities", heads=heads, rows=rows, shown=False)
