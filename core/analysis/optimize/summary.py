"""What a search of a study found, as plain data: the front with its goals, metrics and what limits each point."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelscope.core.analysis.optimize.genetic import MANY
from accelscope.core.analysis.optimize.run import Found
from accelscope.core.analysis.optimize.space import groups, placed
from accelscope.core.query.bottleneck import bound_at
from accelscope.core.query.manifest import manifest
from accelscope.core.query.points import points_of


def told(found: Found, sets: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a search as the object that `--format json` prints.

    Args:
        sets: texts of `--set`, for the manifest.
    """
    asked = found.space.asked
    return {
        "study": asked.label,
        "points": found.space.points,
        "evaluations": found.evaluations,
        "allowed": int(found.scores.allowed.sum()),
        "whole": found.whole,
        "method": "every point" if found.whole else method(found),
        "seed": found.seed,
        "seconds": round(found.seconds, 3),
        "goals": [
            {"name": name, "word": goal.word, "text": goal.text, "unit": unit_of(found, at)}
            for at, (name, goal) in enumerate(zip(found.judge.names, found.judge.goals, strict=True))
        ],
        "axes": [
            {"name": item.axis.name, "unit": item.axis.unit, "values": item.axis.size}
            for item in found.space.axes
        ],
        "hypervolume": found.hypervolume,
        "reference": _signed(found, found.reference),
        "gain": found.gain if np.isfinite(found.gain) else None,
        "front": front_of(found),
        "manifest": manifest(asked.program, found.space.registry, sets),
    }


def method(found: Found) -> str:
    """Return the name of what searched."""
    return "NSGA-III" if len(found.judge.goals) >= MANY else "NSGA-II"


def unit_of(found: Found, goal: int) -> str:
    """Return the base unit of a goal, "" for a plain number."""
    dimension = found.judge.dimensions[goal]
    return str(dimension) if dimension.powers else ""


def front_of(found: Found) -> list[dict[str, Any]]:
    """Return the points of the front, with all headline metrics and what limits decoding."""
    space, registry = found.space, found.space.registry
    rows = found.rows[found.front]
    listed: list[dict[str, Any]] = [{} for _ in rows]
    wanted = [name for name, metric in registry.metrics.items() if metric.headline]
    for group in groups(space, rows) if len(rows) else ():
        points = points_of(placed(space, rows[group]).design, registry, len(group), wanted)
        last = points.evaluation.passes[-1]
        for place, at in enumerate(group):
            bound = bound_at(last, len(group), place)
            listed[at] = {
                "point": space.where(rows[at]),
                "goals": dict(
                    zip(found.judge.names, _signed(found, found.scores.goals[found.front[at]]), strict=True)
                ),
                "metrics": {
                    name: {"value": _number(array[place]), "unit": registry.metrics[name].unit}
                    for name, array in points.metrics.items()
                },
                "bound_by": None
                if bound is None
                else {"phase": bound.phase, "resource": bound.resource, "share": bound.share},
            }
    return listed


def _signed(found: Found, values: Any) -> list[float]:
    return [float(value) for value in np.asarray(values) * found.judge.signs]


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
