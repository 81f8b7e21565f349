"""Which tolerances of the descriptions the doubt about a metric comes from, on the natural system of one cell."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.architecture_study.cells import Cells
from accelscope.core.analysis.architecture_study.effects import Probe, path_of_device
from accelscope.core.analysis.architecture_study.section import Table
from accelscope.core.analysis.jobs.jobs import SCENARIO, Desk
from accelscope.core.analysis.jobs.phrases import few, point_of
from accelscope.core.analysis.sensitivity.sobol import sobol
from accelscope.core.errors import DescriptionError
from accelscope.core.numeric.axes import setting

LEAST = 0.05
"""Smallest total index that is told."""


@frozen(kw_only=True, eq=False)
class Doubt:
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


def doubts_of(desk: Desk, probe: Probe, cells: Cells) -> tuple[Doubt, ...]:
    """Return the indices of a device with a model in the middle one of the cells in which it works."""
    places = [at for at in np.ndindex(cells.rung.shape) if cells.works[at]]
    if not places:
        return ()
    at = places[len(places) // 2]
    rung = probe.entry.rungs[int(cells.rung[at])]
    chosen = cells.point_at(at)
    settings = (setting(name, value, unit) for name, unit, value in chosen)
    try:
        found = sobol(
            desk.program(rung.job),
            desk.session.registry,
            f"scenario {SCENARIO}",
            (probe.metric,),
            samples=probe.samples,
            sets=(*cells.sets_at(at), *settings),
        )
    except DescriptionError:
        return ()
    indices = found.metrics[probe.metric]
    return tuple(
        Doubt(
            device=cells.device,
            model=cells.model,
            cell=point_of(chosen),
            system=cells.systems[int(cells.rung[at])],
            parameter=path_of_device(one.path, rung.above),
            tolerance=one.tolerance,
            first=float(indices.first[row]),
            total=float(indices.total[row]),
        )
        for row, one in enumerate(found.inputs)
        if indices.total[row] >= LEAST
    )


def doubts_table(name: str, metric: str, doubts: Sequence[Doubt]) -> Table:
    """Return the indices, the largest of each device and model first."""
    rows = sorted(doubts, key=lambda one: (one.device, one.model, -one.total))
    return Table(
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
        folded=True,
    )


def told(metric: str, doubts: Sequence[Doubt]) -> str | None:
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
        words.append(f"{device}: {best} ({few(100 * mean[best], 2)} %)")
    if not words:
        return None
    return f"Of the doubt about {metric} that the tolerances of the descriptions leave, most comes from {'; '.join(words)}."
