"""`accelscope sweep`: what it prints, what it writes, and what it returns."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest

from tests.core.sweep.test_chunks import STUDY
from tests.core.sweep.test_summary import BODY
from tests.support.cli import RunOutcome
from tests.support.paths import EXAMPLES, MAIN_JOB

MILLION = str(EXAMPLES / "sweeps" / "million.accel")


@pytest.fixture
def sweep(tmp_path: Any, accel: Any) -> Any:
    """A function that runs the verb on a study in a folder of its own."""
    (tmp_path / "study.accel").write_text(STUDY.replace("BODY", BODY))

    def run(*arguments: str, file: str = "study.accel") -> RunOutcome:
        return accel("sweep", file, *arguments)

    return run


def test_a_summary_as_json(sweep: Any) -> None:
    done = sweep("--format", "json")
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["points"] == 84
    assert found["evaluations"] == 84 * 4
    assert 0 < found["allowed"] < found["feasible"] <= 84
    assert found["trade"] == ["usd", "tpot"]
    assert set(found["pareto"][0]["tuned"]) == {"tp"}
    assert found["peak_memory"] is None or found["peak_memory"] > 10**7
    assert found["seconds"] >= 0
    assert found["startup"] > 0
    assert [group["group"] for group in found["groups"]] == [
        {"deployment.system": "DGX_H100"},
        {"deployment.system": "DGX_H200"},
    ]
    assert done.err == ""  # progress is for terminals


def test_a_summary_as_text(sweep: Any) -> None:
    done = sweep()
    best, count, *_ = done.out.splitlines()
    assert ": best " in best
    assert count.startswith("84 points (336 evaluations), ")
    assert "not: require ttft <= 0.3 s" in done.out
    assert "TRADE-OFF" in done.out
    assert "deployment.system = DGX_H200: 42 points" in done.out


def test_points_as_csv_have_units_and_tuned_values(sweep: Any, tmp_path: Path) -> None:
    done = sweep("--format", "json", "-o", "points.csv")
    assert done.code == 0, done.err
    rows = list(csv.DictReader((tmp_path / "points.csv").read_text().splitlines()))
    assert len(rows) == 84
    assert {"batch", "prompt [tok]", "tp", "feasible", "allowed", "reason", "ttft [s]"} <= set(rows[0])
    assert {row["tp"] for row in rows} <= {"1.0", "2.0", "8.0"}
    assert {row["reason"] for row in rows if row["allowed"] == "true"} == {""}
    assert sweep("--format", "csv").out == (tmp_path / "points.csv").read_text()


def test_points_as_parquet_are_those_of_csv(sweep: Any, tmp_path: Path) -> None:
    parquet = pytest.importorskip("pyarrow.parquet")
    assert sweep("-o", "points.parquet").code == 0
    assert sweep("-o", "points.csv").code == 0
    table = parquet.read_table(tmp_path / "points.parquet")
    rows = list(csv.DictReader((tmp_path / "points.csv").read_text().splitlines()))
    assert [repr(value) for value in table["tpot"].to_pylist()] == [row["tpot [s/tok]"] for row in rows]
    assert table.schema.field("tpot").metadata == {b"unit": b"s/tok"}


def test_points_as_markdown_are_one_table(sweep: Any) -> None:
    lines = sweep("--format", "md").out.splitlines()
    assert len(lines) == 84 + 2
    assert len({line.count(" | ") for line in lines[2:]}) == 1


def test_metrics_and_trade_offs_are_chosen(sweep: Any) -> None:
    found = json.loads(sweep("--format", "json", "--metrics", "mfu", "--pareto", "mfu,tpot").out)
    assert found["trade"] == ["mfu", "tpot"]
    assert set(found["pareto"][0]["metrics"]) == {
        "mfu", "tpot", "ttft", "throughput", "cost_per_mtok", "usd"
    }  # fmt: skip
    values = [row["metrics"]["mfu"]["value"] for row in found["pareto"]]
    assert values == sorted(values, reverse=True)


def test_a_grid_without_a_feasible_point_is_3(sweep: Any) -> None:
    done = sweep(
        "--set", "deployment.model.layers = 1000000", "--set", "batch = 1", "--set", "prompt = 256 tok"
    )
    assert done.code == 3, done.err
    assert "do not fit" in done.out


def test_what_would_not_end_is_2(sweep: Any, tmp_path: Path) -> None:
    sets = ("batch = 1..1_000_000 step 1", "prompt = 1 tok .. 1_000_000 tok step 1 tok")
    done = sweep(*(part for text in sets for part in ("--set", text)))
    assert done.code == 2
    assert "1 minute" in done.err or "years" in done.err or "days" in done.err
    assert done.out == ""


def test_a_scenario_without_sweeps_is_one_point(sweep: Any) -> None:
    done = sweep(file=MAIN_JOB)
    assert done.out.splitlines()[1].startswith("1 point, 1 feasible; ")
    assert "TRADE-OFF" not in done.out


def test_training_trades_off_its_own_metrics(sweep: Any) -> None:
    done = sweep("--study", "sharded", "--set", "batch=[64, 128]", "--format", "json",
                 file=str(EXAMPLES / "training.accel"))  # fmt: skip
    found = json.loads(done.out)
    assert found["trade"] == ["step_time", "train_throughput_per_device"]
    assert [row["point"] for row in found["pareto"]] == [{"batch": 64.0}, {"batch": 128.0}]


def test_a_format_without_tuned_values_is_refused(sweep: Any) -> None:
    done = sweep("-o", "points.json")
    assert done.code == 2
    assert "points.json: this format has no tuned values" in done.err


def test_the_example_of_all_words_runs(sweep: Any) -> None:
    done = sweep("--study", "memory_for_decode", "--set", "gpu.hbm.bandwidth = [3 TB/s, 12 TB/s]",
                 "--set", "gpu.hbm.capacity = [80 GB]", "--format", "json", file=str(EXAMPLES / "sweep.accel"))  # fmt: skip
    assert done.code == 0, done.err
    found = json.loads(done.out)
    assert found["points"] == 2 * 2 * 9 * 9 * 3
    assert 0 < found["allowed"] < found["feasible"] < found["points"]
    assert {row["tuned"]["tp"] for row in found["pareto"]} <= {1.0, 2.0, 4.0, 8.0}
    assert len(found["groups"]) == 2
