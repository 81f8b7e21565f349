"""The one shell of all pages: title, style, drawings, and a footer with version and command.

A page holds all it needs, the drawing library included, so that it can be read without a network.
"""

from __future__ import annotations

import importlib
import importlib.util
import json
from collections.abc import Mapping
from html import escape
from typing import Any

from accelscope import __version__
from accelscope.core.errors import UsageError

PAGE_STYLE = """
:root { color-scheme: light; --ink: #1b2430; --soft: #5a6675; --line: #d8dee6; --tint: #f4f6f9; --mark: #2f6db3; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); background: white; }
main { max-width: 1080px; margin: 0 auto; padding: 1.2rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .4rem 0 .8rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-top: .8rem; border-top: 2px solid var(--line); }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p, li { max-width: 46rem; }
a { color: var(--mark); }
code { background: var(--tint); padding: 0 .2rem; }
pre { background: var(--tint); padding: .6rem; overflow-x: auto; font-size: 13px; margin: .3rem 0; }
.note, footer { color: var(--soft); font-size: .85rem; }
footer { border-top: 1px solid var(--line); margin-top: 3rem; padding-top: .6rem; overflow-wrap: anywhere; }
.wide, .scroll { overflow-x: auto; max-width: 100%; }
.wide table, .scroll { border: 1px solid var(--line); border-radius: 4px; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .55rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.number, th.number { text-align: right; }
td.words { white-space: normal; min-width: 16rem; max-width: 30rem; }
th { background: var(--tint); position: sticky; top: 0; }
tr:last-child td { border-bottom: 0; }
summary { cursor: pointer; color: var(--mark); }
@media (max-width: 600px) { body { font-size: 15px; } h1 { font-size: 1.35rem; } main { padding: .8rem .6rem 3rem; } }
@media print { main { max-width: none; } .wide, .scroll { overflow: visible; } }
"""
"""What all pages look like."""
_DRAW = """
for (const [name, figure] of Object.entries(FIGURES))
  Plotly.newPlot(name, figure.data, figure.layout, { displayModeBar: false, responsive: true });
"""


def require_plotly(what: str = "--format html", instead: str = ", or take --format md, csv or json") -> None:
    """Check that the library that draws is installed.

    Args:
        what: needs it.
        instead: what else can be done.

    Raises:
        UsageError: it is not installed.
    """
    if importlib.util.find_spec("plotly") is None:
        raise UsageError(f"{what} needs plotly: `pip install 'accelscope[plot]'`{instead}")


def load_plotly_script() -> str:
    """Return the text of plotly.js, which a page brings with it."""
    offline: Any = importlib.import_module("plotly.offline")
    text: str = offline.get_plotlyjs()
    return text


def render_html_page(
    title: str,
    body: str,
    *,
    style: str = "",
    figures: Mapping[str, Any] | None = None,
    script: str = "",
    attributes: str = "",
    footer: str = "",
    command: str = "",
) -> str:
    """Return a whole page.

    Args:
        title: plain text, for the window; the body has its own heading.
        body: HTML.
        style: CSS beside that of all pages.
        figures: drawings in plotly's JSON, by the id of the element that holds each.
        script: what the page runs at its end; plotly is there for it.
        attributes: of the body's tag.
        footer: plain text before version and command.
        command: that made the page; empty if it is not known.
    """
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{PAGE_STYLE}{style}</style><script>{load_plotly_script()}</script>"
    )
    drawings = f"const FIGURES = {format_script_json(figures)};{_DRAW}" if figures else ""
    tag = f"<body {attributes}>" if attributes else "<body>"
    end = f"<script>{drawings}{script}</script>" if drawings or script else ""
    return (
        f"<!doctype html>\n<html lang='en'><head>{head}</head>{tag}\n<main>{body}\n"
        f"<footer>{_footer(footer, command)}</footer></main>\n{end}\n</body></html>\n"
    )


def format_script_json(value: Any) -> str:
    """Return JSON that a script element may contain.

    Raises:
        ValueError: a number is not finite.
    """
    text = json.dumps(value, ensure_ascii=False, allow_nan=False)
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")


def _footer(text: str, command: str) -> str:
    made = f"Made by accelscope {__version__}" + (f" with <code>{escape(command)}</code>" if command else "")
    return f"{escape(text)} {made}" if text else made
