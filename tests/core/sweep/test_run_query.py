"""An evaluation is a plan of the sweep engine: chunks give the result of the whole grid."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pytest

from accelscope.core.query import points
from accelscope.core.session import Session
from accelscope.core.sweep import planner
from tests.core.sweep.test_chunks import STUDY

GRID = ("batch=[1, 4, 16]", "prompt=[256 tok, 1024 tok]", "tp=[4, 8]")


def test_chunks_give_the_result_of_the_whole_grid(
    shell: Session, main_job: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    (whole,) = shell.evaluate(main_job, sets=GRID)
    monkeypatch.setattr(planner, "CHUNK_POINTS", 1)
    (parts,) = shell.evaluate(main_job, sets=GRID)
    assert whole.metrics["tpot"].low is not None
    assert json.dumps(list(whole.points())) == json.dumps(list(parts.points()))


def test_variants_share_one_result(shell: Session, main_job: str) -> None:
    (both,) = shell.evaluate(main_job, sets=("weights=[fp8, bf16]", "batch=[1, 8]"))
    for at, weights in enumerate(("fp8", "bf16")):
        (alone,) = shell.evaluate(main_job, sets=(f"weights={weights}", "batch=[1, 8]"))
        for name, column in alone.metrics.items():
            for part in ("value", "low", "high"):
                found, expected = getattr(both.metrics[name], part), getattr(column, part)
                if expected is not None:
                    assert np.array_equal(found[at], expected, equal_nan=True), (name, part)


def test_a_file_of_whole_points_evaluates_each_point_once(
    accel: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "study.accel").write_text(STUDY.replace("BODY", "sweep batch in [1, 2, 4]"))
    sizes = []
    evaluate = points.evaluate

    def count(design: Any) -> Any:
        evaluation = evaluate(design)
        sizes.append(evaluation.decode.time.value.size)
        return evaluation

    monkeypatch.setattr(points, "evaluate", count)
    done = accel("sweep", "study.accel", "-o", "points.json", "--format", "json")
    assert done.code == 0, done.err
    written = json.loads((tmp_path / "points.json").read_text())
    assert [point["point"]["batch"] for point in written["points"]] == [1.0, 2.0, 4.0]
    assert written["points"][0]["limits"]
    assert written["points"][0]["breakdown"]
    assert json.loads(done.out)["points"] == 3
    assert sizes == [1, 3]  # the planner looks at one point


def test_a_store_cannot_be_reported_whole(accel: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    from accelscope.core.cli import sweep

    (tmp_path / "study.accel").write_text(STUDY.replace("BODY", "sweep batch in [1, 2]"))
    monkeypatch.setattr(sweep, "_SUMMARY_FORMATS", ("table",))
    done = accel("sweep", "study.accel", "-o", "store/", "--format", "json")
    assert done.code == 2
    assert "which a store does not keep" in done.err


def test_a_sweep_that_is_not_complete_writes_no_file_of_whole_points(
    accel: Any, tmp_path: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    from accelscope.core.sweep.plan import SweepPlan

    def fail(plan: SweepPlan, chunk: object) -> None:
        raise ZeroDivisionError

    (tmp_path / "study.accel").write_text(STUDY.replace("BODY", "sweep batch in [1, 2]"))
    monkeypatch.setattr(SweepPlan, "evaluate_details", fail)
    done = accel("sweep", "study.accel", "-o", "points.json")
    assert done.code == 4
    assert "`points.json` is not written: it needs every point" in done.err
    assert not (tmp_path / "points.json").exists()
