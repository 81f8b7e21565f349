"""The verb `sensitivity`: what it prints, the formats, the page in a browser, and its messages."""

from __future__ import annotations

import csv
import io
import json
import shutil
import subprocess

import pytest

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")


@pytest.fixture
def ask(accel, main_job):
    """Return a function that runs the verb on Llama-3-70B on a DGX H100."""

    def run(*arguments: str, file: str = main_job, **more: str):
        return accel("sensitivity", file, *arguments, **more)

    return run


def test_the_first_lines_say_what_limits_and_what_to_change(ask):
    run = ask("--metric", "tpot")
    first, second, third = run.out.splitlines()[:3]
    assert run.code == 0
    assert first.startswith("tpot of one_person_on_dgx is ")
    assert "decode is bound by hbm (" in first
    assert second.startswith("Change gpu.hbm.bandwidth first: 10 % more of it makes tpot ")
    assert third.startswith("The hardware accounts for ")
    assert "--fitted" in third
    assert "std/nvidia.accel:144:17" in run.out
    assert "parameters that were tried have no effect" in run.out


def test_what_helps_when_there_is_less_of_it(ask):
    run = ask("--metric", "power")
    assert "Change gpu.tdp first: 10 % less of it makes power " in run.out


def test_json_has_everything(ask):
    run = ask("--format", "json", "--metric", "tpot", "--metric", "ttft", "--set", "batch=4")
    found = json.loads(run.out)
    assert list(found["metrics"]) == ["tpot", "ttft"]
    assert found["change_first"] == "gpu.hbm.bandwidth"
    top = found["parameters"][0]
    assert (top["path"], top["unit"], top["sort"], top["settable"]) == (
        "gpu.hbm.bandwidth",
        "B/s",
        "given",
        True,
    )
    assert -1 < top["metrics"]["tpot"]["elasticity"] < -0.3
    assert top["metrics"]["tpot"]["ten_percent_more"] < 0 < top["metrics"]["tpot"]["ten_percent_less"]
    assert sum(found["bound"]["decode"].values()) == pytest.approx(1.0)
    assert found["manifest"]["overrides"] == ["batch=4"]
    assert found["without_effect"] > 10


def test_csv_has_a_line_for_each_metric_and_parameter(ask):
    run = ask("--format", "csv", "--metric", "tpot", "--metric", "ttft")
    rows = list(csv.DictReader(io.StringIO(run.out)))
    assert {row["metric"] for row in rows} == {"tpot", "ttft"}
    assert len({row["parameter"] for row in rows}) * 2 == len(rows)
    best = min((row for row in rows if row["metric"] == "tpot"), key=lambda row: float(row["elasticity"]))
    assert best["parameter"] in ("gpu.hbm.bandwidth", "gpu.hbm.stacks")


def test_markdown_is_a_table(ask):
    lines = ask("--format", "md", "--metric", "tpot").out.splitlines()
    assert "| PARAMETER | VALUE | TPOT | 10 % MORE | SOURCE |" in lines


def test_sobol_indices_follow_the_table(ask):
    pytest.importorskip("SALib")
    run = ask("--metric", "tpot", "--sobol", "64", "--seed", "5")
    assert "SOBOL INDICES OF TPOT: standard deviation " in run.out
    assert "gpu.hbm.latency     ± 15 %" in run.out
    assert "(N = 64, seed 5)" in run.out


def test_the_page_draws_in_a_browser(ask, tmp_path):
    pytest.importorskip("plotly")
    pytest.importorskip("SALib")
    if CHROMIUM is None:
        pytest.skip("no browser is installed")
    page = tmp_path / "page.html"
    run = ask("--format", "html", "--metric", "tpot", "--metric", "ttft", "--sobol", "64", "-o", str(page))
    assert (run.returncode, run.stdout, run.stderr) == (0, "", "")
    dom = subprocess.run(
        [
            CHROMIUM,
            "--headless",
            "--no-sandbox",
            "--disable-gpu",
            "--virtual-time-budget=20000",
            "--dump-dom",
            str(page),
        ],
        check=True,
        capture_output=True,
        encoding="utf-8",
        timeout=120,
    ).stdout
    body = dom[dom.index("<body") :]
    for name in ("tornado_tpot", "tornado_ttft", "sobol_tpot", "sobol_ttft"):
        plot = body[body.index(f'id="{name}"') :].partition("</table>")[0]
        assert "main-svg" in plot, name
        assert plot.count('class="point"') >= 2, name
    assert "Change gpu.hbm.bandwidth first" in body


@pytest.mark.parametrize(
    ("library", "arguments"), [("plotly", ("--format", "html")), ("SALib", ("--sobol", "64"))]
)
def test_a_missing_library_is_named_with_its_extra(accel_process, main_job, tmp_path, library, arguments):
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        f"u.find_spec = lambda name, *more: None if name == '{library}' else find(name, *more)\n"
    )
    run = accel_process("sensitivity", main_job, *arguments)
    extra = {"plotly": "plot", "SALib": "search"}[library]
    assert run.code == 2
    assert f"needs {library}: `pip install 'accelscope[{extra}]'`" in run.err


def test_an_infeasible_point_says_why(ask):
    run = ask("--set", "tp=1")
    assert run.code == 3
    assert run.err.startswith(
        "error: scenario one_person_on_dgx is not feasible, so there is nothing to vary around: "
    )
    assert "memory" in run.err
    assert run.out == ""


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("--metric", "tpoot"), "error: no metric is called `tpoot`; did you mean `tpot`?\n"),
        (
            ("--scenario", "one_person"),
            "error: no scenario is called `one_person`; did you mean `one_person_on_dgx`?\n",
        ),
        (
            ("--set", "batch=[1, 2]"),
            "error: a sensitivity is of one point, and batch is swept; set it to one value with --set\n",
        ),
        (
            ("--sobol", "100", "--metric", "tpot"),
            "error: --sobol takes a power of two, such as 64 or 128, not 100\n",
        ),
    ],
)
def test_messages(ask, arguments, message):
    run = ask(*arguments)
    assert (run.code, run.err, run.out) == (2, message, "")


def test_a_file_without_scenarios_is_told_so(accel, tmp_path):
    path = tmp_path / "chip.accel"
    path.write_text("use std.nvidia { DGX_H100 }\n")
    run = accel("sensitivity", str(path))
    assert run.code == 2
    assert "holds no scenario, so there is nothing to evaluate" in run.err
