"""A study as one HTML page that needs nothing else: plotly is inside, and no address of the network is asked. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from html import escape
from typing import Any

from accelscope.core.analysis.architecture_study.section import (
    SectionPlot,
    SectionTable,
    StudySection,
    TableCell,
    format_table_cell,
)
from accelscope.core.render.html import format_script_json, render_html_page
from accelscope.core.render.table_formats import format_table_html

_PAGE_ROWS = 400
"""Rows of a table that the page shows; its CSV file has all."""

LETTER, COLUMN, FIELD = 6.2, 58, 240
"""Pixels of a letter of a row's label, of a column of a heat map, and of any other field, at least."""

_STYLE = """
nav a { margin-right: 1rem; white-space: nowrap; }
.claim { border-left: 3px solid var(--line); padding: .1rem 0 .1rem .8rem; margin: .9rem 0; max-width: 46rem; overflow-wrap: anywhere; }
.numbers { font-size: .88rem; color: var(--mark); }
details > summary { color: inherit; font-weight: 600; margin: 1.2rem 0 .4rem; }
select { font: inherit; font-size: .85rem; padding: .2rem .4rem; max-width: 100%; margin: .2rem 0; }
.legend { display: flex; flex-wrap: wrap; gap: .1rem 1rem; font-size: .82rem; margin: .3rem 0; }
.legend i { display: inline-block; width: .8em; height: .8em; margin-right: .35em; border-radius: 2px; }
.plot { width: 100%; }
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
    footer: str,
    command: str = "",
) -> str:
    """Return the page.

    Args:
        title: headline.
        lead: what stands before the findings.
        claims: published numbers beside those of the study.
        sections: parts of the page, in order.
        footer: how the page was made.
        command: that made it.
    """
    plots = [part for section in sections for part in section.parts if isinstance(part, SectionPlot)]
    return render_html_page(
        title,
        "\n".join(_body(title, lead, claims, sections)),
        style=_STYLE,
        script=f"var PLOTS = {format_script_json([_plain(plot) for plot in plots])};{_DRAW}",
        footer=footer,
        command=command,
        attributes=f'data-plots="{len(plots)}" data-drawn="0"',
    )


def _body(
    title: str, lead: str, claims: SectionTable | None, sections: Sequence[StudySection]
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
        table = format_table_html(part.to_table(_PAGE_ROWS))
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


def _shown(value: TableCell) -> str:
    return escape(format_table_cell(value))


def _plain(plot: SectionPlot) -> dict[str, Any]:
    shown = [list(visible) for visible in plot.choices.values()]
    return {"name": plot.name, "traces": list(plot.traces), "layout": dict(plot.layout), "choices": shown}
