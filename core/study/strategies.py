"""The section of strategies: models on systems, divided in several ways, relative to the first way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.facts import SYSTEMS
from accelscope.core.result import Result
from accelscope.core.study import plots
from accelscope.core.study.entries import asked_dtype, job_on
from accelscope.core.study.folder import Folder, components_of, words_of
from accelscope.core.study.jobs import Job, asked, side_by_side
from accelscope.core.study.kinds import Strategies
from accelscope.core.study.natural import system_of
from accelscope.core.study.section import Plot, Section, Table
from accelscope.core.study.words import few, listed, said, times

MEASURES = ("throughput", "tpot", "memory_used", "communication_share")
"""Metrics that are shown where a block names none."""


@frozen(kw_only=True)
class Way:
    """A strategy for a model on a system."""

    model: str
    system: str
    strategy: str
    job: Job


@frozen(kw_only=True, eq=False)
class Outcome:
    """What a way gives at one point of the scenario's axes.

    Attributes:
        point: values of the axes, in words.
        values: by metric; empty where the way is impossible, for the reason `why`.
    """

    way: Way
    point: str
    values: Mapping[str, float]
    why: str = ""


def strategies_section(
    folder: Folder, name: str, block: Strategies, disabled: Sequence[str] = (), workers: int | None = None
) -> Section:
    """Evaluate the ways of a block and return its section."""
    measures = words_of(block.measures) or MEASURES
    ways = tuple(_ways(folder, name, block))
    replies = side_by_side(
        asked, [way.job for way in ways], desk=folder.desk, disabled=disabled, workers=workers
    )
    outcomes = [
        one for way, reply in zip(ways, replies, strict=True) for one in _outcomes(way, reply, measures)
    ]
    units = _units(folder, measures)
    known = tuple(measure for measure in measures if any(measure in one.values for one in outcomes))
    relative = dict(_relative(outcomes, known))
    deployments = components_of(block.deployments, f"{name}.deployments", "deployment")
    titles = {component.name: component.name.replace("_", " ") for component in deployments}
    about = {component.name: component.doc.strip().split("\n")[0] for component in deployments}
    numbers = _numbers(name, outcomes, relative)
    return Section(
        name=name,
        title=block.title or name,
        findings=tuple(_findings(titles, outcomes, relative, known)),
        parts=(
            _summary(name, titles, about, outcomes, relative, known),
            *(_plot(name, titles, outcomes, relative, measure) for measure in known),
            _table(name, titles, outcomes, known, units),
            _impossible(name, titles, outcomes),
        ),
        numbers=numbers,
    )


def _ways(folder: Folder, name: str, block: Strategies) -> Iterator[Way]:
    dtype = asked_dtype(block.scenario)
    for component in components_of(block.systems, f"{name}.systems", "package", *SYSTEMS):
        system = system_of(component, folder.session.registry, dtype)
        if system is None:
            continue
        for model in components_of(block.models, f"{name}.models", "model"):
            for deployment in components_of(block.deployments, f"{name}.deployments", "deployment"):
                job = job_on(folder, block.scenario, system, model, dtype, deployment=deployment)
                yield Way(model=model.name, system=component.name, strategy=deployment.name, job=job)


def _outcomes(way: Way, reply: Result | str, measures: Sequence[str]) -> Iterator[Outcome]:
    if isinstance(reply, str):
        yield Outcome(way=way, point="", values={}, why=reply)
        return
    for index in np.ndindex(reply.shape):
        point = ", ".join(
            f"{axis.name.rpartition('.')[2]} {said(axis.values[at])}"
            for axis, at in zip(reply.axes, index, strict=True)
        )
        if not reply.feasible[index]:
            yield Outcome(way=way, point=point, values={}, why=_broken(reply, index))
            continue
        values = {}
        for measure in measures:
            column = reply.metrics.get(measure)
            value = (
                None
                if column is None or column.value is None
                else float(np.broadcast_to(column.value, reply.shape)[index])
            )
            if value is not None and np.isfinite(value):
                values[measure] = value
        yield Outcome(way=way, point=point, values=values)


def _broken(result: Result, index: tuple[int, ...]) -> str:
    limits = result.point(index)["limits"]
    over = [
        row
        for row in limits
        if None not in (row["used"], row["available"]) and row["used"] > row["available"]
    ]
    rules = [row for row in over if row.get("condition")] or over
    return (
        "; ".join(str(row.get("reason") or f"not enough {row['name']}") for row in rules)
        or "no result is finite"
    )


def _relative(
    outcomes: Sequence[Outcome], measures: Sequence[str]
) -> Iterator[tuple[tuple[int, str], float]]:
    """Yield the place of an outcome and a metric with its value over that of the first strategy of the same question."""
    base: dict[tuple[str, str, str], Outcome] = {}
    first = outcomes[0].way.strategy if outcomes else ""
    for one in outcomes:
        if one.way.strategy == first:
            base[one.way.model, one.way.system, one.point] = one
    for place, one in enumerate(outcomes):
        other = base.get((one.way.model, one.way.system, one.point))
        for measure in measures:
            value = one.values.get(measure)
            reference = other.values.get(measure) if other is not None else None
            if value is not None and reference:
                yield (place, measure), value / reference


def _numbers(
    name: str, outcomes: Sequence[Outcome], relative: Mapping[tuple[int, str], float]
) -> dict[str, float]:
    found = {}
    for place, one in enumerate(outcomes):
        way = one.way
        for measure, value in one.values.items():
            stem = f"{name}.{way.strategy}.{measure}"
            tail = ".".join(filter(None, (way.model, way.system, one.point)))
            found[f"{stem}.value.{tail}"] = value
            if (place, measure) in relative:
                found[f"{stem}.relative.{tail}"] = relative[place, measure]
    return found


def _findings(
    titles: Mapping[str, str],
    outcomes: Sequence[Outcome],
    relative: Mapping[tuple[int, str], float],
    measures: Sequence[str],
) -> Iterator[str]:
    """Yield the range of each strategy relative to the first, and which works for how many models and systems."""
    strategies = list(dict.fromkeys(one.way.strategy for one in outcomes))
    if not strategies:
        return
    for measure in measures:
        parts = []
        for strategy in strategies[1:]:
            values = _of(outcomes, relative, strategy, measure)
            if values:
                parts.append(f"{titles[strategy]} {_range(values)}")
        if parts:
            yield f"{measure.capitalize()} relative to {titles[strategies[0]]}: {listed(parts)}."
    for strategy in strategies:
        own = [one for one in outcomes if one.way.strategy == strategy]
        broken = sorted({one.way.model for one in own if one.why})
        if broken:
            yield f"{titles[strategy].capitalize()} is impossible on some system for {listed(broken)}."


def _of(
    outcomes: Sequence[Outcome], relative: Mapping[tuple[int, str], float], strategy: str, measure: str
) -> list[float]:
    places = [place for place, one in enumerate(outcomes) if one.way.strategy == strategy]
    return sorted(relative[place, measure] for place in places if (place, measure) in relative)


def _range(values: Sequence[float]) -> str:
    low, high = few(values[0], 2), few(values[-1], 2)
    return f"{low}x" if low == high else f"{low}x to {high}x (median {times(float(np.median(values)))})"


def _summary(
    name: str,
    titles: Mapping[str, str],
    about: Mapping[str, str],
    outcomes: Sequence[Outcome],
    relative: Mapping[tuple[int, str], float],
    measures: Sequence[str],
) -> Table:
    rows = []
    for strategy in dict.fromkeys(one.way.strategy for one in outcomes):
        own = [one for one in outcomes if one.way.strategy == strategy]
        works = sum(1 for one in own if not one.why)
        cells = [
            _range(found) if (found := _of(outcomes, relative, strategy, measure)) else ""
            for measure in measures
        ]
        rows.append((titles[strategy], about[strategy], f"{works} of {len(own)}", *cells))
    return Table(
        name=f"{name}_summary",
        title="Each strategy relative to the first",
        heads=("strategy", "what it is", "possible", *measures),
        rows=tuple(rows),
        note="Over models, systems and points at which both are possible.",
    )


def _plot(
    name: str,
    titles: Mapping[str, str],
    outcomes: Sequence[Outcome],
    relative: Mapping[tuple[int, str], float],
    measure: str,
) -> Plot:
    strategies = list(dict.fromkeys(one.way.strategy for one in outcomes))
    rows = list(dict.fromkeys(_row(one) for one in outcomes))
    traces = []
    for number, strategy in enumerate(strategies):
        values = {
            _row(one): relative[place, measure]
            for place, one in enumerate(outcomes)
            if one.way.strategy == strategy and (place, measure) in relative
        }
        hover = {key: f"{key}<br>{titles[strategy]}: {times(value)}" for key, value in values.items()}
        traces.append(plots.dots(titles[strategy], values, plots.PALETTE[number % len(plots.PALETTE)], hover))
    layout = plots.bar_layout(len(rows), f"{measure}, relative to {titles[strategies[0]]}")
    layout["xaxis"] |= {"type": "log", "dtick": "D2"}
    layout["yaxis"] |= {"categoryorder": "array", "categoryarray": rows}
    return Plot(name=f"{name}_{measure}", title=f"{measure} by strategy", traces=tuple(traces), layout=layout)


def _row(one: Outcome) -> str:
    return " · ".join(filter(None, (one.way.model, one.way.system, one.point)))


def _table(
    name: str,
    titles: Mapping[str, str],
    outcomes: Sequence[Outcome],
    measures: Sequence[str],
    units: Mapping[str, str],
) -> Table:
    heads = (
        "model",
        "system",
        "point",
        "strategy",
        *(f"{m} [{units[m]}]" if units[m] else m for m in measures),
    )
    rows = tuple(
        (
            one.way.model,
            one.way.system,
            one.point,
            titles[one.way.strategy],
            *(one.values.get(m) for m in measures),
        )
        for one in outcomes
        if not one.why
    )
    return Table(name=f"{name}_results", title="All strategies", heads=heads, rows=rows, folded=True)


def _impossible(name: str, titles: Mapping[str, str], outcomes: Sequence[Outcome]) -> Table:
    rows = tuple(
        (one.way.model, one.way.system, one.point, titles[one.way.strategy], one.why)
        for one in outcomes
        if one.why
    )
    heads = ("model", "system", "point", "strategy", "why not")
    return Table(
        name=f"{name}_impossible", title="What is impossible, and why", heads=heads, rows=rows, folded=True
    )


def _units(folder: Folder, measures: Sequence[str]) -> dict[str, str]:
    registry = folder.session.registry
    return {name: registry.metrics[name].unit if name in registry.metrics else "" for name in measures}
