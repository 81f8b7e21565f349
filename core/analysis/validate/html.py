"""A page that draws predictions against measurements: by source and device, by size, and the worst rows.

It holds all it needs, the drawing library included, so it can be read without a network.
"""

from __future__ import annotations

import html
import importlib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen

from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.report import build_validation_blocks
from accelscope.core.analysis.validate.score import ScoredTable, ValidationSummary
from accelscope.core.analysis.validate.worst import (
    WorstRow,
    compute_row_sizes,
    find_worst_rows,
    format_row_label,
)
from accelscope.core.numeric.term import Array
from accelscope.core.render.document import format_document_html
from accelscope.core.render.html import render_html_page, require_plotly

_TITLE = "Predictions against measurements"
_BAND = 1.2
"""Factor of the band that is drawn around what is measured."""
_BANDED = (
    f"<p>One drawing for each source and metric; the band is {_BAND - 1:.0%} around the measured value. "
    "A click on a device hides it, a double click shows it alone.</p>"
)
_ACROSS = 3
_HIGH = 340
_WORST_COLUMNS = ("id", "source", "device", "what", "measured", "predicted", "ratio")


@frozen(kw_only=True, eq=False)
class ScatterPanel:
    """One drawing: points of a source and metric, or of an operation, by device."""

    title: str
    x: Array
    y: Array
    devices: Array
    labels: Array


def render_validation_page(
    parts: Sequence[ScoredTable], summary: ValidationSummary, names: LibraryNames, *, command: str = ""
) -> str:
    """Return the page as text.

    Args:
        parts: the tables with their predictions.
        summary: their errors.
        names: definitions of the library, for the texts of the worst rows.
        command: for the footer of the page.

    Raises:
        UsageError: the library that draws is not installed.
    """
    require_plotly()
    devices = sorted({str(hw) for part in parts for hw in part.table.text("hw")[part.predicted]})
    colors = {hw: _color(at) for at, hw in enumerate(devices)}
    against = _figure(list(_against(parts)), colors, diagonal=True)
    residuals = _figure(list(_residuals(parts)), colors, diagonal=False)
    body = [
        f"<h1>{_TITLE}</h1>",
        format_document_html(build_validation_blocks(summary)),
        "<h2>Predicted against measured</h2>",
        _BANDED,
        against,
        "<h2>Residuals by size</h2>",
        "<p>Predicted over measured against the product of the sizes of a row; 1 is exact.</p>",
        residuals,
        "<h2>The worst rows</h2>",
        _worst(find_worst_rows(parts, names)),
    ]
    return render_html_page(_TITLE, "\n".join(body), command=command)


def _color(place: int) -> str:
    """Return one of any number of colours, neighbours far apart: steps of the golden angle around the circle of hues."""
    return f"hsl({place * 137.5 % 360:.0f}, 65%, {35 + place % 3 * 12}%)"


def _against(parts: Sequence[ScoredTable]) -> Iterator[ScatterPanel]:
    """Yield a drawing for each source and metric: measured across, predicted up."""
    for part in parts:
        names = ("source", "metric") if "metric" in part.table.columns else ("source",)
        yield from _panels(part, names, part.measured, part.prediction.value)


def _residuals(parts: Sequence[ScoredTable]) -> Iterator[ScatterPanel]:
    """Yield a drawing for each operation or metric: size across, predicted over measured up."""
    for part in parts:
        name = "op" if "op" in part.table.columns else "metric"
        yield from _panels(
            part, (name,), compute_row_sizes(part.table), part.prediction.value / part.measured
        )


def _panels(part: ScoredTable, names: tuple[str, ...], x: Array, y: Array) -> Iterator[ScatterPanel]:
    used = np.flatnonzero(part.predicted)
    for key, places in part.table.take(used).groups(*names):
        rows = used[places]
        yield ScatterPanel(
            title=", ".join(key),
            x=x[rows],
            y=y[rows],
            devices=part.table.text("hw")[rows],
            labels=np.array([format_row_label(part.table, int(row)) for row in rows], dtype=object),
        )


def _figure(panels: Sequence[ScatterPanel], colors: Mapping[str, str], *, diagonal: bool) -> str:
    """Return drawings side by side, with a device in the same colour in all of them."""
    subplots: Any = importlib.import_module("plotly.subplots")
    objects: Any = importlib.import_module("plotly.graph_objects")
    if not panels:
        return "<p>Nothing is predicted.</p>"
    rows = -(-len(panels) // _ACROSS)
    figure = subplots.make_subplots(
        rows=rows,
        cols=_ACROSS,
        subplot_titles=[panel.title for panel in panels],
        x_title="measured" if diagonal else "size",
        y_title="predicted" if diagonal else "predicted over measured",
        vertical_spacing=min(0.25 / rows, 0.12),
        horizontal_spacing=0.06,
    )
    shown: set[str] = set()
    for at, panel in enumerate(panels):
        place = {"row": at // _ACROSS + 1, "col": at % _ACROSS + 1}
        for line in _lines(panel, diagonal):
            figure.add_trace(objects.Scatter(**line), **place)
        for device in sorted(set(panel.devices)):
            rows_of = panel.devices == device
            figure.add_trace(
                objects.Scattergl(
                    x=_short(panel.x[rows_of]),
                    y=_short(panel.y[rows_of]),
                    text=panel.labels[rows_of],
                    mode="markers",
                    marker={"size": 4, "color": colors[device], "opacity": 0.6},
                    name=device,
                    legendgroup=device,
                    showlegend=device not in shown,
                    hovertemplate="%{text}<br>%{x:.4g}, %{y:.4g}<extra>%{fullData.name}</extra>",
                ),
                **place,
            )
            shown.add(device)
    figure.update_xaxes(type="log")
    figure.update_yaxes(type="log")
    figure.update_layout(
        height=_HIGH * rows + 80,
        margin={"l": 80, "r": 20, "t": 50, "b": 60},
        legend={"itemsizing": "constant"},
    )
    text: str = figure.to_html(full_html=False, include_plotlyjs=False, config={"displaylogo": False})
    return text


def _lines(panel: ScatterPanel, diagonal: bool) -> Iterator[dict[str, Any]]:
    """Yield the line of exact predictions and the band around it."""
    ends = np.array([panel.x.min(), panel.x.max()])
    exact = ends if diagonal else np.ones(2)
    plain = {"mode": "lines", "showlegend": False, "hoverinfo": "skip"}
    yield plain | {"x": _short(ends), "y": _short(exact / _BAND), "line": {"width": 0}}
    yield plain | {
        "x": _short(ends),
        "y": _short(exact * _BAND),
        "line": {"width": 0},
        "fill": "tonexty",
        "fillcolor": "rgba(0, 128, 0, .15)",
    }
    yield plain | {"x": _short(ends), "y": _short(exact), "line": {"width": 1, "color": "#444"}}


def _short(values: Array) -> list[float]:
    """Return numbers with as many digits as a drawing can show."""
    return [float(f"{value:.4g}") for value in values]


def _worst(rows: Sequence[WorstRow]) -> str:
    """Return the worst rows with what they ask, and a text that explains their predictions."""
    heads = "".join(f"<th>{head}</th>" for head in _WORST_COLUMNS)
    lines = [f"<tr>{heads}</tr>"]
    for row in rows:
        cells = (row.id, row.source, row.hw, row.what)
        numbers = (f"{row.measured:,.4g} {row.unit}", f"{row.predicted:,.4g} {row.unit}", f"{row.ratio:.3g}")
        lines.append(
            "<tr>"
            + "".join(f"<td>{html.escape(cell)}</td>" for cell in cells)
            + "".join(f"<td class=number>{html.escape(cell)}</td>" for cell in numbers)
            + f"</tr><tr><td colspan=7><details><summary>explain</summary><pre>{html.escape(row.command)}</pre>"
            "</details></td></tr>"
        )
    return f"<div class=wide><table>{''.join(lines)}</table></div>"
