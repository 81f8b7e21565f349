"""Who is best in each cell of a grid, by how much, and per what: device, watt, dollar, area. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.architecture_study.cells import GridCells
from accelscope.core.numeric.term import Array

NORMALISATIONS: Mapping[str, str] = {
    "device": "per device",
    "watt": "per watt",
    "dollar": "per dollar",
    "area": "per mm² of silicon",
    "system": "by whole system",
}
"""Normalisations, and how the page calls them."""


@frozen(kw_only=True, eq=False)
class GridArrays:
    """All devices of a grid on one stack of arrays: device, model, then the cells' axes.

    Attributes:
        architecture: of each device.
        values: by metric, of the whole system; NaN where nothing holds the model.
        shares: by normalisation, what a value is divided by.
        cells_by_pair: the cells of each device and model, None where there are none.
    """

    devices: tuple[str, ...]
    architecture: tuple[str, ...]
    models: tuple[str, ...]
    axes: tuple[tuple[str, str, tuple[float | str, ...]], ...]
    values: Mapping[str, Array]
    shares: Mapping[str, Array]
    cells_by_pair: Mapping[tuple[str, str], GridCells]

    def measured(self, measure: str, per: str) -> Array:
        """Return a metric of all devices in all cells, normalised."""
        found: Array = self.values[measure] / self.shares[per]
        return found

    def device_places(self, names: frozenset[str]) -> tuple[int, ...]:
        """Return the places of some devices."""
        return tuple(at for at, name in enumerate(self.devices) if name in names)


def stack_grid_cells(
    found: Sequence[GridCells], architectures: Mapping[str, str], areas: Mapping[str, float | None]
) -> GridArrays:
    """Return the stack of all cells.

    Args:
        found: cells of each pair of device and model, all over the same axes.
        architectures: of each device by name, in order.
        areas: mm² of each device, or None.
    """
    models = tuple(dict.fromkeys(item.model for item in found))
    devices = tuple(name for name in architectures if any(item.device == name for item in found))
    known = {(item.device, item.model): item for item in found}
    axes = found[0].axes
    cells = tuple(len(values) for _, _, values in axes)
    measures = tuple(found[0].values)

    def stacked(pick: str, name: str = "") -> Array:
        array = np.full((len(devices), len(models), *cells), np.nan)
        for (device, model), item in known.items():
            part = item.values[name] if pick == "values" else getattr(item, pick)
            array[devices.index(device), models.index(model)] = part
        return array

    used = stacked("devices")
    area = np.array([areas.get(name) or np.nan for name in devices])
    return GridArrays(
        devices=devices,
        architecture=tuple(architectures[name] for name in devices),
        models=models,
        axes=axes,
        values={name: stacked("values", name) for name in measures},
        shares={
            "system": np.ones(used.shape),
            "device": used,
            "watt": stacked("power"),
            "dollar": stacked("rate"),
            "area": used * area.reshape(-1, *(1,) * (used.ndim - 1)),
        },
        cells_by_pair=known,
    )


@frozen(kw_only=True, eq=False)
class BestAndWorst:
    """Best and worst of some contenders in each cell; -1 and NaN where none works.

    Attributes:
        best, worst: places of devices.
        spread: best over worst, NaN with fewer than two that work.
    """

    best: Array
    worst: Array
    best_value: Array
    worst_value: Array
    spread: Array


def find_best_and_worst(values: Array, places: Sequence[int] | None = None) -> BestAndWorst:
    """Return who is best and worst among some devices; the first axis is that of devices."""
    chosen = np.arange(values.shape[0]) if places is None else np.array(places, dtype=int)
    some = values[chosen]
    works = np.isfinite(some)
    high = np.where(works, some, -np.inf)
    low = np.where(works, some, np.inf)
    any_ = works.any(axis=0)
    best = np.where(any_, chosen[np.argmax(high, axis=0)], -1)
    worst = np.where(any_, chosen[np.argmin(low, axis=0)], -1)
    top = np.where(any_, high.max(axis=0), np.nan)
    bottom = np.where(any_, low.min(axis=0), np.nan)
    spread = np.where(works.sum(axis=0) > 1, top / bottom, np.nan)
    return BestAndWorst(best=best, worst=worst, best_value=top, worst_value=bottom, spread=spread)


def find_architecture_best(values: Array, architecture: Sequence[str]) -> tuple[tuple[str, ...], Array]:
    """Return the architectures, and the value of the best device of each in each cell."""
    names = tuple(dict.fromkeys(architecture))
    of = np.array(architecture)
    with np.errstate(all="ignore"):
        rows = [find_best_and_worst(values[of == name]).best_value for name in names]
    return names, np.array(rows)


def find_close_cells(best: Array, within: float) -> Array:
    """Return where the second of some rows comes close to the first; rows are architectures.

    Args:
        best: value of each architecture in each cell.
        within: largest ratio of the first to the second.
    """
    ordered = np.sort(np.where(np.isfinite(best), best, 0.0), axis=0)
    if len(ordered) < 2:
        return np.zeros(best.shape[1:], dtype=bool)
    found: Array = (ordered[-2] > 0) & (ordered[-1] <= within * ordered[-2])
    return found


def summarize_spread(spread: Array) -> tuple[float, float, float] | None:
    """Return the least, the median and the largest of a spread over cells; None where there is none."""
    known = spread[np.isfinite(spread)]
    if not known.size:
        return None
    return float(known.min()), float(np.median(known)), float(known.max())
