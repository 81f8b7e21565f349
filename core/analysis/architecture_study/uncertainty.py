"""Which tolerances of the descriptions the doubt about a metric comes from, on the natural system of one cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.architecture_study.cells import GridCells
from accelscope.core.analysis.architecture_study.effects import EffectsRequest, strip_system_path
from accelscope.core.analysis.architecture_study.section import SectionTable
from accelscope.core.analysis.jobs.jobs import JOB_SCENARIO, JobEvaluator
from accelscope.core.analysis.jobs.phrases import format_axis_point, format_short_number
from accelscope.core.analysis.sensitivity.sobol import compute_sobol_indices
from accelscope.core.errors import DescriptionError
from accelscope.core.numeric.axes import format_setting

_SMALLEST_INDEX = 0.05
"""Smallest total index that is told."""


@frozen(kw_only=True, eq=False)
class ToleranceContribution:
    """The Sobol indices of one input.

    Attributes:
        tolerance: half of the 95 % interval over the value.
        first, total: share of the variance that it makes alone, and that would go if it were known.
    """

    device: str
    model: str
    cell: str
    system: str
    parameter: str
    tolerance: float
    first: float
    total: float


def attribute_uncertainty(
    desk: JobEvaluator, probe: EffectsRequest, cells: GridCells
) -> tuple[ToleranceContribution, ...]:
    """Return the indices of a device with a model in the middle one of the cells in which it works."""
    places = [at for at in np.ndindex(cells.candidate.shape) if cells.works[at]]
    if not places:
        return ()
    at = places[len(places) // 2]
    rung = probe.entry.candidates[int(cells.candidate[at])]
    chosen = cells.point_at(at)
    settings = (format_setting(name, value, unit) for name, unit, value in chosen)
    try:
        found = compute_sobol_indices(
            desk.program(rung.job),
            desk.session.registry,
            f"scenario {JOB_SCENARIO}",
            (probe.metric,),
            samples=probe.samples,
            sets=(*cells.sets_at(at), *settings),
        )
    except DescriptionError:
        return ()
    indices = found.metrics[probe.metric]
    return tuple(
        ToleranceContribution(
            device=cells.device,
            model=cells.model,
            cell=format_axis_point(chosen),
            system=cells.systems[int(cells.candidate[at])],
            parameter=strip_system_path(one.path, rung.package_path),
            tolerance=one.tolerance,
            first=float(indices.first[row]),
            total=float(indices.total[row]),
        )
        for row, one in enumerate(found.inputs)
        if indices.total[row] >= _SMALLEST_INDEX
    )


def build_uncertainty_table(name: str, metric: str, doubts: Sequence[ToleranceContribution]) -> SectionTable:
    """Return the indices, the largest of each device and model first."""
    rows = sorted(doubts, key=lambda one: (one.device, one.model, -one.total))
    return SectionTable(
        name=f"{name}_doubts",
        title=f"Which tolerances the doubt about {metric} comes from (Sobol indices)",
        heads=("device", "model", "cell", "system", "parameter", "tolerance [%]", "first order", "total"),
        rows=tuple(
            (
                one.device,
                one.model,
                one.cell,
                one.system,
                one.parameter,
                100 * one.tolerance,
                one.first,
                one.total,
            )
            for one in rows
        ),
        note="Of the middle cell of each device and model; the error of the models themselves is no part of it.",
        collapsed=True,
    )


def describe_uncertainty(metric: str, doubts: Sequence[ToleranceContribution]) -> str | None:
    """Return which tolerance matters most for each device, in the mean over its models."""
    totals: dict[str, dict[str, list[float]]] = {}
    models: dict[str, set[str]] = {}
    for one in doubts:
        totals.setdefault(one.device, {}).setdefault(one.parameter, []).append(one.total)
        models.setdefault(one.device, set()).add(one.model)
    words = []
    for device, own in totals.items():
        mean = {name: sum(values) / len(models[device]) for name, values in own.items()}
        best = max(mean, key=lambda name: mean[name])
        words.append(f"{device}: {best} ({format_short_number(100 * mean[best], 2)} %)")
    if not words:
        return None
    return f"Of the doubt about {metric} that the tolerances of the descriptions leave, most comes from {'; '.join(words)}."
