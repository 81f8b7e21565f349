"""Plots as a page that holds all it needs (plotly), or as one SVG (matplotlib)."""

from __future__ import annotations

import html
import importlib
import importlib.util
import io
from collections.abc import Sequence
from typing import Any

from accelscope.core.errors import UsageError
from accelscope.core.render.document import Block, format_document_html
from accelscope.core.render.html import render_html_page
from accelscope.core.render.plot_figure import PlotFigure, PlotSeries
from accelscope.core.render.plotly_figures import CATEGORY_COLOURS

PLOT_LIBRARIES = {"html": "plotly", "svg": "matplotlib"}
FAINT_COLOUR = "#c9ced3"


def require_plot_library(form: str) -> None:
    """Check that what draws a format is installed.

    Raises:
        UsageError: it is not; the message says how to install it.
    """
    name = PLOT_LIBRARIES[form]
    if importlib.util.find_spec(name) is None:
        raise UsageError(
            f"--format {form} needs {name}: `pip install 'accelscope[plot]'`, or take table, json or csv"
        )


def render_plot_page(
    title: str, pictures: Sequence[PlotFigure], blocks: Sequence[Block], *, command: str = ""
) -> str:
    """Return a page: the first block is the answer, then come the plots, then the other blocks.

    Args:
        title: heading of the page.
        pictures: plots; those without points are left out.
        blocks: sentences and tables, at least one.
        command: for the footer of the page.
    """
    drawn = [picture for picture in pictures if any(item.x for item in picture.series)]
    figures = {f"plot{at}": _figure(picture) for at, picture in enumerate(drawn)}
    body = [f"<h1>{html.escape(title)}</h1>", format_document_html(blocks[:1])]
    body += [f'<div id="{name}" style="height: 480px"></div>' for name in figures]
    body.append(format_document_html(blocks[1:]))
    return render_html_page(title, "\n".join(body), figures=figures, command=command)


def _figure(picture: PlotFigure) -> dict[str, Any]:
    data = []
    for item, colour in _coloured(picture.series):
        data.append(
            {
                "type": "scatter",
                "name": item.name,
                "x": list(item.x),
                "y": list(item.y),
                "text": [html.escape(text) for text in item.texts],
                "mode": "lines+markers" if item.line else "markers",
                "line": {"shape": "hv" if item.line else "linear", "width": 1.5},
                "marker": {"color": colour, "size": 4 if item.faint else 7},
                "hovertemplate": "%{x:.4g}, %{y:.4g}<br>%{text}<extra>%{fullData.name}</extra>",
            }
        )
    layout = {
        "title": {"text": picture.title},
        "xaxis": {"title": {"text": picture.x}, "type": "log" if picture.is_logarithmic("x") else "linear"},
        "yaxis": {"title": {"text": picture.y}, "type": "log" if picture.is_logarithmic("y") else "linear"},
        "template": "plotly_white",
        "legend": {"orientation": "v"},
    }
    return {"data": data, "layout": layout}


def render_plot_svg(picture: PlotFigure) -> str:
    """Return a plot as SVG; the same plot gives the same bytes."""
    matplotlib: Any = importlib.import_module("matplotlib")
    figure_of: Any = importlib.import_module("matplotlib.figure")
    with matplotlib.rc_context({"svg.hashsalt": "accelscope", "svg.fonttype": "none", "font.size": 9}):
        figure = figure_of.Figure(figsize=(7.2, 4.4), layout="constrained")
        axes = figure.add_subplot()
        for item, colour in _coloured(picture.series):
            size = 2.0 if item.faint else 4.0
            style = {"marker": "o", "markersize": size, "color": colour, "label": item.name, "linewidth": 1.2}
            axes.plot(item.x, item.y, linestyle="-" if item.line else "none", drawstyle=_steps(item), **style)
        axes.set(xlabel=picture.x, ylabel=picture.y, title=picture.title)
        for axis in ("x", "y"):
            if picture.is_logarithmic(axis):
                getattr(axes, f"set_{axis}scale")("log")
        axes.grid(visible=True, alpha=0.3)
        if len(picture.series) > 1:
            axes.legend(fontsize=7)
        stream = io.StringIO()
        figure.savefig(stream, format="svg", metadata={"Date": None})
    return stream.getvalue()


def _steps(item: PlotSeries) -> str:
    return "steps-post" if item.line else "default"


def _coloured(series: Sequence[PlotSeries]) -> list[tuple[PlotSeries, str]]:
    colours = iter(CATEGORY_COLOURS * (len(series) // len(CATEGORY_COLOURS) + 1))
    return [(item, FAINT_COLOUR if item.faint else next(colours)) for item in series]
