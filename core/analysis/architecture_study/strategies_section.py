"""The section of strategies: models on systems, divided in several ways, relative to the first way."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from accelscope.core.analysis.architecture_study import strategies_tables as shown
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
from accelscope.core.analysis.architecture_study.section import StudySection
from accelscope.core.analysis.architecture_study.strategies_tables import StrategyCase, StrategyOutcome
from accelscope.core.analysis.jobs.jobs import JobRunner, describe_axis_point, evaluate_job
from accelscope.core.blocks.study import Strategies
from accelscope.core.query.result import Result, is_limit_exceeded

_DEFAULT_METRICS = ("throughput", "tpot", "memory_used", "communication_share")
"""Metrics that are shown where a block names none."""
_VARIANCE = "_variance"


def build_strategies_section(
    folder: StudyFolder, name: str, block: Strategies, runner: JobRunner
) -> StudySection:
    """Evaluate the ways of a block and return its section."""
    measures = read_word_list(block.metrics) or _DEFAULT_METRICS
    ways = tuple(_ways(folder, name, block))
    replies = runner.map(evaluate_job, [way.job for way in ways])
    outcomes = [
        one for way, reply in zip(ways, replies, strict=True) for one in _outcomes(way, reply, measures)
    ]
    units = _units(folder, measures)
    known = tuple(measure for measure in measures if any(measure in one.values for one in outcomes))
    relative = dict(_relative(outcomes, known))
    deployments = read_component_list(block.deployments, f"{name}.deployments", "deployment")
    titles = {component.name: component.name.replace("_", " ") for component in deployments}
    about = {component.name: component.doc.strip().split("\n")[0] for component in deployments}
    numbers = _numbers(name, outcomes, relative)
    return StudySection(
        name=name,
        title=block.title or name,
        findings=tuple(shown.describe_strategies(titles, outcomes, relative, known)),
        parts=(
            shown.build_strategy_summary(name, titles, about, outcomes, relative, known),
            *(
                [shown.plot_strategy_medians(name, titles, outcomes, relative, known)]
                if known and any(one.point for one in outcomes)
                else []
            ),
            *([shown.plot_strategies(name, titles, outcomes, relative, known)] if known else []),
            shown.build_strategy_table(name, titles, outcomes, known, units),
            shown.build_impossible_table(name, titles, outcomes),
        ),
        numbers=numbers,
    )


def _ways(folder: StudyFolder, name: str, block: Strategies) -> Iterator[StrategyCase]:
    dtype = read_requested_dtype(block.scenario)
    for component, system, model in pair_systems_with_models(
        folder, name, block.systems, block.models, dtype
    ):
        for deployment in read_component_list(block.deployments, f"{name}.deployments", "deployment"):
            job = build_scenario_job(folder, block.scenario, system, model, dtype, deployment=deployment)
            yield StrategyCase(model=model.name, system=component.name, strategy=deployment.name, job=job)


def _outcomes(way: StrategyCase, reply: Result | str, measures: Sequence[str]) -> Iterator[StrategyOutcome]:
    if isinstance(reply, str):
        yield StrategyOutcome(case=way, point="", values={}, why=reply)
        return
    for index in np.ndindex(reply.shape):
        point = describe_axis_point(reply, index)
        if not reply.feasible[index]:
            yield StrategyOutcome(case=way, point=point, values={}, why=_broken(reply, index))
            continue
        values = {}
        for measure in measures:
            value = _value(reply, measure, index)
            if value is not None and np.isfinite(value):
                values[measure] = value
        yield StrategyOutcome(case=way, point=point, values=values)


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
    over = [row for row in limits if is_limit_exceeded(row)]
    rules = [row for row in over if row.get("condition")] or over
    return (
        "; ".join(str(row.get("reason") or f"not enough {row['name']}") for row in rules)
        or "no result is finite"
    )


def _relative(
    outcomes: Sequence[StrategyOutcome], measures: Sequence[str]
) -> Iterator[tuple[tuple[int, str], float]]:
    """Yield the place of an outcome and a metric with its value over that of the first strategy of the same question."""
    base: dict[tuple[str, str, str], StrategyOutcome] = {}
    first = outcomes[0].case.strategy if outcomes else ""
    for one in outcomes:
        if one.case.strategy == first:
            base[one.case.model, one.case.system, one.point] = one
    for place, one in enumerate(outcomes):
        other = base.get((one.case.model, one.case.system, one.point))
        for measure in measures:
            value = one.values.get(measure)
            reference = other.values.get(measure) if other is not None else None
            if value is not None and reference:
                yield (place, measure), value / reference


def _numbers(
    name: str, outcomes: Sequence[StrategyOutcome], relative: Mapping[tuple[int, str], float]
) -> dict[str, float]:
    found = {}
    for place, one in enumerate(outcomes):
        way = one.case
        for measure, value in one.values.items():
            stem = f"{name}.{way.strategy}.{measure}"
            tail = ".".join(filter(None, (way.model, way.system, one.point)))
            found[f"{stem}.value.{tail}"] = value
            if (place, measure) in relative:
                found[f"{stem}.relative.{tail}"] = relative[place, measure]
    return found


def _units(folder: StudyFolder, measures: Sequence[str]) -> dict[str, str]:
    registry = folder.session.registry
    return {name: registry.metrics[name].unit if name in registry.metrics else "" for name in measures}
