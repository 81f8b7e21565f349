"""Rows under load: they are predicted as an evaluation of the same deployment would say, or skipped with a reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelscope.core.analysis.validate.disaggregated import read_pool_degrees
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.predict import Prediction, predict_rows
from accelscope.core.analysis.validate.serving import group_serving_rows
from accelscope.core.analysis.validate.table import TABLE_LAYOUTS, MeasurementTable
from accelscope.core.session import Session

ROW: dict[str, Any] = {
    "source": "a benchmark", "hw": "H100-SXM", "model": "llama-3.1-8b", "weights_dtype": "bf16", "kv_dtype": "bf16",
    "engine": "vllm", "engine_version": "0.12.0", "metric": "tpot_ms", "unit": "ms", "tier": "B", "year": 2026,
    "n_devices": 2, "tp": 2, "batch_or_concurrency": 32, "isl": 1024, "osl": 256, "value": 10, "score": 1,
}  # fmt: skip

TEXT = """
use std.nvidia {{ DGX_H100 }}
use std.models {{ llama3_1_8b }}
use std.runtimes {{ {runtime} }}
workload w {{ concurrency = 32, prompt = 1024 tok, output = 256 tok }}
deployment d {{
  system = DGX_H100
  model = llama3_1_8b
  runtime = {runtime}
  {more}
}}
scenario s {{ deployment = d, workload = w }}
"""


def table(*rows: dict[str, Any]) -> MeasurementTable:
    layout = TABLE_LAYOUTS["e2e"]
    whole = [ROW | {"id": str(place)} | row for place, row in enumerate(rows)]
    columns = {
        name: np.array([str(row.get(name, "")) for row in whole], dtype=object) for name in layout.text
    }
    columns |= {name: np.array([float(row.get(name, np.nan)) for row in whole]) for name in layout.number}
    places = np.array([f"rows.csv:{place + 2}" for place in range(len(rows))], dtype=object)
    return MeasurementTable(layout=layout, columns=columns, places=places)


@pytest.fixture(scope="module")
def names(shell: Session) -> LibraryNames:
    return LibraryNames(shell)


@pytest.fixture
def found(names: LibraryNames) -> Any:
    def run(*rows: dict[str, Any]) -> Prediction:
        return predict_rows(table(*rows), names)

    return run


def evaluated(shell: Session, path: Path, runtime: str, more: str) -> dict[str, float]:
    path.write_text(TEXT.format(runtime=runtime, more=more))
    result = shell.evaluate(str(path), bars=False)[0]
    return {name: float(column.value) for name, column in result.metrics.items() if column.value is not None}


@pytest.mark.parametrize("engine", ["vllm", "tensorrt-llm"])
def test_a_closed_loop_is_what_eval_says(shell: Session, tmp_path: Path, found: Any, engine: str) -> None:
    version = {"engine": engine, "engine_version": ""}
    seen = found(version, version | {"metric": "ttft_ms"})
    runtime = engine.replace("-", "_")
    point = evaluated(shell, tmp_path / "row.accel", runtime, "parallel { tp = 2 }")
    assert seen.value == pytest.approx([point["tpot"] * 1e3, point["ttft"] * 1e3])
    assert np.all((seen.low < seen.value) & (seen.value < seen.high))


def test_pools_are_what_eval_says(shell: Session, tmp_path: Path, found: Any) -> None:
    note = "disagg prefill workers/tp/dp=[2.0, 1.0, 1.0] decode=[1.0, 4.0, 1.0]"
    row = {"tier": "G", "n_devices": 6, "tp": np.nan, "notes": note}
    seen = found(row, row | {"metric": "ttft_ms"})
    more = """pool prefill { parallel { dp = 2 } }
  pool decode { parallel { tp = 4 } }
  kv_transfer { overlap = layerwise }"""
    point = evaluated(shell, tmp_path / "row.accel", "vllm", more)
    assert seen.value == pytest.approx([point["tpot"] * 1e3, point["ttft"] * 1e3])


def test_rows_in_one_evaluation_do_not_change_each_other(found: Any) -> None:
    rows = [
        {"batch_or_concurrency": count, "isl": size} for count, size in ((1, 128), (64, 4096), (512, 1024))
    ]
    together = found(*rows)
    assert together.value == pytest.approx([float(found(row).value[0]) for row in rows])


def test_lengths_of_a_source_that_draws_them_are_shorter(found: Any) -> None:
    drawn = {"source": "inferencex_via_aiconfigurator"}
    shorter = {"isl": 1024 * 0.9, "osl": 256 * 0.9}
    assert found(drawn).value == pytest.approx(found(shorter).value)


def test_prompts_that_go_first_wait_longer_where_all_requests_are_alike(found: Any) -> None:
    row = {"engine": "sglang", "engine_version": "0.5.9", "metric": "ttft_ms", "isl": 2000, "osl": 200}
    alike = found(row).value[0]
    drawn = {"source": "inferencex_via_aiconfigurator", "isl": 2000 / 0.9, "osl": 200 / 0.9}
    assert alike > 1.3 * found(row | drawn).value[0]


def test_a_maximum_load_fills_what_there_is(found: Any) -> None:
    loaded = {"tier": "C", "metric": "throughput_out_tok_s", "batch_or_concurrency": np.nan}
    some = found({"batch_or_concurrency": 64}).value[0]
    assert found(loaded).value[0] > 64 / (some / 1e3)


def test_experts_of_rows_with_attention_by_sequence_are_shared(names: LibraryNames) -> None:
    row = {"tier": "C", "model": "mixtral-8x7b", "n_devices": 8, "tp": 8, "flag": "attention_dp"}
    whole = {"tier": "C", "model": "mixtral-8x7b", "n_devices": 8, "tp": 8}
    assert len(list(group_serving_rows(table(row, whole), names))) == 2


def test_pools_that_are_not_counted_have_the_devices_that_are_left() -> None:
    note = "disagg prefill workers/tp/dp=[nan, 4.0, 1.0] decode=[nan, 8.0, 1.0]"
    pools = read_pool_degrees(table({"tier": "G", "n_devices": 20, "notes": note}))
    assert (pools.known[0], pools.counted[0]) == (True, False)
    assert (pools.prefill.tp[0], pools.prefill.dp[0]) == (4, 1)
    assert (pools.decode.tp[0], pools.decode.dp[0]) == (8, 2)


def test_wide_instances_divide_sequences_and_experts() -> None:
    note = "disagg prefill workers/tp/dp=[1.0, 1.0, 4.0] decode=[1.0, 32.0, 1.0]"
    pools = read_pool_degrees(table({"tier": "G", "n_devices": 36, "notes": note}))
    assert (pools.prefill.tp[0], pools.prefill.ep[0], pools.prefill.dp[0]) == (1, 4, 4)
    assert (pools.decode.tp[0], pools.decode.ep[0], pools.decode.dp[0]) == (1, 32, 32)


@pytest.mark.parametrize(
    ("row", "words"),
    [
        ({"engine": "no such engine"}, "no runtime"),
        ({"model": "no such model"}, "no model"),
        ({"hw": "no such device"}, "no device"),
        ({"weights_dtype": "int3"}, "no data type int3"),
        ({"batch_or_concurrency": np.nan}, "no concurrency"),
        ({"tier": "G", "notes": ""}, "pools of the row are not known"),
        ({"metric": "e2e_s"}, "not predicted under load"),
        ({"model": "llama-3.1-405b"}, "do not fit"),
    ],
)
def test_what_cannot_be_told_is_skipped_with_its_reason(found: Any, row: dict[str, Any], words: str) -> None:
    seen = found(row)
    assert np.isnan(seen.value[0])
    assert words in seen.reasons[0]
