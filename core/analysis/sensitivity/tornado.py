"""Tornado plots of a sensitivity, and the page that holds them. Pure.

A plot is what plotly's JSON of a figure holds, `data` and `layout`. The page brings plotly.js with it, so it can be read
without a network.
"""

from __future__ import annotations

import html
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from accelscope.core.analysis.sensitivity.effects import MetricEffects, Sensitivity, rank_parameters
from accelscope.core.analysis.sensitivity.sobol import SobolResult
from accelscope.core.analysis.sensitivity.tables import (
    build_sobol_table,
    describe_sensitivity,
    format_elasticity,
    format_increase_effect,
    format_parameter_source,
    format_sampling_note,
)
from accelscope.core.render.html import render_html_page, require_plotly
from accelscope.core.render.result import format_with_unit
from accelscope.core.render.table import Column, make_table
from accelscope.core.render.table_formats import format_table_html
from accelscope.dsl.values.units import format_quantity

_MOST_BARS = 15
"""Parameters in one plot."""
_SMALLEST_BAR = 0.0005
"""Relative change of a metric that has a bar."""
_LESS, _MORE = "#c0632b", "#2a6f97"
_ROW, _FRAME = 24, 150
_COLUMNS = (
    Column("parameter"),
    Column("value", align="right"),
    Column("elasticity", align="right"),
    Column("more", title="10 % more", align="right"),
    Column("source", wraps=True),
)


def plot_tornado(found: Sensitivity, metric: str, most: int = _MOST_BARS) -> dict[str, Any]:
    """Return a plot of what a tenth less and a tenth more of each parameter does to a metric, the largest on top.

    Args:
        found: elasticities and changes of each metric.
        metric: name of the metric.
        most: how many parameters are drawn.
    """
    item = found.effects[metric]
    rows = _drawn(found, metric)[:most]
    names = [found.parameters[row].path for row in rows]
    told = [
        f"{found.parameters[row].path} = "
        f"{format_quantity(found.parameters[row].value, found.parameters[row].dimension)}"
        f"<br>elasticity {format_elasticity(item, row)}<br>{html.escape(format_parameter_source(found.parameters[row]))}"
        for row in rows
    ]
    bars = [
        _bar("10 % less", _LESS, names, item.less[rows], told),
        _bar("10 % more", _MORE, names, item.more[rows], told),
    ]
    title = f"change of {metric} from {format_with_unit(float(item.nominal), item.unit)}"
    return {"data": bars, "layout": _layout(title, len(rows), percent=True)}


def plot_sobol_indices(indices: SobolResult, metric: str, most: int = _MOST_BARS) -> dict[str, Any]:
    """Return a plot of the first-order and total indices of a metric, the largest on top."""
    item = indices.metrics[metric]
    rows = [int(row) for row in np.argsort(-item.total, kind="stable") if item.total[row] >= 0.005][:most]
    names = [indices.inputs[row].path for row in rows]
    told = [
        f"{one.path} ± {one.tolerance:.1%}<br>{html.escape(one.source)}"
        for one in (indices.inputs[r] for r in rows)
    ]
    bars = []
    for name, color, values, errors in (
        ("total", "#b7c9d3", item.total, item.total_error),
        ("first order", _MORE, item.first, item.first_error),
    ):
        bar = _bar(name, color, names, values[rows], told)
        bar["error_x"] = {"type": "data", "array": _numbers(errors[rows]), "thickness": 1}
        bars.append(bar)
    layout = _layout(f"share of the variance of {metric}", len(rows), percent=False)
    return {"data": bars, "layout": layout | {"barmode": "group"}}


def render_sensitivity_page(found: Sensitivity, indices: SobolResult | None, *, command: str = "") -> str:
    """Return the page as text.

    Args:
        found: elasticities.
        indices: of Sobol, or None.
        command: for the footer of the page.

    Raises:
        UsageError: the library that draws is not installed.
    """
    require_plotly()
    figures: dict[str, Any] = {}
    body = [f"<h1>What {html.escape(found.scenario)} is sensitive to</h1>"]
    body += [f"<p>{html.escape(sentence)}</p>" for sentence in describe_sensitivity(found)]
    for name, item in found.effects.items():
        body.append(f"<h2>{html.escape(name)}</h2>")
        body.extend(_section(found, name, item, figures))
        if indices is not None and name in indices.metrics:
            body.extend(_spread(indices, name, figures))
    body.append(f"<p>{found.without} parameters that were tried have no effect on these metrics.</p>")
    if indices is not None:
        body.append(f"<p>Sobol indices: {html.escape(format_sampling_note(indices))}</p>")
    title = f"Sensitivity of {found.scenario}"
    return render_html_page(title, "\n".join(body), figures=figures, command=command)


def _section(found: Sensitivity, name: str, item: MetricEffects, figures: dict[str, Any]) -> Iterator[str]:
    """Yield the plot of a metric, which goes into `figures`, and its table."""
    if not _drawn(found, name):
        yield "<p>No parameter changes it.</p>"
        return
    figures[f"tornado_{name}"] = plot_tornado(found, name)
    yield f"<div id='tornado_{name}'></div>"
    rows = [
        (
            found.parameters[row].path,
            format_quantity(found.parameters[row].value, found.parameters[row].dimension),
            format_elasticity(item, row),
            format_increase_effect(found, item, row),
            format_parameter_source(found.parameters[row]),
        )
        for row in _drawn(found, name)
    ]
    yield format_table_html(make_table(_COLUMNS, rows))


def _spread(indices: SobolResult, name: str, figures: dict[str, Any]) -> Iterator[str]:
    table = build_sobol_table(name, indices)
    if table.rows:
        figures[f"sobol_{name}"] = plot_sobol_indices(indices, name)
        yield f"<h3>Where the uncertainty of {html.escape(name)} comes from</h3><div id='sobol_{name}'></div>"
        yield format_table_html(table)


def _drawn(found: Sensitivity, metric: str) -> list[int]:
    """Return the rows of the parameters with a bar, the longest first; of equal ones as a table has them."""
    item = found.effects[metric]
    size = np.maximum(np.abs(np.nan_to_num(item.less)), np.abs(np.nan_to_num(item.more)))
    rows = [row for row in rank_parameters(found, metric) if size[row] >= _SMALLEST_BAR]
    return sorted(rows, key=lambda row: -round(float(size[row]), 4))


def _bar(name: str, color: str, names: Sequence[str], values: Any, told: Sequence[str]) -> dict[str, Any]:
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": list(names),
        "x": _numbers(values),
        "text": list(told),
        "textposition": "none",
        "hovertemplate": "%{text}<br>%{x}<extra>%{fullData.name}</extra>",
        "marker": {"color": color},
    }


def _layout(title: str, rows: int, *, percent: bool) -> dict[str, Any]:
    return {
        "barmode": "overlay",
        "height": _FRAME + _ROW * rows,
        "margin": {"l": 10, "r": 20, "t": 40, "b": 70},
        "xaxis": {"title": {"text": title}, "tickformat": "+.0%" if percent else ".0%", "zeroline": True},
        "yaxis": {"autorange": "reversed", "automargin": True, "type": "category", "ticksuffix": " "},
        "legend": {"orientation": "h", "y": 1.0, "yanchor": "bottom", "x": 0},
    }


def _numbers(values: Any) -> list[float | None]:
    return [
        float(f"{value:.4g}") if np.isfinite(value) else None for value in np.asarray(values, dtype=float)
    ]
