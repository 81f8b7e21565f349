"""A study as one HTML page that needs nothing else: plotly is inside, and no address of the network is asked. Pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from accelscope.core.analysis.architecture_study.section import (
    SectionPlot,
    SectionTable,
    StudySection,
    TableCell,
)
from accelscope.core.analysis.jobs.phrases import format_short_number
from accelscope.core.render.html import render_html_page

_PAGE_ROWS = 400
"""Rows of a table that the page shows; its CSV file has all."""

LETTER, COLUMN, FIELD = 6.2, 58, 240
"""Pixels of a letter of a row's label, of a column of a heat map, and of any other field, at least."""

_STYLE = """
:root { color-scheme: light; --ink: #1b2430; --soft: #5a6675; --line: #d8dee6; --tint: #f4f6f9; --mark: #2f6db3; }
* { box-sizing: border-box; }
body { margin: 0; font: 16px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; color: var(--ink); background: white; }
main { max-width: 1080px; margin: 0 auto; padding: 1.2rem 1rem 4rem; }
h1 { font-size: 1.7rem; line-height: 1.2; margin: .4rem 0 .8rem; }
h2 { font-size: 1.3rem; margin: 2.6rem 0 .6rem; padding-top: .8rem; border-top: 2px solid var(--line); }
h3 { font-size: 1rem; margin: 1.6rem 0 .4rem; }
p, li { max-width: 46rem; }
nav a { margin-right: 1rem; white-space: nowrap; }
a { color: var(--mark); }
.claim { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .8rem; margin: .9rem 0; max-width: 46rem; overflow-wrap: anywhere; }
.numbers { font-size: .88rem; color: var(--mark); }
.note { color: var(--soft); font-size: .85rem; }
.scroll { overflow-x: auto; max-width: 100%; border: 1px solid var(--line); border-radius: 4px; }
table { border-collapse: collapse; font-size: .82rem; font-variant-numeric: tabular-nums; }
th, td { padding: .25rem .55rem; text-align: left; vertical-align: top; border-bottom: 1px solid var(--line); white-space: nowrap; }
td.n, th.n { text-align: right; }
td.w { white-space: normal; min-width: 16rem; max-width: 30rem; }
th { background: var(--tint); position: sticky; top: 0; }
tr:last-child td { border-bottom: 0; }
details > summary { cursor: pointer; font-weight: 600; margin: 1.2rem 0 .4rem; }
select { font: inherit; font-size: .85rem; padding: .2rem .4rem; max-width: 100%; margin: .2rem 0; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .82rem; margin: .3rem 0; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; border-radius: 2px; }
.wide { overflow-x: auto; max-width: 100%; }
.plot { width: 100%; }
@media (max-width: 600px) { body { font-size: 15px; } h1 { font-size: 1.35rem; } main { padding: .8rem .6rem 3rem; } }
"""

_DRAW = """
(function () {
  var common = { font: { family: 'system-ui, sans-serif', size: 12, color: '#1b2430' }, paper_bgcolor: 'white', plot_bgcolor: 'white', hoverlabel: { align: 'left' } };
  var drawn = 0;
  PLOTS.forEach(function (plot) {
    var menu = document.querySelector('select[data-plot="' + plot.name + '"]');
    if (menu) menu.addEventListener('change', function () {
      Plotly.restyle(plot.name, 'visible', plot.choices[menu.selectedIndex]);
    });
    Plotly.newPlot(plot.name, plot.traces, Object.assign({}, common, plot.layout), { responsive: true, displayModeBar: false })
      .then(function () { drawn += 1; document.body.setAttribute('data-drawn', drawn); });
  });
})();
"""


def render_study_page(
    *,
    title: str,
    lead: str,
    claims: SectionTable | None,
    sections: Sequence[StudySection],
    script: str,
    footer: str,
) -> str:
    """Return the page.

    Args:
        title: headline.
        lead: what stands before the findings.
        claims: published numbers beside those of the study.
        script: the text of plotly.
        footer: how the page was made.
    """
    plots = [part for section in sections for part in section.parts if isinstance(part, SectionPlot)]
    body = "\n".join(_body(title, lead, claims, sections, footer))
    data = _script_safe(json.dumps([_plain(plot) for plot in plots], ensure_ascii=False, allow_nan=False))
    return render_html_page(
        title,
        f"<main>{body}</main>\n<script>var PLOTS = {data};{_DRAW}</script>",
        style=_STYLE,
        script=script,
        attributes=f'data-plots="{len(plots)}" data-drawn="0"',
    )


def _body(
    title: str, lead: str, claims: SectionTable | None, sections: Sequence[StudySection], footer: str
) -> Iterator[str]:
    yield f"<h1>{escape(title)}</h1>"
    if lead:
        yield f"<p>{escape(lead)}</p>"
    yield "<nav>" + " ".join(f'<a href="#{s.name}">{escape(s.title)}</a>' for s in sections) + "</nav>"
    heads = [finding for section in sections for finding in section.findings[:1]]
    if heads:
        yield "<h2>Findings</h2>"
        yield _list(heads)
    if claims is not None:
        yield f"<h2>{escape(claims.title)}</h2>"
        yield from _claims(claims)
    for section in sections:
        yield f'<h2 id="{section.name}">{escape(section.title)}</h2>'
        if section.findings:
            yield _list(section.findings)
        for part in section.parts:
            yield from _part(part)
    yield f'<p class="note">{escape(footer)}</p>'


def _claims(table: SectionTable) -> Iterator[str]:
    """Yield each claim with its numbers and the reason for their difference, below each other."""
    for says, published, least, median, most, nearest, because in table.rows:
        numbers = [f"here {_shown(least)} to {_shown(most)}, median {_shown(median)}"]
        if published is not None:
            numbers = [f"published {_shown(published)}", *numbers, f"closest {_shown(nearest)}"]
        yield (
            f'<div class="claim"><b>{_shown(says)}</b><br><span class="numbers">{"; ".join(numbers)}</span>'
            f"<br>{_shown(because)}</div>"
        )


def _list(items: Iterable[str]) -> str:
    return "<ul>" + "".join(f"<li>{escape(item)}</li>" for item in items) + "</ul>"


def _part(part: SectionTable | SectionPlot) -> Iterator[str]:
    if isinstance(part, SectionPlot):
        height = part.layout.get("height", 400)
        yield f"<h3>{escape(part.title)}</h3>"
        if part.choices:
            yield _menu(part)
        if part.legend:
            yield _legend(part.legend)
        size = f"height:{height}px;min-width:{compute_minimum_width(part)}px"
        yield f'<div class="wide"><div class="plot" id="{part.name}" style="{size}"></div></div>'
        if part.note:
            yield f'<p class="note">{escape(part.note)}</p>'
    elif part.on_page and part.rows:
        table = f'<div class="scroll">{_table(part)}</div>'
        cut = len(part.rows) > _PAGE_ROWS
        more = (
            f"The first {_PAGE_ROWS} of {len(part.rows):,} rows; all are in {part.name}.csv." if cut else ""
        )
        note = " ".join(filter(None, (part.note, more)))
        note = f'<p class="note">{escape(note)}</p>' if note else ""
        if part.collapsed:
            yield f"<details><summary>{escape(part.title)}</summary>{table}{note}</details>"
        else:
            yield f"<h3>{escape(part.title)}</h3>{table}{note}"


def compute_minimum_width(plot: SectionPlot) -> int:
    """Return the pixels that labels of rows and columns need; a narrower window scrolls sideways."""
    rows = [str(row) for trace in plot.traces for row in trace.get("y", ())]
    maps = [trace for trace in plot.traces if trace.get("type") == "heatmap"]
    columns = max((len(trace["x"]) for trace in maps), default=0)
    return round(LETTER * max(map(len, rows), default=0)) + max(columns * COLUMN, FIELD)


def _menu(plot: SectionPlot) -> str:
    items = "".join(f"<option>{escape(label)}</option>" for label in plot.choices)
    return f'<select aria-label="{escape(plot.title)}" data-plot="{plot.name}">{items}</select>'


def _legend(colours: Mapping[str, str]) -> str:
    items = (
        f'<span><i style="background:{colour}"></i>{escape(name)}</span>' for name, colour in colours.items()
    )
    return f'<div class="legend">{"".join(items)}</div>'


def _table(table: SectionTable) -> str:
    numeric = [
        all(not isinstance(row[at], str) for row in table.rows)
        and any(row[at] is not None for row in table.rows)
        for at in range(len(table.heads))
    ]
    head = "".join(_cell("th", escape(name), numeric[at]) for at, name in enumerate(table.heads))
    rows = (
        "<tr>" + "".join(_cell("td", _shown(value), numeric[at]) for at, value in enumerate(row)) + "</tr>"
        for row in table.rows[:_PAGE_ROWS]
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"


def _cell(tag: str, text: str, numeric: bool) -> str:
    kind = ' class="n"' if numeric else ' class="w"' if tag == "td" and len(text) > 40 else ""
    return f"<{tag}{kind}>{text}</{tag}>"


def _shown(value: TableCell) -> str:
    if value is None:
        return "–"
    if isinstance(value, str):
        return escape(value)
    return f"{value:,}" if isinstance(value, int) else format_short_number(value)


def _plain(plot: SectionPlot) -> dict[str, Any]:
    shown = [list(visible) for visible in plot.choices.values()]
    return {"name": plot.name, "traces": list(plot.traces), "layout": dict(plot.layout), "choices": shown}


def _script_safe(text: str) -> str:
    """Return JSON that may stand in a script element."""
    return text.replace("</", "<\\/").replace("<!--", "<\\!--")
