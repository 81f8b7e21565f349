"""What a tenth of each number of the hardware does to a metric, on the natural system of each cell."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.architecture_study.cells import GridCells, GridEntry
from accelscope.core.analysis.jobs.jobs import JOB_SCENARIO, JobEvaluator
from accelscope.core.analysis.jobs.phrases import format_axis_point
from accelscope.core.analysis.sensitivity.elasticity import compute_elasticities
from accelscope.core.errors import DescriptionError

SMALLEST_EFFECT = 0.001
"""Smallest relative change that counts."""


@frozen(kw_only=True, eq=False)
class ParameterEffect:
    """What a tenth of one parameter does in one cell.

    Attributes:
        cell: values of the axes, in words.
        elasticity: relative change of the metric over that of the parameter.
        less, more: relative change of the metric where the parameter is a tenth less and a tenth more.
        given: whether a description gives the value, rather than a default of a model.
    """

    device: str
    model: str
    cell: str
    system: str
    parameter: str
    source: str
    given: bool
    elasticity: float
    less: float
    more: float

    def gain(self, sign: float) -> float:
        """Return the relative improvement by a tenth in the direction that helps."""
        return max(sign * self.less, sign * self.more, 0.0)


@frozen(kw_only=True, eq=False)
class DeviceEffects:
    """What all parameters do to a device with a model.

    Attributes:
        works: cells in which a system of the device holds the model, of so many `cells`.
    """

    device: str
    effects: tuple[ParameterEffect, ...]
    works: int
    cells: int


@frozen(kw_only=True)
class EffectsRequest:
    """An entry of a grid, the metric that answers, and N of its Sobol indices where they are asked for."""

    entry: GridEntry
    metric: str
    samples: int = 0


def evaluate_device_effects(desk: JobEvaluator, probe: EffectsRequest, cells: GridCells) -> DeviceEffects:
    """Return the effects on a device with a model: one evaluation for each split that any of its cells has."""
    groups: dict[tuple[int, tuple[str, ...]], list[tuple[int, ...]]] = {}
    for at in np.ndindex(cells.candidate.shape):
        if cells.candidate[at] >= 0:
            groups.setdefault((int(cells.candidate[at]), cells.sets_at(at)), []).append(at)
    effects = tuple(
        one
        for (rung, sets), places in groups.items()
        for one in _effects(desk, probe, cells, rung, sets, places)
    )
    return DeviceEffects(
        device=probe.entry.device, effects=effects, works=int(cells.works.sum()), cells=cells.works.size
    )


def _effects(
    desk: JobEvaluator,
    probe: EffectsRequest,
    cells: GridCells,
    rung: int,
    sets: tuple[str, ...],
    places: Sequence[tuple[int, ...]],
) -> Iterator[ParameterEffect]:
    job = probe.entry.candidates[rung].job
    try:
        found = compute_elasticities(
            desk.program(job), desk.session.registry, f"scenario {JOB_SCENARIO}", (probe.metric,), sets=sets
        )
    except DescriptionError:
        return
    effects = found.effects[probe.metric]
    for at in places:
        label = format_axis_point(cells.point_at(at))
        for row, parameter in enumerate(found.parameters):
            less, more = (float(np.nan_to_num(array[(row, *at)])) for array in (effects.less, effects.more))
            if max(abs(less), abs(more)) > SMALLEST_EFFECT:
                yield ParameterEffect(
                    device=cells.device,
                    model=cells.model,
                    cell=label,
                    system=cells.systems[rung],
                    parameter=strip_system_path(parameter.path, probe.entry.candidates[rung].package_path),
                    source=parameter.source,
                    given=parameter.sort == "given",
                    elasticity=float(np.nan_to_num(effects.central[(row, *at)])),
                    less=less,
                    more=more,
                )


def strip_system_path(path: str, above: Sequence[str]) -> str:
    """Return the path of a parameter from below the package, so that it is called alike in all systems."""
    return path.removeprefix(".".join((*above, ""))) if above else path
