"""One device under one model, over all cells of a grid: the smallest system that holds it, and its best split.

A cell is a point of the scenario's own axes, such as batch and prompt. Splits are axes as well, so that each system costs
one evaluation for each group of splits, and one more for what decides where the first was too large to keep it.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import numpy as np
from attrs import evolve, frozen

from accelscope.core.analysis.jobs.jobs import JobEvaluator, ScenarioJob
from accelscope.core.numeric.term import Array
from accelscope.core.query.columns import MAX_BREAKDOWN_POINTS
from accelscope.core.query.feasibility import is_exceeded
from accelscope.core.query.result import BreakdownRow, Result

PARALLEL_PREFIX = "deployment.parallel."
NO_BOTTLENECK = "-"
_RESOURCES = {"launch": "kernel starts", "network": "network", "host": "host"}
_ON_CHIP = "on-chip network"


@frozen(kw_only=True)
class StudySystem:
    """One system of a device: how it is asked about.

    Attributes:
        label: name of the system.
        streamed: whether weights come from behind the devices' memory.
        groups: axes of splits, as texts of `--set`.
        resources: what each engine and memory of the device is: `compute` or `memory`.
        package_path: labels of the blocks from the system down to the package.
    """

    label: str
    job: ScenarioJob
    groups: tuple[tuple[str, ...], ...]
    resources: Mapping[str, str]
    package_path: tuple[str, ...] = ()
    streamed: bool = False


@frozen(kw_only=True)
class GridEntry:
    """A device and a model, with the systems to try in turn."""

    device: str
    model: str
    candidates: tuple[StudySystem, ...]
    measures: tuple[str, ...]


@frozen(kw_only=True, eq=False)
class GridCells:
    """What a device does in each cell; arrays of the cells' shape.

    Attributes:
        axes: name, unit and values of the cells' axes.
        values: by metric; NaN where no system holds the model.
        devices: that the split uses.
        power: W of these devices.
        rate: USD/s of the devices that are paid for.
        candidate: index of the system, -1 for none.
        split: degree of each strategy.
        bound: what decides.
        why: where no cell works, what the largest system lacks.
    """

    device: str
    model: str
    systems: tuple[str, ...]
    axes: tuple[tuple[str, str, tuple[float | str, ...]], ...]
    values: Mapping[str, Array]
    devices: Array
    power: Array
    rate: Array
    candidate: Array
    split: Mapping[str, Array]
    bound: Array
    why: str = ""

    @property
    def works(self) -> Array:
        """Where a system holds the model."""
        found: Array = self.candidate >= 0
        return found

    def split_at(self, at: tuple[int, ...]) -> str:
        """Return the split of a cell in words."""
        parts = [f"{name} {int(values[at])}" for name, values in self.split.items() if values[at] > 1]
        return ", ".join(parts) or "one device"

    def sets_at(self, at: tuple[int, ...]) -> tuple[str, ...]:
        """Return the split of a cell as texts of `--set`."""
        return tuple(f"{PARALLEL_PREFIX}{name} = {values[at]:g}" for name, values in self.split.items())

    def point_at(self, at: tuple[int, ...]) -> list[tuple[str, str, float | str]]:
        """Return names, units and values of the axes in a cell."""
        return [
            (name, unit, values[place]) for (name, unit, values), place in zip(self.axes, at, strict=True)
        ]


def evaluate_cells(desk: JobEvaluator, entry: GridEntry) -> GridCells | str:
    """Return the cells of an entry: from the first system on, each fills those that no smaller one holds."""
    found: GridCells | None = None
    why = "no system is large enough"
    for index, rung in enumerate(entry.candidates):
        for group in rung.groups:
            result = desk.evaluated(evolve(rung.job, sets=group))
            if isinstance(result, str):
                why = result
                continue
            new = _best(desk, entry, rung, index, result)
            why = _reason(result) or why
            found = new if found is None else _merged(found, new, entry.measures[0])
        if found is not None and found.works.all():
            return found
    if found is None:
        return why
    return found if found.works.any() else evolve(found, why=why)


def _best(desk: JobEvaluator, entry: GridEntry, rung: StudySystem, index: int, result: Result) -> GridCells:
    """Return the best split of each cell of one system."""
    own = [at for at, axis in enumerate(result.axes) if axis.name.startswith(PARALLEL_PREFIX)]
    cells = tuple(axis.size for at, axis in enumerate(result.axes) if at not in own)
    feasible = _flat(result, result.feasible, len(own))
    sought = _flat(result, _column(result, entry.measures[0]), len(own))
    score = np.where(feasible & np.isfinite(sought), sought, -np.inf)
    choice = np.argmax(score, axis=0)[None]
    works = np.isfinite(np.take_along_axis(score, choice, 0)[0])

    def taken(array: Array) -> Array:
        picked = np.take_along_axis(_flat(result, array, len(own)), choice, 0)[0]
        return np.where(works, picked, np.nan).reshape(cells)

    values = {name: taken(_column(result, name)) for name in entry.measures}
    throughput = taken(_column(result, "throughput"))
    used = next((row.used for row in result.limits if row.name == "devices"), np.ones(()))
    split = {result.axes[at].name.removeprefix(PARALLEL_PREFIX): taken(_degrees(result, at)) for at in own}
    bound = _decided(desk, rung, result, split, works.reshape(cells))
    return GridCells(
        device=entry.device,
        model=entry.model,
        systems=tuple(item.label for item in entry.candidates),
        axes=tuple(
            (axis.name, axis.unit, axis.values) for at, axis in enumerate(result.axes) if at not in own
        ),
        values=values,
        devices=taken(used),
        power=taken(_column(result, "power")),
        rate=taken(_column(result, "cost_per_mtok")) * throughput / 1e6,
        candidate=np.where(works, index, -1).reshape(cells),
        split=split,
        bound=np.where(works.reshape(cells), bound, NO_BOTTLENECK),
    )


def _merged(old: GridCells, new: GridCells, measure: str) -> GridCells:
    """Return cells with those of a later evaluation where it holds what no earlier system does, or splits it better."""
    better = new.works & (
        ~old.works
        | (
            (new.candidate == old.candidate)
            & (new.values[measure] > np.nan_to_num(old.values[measure], nan=-1))
        )
    )
    names = dict.fromkeys((*old.split, *new.split))
    one = np.ones(old.candidate.shape)

    def chosen(first: Array, second: Array) -> Array:
        return np.where(better, second, first)

    return evolve(
        old,
        values={name: chosen(old.values[name], new.values[name]) for name in old.values},
        devices=chosen(old.devices, new.devices),
        power=chosen(old.power, new.power),
        rate=chosen(old.rate, new.rate),
        candidate=chosen(old.candidate, new.candidate),
        split={name: chosen(old.split.get(name, one), new.split.get(name, one)) for name in names},
        bound=chosen(old.bound, new.bound),
    )


def _decided(
    desk: JobEvaluator, rung: StudySystem, result: Result, split: Mapping[str, Array], where: Array
) -> Array:
    """Return what decides in some cells, of a result that keeps its breakdown or of an evaluation of their splits alone.

    Where so many splits are too many to keep it, the cells of each degree of one strategy are asked about apart.
    """
    if result.breakdown or not split:
        return _bounds(result, rung, split)
    nothing = np.full(where.shape, NO_BOTTLENECK, dtype=object)
    known = {name: np.unique(degrees[where & np.isfinite(degrees)]) for name, degrees in split.items()}
    if not all(degrees.size for degrees in known.values()):
        return nothing
    if math.prod(degrees.size for degrees in known.values()) * where.size > MAX_BREAKDOWN_POINTS:
        name = max(known, key=lambda one: known[one].size)
        found = nothing
        for degree in known[name] if known[name].size > 1 else ():
            here = where & (split[name] == degree)
            found = np.where(here, _decided(desk, rung, result, split, here), found)
        return found
    sets = tuple(
        f"{PARALLEL_PREFIX}{name} = [{', '.join(f'{degree:g}' for degree in degrees)}]"
        for name, degrees in known.items()
    )
    again = desk.evaluated(evolve(rung.job, sets=sets))
    return nothing if isinstance(again, str) or not again.breakdown else _bounds(again, rung, split)


def _bounds(result: Result, rung: StudySystem, split: Mapping[str, Array]) -> Array:
    """Return what decides in each cell: the phase that takes longer, and the resource that most of it waits for."""
    shape = next(iter(split.values())).shape if split else ()
    own = [at for at, axis in enumerate(result.axes) if axis.name.startswith(PARALLEL_PREFIX)]
    place = _places(result, own, split)
    whole = _flat(result, _column(result, "e2e_latency"), len(own))
    first = _flat(result, _column(result, "ttft"), len(own))
    prefill = np.take_along_axis(2 * first > whole, place, 0)[0]
    found = np.full(prefill.shape, NO_BOTTLENECK, dtype=object)
    for phase, where in (("prefill", prefill), ("decode", ~prefill)):
        times: dict[str, Array] = {}
        for row in result.breakdown:
            if row.phase == phase:
                for name, seconds in _by_resource(row, rung.resources):
                    taken = np.take_along_axis(_flat(result, seconds, len(own)), place, 0)[0]
                    times[name] = times.get(name, 0.0) + np.nan_to_num(taken)
        names = np.array([f"{phase}: {name}" for name in times] or [NO_BOTTLENECK], dtype=object)
        stack = np.array([*times.values()]) if times else np.zeros((1, *prefill.shape))
        found = np.where(where, names[np.argmax(stack, axis=0)], found)
    return found.reshape(shape)


def _by_resource(row: BreakdownRow, resources: Mapping[str, str]) -> Iterator[tuple[str, Array]]:
    """Yield the time of a row by what decides it: zero where something else does."""
    for index, name in enumerate(row.bound_by):
        said = resources.get(name) or _RESOURCES.get(name, _ON_CHIP)
        yield said, np.where(row.winner == index, row.seconds, 0.0)


def _places(result: Result, own: Sequence[int], split: Mapping[str, Array]) -> Array:
    """Return the place of each cell's split among the splits of a result."""
    flat = np.zeros((1, next(iter(split.values())).size if split else 1), dtype=int)
    for at in own:
        axis = result.axes[at]
        values = np.array([float(value) for value in axis.values])
        degree = np.nan_to_num(split[axis.name.removeprefix(PARALLEL_PREFIX)], nan=values[0]).reshape(1, -1)
        flat = flat * axis.size + np.abs(values[:, None] - degree).argmin(axis=0)[None]
    return flat


def _flat(result: Result, array: Array, own: int) -> Array:
    """Return an array with one row for each split and one column for each cell; axes of splits come first."""
    whole = np.broadcast_to(array, result.shape)
    rows = int(np.prod(result.shape[:own])) if own else 1
    return whole.reshape(rows, -1)


def _degrees(result: Result, at: int) -> Array:
    values = np.array([float(value) for value in result.axes[at].values])
    return values.reshape([-1 if n == at else 1 for n in range(len(result.shape))])


def _column(result: Result, name: str) -> Array:
    column = result.metrics.get(name)
    return np.full((), np.nan) if column is None or column.value is None else column.value


def _reason(result: Result) -> str:
    """Return what breaks where nothing is feasible."""
    if result.feasible.any():
        return ""
    broken = [row for row in result.limits if np.any(is_exceeded(row.used, row.available))]
    memory = [row for row in broken if row.name == "memory"]
    return "not enough memory" if memory else "; ".join(row.reason or row.name for row in broken[:2])
