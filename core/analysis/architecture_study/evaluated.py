"""An evaluated grid, and spreads among its devices."""

from __future__ import annotations

import itertools
from collections.abc import Mapping

from attrs import frozen

from accelscope.core.analysis.architecture_study.entries import StudyParticipants
from accelscope.core.analysis.architecture_study.spread import (
    BestAndWorst,
    GridArrays,
    find_architecture_best,
    find_best_and_worst,
)
from accelscope.core.analysis.architecture_study.systems import StudyModel
from accelscope.core.blocks.study import Grid

CLASSES, ALL = "architectures", "all"
"""Names of the groups of devices that every grid has."""


@frozen(kw_only=True, eq=False)
class EvaluatedGrid:
    """A grid with all its cells.

    Attributes:
        without: devices and models that no cell of the grid works for, with the reason.
    """

    name: str
    title: str
    block: Grid
    participants: StudyParticipants
    field: GridArrays
    subjects: tuple[StudyModel, ...]
    without: Mapping[tuple[str, str], str]

    @property
    def measures(self) -> tuple[str, ...]:
        """The metrics that are compared."""
        return tuple(self.field.values)

    @property
    def points(self) -> list[tuple[int, ...]]:
        """Places of the cells: model, then the axes."""
        shape = (len(self.field.models), *(len(values) for _, _, values in self.field.axes))
        return list(itertools.product(*map(range, shape)))

    def labels(self, at: tuple[int, ...]) -> tuple[str | float, ...]:
        """Return model and axis values of a cell."""
        axes = zip(self.field.axes, at[1:], strict=True)
        return (self.field.models[at[0]], *(values[place] for (_, _, values), place in axes))


def list_spread_groups(grid: EvaluatedGrid) -> list[tuple[str, str, tuple[int, ...] | None]]:
    """Return who spreads are given among: name, title, and places of devices or None for the best of architectures."""
    own = [
        (name, title, grid.field.device_places(names))
        for name, (title, names) in grid.participants.selections.items()
        if len(grid.field.device_places(names)) > 1
    ]
    everyone = tuple(range(len(grid.field.devices)))
    return [(CLASSES, "between architectures", None), (ALL, "among all devices", everyone), *own]


def compute_device_spread(
    grid: EvaluatedGrid, measure: str, per: str, places: tuple[int, ...] | None
) -> BestAndWorst:
    """Return best and worst among some devices in each cell, or among the best of the architectures without places."""
    values = grid.field.measured(measure, per)
    if places is None:
        return find_best_and_worst(find_architecture_best(values, grid.field.architecture)[1])
    return find_best_and_worst(values, places)
