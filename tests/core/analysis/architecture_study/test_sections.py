"""Strategies, software, gaps, models and claims of a study."""

from __future__ import annotations

import pytest

from accelscope.core.analysis.architecture_study.run import run_study
from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.library.definitions import list_definitions


def changed(desk, small, tmp_path, old: str, new: str):
    text = (small.folder / "all.accel").read_text()
    assert old in text
    (tmp_path / "all.accel").write_text(text.replace(old, new))
    return run_study(desk, tmp_path, workers=1)


def test_the_first_strategy_is_what_others_are_compared_with(small):
    numbers = small.sections["ways"].numbers
    relative = {name: value for name, value in numbers.items() if ".relative." in name}
    assert {value for name, value in relative.items() if name.startswith("ways.tensor.")} == {1.0}
    for name, value in relative.items():
        own = numbers[name.replace(".relative.", ".value.")]
        first = name.replace(".relative.", ".value.").split(".")
        first[1] = "tensor"
        assert value == pytest.approx(own / numbers[".".join(first)])


def test_experts_of_a_dense_model_are_impossible_and_say_so(small):
    rows = {(row["model"], row["strategy"]): row["why not"] for row in small.rows("ways_impossible")}
    assert rows["llama3_1_70b", "expert"] == "the model has no experts to spread"
    assert small.sections["ways"].findings[-1] == "Impossible on some system: expert for llama3_1_70b."


def test_parameters_to_compute_are_of_the_model_whatever_divides_it(small):
    numbers = small.sections["ways"].numbers
    table = small.sections["models"].numbers["models.parameter_to_compute.deepseek_v2"]
    found = [value for name, value in numbers.items() if ".parameter_to_compute.value.deepseek_v2" in name]
    assert len(found) == 3
    assert found == [pytest.approx(table, rel=0.05)] * 3


def test_models_of_the_page_are_in_the_table(small):
    names = {row["model"] for row in small.rows("models")}
    assert {"mixtral_8x7b", "llama3_1_8b", "deepseek_v2"} <= names


def test_a_gap_is_what_the_best_runtime_has_more(small):
    for row in small.rows("stacks_results"):
        values = [float(row["vllm"]), float(row["tensorrt_llm"])]
        gap = max(values) / min(values) - 1
        name = f"stacks.gap.throughput.H100_SXM.llama3_1_8b.{row['point']}"
        assert small.sections["stacks"].numbers[name] == pytest.approx(gap)
        assert gap > 0


def test_a_tenth_more_bandwidth_gives_what_the_table_says(desk, small, tmp_path):
    row = next(
        row
        for row in small.rows("first_elasticities")
        if (row["device"], row["parameter"], row["cell"])
        == ("H100_SXM", "hbm.bandwidth", "batch 1, prompt 1,024 tok")
    )
    assert row["system"] == "H100_SXM"
    path = tmp_path / "one.accel"
    path.write_text(
        "use std.nvidia as nv\nuse std.models as m\n"
        "workload w { batch = 1, prompt = 1_024 tok, output = 256 tok }\n"
        "deployment d { system = nv.H100_SXM, model = m.llama3_1_70b, precision { weights = fp8, activations = fp8 } }\n"
        "scenario s { deployment = d, workload = w }\n"
    )
    device = next(
        item.component for item in list_definitions(desk.session) if item.component.name == "H100_SXM"
    )
    bandwidth = float(device.get("hbm").get("bandwidth").value.magnitude)
    before, after = (
        float(desk.session.evaluate(str(path), sets=sets, bars=False)[0].metrics["throughput"].value)
        for sets in ((), (f"hbm.bandwidth = {1.1 * bandwidth} B/s",))
    )
    assert float(row["a tenth more [%]"]) == pytest.approx(100 * (after / before - 1), rel=1e-6)


def test_parameters_are_called_alike_in_all_systems_of_a_device(small):
    rows = [row for row in small.rows("first_elasticities") if row["device"] == "H100_SXM"]
    assert {row["system"] for row in rows} >= {"H100_SXM", "DGX_H100"}
    assert {row["parameter"] for row in rows if row["parameter"].endswith("hbm.bandwidth")} == {
        "hbm.bandwidth"
    }


def test_what_is_set_apart_or_a_default_is_never_changed_first(small):
    for row in small.rows("first_first"):
        assert not row["change first"].endswith("efficiency")
    assert small.rows("first_elasticities")


def test_scarce_memory_comes_first(small):
    first = small.sections["first"].findings[0]
    assert "Pipeline of chips (LPU_v1): memory for the model (held in " in first
    assert "GPU (H100_SXM): hbm.bandwidth" in first


def test_a_claim_has_the_range_and_the_closest_number(small):
    (row,) = small.rows("claims")
    numbers = small.sections["cells"].numbers
    own = [
        numbers[f"cells.spread.architectures.throughput.device.{label}"]
        for label in ("least", "median", "most")
    ]
    assert [float(row[name]) for name in ("least here", "median", "most")] == pytest.approx(sorted(own))
    assert row["published"] == "3.7"
    assert row["closest"].partition(" at ")[2].startswith("cells.spread.architectures.throughput.device.")


def test_a_claim_about_nothing_is_refused(desk, small, tmp_path):
    with pytest.raises(
        UsageError, match=r"claim `spread` is about cells\.nothing, and the study has no such number"
    ):
        changed(desk, small, tmp_path, "cells.spread.architectures.throughput.device.*", "cells.nothing")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        (
            "devices = [google.TPU7x]",
            "devices = [m.llama3_1_8b]",
            "`systolic.devices` lists definitions of kind package, not `model`",
        ),
        (
            "models = [m.llama3_1_8b, m.llama3_1_70b], metrics = [throughput, d",
            "models = [fast], metrics = [throughput, d",
            "`cells.models` lists definitions of kind model, not `fast`",
        ),
    ],
)
def test_a_list_of_something_else_is_refused(desk, small, tmp_path, old, new, message):
    with pytest.raises(DescriptionError) as caught:
        changed(desk, small, tmp_path, old, new)
    assert [item.message for item in caught.value.diagnostics] == [message]


def test_a_model_without_sizes_is_refused(desk, small, tmp_path):
    with pytest.raises(UsageError, match="`transformer` has no sizes of its own"):
        changed(desk, small, tmp_path, "models = [m.mixtral_8x7b]", "models = [m.transformer]")


def test_a_folder_has_to_hold_something(desk, tmp_path):
    with pytest.raises(UsageError, match="is no folder"):
        run_study(desk, tmp_path / "nowhere")
    with pytest.raises(UsageError, match=r"holds no `\.accel` file"):
        run_study(desk, tmp_path)
    (tmp_path / "a.accel").write_text("let one = 1\n")
    with pytest.raises(UsageError, match="holds neither architectures nor a grid"):
        run_study(desk, tmp_path)


def test_sobol_indices_say_which_tolerances_the_doubt_comes_from(small):
    rows = small.rows("first_doubts")
    assert {row["device"] for row in rows} >= {"H100_SXM"}
    assert all(0.05 <= float(row["total"]) < 1.5 and float(row["tolerance [%]"]) > 0 for row in rows)
    assert any("doubt about throughput" in finding for finding in small.sections["first"].findings)
