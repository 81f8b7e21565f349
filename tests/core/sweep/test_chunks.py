"""Chunks of a sweep are the sweep: the same bits, whatever their size, in any order and from any process."""

from __future__ import annotations

import pickle
import subprocess
import sys
from typing import Any

import numpy as np
import pytest

from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.session import Session
from accelscope.core.sweep import plan as chunks
from accelscope.core.sweep.plan import SweepPlan
from accelscope.core.sweep.planner import plan_sweep
from accelscope.core.sweep.run import run_sweep
from accelscope.core.sweep.summary import create_sweep_summary

GRID = ("batch=[1, 3, 8, 64]", "prompt=[128 tok, 1000 tok, 8192 tok]", "tp=[1, 2, 3, 8]", "pp=[1, 2]")
STUDY = """
use std.nvidia { DGX_H100, DGX_H200 }
use std.models { llama3_8b }
workload chat { batch = 1, prompt = 1_024 tok, output = 128 tok }
deployment d { system = DGX_H100, model = llama3_8b, parallel { tp = 1 } }
scenario chatting { deployment = d, workload = chat }
study s { base = chatting
BODY
}
"""


@pytest.fixture
def study(shell: Session, tmp_path: Any) -> Any:
    """A function from statements of a study to its plan."""

    def plan(body: str, *sets: str, **options: Any) -> SweepPlan:
        path = tmp_path / "study.accel"
        path.write_text(STUDY.replace("BODY", body))
        return plan_sweep(shell, str(path), None, sets, **options)

    return plan


def joined(plan: SweepPlan) -> dict[str, np.ndarray[Any, Any]]:
    """All chunks of a plan, put together by the numbers of their points."""
    tables = [(chunk, plan.evaluate(chunk)) for chunk in plan.chunks()]
    found = {}
    for column in plan.columns:
        kind = {"number": float, "name": object, "yes or no": bool}[column.type]
        found[column.name] = np.empty(plan.points, dtype=kind)
        for chunk, table in tables:
            found[column.name][chunk.first : chunk.first + chunk.size] = table[column.name]
    return found


def same(one: dict[str, Any], other: dict[str, Any]) -> None:
    assert one.keys() == other.keys()
    for name, values in one.items():
        assert np.array_equal(values, other[name], equal_nan=values.dtype == float), name


def test_chunks_equal_the_whole_sweep_bit_for_bit(shell: Session, main_job: str) -> None:
    plan = plan_sweep(shell, main_job, None, GRID, metrics=tuple(shell.registry.metrics), chunk_points=7)
    whole = shell.sweep(main_job, sets=GRID)
    found = joined(plan)
    assert plan.points == whole.size == 96
    assert np.array_equal(found["feasible"], whole.feasible.ravel())
    compared = 0
    for name, column in whole.metrics.items():
        if column.value is not None and name in found:
            assert np.array_equal(found[name], np.ravel(column.value), equal_nan=True), name
            compared += 1
    assert compared > 10
    [met] = [row.met for row in whole.requirements if row.text == "ttft <= 500 ms"]
    assert not np.any(found["allowed"] & ~np.broadcast_to(met, whole.shape).ravel())


@pytest.mark.parametrize("size", [1, 5, 64, 100_000])
def test_the_size_of_chunks_does_not_matter(study: Any, size: int) -> None:
    body = (
        "sweep deployment.system in [DGX_H100, DGX_H200]\n"
        "sweep batch in [1, 7, 64]\nsweep prompt in 512 tok .. 4_096 tok step x2\n"
        "tune tp in [1, 2, 3, 8]\nrequire tpot <= 5 ms/tok\nminimize cost_per_mtok\nmaximize throughput"
    )
    same(joined(study(body, chunk_points=size)), joined(study(body, chunk_points=24)))


def test_points_are_counted_with_variants_first_and_the_last_axis_fastest(study: Any) -> None:
    plan = study(
        "sweep batch in [1, 2, 4]\nsweep deployment.system in [DGX_H100, DGX_H200]\nsweep tp in [1, 2]"
    )
    found = joined(plan)
    assert [axis.name for axis in plan.axes] == ["deployment.system", "batch", "tp"]
    assert found["deployment.system"].tolist() == ["DGX_H100"] * 6 + ["DGX_H200"] * 6
    assert found["batch"].tolist() == [1, 1, 2, 2, 4, 4] * 2
    assert found["tp"].tolist() == [1, 2] * 6


def test_a_chunk_travels_and_stands_alone(study: Any) -> None:
    body = "sweep batch in 1..64 step 1\nsweep prompt in 128 tok .. 1_024 tok step 128 tok"
    plan = study(body, chunk_points=100)
    last = list(plan.chunks())[-1]
    alone = study(body, chunk_points=100).evaluate(pickle.loads(pickle.dumps(last)))
    same(dict(alone), dict(plan.evaluate(last)))


def test_chunks_come_one_at_a_time(study: Any) -> None:
    plan = study(
        "sweep batch in 1..10_000 step 1\nsweep prompt in 1 tok .. 10_000 tok step 1 tok\n"
        "sweep output in 1 tok .. 1_000 tok step 1 tok\nlimits { points = 1e12 }"
    )
    assert plan.points == 10**11
    first, second = (chunk for chunk, _ in zip(plan.chunks(), range(2), strict=False))
    assert (first.number, first.first, second.number, second.first) == (0, 0, 1, first.size)
    assert plan.evaluate(second)["feasible"].size == second.size


def test_a_design_spans_a_part_of_a_large_grid(study: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    body = (
        "sweep batch in 1..23 step 1\nsweep prompt in 100 tok .. 1_900 tok step 100 tok when batch * prompt <= 9_000 tok\n"
        "sweep output in [16 tok, 32 tok]\nrequire ttft <= batch * 4 ms\nminimize tpot"
    )
    whole = joined(study(body, chunk_points=50))
    monkeypatch.setattr(chunks, "_WINDOW_POINTS", 130)
    plan = study(body, chunk_points=50)
    same(joined(plan), whole)
    assert len(plan.variants._kept) > 5
    assert 0 < whole["allowed"].sum() < whole["feasible"].sum() < whole["feasible"].size


MEMORY = """
import resource, sys
from accelscope.core.plugin.registry import Registry
from accelscope.core.session import Session
from accelscope.core.sweep.planner import plan_sweep
from accelscope.core.sweep.run import run_sweep
from accelscope.core.sweep.summary import create_sweep_summary
shell = Session(Registry.built_in())
sets = ["batch=1..100 step 1", "prompt=128 tok .. 12_800 tok step 128 tok", f"output=1 tok .. {sys.argv[2]} tok step 1 tok"]
plan = plan_sweep(shell, sys.argv[1], None, sets)
found = run_sweep(plan, create_sweep_summary(plan), lambda table: None)
print(found.summary.points, resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
"""


def test_memory_does_not_grow_with_the_grid(main_job: str) -> None:
    pytest.importorskip("resource")
    used = []
    for outputs in (10, 60):
        done = subprocess.run(
            [sys.executable, "-c", MEMORY, main_job, str(outputs)], capture_output=True, text=True, check=True
        )
        points, peak = map(int, done.stdout.split())
        assert points == outputs * 10_000
        used.append(peak)
    assert used[1] < used[0] * 1.15


HUGE = """
  sweep batch in 1..1_000 step 1
  sweep prompt in 1 tok .. 1_000_000 tok step 1 tok
  sweep output in 1 tok .. 1_000 tok step 1 tok
  sweep gpu.hbm.bandwidth in 1 TB/s .. 9 TB/s points 1_000 lin
"""


@pytest.mark.parametrize(
    ("body", "words"),
    [
        (
            HUGE,
            ["1e+15 points", "years", "`prompt` does most of it", "points 20 log"],
        ),
        (
            "sweep batch in 1..100 step 1\nlimits { points = 50 }",
            ["100 points are more than the 50", "`batch`"],
        ),
        (
            "sweep batch in [1, 2]\ntune prompt in 1 tok .. 2_000_000 tok step 2 tok\ntune tp in [1, 2]\nminimize tpot",
            ["2,000,000 combinations", "accelscope search"],
        ),
        ("sweep batch in [1, 2]\ntune tp in [1, 2]", ["`tune tp`", "no goal"]),
        ("sweep batch in [1, 2]\nminimize tpots", ["no metric is called `tpots`", "tpot"]),
        (
            "sweep batch in [1, 2]\nrequire memory.used <= 1 GB",
            ["`require memory.used <= 1 GB`", "not computed"],
        ),
    ],
)
def test_what_cannot_be_answered_is_refused_before_it_starts(study: Any, body: str, words: list[str]) -> None:
    with pytest.raises(UsageError) as caught:
        study(body)
    for word in words:
        assert word in str(caught.value)


def test_a_metric_that_does_not_exist_is_refused(study: Any) -> None:
    with pytest.raises(UsageError, match="no metric is called `ttfft`; did you mean `ttft`"):
        study("sweep batch in [1, 2]", metrics=("ttfft",))


def test_tune_is_refused_where_nothing_seeks(shell: Session, study: Any, tmp_path: Any) -> None:
    study("sweep batch in [1, 2]\ntune tp in [1, 2]\nminimize tpot")
    with pytest.raises(DescriptionError) as caught:
        shell.sweep(str(tmp_path / "study.accel"))
    assert "accelscope sweep" in (caught.value.diagnostics[0].help or "")


def test_workers_are_a_whole_number(study: Any) -> None:
    assert study("sweep batch in [1, 2]\nlimits { workers = 2 }").options.workers == 2
    assert study("sweep batch in [1, 2]\nlimits { workers = auto }").options.workers is None
    with pytest.raises(DescriptionError, match="workers"):
        study("sweep batch in [1, 2]\nlimits { workers = 1.5 }")


def test_what_a_sweep_does_not_read_is_said(study: Any) -> None:
    plan = study("sweep batch in [1, 2]\nuncertainty { method = sobol }\nreport { breakdown = [compute] }")
    assert [note.split("`")[1] for note in plan.options.notes] == ["uncertainty", "breakdown"]


def test_only_what_is_wanted_is_computed(study: Any) -> None:
    plan = study("sweep batch in [1, 2]\nrequire p99(ttft) <= 1 s\nminimize tpot", metrics=("mfu",))
    status = [column.name for column in plan.columns].index("reason")
    assert {column.name for column in plan.columns[status + 1 :]} == {"ttft", "tpot", "mfu"}


def test_conditions_and_goals_of_a_study_name_paths_of_its_scenario(study: Any) -> None:
    found = joined(
        study(
            "sweep gpu.hbm.capacity in [40 GB, 80 GB, 160 GB]\nsweep batch in [1, 256] when parallel.tp * batch <= 256\n"
            "require memory_used <= 0.5 * gpu.hbm.capacity\nminimize memory_used / gpu.hbm.capacity as share",
            chunk_points=2,
        )
    )
    share = found["memory_used"] / (found["gpu.hbm.capacity"] * 1e9)
    assert found["share"] == pytest.approx(share)
    assert np.array_equal(found["allowed"], found["feasible"] & (share <= 0.5))
    assert 0 < found["allowed"].sum() < found["allowed"].size


def test_a_condition_on_what_is_not_there_is_an_error(study: Any) -> None:
    with pytest.raises(DescriptionError):
        study("sweep batch in [1, 2] when gpu.hbm.colour <= 256\nminimize tpot")


def test_a_variant_that_lacks_something_costs_its_chunks(study: Any, shell: Session) -> None:
    plan = study(
        "sweep deployment.system in [DGX_H100, empty]\nsweep batch in [1, 2]\nminimize tpot\n}\n"
        "node empty {\n  package gpu { die d { } }\n"
    )
    found = run_sweep(plan, create_sweep_summary(plan), lambda table: None)
    assert found.summary.points == 2
    assert [(item.first, item.points) for item in found.chunk_failures] == [(2, 2)]
    assert "empty" in found.chunk_failures[0].reason
