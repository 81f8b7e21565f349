"""Real sweeps into a store: what a plugin does wrong costs its chunk, and a killed sweep is continued."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accelscope.core.errors import PluginError, UsageError
from accelscope.core.session import Session
from accelscope.core.sweep.planner import plan_sweep
from accelscope.core.sweep.run import SweepRun, run_sweep
from accelscope.core.sweep.store import open_store
from accelscope.core.sweep.summary import create_sweep_summary
from accelscope.core.sweep.workers.job import build_sweep_job
from accelscope.core.sweep.workers.sweep import SweepDestination, SweepObserver, run_parallel_sweep
from tests.support.made_up import held

FILE = """\
use std.nvidia { DGX_H100 }
use std.models { llama3_8b }
workload w { batch = 1, prompt = 512 tok, output = 64 tok }
deployment d { system = DGX_H100, model = llama3_8b, parallel { tp = 8 } }
scenario s { deployment = d, workload = w }
study all {
  base = s
  sweep batch in 1..6 step 1
  sweep prompt in 128 tok .. 1024 tok step 128 tok
  minimize tpot
  limits { chunk_time = 4 s, on_error = ON_ERROR }
}
"""
PRICES = """\
use std.nvidia { DGX_H100 }
use std.apple { M2_Ultra_76c }
use std.models { llama3_8b }
workload w { batch = 1, prompt = 512 tok, output = 64 tok }
deployment d { system = DGX_H100, model = llama3_8b }
scenario s { deployment = d, workload = w }
study prices {
  base = s
  sweep deployment.system in [DGX_H100, M2_Ultra_76c]
  sweep batch in [1, 2]
  minimize tpot
}
"""
MOODY = """
import os
import time

import numpy as np

from accelscope.core.numeric.term import Term


def compute(evaluation):
    batch = float(np.max(evaluation.batch.value))
    found = evaluation.decode.time
    if os.environ.get("MOOD") == "good":
        return found
    if batch == 2:
        raise ZeroDivisionError("no bananas")
    if batch == 3:
        return Term(np.where(evaluation.prefill.time.value > 0, np.nan, 0.0), found.dimension)
    if batch == 4:
        return Term(np.ones(3), found.dimension)
    if batch == 5:
        time.sleep(1000)
    return found


@hookimpl
def accelscope_metrics():
    yield Metric(name="mood", doc="of a test", unit="s", compute=compute)
"""
POINTS = 8
"""Of a chunk: all prompts of one batch."""


@pytest.fixture
def file(tmp_path: Path) -> str:
    path = tmp_path / "all.accel"
    path.write_text(FILE.replace("ON_ERROR", "record"))
    return str(path)


def stored(
    file: str, folder: Path, *, metrics: tuple[str, ...] | None = None, resume: bool = False, jobs: int = 2
) -> SweepRun:
    session = Session.open()
    plan = plan_sweep(session, file, None, (), metrics=metrics, chunk_points=POINTS)
    asked = build_sweep_job(session, plan, file=file, metrics=metrics)
    where = SweepDestination(store=str(folder), resume=resume, jobs=jobs)
    return run_parallel_sweep(plan, asked, create_sweep_summary(plan), where, SweepObserver())


def test_a_store_has_the_points_and_the_summary_of_a_sweep_in_one_process(file: str, tmp_path: Path) -> None:
    session = Session.open()
    plan = plan_sweep(session, file, None, (), chunk_points=POINTS)
    tables: list[dict[str, object]] = []
    alone = run_sweep(plan, create_sweep_summary(plan), tables.append)
    found = stored(file, tmp_path / "s")
    assert (found.summary.points, found.summary.feasible) == (48, alone.summary.feasible)
    assert found.summary.best() == alone.summary.best()
    assert found.summary.pareto() == alone.summary.pareto()
    frame = open_store(tmp_path / "s").to_arrow()
    for column in plan.columns:
        expected = [value for table in tables for value in table[column.name].tolist()]
        assert frame.column(column.name).to_pylist() == expected, column.name
    again = stored(file, tmp_path / "s", resume=True)
    assert again.summary.best() == alone.summary.best()
    assert again.known == 48
    assert again.summary.reasons == alone.summary.reasons


def test_a_part_that_the_disk_spoilt_is_evaluated_anew(file: str, tmp_path: Path) -> None:
    stored(file, tmp_path / "s")
    before = held(tmp_path / "s")
    part = next(open_store(tmp_path / "s").parts())
    data = part.read_bytes()
    part.write_bytes(data[:4] + b"x" * (len(data) - 8) + data[-4:])
    again = stored(file, tmp_path / "s", resume=True)
    assert (again.summary.points, again.known, again.chunk_failures) == (48, 40, [])
    assert held(tmp_path / "s") == before


def test_faults_of_a_plugin_cost_their_chunks_and_are_tried_again(
    file: str, tmp_path: Path, distribution, monkeypatch
) -> None:
    distribution("acme-moods", "moods", MOODY)
    found = stored(file, tmp_path / "s", metrics=("mood", "tpot"))
    assert [item.chunk for item in found.chunk_failures] == [1, 2, 3, 4]
    assert found.summary.points == 2 * POINTS
    name = "plugin `moods` (acme-moods 1.0), metric `mood`, compute: "
    assert [item.reason for item in found.chunk_failures] == [
        name + "ZeroDivisionError: no bananas",
        name + "the result is not a number (NaN) at point 16, which is feasible",
        name + "returns an array of shape (3,) where the points are (1, 8)",
        name + "took longer than 4 s",
    ]
    kept = open_store(tmp_path / "s").failures
    assert {(item.plugin, item.distribution) for item in kept} == {("moods", "acme-moods")}
    monkeypatch.setenv("MOOD", "good")
    again = stored(file, tmp_path / "s", metrics=("mood", "tpot"), resume=True)
    assert (again.chunk_failures, again.summary.points) == ([], 48)
    stored(file, tmp_path / "undisturbed", metrics=("mood", "tpot"))
    assert held(tmp_path / "s") == held(tmp_path / "undisturbed")


def test_faults_cost_the_same_chunks_in_this_process(file: str, distribution) -> None:
    distribution("acme-moods", "moods", MOODY)
    session = Session.open()
    plan = plan_sweep(session, file, None, ("batch = 1..4 step 1",), metrics=("mood",), chunk_points=POINTS)
    found = run_sweep(plan, create_sweep_summary(plan), lambda table: None)
    assert [(item.chunk, item.plugin) for item in found.chunk_failures] == [(at, "moods") for at in (1, 2, 3)]
    assert "shape (3,)" in found.chunk_failures[2].reason


def test_what_a_design_lacks_is_no_fault(tmp_path: Path) -> None:
    path = tmp_path / "two.accel"
    path.write_text(PRICES)
    found = stored(str(path), tmp_path / "s", metrics=("cost_per_mtok",), jobs=1)
    assert found.chunk_failures == []
    costs = open_store(tmp_path / "s").to_arrow(["cost_per_mtok"]).column(0).to_pylist()
    assert [value is None for value in costs] == [False, False, True, True]


def test_the_first_fault_can_end_a_sweep(file: str, tmp_path: Path, distribution) -> None:
    distribution("acme-moods", "moods", MOODY)
    Path(file).write_text(FILE.replace("ON_ERROR", "stop"))
    with pytest.raises(PluginError, match=r"no bananas .*on_error = stop"):
        stored(file, tmp_path / "s", metrics=("mood",), jobs=1)


def test_a_store_of_a_changed_file_is_refused(file: str, tmp_path: Path) -> None:
    stored(file, tmp_path / "s")
    Path(file).write_text(Path(file).read_text().replace("512 tok", "513 tok"))
    with pytest.raises(UsageError, match="another question") as caught:
        stored(file, tmp_path / "s", resume=True)
    assert f"files.{file}" in str(caught.value)


def test_what_travels_needs_no_file(file: str, tmp_path: Path) -> None:
    session = Session.open()
    plan = plan_sweep(session, file, None, (), chunk_points=POINTS)
    asked = build_sweep_job(session, plan, file=file)
    Path(file).unlink()
    desk = asked.desk()
    chunk = next(plan.chunks())
    assert desk.evaluated(chunk)["tpot"].tolist() == plan.evaluate(chunk)["tpot"].tolist()


def test_a_killed_sweep_is_continued_to_the_same_bytes(accel, tmp_path: Path) -> None:
    process = large(tmp_path, "1..1024 step 1")
    process.kill()
    process.communicate()
    resumed = accel("sweep", "large.accel", "-o", "s/", "--resume", "--format", "json")
    assert resumed.code == 0, resumed.err
    undisturbed = accel("sweep", "large.accel", "-o", "t/", "--jobs", "1", "--format", "json")
    assert held(tmp_path / "s") == held(tmp_path / "t")
    assert '"points": 459776' in resumed.out
    assert '"points": 459776' in undisturbed.out


@pytest.mark.skipif(os.name == "nt", reason="signals are of Unix")
def test_ctrl_c_keeps_what_is_done_and_says_how_to_continue(tmp_path: Path) -> None:
    process = large(tmp_path, "1..16384 step 1")
    process.send_signal(signal.SIGINT)
    summary, said = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "warning: interrupted: " in said
    assert said.endswith("--resume continues `s/`; chunks that failed are tried again\n")
    rows = open_store(tmp_path / "s").to_arrow(["batch"]).num_rows
    assert 0 < json.loads(summary)["points"] <= rows < 16384 * 449


def large(folder: Path, batches: str) -> subprocess.Popen[str]:
    """Start a sweep of many chunks, and wait until the first is done."""
    study = FILE.replace("1..6 step 1", batches).replace("step 128 tok", "step 2 tok")
    (folder / "large.accel").write_text(study.replace("ON_ERROR", "record"))
    process = subprocess.Popen(
        [sys.executable, "-m", "accelscope", "sweep", "large.accel", "-o", "s/", "--format", "json"],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    until = time.monotonic() + 60
    while not list((folder / "s").rglob("0*.parquet")):
        assert process.poll() is None and time.monotonic() < until
        time.sleep(0.005)
    return process


def test_options_that_make_no_sense_are_refused(accel, file: str) -> None:
    alone = accel("sweep", file, "--resume")
    assert (alone.code, alone.err) == (
        2,
        "error: --resume continues a store: name its folder with -o DIR/\n",
    )
    csv = accel("sweep", file, "--cluster", "tcp://127.0.0.1:1", "--format", "csv")
    assert (csv.code, csv.out) == (2, "")
    assert "-o DIR/" in csv.err
