"""What a search of a study found, as plain data: the front with its goals, metrics and what limits each point."""

from __future__ import annotations

from typing import Any

import numpy as np

from accelscope.core.analysis.optimize.genetic import MANY_OBJECTIVES
from accelscope.core.analysis.optimize.run import OptimizationResult
from accelscope.core.analysis.optimize.space import build_design_points, group_by_variant
from accelscope.core.query.bottleneck import find_bottleneck
from accelscope.core.query.manifest import build_manifest
from accelscope.core.query.points import evaluate_points


def search_to_dict(found: OptimizationResult, sets: tuple[str, ...] = ()) -> dict[str, Any]:
    """Return a search as the object that `--format json` prints.

    Args:
        found: result of the search.
        sets: texts of `--set`, for the manifest.
    """
    asked = found.space.asked
    return {
        "study": asked.label,
        "points": found.space.points,
        "evaluations": found.evaluations,
        "allowed": int(found.scores.allowed.sum()),
        "whole": found.whole,
        "method": "every point" if found.whole else algorithm_name(found),
        "seed": found.seed,
        "seconds": round(found.seconds, 3),
        "goals": [
            {"name": name, "word": goal.word, "text": goal.text, "unit": goal_unit(found, at)}
            for at, (name, goal) in enumerate(zip(found.judge.names, found.judge.goals, strict=True))
        ],
        "axes": [
            {"name": item.axis.name, "unit": item.axis.unit, "values": item.axis.size}
            for item in found.space.axes
        ],
        "hypervolume": found.hypervolume,
        "reference": _signed(found, found.reference),
        "gain": found.gain if np.isfinite(found.gain) else None,
        "front": describe_front(found),
        "manifest": build_manifest(asked.program, found.space.registry, sets),
    }


def algorithm_name(found: OptimizationResult) -> str:
    """Return the name of what searched."""
    return "NSGA-III" if len(found.judge.goals) >= MANY_OBJECTIVES else "NSGA-II"


def goal_unit(found: OptimizationResult, goal: int) -> str:
    """Return the base unit of a goal, "" for a plain number."""
    dimension = found.judge.dimensions[goal]
    return str(dimension) if dimension.powers else ""


def describe_front(found: OptimizationResult) -> list[dict[str, Any]]:
    """Return the points of the front, with all headline metrics and what limits decoding."""
    space, registry = found.space, found.space.registry
    rows = found.rows[found.front]
    listed: list[dict[str, Any]] = [{} for _ in rows]
    wanted = [metric for metric in registry.metrics.values() if metric.headline]
    for group in group_by_variant(space, rows) if len(rows) else ():
        design = build_design_points(space, rows[group]).design
        points = evaluate_points(design, wanted, shape=(len(group),))
        last = points.evaluation.passes[-1]
        for place, at in enumerate(group):
            bound = find_bottleneck(last, len(group), place)
            listed[at] = {
                "point": space.where(rows[at]),
                "goals": dict(
                    zip(found.judge.names, _signed(found, found.scores.goals[found.front[at]]), strict=True)
                ),
                "metrics": {
                    name: {"value": _number(points.column(name)[place]), "unit": registry.metrics[name].unit}
                    for name in points.metrics
                },
                "bound_by": None
                if bound is None
                else {"phase": bound.phase, "resource": bound.resource, "share": bound.share},
            }
    return listed


def _signed(found: OptimizationResult, values: Any) -> list[float]:
    return [float(value) for value in np.asarray(values) * found.judge.signs]


def _number(value: Any) -> float | None:
    return float(value) if np.isfinite(value) else None
