"""Errors, groups and the verb: points are rows of score 1; the rest is predicted only."""

from __future__ import annotations

import csv
import json
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.predict import Prediction, predict_rows
from accelscope.core.analysis.validate.run import parse_microseconds, validate_tables
from accelscope.core.analysis.validate.score import score_table, summarize_validation
from accelscope.core.analysis.validate.table import read_tables
from accelscope.core.analysis.validate.worst import find_worst_rows, format_row_command
from accelscope.core.errors import UsageError
from tests.support.paths import MEASURED

KERNELS, SERVED = str(MEASURED / "ops.csv"), str(MEASURED / "e2e.csv")


@pytest.fixture(scope="module")
def names(shell) -> LibraryNames:
    return LibraryNames(shell)


@pytest.fixture
def five():
    """Five rows measured at 10, 20, 40, 80 and 160 us; predictions to fill."""
    table = read_tables([KERNELS])[0].take(np.arange(5))
    columns = {**table.columns, "latency_us": 10.0 * 2.0 ** np.arange(5), "score": np.ones(5)}
    return evolve(table, columns=columns), Prediction.empty(5)


def test_errors_are_of_the_measured_value(five):
    table, prediction = five
    prediction.put(np.arange(5), np.array([11.0, 10.0, 40.0, 160.0, 160.0]), 0.2)
    errors = summarize_validation([score_table(table, prediction)]).errors
    assert (errors.points, errors.predicted) == (5, 5)
    assert errors.median_ape == pytest.approx(0.1)
    assert errors.mean_ape == pytest.approx((0.1 + 0.5 + 0 + 1.0 + 0) / 5)
    assert errors.p90_ape == pytest.approx(np.quantile([0.1, 0.5, 0, 1.0, 0], 0.9))
    assert errors.median_abs_log_ratio == pytest.approx(np.log(1.1))
    assert errors.coverage == pytest.approx(3 / 5)


def test_low_and_high_are_percentiles_of_a_lognormal_error(five):
    _, prediction = five
    prediction.put(np.arange(5), np.full(5, 100.0), 0.3)
    assert np.allclose(prediction.low, 100 / np.exp(1.2816 * 0.3))
    assert np.allclose(prediction.high, 100 * np.exp(1.2816 * 0.3))


def test_what_is_not_finite_is_skipped_and_not_scored(five):
    table, prediction = five
    prediction.put(np.arange(5), np.array([10.0, np.inf, np.nan, 80.0, 160.0]), 0.2)
    summary = summarize_validation([score_table(table, prediction)])
    assert (summary.errors.points, summary.errors.predicted) == (5, 3)
    assert summary.skip_reasons == {"no finite prediction": 2}


def test_rows_of_score_0_and_quick_kernels_are_no_points(five):
    table, prediction = five
    table.columns["score"][4] = 0
    prediction.put(np.arange(5), np.full(5, 50.0), 0.2)
    summary = summarize_validation([score_table(table, prediction, above=20.0)])
    assert summary.errors.points == 2
    assert summary.unscored_rows == {"rows": 3, "predicted": 3}


def test_groups_hold_every_point_once_for_each_column(names):
    parts = validate_tables(names, [KERNELS, SERVED])
    summary = summarize_validation(parts)
    for column in ("source", "hw", "engine"):
        assert sum(errors.points for errors in summary.groups[column].values()) == summary.errors.points
    kernels, served = (int(part.points.sum()) for part in parts)
    assert sum(errors.points for errors in summary.groups["op"].values()) == kernels
    for column in ("model", "metric", "tier"):
        assert sum(errors.points for errors in summary.groups[column].values()) == served
    assert summary.errors.predicted + sum(summary.skip_reasons.values()) == summary.errors.points


def test_nothing_predicted_has_no_errors(five):
    table, prediction = five
    errors = summarize_validation([score_table(table, prediction)]).errors
    assert (errors.predicted, errors.median_ape, errors.coverage) == (0, None, None)


def test_rows_are_chosen_by_columns(names):
    (part,) = validate_tables(names, [KERNELS], where=["op=gemm", "op=moe", "hw=H100-SXM"])
    assert {*part.table.text("op")} == {"gemm", "moe"}
    assert {*part.table.text("hw")} == {"H100-SXM"}
    (part,) = validate_tables(names, [KERNELS], where=["kv_len=", "m=3072.0"])
    assert {*part.table.number("m")} == {3072.0}


@pytest.mark.parametrize(
    ("where", "says"),
    [("op", "takes `column=value`"), ("opp=gemm", "did you mean `op`"), ("m=few", "column `m` has numbers")],
)
def test_a_wrong_condition_is_refused(names, where, says):
    with pytest.raises(UsageError, match=says):
        validate_tables(names, [KERNELS], where=[where])


def test_a_time_has_a_unit():
    assert parse_microseconds("20us") == pytest.approx(20.0)
    assert parse_microseconds("0.1 ms") == pytest.approx(100.0)
    for text in ("20", "us", "20 GB", "20 parsecs"):
        with pytest.raises(UsageError, match="takes a time such as `20us`"):
            parse_microseconds(text)


def test_the_worst_rows_come_first_with_a_command_that_explains(five, names):
    table, prediction = five
    prediction.put(np.arange(5), np.array([10.0, 2.0, 41.0, 900.0, 160.0]), 0.2)
    worst = find_worst_rows([score_table(table, prediction)], names, 2)
    assert [row.ratio for row in worst] == pytest.approx([900 / 80, 2 / 20])
    assert worst[0].command == f"accelscope validate {KERNELS} --where id={worst[0].id} --explain"


def test_a_static_batch_is_explained_as_a_scenario_and_other_rows_are_predicted_alone(names, shell, tmp_path):
    (table,) = read_tables([SERVED])
    static = int(np.flatnonzero((table.text("tier") == "A") & (table.text("engine") == "vllm"))[0])
    command = format_row_command(table, static, names)
    assert command.startswith("accelscope explain - e2e_latency <<'END'\nuse std.")
    (tmp_path / "row.accel").write_text(command.partition("\n")[2].removesuffix("END"))
    (result,) = shell.evaluate(str(tmp_path / "row.accel"), bars=False)
    seconds = float(np.asarray(result.metrics["e2e_latency"].value).flat[0])
    assert seconds == pytest.approx(predict_rows(table.take(np.array([static])), names).value[0], rel=1e-3)
    trained = int(np.flatnonzero(table.text("tier") == "T")[0])
    assert (
        format_row_command(table, trained, names)
        == f"accelscope validate {SERVED} --where id={table.text('id')[trained]}"
    )


@pytest.mark.parametrize("where", ["op=gelu", "op=alltoall", "op=alltoall_combine", "op=moe_wideep"])
def test_the_prediction_of_one_row_is_explained(accel, names, where):
    (part,) = validate_tables(names, [KERNELS], where=[where])
    run = accel("validate", KERNELS, "--where", where, "--explain")
    assert (run.code, run.err) == (0, "")
    first, *rest = run.out.splitlines()
    value, unit = first.partition(" = ")[2].split()[:2]
    scale = {"us": 1.0, "ms": 1e3}[unit]
    assert float(value.replace(",", "")) * scale == pytest.approx(part.prediction.value[0], rel=1e-3)
    assert any(str(part.table.places[0]) in line for line in rest)


def test_only_one_row_is_explained(accel):
    run = accel("validate", KERNELS, "--where", "op=gemm", "--explain")
    assert run.code == 2
    assert "--explain is of one row, and 11 are chosen" in run.err
    run = accel("validate", SERVED, "--where", "tier=C", "--explain")
    assert run.code == 2
    assert "rows of tier C such as this one are not explained" in run.err


def test_the_verb_prints_one_object_and_writes_every_prediction(accel, tmp_path):
    run = accel("validate", KERNELS, "--predictions", str(tmp_path / "out.csv"), "--format", "json")
    assert (run.code, run.err) == (0, "")
    found = json.loads(run.out)
    assert {
        "points",
        "predicted",
        "skipped",
        "median_ape",
        "mean_ape",
        "p90_ape",
        "median_abs_log_ratio",
    } <= {*found}
    assert {"coverage", "groups", "unscored", "origins"} <= {*found}
    with (tmp_path / "out.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert list(rows[0]) == ["id", "predicted", "low", "high"]
    assert len(rows) == found["predicted"] + found["unscored"]["predicted"]
    assert all(float(row["low"]) < float(row["predicted"]) < float(row["high"]) for row in rows)


@pytest.mark.parametrize("form", ["table", "md", "csv"])
def test_every_format_has_the_same_numbers(accel, form, tmp_path):
    run = accel("validate", KERNELS, "--format", form, "-o", str(tmp_path / "out"))
    assert (run.code, run.out) == (0, "")
    text = (tmp_path / "out").read_text()
    assert "llmservingsim" in text and "allreduce_custom" in text


def test_a_mistake_in_a_table_is_one_message_and_exit_code_2(accel, tmp_path):
    (tmp_path / "t.csv").write_text(Path(KERNELS).read_text().replace(",3072,768,", ",3072,many,"))
    run = accel("validate", "t.csv")
    assert run.code == 2
    assert run.err == "error: t.csv:2: column `n`: `many` is not a number\n"
    assert run.out == ""


@pytest.mark.parametrize(
    "plugin", ["workload", "parallelism", "compute", "memory", "interconnect", "library", "metrics"]
)
def test_without_a_plugin_nothing_crashes(accel, plugin):
    run = accel("validate", KERNELS, SERVED, "--format", "json", "--no-plugin", plugin)
    if plugin == "library":
        assert json.loads(run.out)["predicted"] == 0
    else:
        assert run.code == 2
        assert run.err.startswith("error: nothing can be predicted: no installed plugin serves ")
        assert f"plugin `{plugin}` is switched off" in run.err


def test_drawing_needs_plotly(accel_process, tmp_path):
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(
        "import importlib.util as u\nfind = u.find_spec\n"
        "u.find_spec = lambda name, *more: None if name == 'plotly' else find(name, *more)\n"
    )
    run = accel_process("validate", KERNELS, "--format", "html")
    assert run.code == 2
    assert "pip install 'accelscope[plot]'" in run.err


def test_the_page_draws_and_names_the_worst(accel, tmp_path):
    pytest.importorskip("plotly")
    run = accel("validate", KERNELS, SERVED, "--format", "html", "-o", str(tmp_path / "page.html"))
    assert (run.code, run.err) == (0, "")
    text = (tmp_path / "page.html").read_text()
    for part in (
        "Predicted against measured",
        "Residuals by size",
        "The worst rows",
        "aiconfigurator",
        "scattergl",
    ):
        assert part in text
    body = text.partition("<footer>")[0]
    assert body.count("accelscope explain ") + body.count("accelscope validate ") == 20
    assert "http://" not in text.split("</script>")[-1]
