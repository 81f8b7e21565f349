"""Elasticities and Sobol indices as JSON and CSV. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from accelscope.core.analysis.sensitivity.effects import (
    MetricEffects,
    Sensitivity,
    find_best_parameter,
    rank_parameters,
)
from accelscope.core.analysis.sensitivity.sobol import SobolResult
from accelscope.core.analysis.sensitivity.tables import describe_sensitivity
from accelscope.core.numeric.term import Array
from accelscope.core.render.table import CellValue, Column, make_table
from accelscope.core.render.table_formats import format_json, format_table_csv

_EXPORT_HEADERS = (
    "scenario", "metric", "metric_value", "metric_unit", "parameter", "value", "unit", "elasticity", "left", "right",
    "ten_percent_less", "ten_percent_more", "kink", "by_one", "jump", "less_feasible", "more_feasible", "sort", "source",
    "first_order", "total",
)  # fmt: skip


def format_sensitivity_json(
    found: Sensitivity, indices: SobolResult | None, manifest: Mapping[str, Any]
) -> str:
    """Return everything as one object; numbers are in SI units, changes are relative, null is what was not tried."""
    first = next(iter(found.effects))
    row = find_best_parameter(found, first)
    whole = {
        "scenario": found.scenario,
        "summary": list(describe_sensitivity(found)),
        "change_first": None if row is None else found.parameters[row].path,
        "bound": {phase: dict(shares) for phase, shares in found.bound.items()},
        "metrics": {
            name: {"value": _finite_or_none(item.nominal), "unit": item.unit, "better": item.better}
            for name, item in found.effects.items()
        },
        "parameters": [_parameter(found, at) for at in rank_parameters(found, first)],
        "without_effect": found.without,
        "sobol": None if indices is None else _sobol(indices),
        "manifest": dict(manifest),
    }
    return format_json(whole)


def format_sensitivity_csv(found: Sensitivity, indices: SobolResult | None) -> str:
    """Return one line for each metric and parameter.

    Args:
        found: elasticities.
        indices: of Sobol, or None.
    """
    columns = [Column(name) for name in _EXPORT_HEADERS]
    rows = (
        _export_row(found, indices, name, row)
        for name in found.effects
        for row in rank_parameters(found, name)
    )
    return format_table_csv(make_table(columns, rows))


def _export_row(found: Sensitivity, indices: SobolResult | None, name: str, row: int) -> list[CellValue]:
    """Return the values of a parameter for a metric, in the order of the headers."""
    item, parameter = found.effects[name], found.parameters[row]
    less, more = (bool(value) for value in found.bounds[row])
    return [
        found.scenario,
        name,
        _finite_or_none(item.nominal),
        item.unit,
        parameter.path,
        parameter.value,
        _unit(parameter.dimension),
        *_effect(item, row).values(),
        less,
        more,
        parameter.sort,
        parameter.source,
        *_share(indices, name, parameter.path),
    ]


def _finite_or_none(value: Array | float) -> float | None:
    """Return a finite number, or None."""
    single = float(np.asarray(value))
    return single if np.isfinite(single) else None


def _parameter(found: Sensitivity, row: int) -> dict[str, Any]:
    parameter = found.parameters[row]
    less, more = (bool(value) for value in found.bounds[row])
    return {
        "path": parameter.path,
        "block": parameter.block,
        "value": parameter.value,
        "unit": _unit(parameter.dimension),
        "sort": parameter.sort,
        "source": parameter.source,
        "settable": parameter.settable,
        "less_feasible": less,
        "more_feasible": more,
        "metrics": {name: _effect(item, row) for name, item in found.effects.items()},
    }


def _effect(item: MetricEffects, row: int) -> dict[str, Any]:
    return {
        "elasticity": _finite_or_none(item.central[row]),
        "left": _finite_or_none(item.left[row]),
        "right": _finite_or_none(item.right[row]),
        "ten_percent_less": _finite_or_none(item.less[row]),
        "ten_percent_more": _finite_or_none(item.more[row]),
        "kink": bool(item.has_kink[row]),
        "by_one": bool(item.by_one[row]),
        "jump": bool(item.jump[row]),
    }


def _unit(dimension: Any) -> str:
    return str(dimension) if dimension.powers else ""


def _share(indices: SobolResult | None, metric: str, path: str) -> tuple[float | None, float | None]:
    """Return the first-order and total index of a parameter, or nothing where it has no tolerance."""
    if indices is None or metric not in indices.metrics:
        return None, None
    item = indices.metrics[metric]
    at = next((place for place, one in enumerate(indices.inputs) if one.path == path), None)
    return (None, None) if at is None else (_finite_or_none(item.first[at]), _finite_or_none(item.total[at]))


def _sobol(indices: SobolResult) -> dict[str, Any]:
    return {
        "samples": indices.samples,
        "points": indices.points,
        "seed": indices.seed,
        "infeasible_share": indices.infeasible,
        "metrics": {
            name: {
                "mean": item.mean,
                "standard_deviation": item.deviation,
                "inputs": [
                    {
                        "path": one.path,
                        "tolerance": one.tolerance,
                        "source": one.source,
                        "first_order": _finite_or_none(item.first[at]),
                        "first_order_error": _finite_or_none(item.first_error[at]),
                        "total": _finite_or_none(item.total[at]),
                        "total_error": _finite_or_none(item.total_error[at]),
                    }
                    for at, one in enumerate(indices.inputs)
                ],
            }
            for name, item in indices.metrics.items()
        },
    }
