"""The section of strategies: models on systems, divided in several ways, relative to the first way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from accelscope.core.analysis.architecture_study import strategies_tables as shown
from accelscope.core.analysis.architecture_study.entries import asked_dtype, job_on, pairs_of
from accelscope.core.analysis.architecture_study.folder import Folder, components_of, words_of
from accelscope.core.analysis.architecture_study.section import Section
from accelscope.core.analysis.architecture_study.strategies_tables import Outcome, Way
from accelscope.core.analysis.jobs.jobs import Crew, asked, point_at
from accelscope.core.blocks.study import Strategies
from accelscope.core.query.result import Result

MEASURES = ("throughput", "tpot", "memory_used", "communication_share")
"""Metrics that are shown where a block names none."""
_VARIANCE = "_variance"


def strategies_section(folder: Folder, name: str, block: Strategies, crew: Crew) -> Section:
    """Evaluate the ways of a block and return its section."""
    measures = words_of(block.measures) or MEASURES
    ways = tuple(_ways(folder, name, block))
    replies = crew.map(asked, [way.job for way in ways])
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
        findings=tuple(shown.findings(titles, outcomes, relative, known)),
        parts=(
            shown.summary(name, titles, about, outcomes, relative, known),
            *(
                [shown.medians(name, titles, outcomes, relative, known)]
                if known and any(one.point for one in outcomes)
                else []
            ),
            *([shown.plot(name, titles, outcomes, relative, known)] if known else []),
            shown.table(name, titles, outcomes, known, units),
            shown.impossible(name, titles, outcomes),
        ),
        numbers=numbers,
    )


def _ways(folder: Folder, name: str, block: Strategies) -> Iterator[Way]:
    dtype = asked_dtype(block.scenario)
    for component, system, model in pairs_of(folder, name, block.systems, block.models, dtype):
        for deployment in components_of(block.deployments, f"{name}.deployments", "deployment"):
            job = job_on(folder, block.scenario, system, model, dtype, deployment=deployment)
            yield Way(model=model.name, system=component.name, strategy=deployment.name, job=job)


def _outcomes(way: Way, reply: Result | str, measures: Sequence[str]) -> Iterator[Outcome]:
    if isinstance(reply, str):
        yield Outcome(way=way, point="", values={}, why=reply)
        return
    for index in np.ndindex(reply.shape):
        point = point_at(reply, index)
        if not reply.feasible[index]:
            yield Outcome(way=way, point=point, values={}, why=_broken(reply, index))
            continue
        values = {}
        for measure in measures:
            value = _value(reply, measure, index)
            if value is not None and np.isfinite(value):
                values[measure] = value
        yield Outcome(way=way, point=point, values=values)


def _value(result: Result, measure: str, index: tuple[int, ...]) -> float | None:
    """Return a metric at a point, or None; a variance that is no metric is the square of the standard deviation."""
    column = result.metrics.get(measure)
    if column is None and measure.endswith(_VARIANCE):
        deviation = _value(result, measure.removesuffix(_VARIANCE) + "_std", index)
        return None if deviation is None else deviation**2
    if column is None or column.value is None:
        return None
    return float(np.broadcast_to(column.value, result.shape)[index])


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


def _units(folder: Folder, measures: Sequence[str]) -> dict[str, str]:
    registry = folder.session.registry
    return {name: registry.metrics[name].unit if name in registry.metrics else "" for name in measures}
