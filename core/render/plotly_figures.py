"""Figures of the page as plotly's JSON. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

CATEGORY_COLOURS = (
    "#2f6db3",
    "#d97f1e",
    "#3a9a5b",
    "#b8433f",
    "#7d5ba6",
    "#5f6b76",
    "#c2a11c",
    "#2aa3a3",
    "#a2557b",
    "#7a6a53",
)
"""Colours of categories: distinct in hue and in lightness."""
ROW_HEIGHT = 22
"""Pixels of a row of a heat map."""
RATIO_COLOUR_SCALE = [[0, "#2f6db3"], [0.5, "#f7f7f7"], [1, "#b8433f"]]
"""Colours of ratios: less than one, one, more."""
_WIDE_DECADES = 3
"""Decades from which on an axis is marked at each alone."""
_MARKED_DECADES = 5
"""Decades that are marked, about."""
_HOVER = "%{customdata}<extra></extra>"


def build_category_heat_map(
    names: Sequence[str],
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    place: Sequence[Sequence[int]],
    text: Sequence[Sequence[str]],
    hover: Sequence[Sequence[str]],
    visible: bool,
) -> dict[str, Any]:
    """Return a heat map whose colours are categories; a place of -1 stays empty.

    Args:
        names: of the categories, in the order of the palette.
        rows: labels of the y axis.
        columns: labels of the x axis.
        place: [row][column] index of the category in `names`, -1 for none.
        text: [row][column] text in the cell.
        hover: [row][column] text on hovering.
        visible: whether the map is shown at first.
    """
    count = max(len(names), 1)
    scale = []
    for at in range(count):
        colour = CATEGORY_COLOURS[at % len(CATEGORY_COLOURS)]
        scale += [[at / count, colour], [(at + 1) / count, colour]]
    return {
        "type": "heatmap",
        "x": list(columns),
        "y": list(rows),
        "z": [[None if value < 0 else value for value in row] for row in place],
        "text": [list(row) for row in text],
        "customdata": [list(row) for row in hover],
        "texttemplate": "%{text}",
        "textfont": {"size": 10, "color": "white"},
        "hovertemplate": _HOVER,
        "colorscale": scale,
        "zmin": -0.5,
        "zmax": count - 0.5,
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
        "visible": visible,
    }


def build_value_heat_map(
    *,
    rows: Sequence[str],
    columns: Sequence[str],
    values: Sequence[Sequence[float | None]],
    text: Sequence[Sequence[str]],
    hover: Sequence[Sequence[str]],
    low: float,
    high: float,
    visible: bool,
) -> dict[str, Any]:
    """Return a heat map of amounts."""
    return {
        "type": "heatmap",
        "x": list(columns),
        "y": list(rows),
        "z": [list(row) for row in values],
        "text": [list(row) for row in text],
        "customdata": [list(row) for row in hover],
        "texttemplate": "%{text}",
        "textfont": {"size": 10},
        "hovertemplate": _HOVER,
        "colorscale": [[0, "#f7f4ea"], [0.35, "#f3cf7a"], [0.7, "#df8138"], [1, "#a93226"]],
        "zmin": low,
        "zmax": high,
        "xgap": 1,
        "ygap": 1,
        "showscale": False,
        "visible": visible,
    }


def assign_category_colours(names: Iterable[str]) -> dict[str, str]:
    """Return the colours of categories, in the order of the palette."""
    return {name: CATEGORY_COLOURS[at % len(CATEGORY_COLOURS)] for at, name in enumerate(names)}


def build_bar_trace(
    name: str, values: Mapping[str, float], colour: str, hover: Mapping[str, str] | None = None
) -> dict[str, Any]:
    """Return a trace of horizontal bars, one for each key."""
    return {
        "type": "bar",
        "orientation": "h",
        "name": name,
        "y": list(values),
        "x": list(values.values()),
        "customdata": [(hover or {}).get(key, f"{name}: {value:.3g}") for key, value in values.items()],
        "hovertemplate": _HOVER,
        "marker": {"color": colour},
    }


def build_point_trace(
    name: str, points: Iterable[tuple[str, float, str]], colour: str, size: int = 9
) -> dict[str, Any]:
    """Return a trace of points on rows.

    Args:
        name: name in the legend.
        points: row, value and what hovering shows.
        colour: CSS colour of the points.
        size: diameter of a point in pixels.
    """
    known = tuple(points)
    return {
        "type": "scatter",
        "mode": "markers",
        "name": name,
        "y": [row for row, _, _ in known],
        "x": [value for _, value, _ in known],
        "customdata": [text for _, _, text in known],
        "hovertemplate": _HOVER,
        "marker": {"color": colour, "size": size, "opacity": 0.85},
    }


def build_plot_menu(labels: Sequence[str], each: int = 1) -> dict[str, tuple[bool, ...]]:
    """Return a menu of consecutive groups of traces, `each` so many, of which one is visible at a time."""
    count = len(labels) * each
    return {label: tuple(place // each == at for place in range(count)) for at, label in enumerate(labels)}


def build_heat_map_layout(rows: int, x_title: str, y_title: str, **more: Any) -> dict[str, Any]:
    """Return the layout of a heat map: rows from the top, columns labelled above."""
    return {
        "height": rows * ROW_HEIGHT + 75,
        "xaxis": {
            "title": {"text": x_title, "standoff": 4},
            "side": "top",
            "type": "category",
            "fixedrange": True,
        },
        "yaxis": {
            "title": {"text": y_title},
            "autorange": "reversed",
            "type": "category",
            "automargin": True,
            "fixedrange": True,
        },
        "margin": {"t": 60, "l": 10, "r": 10, "b": 10},
        **more,
    }


def build_log_ratio_axis(values: Iterable[float]) -> dict[str, Any]:
    """Return an axis of ratios, marked at 1, 2 and 5 of each decade, or at decades alone where there are many."""
    known = [value for value in values if value > 0] or [1.0]
    low, high = math.floor(math.log10(min(known))), math.ceil(math.log10(max(known)))
    heads = (1,) if high - low > _WIDE_DECADES else (1, 2, 5)
    step = max(1, (high - low) // _MARKED_DECADES)
    marks = [head * 10.0**decade for decade in range(low, high + 1) if decade % step == 0 for head in heads]
    return {"type": "log", "tickvals": marks, "ticktext": [f"{mark:.12g}" for mark in marks], "tickangle": 0}


def build_bar_layout(rows: int, x_title: str, **more: Any) -> dict[str, Any]:
    """Return the layout of horizontal bars, the first on top."""
    return {
        "height": rows * 26 + 130,
        "xaxis": {"title": {"text": x_title}, "fixedrange": True, "automargin": True},
        "yaxis": {"autorange": "reversed", "type": "category", "automargin": True, "fixedrange": True},
        "margin": {"t": 20, "l": 10, "r": 10, "b": 50},
        "showlegend": False,
        **more,
    }
