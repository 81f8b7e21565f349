"""Rows of static batches to predictions: the same numbers as a description gives, epochs of engines, reasons to skip."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.scenario_text import format_row_scenario
from accelscope.core.analysis.validate.static_batch import (
    STATIC_BATCH_METRICS,
    WEIGHT_DTYPES,
    find_engine_runtime,
    predict_static_batch_rows,
)
from accelscope.core.analysis.validate.table import MeasurementTable, read_tables
from tests.support.paths import MEASURED

ROWS = str(MEASURED / "e2e.csv")
TIERS = ("A", "P")


@pytest.fixture(scope="module")
def names(shell: Any) -> LibraryNames:
    return LibraryNames(shell)


@pytest.fixture(scope="module")
def table() -> MeasurementTable:
    whole = read_tables([ROWS])[0]
    return whole.take(np.isin(whole.text("tier"), TIERS))


@pytest.fixture(scope="module")
def prediction(table, names):
    return predict_static_batch_rows(table, names)


def with_column(table: MeasurementTable, name: str, value: object) -> MeasurementTable:
    values = np.full(len(table), value, dtype=object if isinstance(value, str) else float)
    return evolve(table, columns={**table.columns, name: values})


def first(table: MeasurementTable, **given: str) -> MeasurementTable:
    found = np.ones(len(table), dtype=bool)
    for name, value in given.items():
        found &= table.text(name) == value
    return table.take(np.flatnonzero(found)[:1])


def test_rows_are_near_what_was_measured(table, prediction):
    """Not an accuracy test: a wrong unit, size or data type is off by far more."""
    rows = np.flatnonzero((table.text("tier") == "A") & (table.number("score") == 1))
    ratio = prediction.value[rows] / table.number("value")[rows]
    done = np.isfinite(ratio)
    assert done.mean() > 0.9
    assert np.median(np.abs(np.log(ratio[done]))) < np.log(1.25)


def test_a_row_alone_is_predicted_like_among_others(table, names, prediction):
    for row in range(0, len(table), 7):
        alone = predict_static_batch_rows(table.take(np.array([row])), names)
        assert alone.value[0] == pytest.approx(prediction.value[row], nan_ok=True)
        assert alone.reasons[0] == prediction.reasons[row]


def test_a_row_costs_what_its_description_costs(table, names, shell, tmp_path):
    """The runtime of the text is that of the row: TensorRT-LLM of today."""
    row = first(table, engine="tensorrt-llm", metric="e2e_s", weights_dtype="fp16")
    row = with_column(with_column(row, "year", 2026.0), "engine_version", "")
    metric, text = format_row_scenario(row, 0, names)
    path = tmp_path / "row.accel"
    path.write_text(text)
    point = shell.evaluate(str(path), bars=False)[0].point()
    found = predict_static_batch_rows(row, names)
    assert found.value[0] == pytest.approx(point["metrics"][metric]["value"], rel=1e-6)


def test_an_epoch_is_found_by_version_then_by_year(names):
    def epoch(engine: str, version: str, year: int) -> str:
        return find_engine_runtime(names, engine, version, year).component.name

    assert epoch("vllm", "0.6.1", 2025) == "vllm_v0"
    assert epoch("vllm", "", 2024) == "vllm_v0"
    assert epoch("vllm", "2023 fork", 2023) == "vllm_2023"
    assert epoch("vllm", "0.12.0", 2026) == "vllm"
    assert epoch("tensorrt-llm", "0.9.0", 2024) == "tensorrt_llm_v0"
    assert find_engine_runtime(names, "nobody's engine", "", 2024) is None


def test_what_the_library_lacks_is_skipped_with_the_reason(table, names):
    row = first(table, metric="e2e_s")
    for column, value, reason in (
        ("engine", "abacus", "the library has no runtime abacus"),
        ("hw", "Abacus-1", "the library has no device Abacus-1"),
        ("model", "abacus-1b", "the library has no model abacus-1b"),
        ("weights_dtype", "roman", "data type roman is not known"),
        ("metric", "beads", "metric beads is not predicted of a static batch"),
    ):
        found = predict_static_batch_rows(with_column(row, column, value), names)
        assert found.reasons[0] == reason
        assert np.isnan(found.value[0])


def test_what_does_not_fit_at_all_is_skipped(table, names):
    row = first(table, hw="H100-SXM", model="llama-2-7b")
    huge = with_column(with_column(row, "model", "llama-3.1-405b"), "tp", 1.0)
    assert "do not fit" in predict_static_batch_rows(huge, names).reasons[0]


def test_narrow_weights_are_read_faster(table, names):
    row = with_column(first(table, hw="H100-SXM", metric="e2e_s"), "batch_or_concurrency", 1.0)
    row = with_column(with_column(row, "engine", "llama.cpp"), "tp", 1.0)
    seconds = [
        predict_static_batch_rows(with_column(row, "weights_dtype", name), names).value[0]
        for name in ("q4_k_m", "q8_0", "fp16")
    ]
    assert seconds == sorted(seconds)
    assert seconds[0] < 0.75 * seconds[2]


def test_pieces_of_a_prompt_come_from_the_notes(table, names):
    row = with_column(first(table, hw="H100-SXM", metric="e2e_s"), "engine", "llama.cpp")
    row = with_column(with_column(row, "batch_or_concurrency", 1.0), "tp", 1.0)
    small, large = (
        predict_static_batch_rows(with_column(row, "notes", f"[chunk={tokens}]"), names).value[0]
        for tokens in (1, 64)
    )
    assert small > 1.3 * large


def test_every_metric_is_one_of_an_evaluation(names):
    assert {name for name, _ in STATIC_BATCH_METRICS.values()} <= set(names.registry.metrics)
    assert {"fp16", "q4_k_m", "w8a16"} <= set(WEIGHT_DTYPES)
