"""The verb `study`: what it writes and says, and its exit codes."""

from __future__ import annotations

import pytest

TEXT = """
use std.models { llama3_1_8b }
use std.nvidia as nv
architecture gpu { title = "GPU", devices = [nv.H100_SXM, nv.H200_SXM] }
workload answers { batch = 1, prompt = 1_024 tok, output = 256 tok }
deployment served { system = nv.H100_SXM, model = llama3_1_8b }
scenario cell { deployment = served, workload = answers, sweep batch in [1, 8] }
grid cells { title = "Answers", scenario = cell, models = [llama3_1_8b] }
"""


@pytest.fixture
def folder(tmp_path):
    path = tmp_path / "own"
    path.mkdir()
    (path / "own.accel").write_text(TEXT)
    return path


def test_the_page_and_the_tables_are_written(accel, folder, tmp_path):
    run = accel("study", str(folder), "-o", str(tmp_path / "out"), "--jobs", "1")
    assert run.code == 0
    assert run.out.startswith("Answers: In every cell the best device is a GPU per device, ")
    assert " files in " in run.err
    names = {path.name for path in (tmp_path / "out").iterdir()}
    assert {"study.html", "cells_results.csv", "cells_best.csv", "memory_hierarchy.csv"} <= names
    assert "<h1>own</h1>" in (tmp_path / "out" / "study.html").read_text(encoding="utf-8")


def test_errors_of_a_file_are_shown_where_they_are(accel, folder, tmp_path):
    (folder / "own.accel").write_text(TEXT.replace("scenario = cell, models", "scenari = cell, models"))
    run = accel("study", str(folder), "-o", str(tmp_path / "out"))
    assert run.code == 2
    assert "no field `scenari`" in run.err or "did you mean `scenario`" in run.err


def test_a_folder_is_needed(accel, tmp_path):
    run = accel("study", str(tmp_path / "nowhere"), "-o", str(tmp_path / "out"))
    assert run.code == 2
    assert "is no folder" in run.err


def test_what_cannot_be_written_is_said_before_anything_is_evaluated(accel, folder, tmp_path):
    (tmp_path / "out").write_text("a file")
    run = accel("study", str(folder), "-o", str(tmp_path / "out"))
    assert run.code == 2
    assert "cannot write to" in run.err


def test_plotly_is_named_with_its_extra(accel_process, folder, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'plotly' else find(name, *more)\n"
    )
    run = accel_process("study", str(folder), "-o", str(tmp_path / "out"))
    assert run.code == 2
    assert "needs plotly: `pip install 'accelscope[plot]'`" in run.err
