"""The page: needs nothing else, keeps texts apart from markup, and draws in a browser."""

from __future__ import annotations

import re
import shutil
import subprocess

import pytest

from accelscope.core.analysis.architecture_study.page import compute_minimum_width, render_study_page
from accelscope.core.analysis.architecture_study.section import SectionPlot, SectionTable, StudySection

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def html(small) -> str:
    return small.files["study.html"].read_text(encoding="utf-8")


def test_the_page_asks_no_address(html):
    assert not re.findall(r'<(?:script|link|img|iframe)[^>]*(?:src|href)="(?!data:)', html)


def test_texts_are_not_markup(html):
    assert "<h1>A small &lt;study&gt;</h1>" in html


def test_a_label_cannot_end_the_script():
    plot = SectionPlot(name="p", title="p", traces=({"type": "bar", "x": ["</script><b>"], "y": [1]},))
    text = render_study_page(
        title="t",
        lead="",
        claims=None,
        sections=[StudySection(name="s", title="s", parts=(plot,))],
        footer="",
    )
    assert "</script><b>" not in text


def test_a_plot_is_as_wide_as_its_labels_need():
    trace = {
        "type": "heatmap",
        "x": list("abcdef"),
        "y": ["a label of thirty-two characters"],
        "z": [[1] * 6],
    }
    assert compute_minimum_width(SectionPlot(name="p", title="p", traces=(trace,))) > 32 * 6 + 6 * 40
    assert compute_minimum_width(SectionPlot(name="p", title="p", traces=())) < 300


def test_findings_stand_at_the_top_and_in_their_section(small, html):
    body = html[html.index("</head>") :]
    for section in small.study.sections:
        if section.findings:
            assert body.count("<li>" + section.findings[0].replace("<", "&lt;") + "</li>") == 2


def test_every_table_has_a_file(small):
    tables = [
        part for section in small.study.sections for part in section.parts if isinstance(part, SectionTable)
    ]
    for table in tables:
        rows = small.rows(table.name)
        assert len(rows) == len(table.rows)
        if rows:
            assert tuple(rows[0]) == table.heads


def test_the_plots_draw_in_a_browser(small):
    if CHROMIUM is None:
        pytest.skip("no browser is installed")
    plots = [
        part for section in small.study.sections for part in section.parts if isinstance(part, SectionPlot)
    ]
    for width in (1280, 420):
        dom = dom_of(small.files["study.html"], width)
        body = dom[dom.index("<body") :]
        assert f'data-drawn="{len(plots)}"' in body[:200]
        for plot in plots:
            drawn = body[body.index(f'id="{plot.name}"') :]
            assert "main-svg" in drawn[: drawn.index("</svg>")]
        assert body.count("heatmaplayer") >= 3
        assert body.count('class="point"') > 10


def test_the_menu_chooses_what_is_visible(small, tmp_path):
    if CHROMIUM is None:
        pytest.skip("no browser is installed")
    text = small.files["study.html"].read_text(encoding="utf-8")
    chosen = """<script>
    var menu = document.querySelector('select[data-plot="cells_winner"]');
    menu.selectedIndex = 2;
    menu.dispatchEvent(new Event('change'));
    setTimeout(function () {
      var visible = document.getElementById('cells_winner').data.map(function (trace) { return trace.visible; });
      document.body.setAttribute('data-visible', visible.join(' '));
    }, 3000);
    </script></body>"""
    path = tmp_path / "chosen.html"
    path.write_text(text.replace("</body>", chosen), encoding="utf-8")
    dom = dom_of(path, 1280)
    assert 'data-visible="false false true false false"' in dom[dom.index("<body") :][:300]


def dom_of(path, width: int) -> str:
    return subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            f"--window-size={width},900",
            "--virtual-time-budget=30000",
            "--dump-dom",
            str(path),
        ],
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=180,
    ).stdout
