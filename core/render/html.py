"""Pages that hold all they need, the drawing library included, so that they can be read without a network."""

from __future__ import annotations

import importlib
import importlib.util
from collections.abc import Callable, Sequence
from html import escape
from typing import Any

from accelscope.core.errors import UsageError

PAGE_STYLE = """
body { font: 15px/1.5 system-ui, sans-serif; margin: 2rem auto; max-width: 1240px; padding: 0 1rem; color: #222; }
table { border-collapse: collapse; margin: .5rem 0 1.5rem; font-size: 14px; }
th, td { padding: .2rem .7rem; border-bottom: 1px solid #ddd; text-align: left; vertical-align: top; }
td.number, th.number { text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
h2 { margin-top: 2.2rem; } .wide { overflow-x: auto; }
"""
"""What pages of tables and drawings look like."""


def require_plotly(what: str = "--format html", instead: str = ", or take --format md, csv or json") -> None:
    """Raise UsageError where the library that draws is not installed.

    Args:
        what: needs it; instead: what else can be done.
    """
    if importlib.util.find_spec("plotly") is None:
        raise UsageError(f"{what} needs plotly: `pip install 'accelscope[plot]'`{instead}")


def load_plotly_script() -> str:
    """Return the text of plotly.js, which a page brings with it."""
    offline: Any = importlib.import_module("plotly.offline")
    text: str = offline.get_plotlyjs()
    return text


def render_html_page(
    title: str, body: str, *, style: str = PAGE_STYLE, script: str = "", attributes: str = ""
) -> str:
    """Return a whole page.

    Args:
        title: plain text.
        body: HTML.
        script: text of a library that the body's own scripts use.
        attributes: of the body's tag.
    """
    head = (
        '<meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">'
        '<link rel="icon" href="data:,">'
        f"<title>{escape(title)}</title><style>{style}</style><script>{script}</script>"
    )
    tag = f"<body {attributes}>" if attributes else "<body>"
    return f"<!doctype html>\n<html lang='en'><head>{head}</head>{tag}\n{body}\n</body></html>\n"


def render_html_table(
    heads: Sequence[str], rows: Sequence[Sequence[str]], number: Callable[[int], bool]
) -> str:
    """Return a table of plain texts.

    Args:
        number: whether a column, by its place, holds numbers.
    """

    def line(cells: Sequence[str], tag: str) -> str:
        inner = "".join(
            f"<{tag}{' class=number' if number(at) else ''}>{escape(cell)}</{tag}>"
            for at, cell in enumerate(cells)
        )
        return f"<tr>{inner}</tr>"

    body = "".join(line(row, "td") for row in rows)
    return f"<div class=wide><table>{line(heads, 'th')}{body}</table></div>"
