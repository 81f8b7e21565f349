"""Results: columns on the grid of a sweep, and one point of them as the JSON object that the command line prints."""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
from attrs import field, frozen

from accelscope.core.numeric.axes import Axis
from accelscope.core.numeric.term import Array
from accelscope.core.query.feasibility import is_exceeded


@frozen(kw_only=True, eq=False)
class MetricColumn:
    """One metric over the grid; `value` is None where the description gives too little.

    Attributes:
        value, low, high: arrays of the grid's shape; low and high are the 10th and 90th percentile, or None where a
            sweep leaves them out.
    """

    name: str
    unit: str
    doc: str
    headline: bool
    better: str
    value: Array | None
    low: Array | None = None
    high: Array | None = None


@frozen(kw_only=True, eq=False)
class LimitRow:
    """A resource over the grid: a point is infeasible where used exceeds available.

    Attributes:
        condition: whether it only holds or is broken, so that a share of it means nothing.
    """

    name: str
    unit: str
    reason: str
    used: Array
    available: Array
    condition: bool = False


@frozen(kw_only=True, eq=False)
class BreakdownRow:
    """Where the time of a phase goes; arrays of the grid's shape.

    Attributes:
        bound_by: names of resources; `winner` is the index of the one that decides at each point.
    """

    phase: str
    component: str
    op: str
    seconds: Array
    share: Array
    bound_by: tuple[str, ...]
    winner: Array


@frozen(kw_only=True, eq=False)
class RequirementRow:
    """A `require` or `prefer` of the targets, and where it holds; None where it names what is not computed."""

    word: str
    text: str
    place: str
    met: Array | None
    message: str | None = None


@frozen(kw_only=True, eq=False)
class Result:
    """An evaluated scenario over a grid of points; a single point has no axes and arrays of shape ()."""

    scenario: str
    axes: tuple[Axis, ...] = ()
    feasible: Array
    metrics: Mapping[str, MetricColumn]
    limits: tuple[LimitRow, ...] = ()
    breakdown: tuple[BreakdownRow, ...] = ()
    requirements: tuple[RequirementRow, ...] = ()
    notes: tuple[str, ...] = ()
    manifest: Mapping[str, Any] = field(factory=dict)

    @property
    def shape(self) -> tuple[int, ...]:
        """Sizes of the axes."""
        return tuple(axis.size for axis in self.axes)

    @property
    def size(self) -> int:
        """How many points."""
        return math.prod(self.shape)

    def points(self) -> Iterator[dict[str, Any]]:
        """Yield every point as `point` returns it, the last axis fastest."""
        for index in itertools.product(*(range(size) for size in self.shape)):
            yield self.point(index)

    def where(self, index: tuple[int, ...]) -> dict[str, float | str]:
        """Return the values of the axes at a point."""
        return {axis.name: axis.values[at] for axis, at in zip(self.axes, index, strict=True)}

    def point(self, index: tuple[int, ...] = ()) -> dict[str, Any]:
        """Return one point as plain data: the object that `eval --format json` prints."""
        feasible = bool(self.feasible[index])
        found: dict[str, Any] = {"scenario": self.scenario}
        if self.axes:
            found["point"] = self.where(index)
        found["feasible"] = feasible
        found["limits"] = [_limit(row, index) for row in self.limits]
        found["metrics"] = {name: _metric(column, index) for name, column in self.metrics.items()}
        found["breakdown"] = [_breakdown(row, index) for row in self.breakdown]
        found["requirements"] = [_requirement(row, index) for row in self.requirements]
        found["notes"] = list(self.notes)
        if not self.axes:
            found["manifest"] = dict(self.manifest)
        return found

    def unmet_requirements(self) -> tuple[RequirementRow, ...]:
        """Return the hard requirements that no feasible point meets."""
        rows = (row for row in self.requirements if row.word == "require" and row.met is not None)
        return tuple(row for row in rows if not np.any(np.asarray(row.met) & self.feasible))


def _number(array: Array | None, index: tuple[int, ...]) -> float | None:
    if array is None:
        return None
    value = float(array[index])
    return value if math.isfinite(value) else None


def _metric(column: MetricColumn, index: tuple[int, ...]) -> dict[str, Any]:
    return {
        "value": _number(column.value, index),
        "unit": column.unit,
        "low": _number(column.low, index),
        "high": _number(column.high, index),
    }


def _limit(row: LimitRow, index: tuple[int, ...]) -> dict[str, Any]:
    used, available = _number(row.used, index), _number(row.available, index)
    found = {"name": row.name, "used": used, "available": available, "unit": row.unit}
    found |= {"condition": True} if row.condition else {}
    return found | {"reason": row.reason} if row.reason and is_limit_exceeded(found) else found


def is_limit_exceeded(limit: Mapping[str, Any]) -> bool:
    """Return whether a point exceeds a limit.

    Args:
        limit: of the limits of `Result.point`; `used` and `available` are None if a variant lacks it.
    """
    used, available = limit["used"], limit["available"]
    return used is not None and available is not None and bool(is_exceeded(used, available))


def _breakdown(row: BreakdownRow, index: tuple[int, ...]) -> dict[str, Any]:
    return {
        "phase": row.phase,
        "component": row.component,
        "op": row.op,
        "seconds": _number(row.seconds, index),
        "share": _number(row.share, index),
        "bound_by": row.bound_by[int(row.winner[index])],
    }


def _requirement(row: RequirementRow, index: tuple[int, ...]) -> dict[str, Any]:
    met = None if row.met is None else bool(np.asarray(row.met)[index])
    return {"word": row.word, "text": row.text, "at": row.place, "met": met}
