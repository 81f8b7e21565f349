"""The main job: Llama-3-70B on a DGX H100, held against bounds that follow from published numbers alone."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.query.result import Result
from accelscope.core.session import Session

pytestmark = pytest.mark.smoke

PARAMETERS = 70_553_706_496  # safetensors total of meta-llama/Meta-Llama-3-70B
READ_A_TOKEN = 2 * (
    PARAMETERS - 128_256 * 8192
)  # bf16 bytes without the embedding table, of which one row is read
HBM = 8 * 3.35e12  # NVIDIA H100 data sheet
PEAK = 8 * 989.4e12  # dense bf16, NVIDIA H100 data sheet


def value(result: Result, metric: str) -> float:
    column = result.metrics[metric].value
    assert column is not None
    return float(column)


@pytest.fixture(scope="module")
def result(shell: Session, main_job: str) -> Result:
    return shell.evaluate(main_job)[0]


def test_parameters_are_exact(result: Result) -> None:
    assert value(result, "parameters") == PARAMETERS


def test_kv_of_a_token_is_320_kib(result: Result) -> None:
    assert value(result, "kv_per_token") == 320 * 1024


def test_tpot_lies_between_the_bandwidth_bound_and_two_and_a_half_times_it(result: Result) -> None:
    bound = 2 * PARAMETERS / HBM
    assert value(result, "tpot") > READ_A_TOKEN / HBM
    assert bound < value(result, "tpot") < 2.5 * bound


def test_ttft_lies_above_the_flop_bound(result: Result) -> None:
    assert value(result, "ttft") > 2 * (PARAMETERS - 128_256 * 8192) * 2048 / PEAK


def test_the_contract_object_has_every_field(result: Result) -> None:
    point = result.point()
    assert {"scenario", "feasible", "limits", "metrics", "breakdown", "manifest"} <= set(point)
    wanted = {
        "ttft",
        "tpot",
        "e2e_latency",
        "throughput",
        "throughput_per_device",
        "mfu",
        "mbu",
        "memory_used",
        "power",
        "energy_per_token",
        "cost_per_mtok",
    }
    assert wanted <= set(point["metrics"])
    assert all(set(metric) == {"value", "unit", "low", "high"} for metric in point["metrics"].values())
    assert all(set(row) >= {"name", "used", "available", "unit"} for row in point["limits"])
    keys = {"phase", "component", "op", "seconds", "share", "bound_by"}
    assert all(set(row) == keys for row in point["breakdown"])


def test_the_shares_of_a_phase_add_up(result: Result) -> None:
    rows = result.point()["breakdown"]
    for phase in ("prefill", "decode"):
        assert sum(row["share"] for row in rows if row["phase"] == phase) == pytest.approx(1)


def test_low_and_high_enclose_the_value(result: Result) -> None:
    for name in ("ttft", "tpot", "throughput", "cost_per_mtok"):
        column = result.metrics[name]
        assert column.low is not None and column.high is not None and column.value is not None
        assert column.low < column.value < column.high


def test_latency_and_throughput_agree(result: Result) -> None:
    assert value(result, "e2e_latency") == pytest.approx(value(result, "ttft") + 255 * value(result, "tpot"))
    assert value(result, "throughput") == pytest.approx(256 / value(result, "e2e_latency"))
    assert value(result, "throughput_per_device") == pytest.approx(value(result, "throughput") / 8)


def test_half_the_bandwidth_is_slower_and_scales_what_memory_bounds(shell: Session, main_job: str) -> None:
    fast = value(shell.evaluate(main_job)[0], "tpot")
    slow = value(shell.evaluate(main_job, sets=["gpu.hbm.bandwidth = 1.675 TB/s"])[0], "tpot")
    assert 1.4 * fast < slow < 2 * fast


def test_a_sweep_of_bandwidth_is_of_the_whole_device(shell: Session, main_job: str) -> None:
    result = shell.evaluate(main_job, sets=["gpu.hbm.bandwidth=2 TB/s .. 6 TB/s step 1 TB/s"])[0]
    tpot = result.metrics["tpot"].value
    assert tpot is not None and tpot.shape == (5,)
    assert np.all(np.diff(tpot) < 0)
    assert tpot[0] >= 1.6 * tpot[-1]


def test_eight_bit_weights_are_faster_but_not_twice(shell: Session, main_job: str) -> None:
    wide = value(shell.evaluate(main_job)[0], "tpot")
    narrow = value(shell.evaluate(main_job, sets=["precision.weights=fp8"])[0], "tpot")
    assert wide / 2 < narrow < wide


def test_one_gpu_is_too_small_and_says_by_how_much(shell: Session, main_job: str) -> None:
    result = shell.evaluate(main_job, sets=["tp=1"])[0]
    assert not result.feasible
    memory = next(row for row in result.point()["limits"] if row["name"] == "memory")
    assert memory["used"] > 2 * PARAMETERS > memory["available"]
    assert "do not fit" in memory["reason"]


def test_three_ranks_do_not_divide_64_heads(shell: Session, main_job: str) -> None:
    result = shell.evaluate(main_job, sets=["tp=3"])[0]
    assert not result.feasible
    broken = [row for row in result.point()["limits"] if row["used"] > row["available"]]
    assert any("tp = 3" in row["reason"] and "64" in row["reason"] for row in broken)


def test_more_ranks_than_gpus_break_the_assert(shell: Session, main_job: str) -> None:
    result = shell.evaluate(main_job, sets=["tp=16"])[0]
    assert not result.feasible
    broken = {row["name"].split(" ")[0] for row in result.point()["limits"] if row["used"] > row["available"]}
    assert broken == {"assert", "devices"}


def test_a_pipeline_does_not_divide_the_latency_of_one_sequence(shell: Session, main_job: str) -> None:
    flat = value(shell.evaluate(main_job, sets=["tp=4"])[0], "tpot")
    staged = value(shell.evaluate(main_job, sets=["tp=4", "pp=2"])[0], "tpot")
    assert 0.95 * flat < staged < 1.05 * flat


def test_a_pipeline_halves_the_weights_of_a_device(shell: Session, main_job: str) -> None:
    flat = shell.evaluate(main_job, sets=["tp=4"])[0].point()
    staged = shell.evaluate(main_job, sets=["tp=4", "pp=2"])[0].point()
    assert staged["metrics"]["memory_used"]["value"] < 0.65 * flat["metrics"]["memory_used"]["value"]


def test_an_override_with_a_wrong_dimension_is_refused(shell: Session, main_job: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(main_job, sets=["gpu.hbm.bandwidth=3 GB"])
    assert [item.code for item in caught.value.diagnostics] == ["A111"]


def test_an_override_of_an_unknown_name_says_what_was_meant(shell: Session, main_job: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(main_job, sets=["gpu.hbm.bandwith=3 TB/s"])
    assert "`bandwidth`" in (caught.value.diagnostics[0].help or "")


def test_a_negative_bandwidth_is_refused(shell: Session, main_job: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(main_job, sets=["gpu.hbm.bandwidth=-1 TB/s"])
    assert [item.code for item in caught.value.diagnostics] == ["A107"]


def test_an_unknown_scenario_says_which_there_are(shell: Session, main_job: str) -> None:
    with pytest.raises(UsageError, match="no scenario is called `two`"):
        shell.evaluate(main_job, "two")


def test_same_inputs_give_the_same_manifest(shell: Session, main_job: str) -> None:
    first, second = (shell.evaluate(main_job)[0].manifest for _ in range(2))
    assert first == second
    assert any(name.endswith("llama3_70b_on_dgx_h100.accel") for name in first["files"])
    assert {plugin["name"] for plugin in first["plugins"]} >= {
        "memory",
        "compute",
        "interconnect",
        "parallelism",
    }


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("parallel=8", "A101"),
        ("precision=fp8", "A101"),
        ("gpu.hbm=3", "A101"),
        ("slo=3", "A105"),
        ("cx7.bandwidth=5 GB", "A111"),
        ("cx7.bandwidth=bf16", "A201"),
        ("power.max=3", "A111"),
        ("bandwidth=3 TB/s", "A305"),
        ("gpu.hbm.bandwidth=[2 TB/s, 3 TB/s ± 5%]", "A211"),
        ("tp=1.5", "A107"),
    ],
)
def test_an_override_that_means_nothing_is_one_finding(
    shell: Session, main_job: str, text: str, code: str
) -> None:
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(main_job, sets=[text])
    assert [item.code for item in caught.value.diagnostics] == [code]


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("system.gpu.hbm.bandwidth = -3 TB/s", "A107"),
        ("system.gpu.hbm.bandwidth = 3", "A111"),
        ("model.layers = 3 W", "A111"),
        ("system.cx7.bandwidth = bf16", "A201"),
        ("system.gpu.hbm = 3", "A101"),
        ("system.gpu.hbm.bandwidt = 3 TB/s", "A202"),
    ],
)
def test_what_a_file_sets_through_a_reference_is_checked(
    shell: Session, main_job: str, tmp_path: Path, line: str, code: str
) -> None:
    path = tmp_path / "set.accel"
    path.write_text(
        Path(main_job).read_text().replace("parallel { tp = 8 }", f"parallel {{ tp = 8 }}\n  {line}\n  #")
    )
    assert [item.code for item in shell.check(str(path))] == [code]
