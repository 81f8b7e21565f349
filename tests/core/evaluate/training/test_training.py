"""A step of training: what its passes are made of, how splits change it, and what it holds."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accelscope.core.errors import DescriptionError
from accelscope.core.session import Session

TEXT = """
use std.nvidia {{ DGX_H100, H100_SuperPOD }}
use std.models {{ llama3_8b, mixtral_8x7b }}
workload w {{ kind = training, batch = {batch}, sequence_length = {sequence} tok{work} }}
deployment d {{ system = {system}, model = {model}{more}, parallel {{ {split} }} }}
scenario s {{ deployment = d, workload = w }}
"""


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "case.accel"


def ask(shell: Session, path: Path, split: str = "dp = 8, zero_stage = 3", **given: Any) -> dict[str, Any]:
    words = {
        "batch": 64,
        "sequence": 4096,
        "work": "",
        "system": "DGX_H100",
        "model": "llama3_8b",
        "more": "",
    }
    path.write_text(TEXT.format(**(words | given), split=split))
    return shell.evaluate(str(path))[0].point()


def metric(point: dict[str, Any], name: str) -> float:
    return float(point["metrics"][name]["value"])


def seconds(point: dict[str, Any], phase: str, ops: tuple[str, ...]) -> float:
    return sum(row["seconds"] for row in point["breakdown"] if row["phase"] == phase and row["op"] in ops)


PRODUCTS = ("qkv", "o_proj", "ffn_up", "ffn_down", "lm_head")


def test_products_take_twice_as_long_backward_as_forward(shell: Session, path: Path) -> None:
    point = ask(shell, path)
    gradients = tuple(f"{name}_{grad}" for name in PRODUCTS for grad in ("dgrad", "wgrad"))
    forward, backward = seconds(point, "forward", PRODUCTS), seconds(point, "backward", gradients)
    assert backward == pytest.approx(2.0 * forward, rel=0.05)


def test_a_step_learns_from_all_tokens_of_the_global_batch(shell: Session, path: Path) -> None:
    point = ask(shell, path)
    assert metric(point, "train_throughput") * metric(point, "step_time") == pytest.approx(64 * 4096)


def test_mfu_counts_six_flops_a_parameter_and_twelve_for_attention(shell: Session, path: Path) -> None:
    point = ask(shell, path)
    # 6 x (8.03e9 - 0.53e9 embedding) + 6 x layers x width x sequence for a causal square: PaLM, appendix B
    needed = 6 * 7.5e9 + 6 * 32 * 4096 * 4096
    expected = needed * metric(point, "train_throughput") / 8 / 989e12
    assert metric(point, "mfu") == pytest.approx(expected, rel=0.03)


def test_recomputation_costs_time_and_saves_memory_but_no_mfu_is_counted_for_it(
    shell: Session, path: Path
) -> None:
    none, full = (ask(shell, path, work=f", recompute = {what}") for what in ("none", "full"))
    assert metric(full, "step_time") > 1.2 * metric(none, "step_time")
    assert metric(full, "memory_of_activations") < 0.3 * metric(none, "memory_of_activations")
    rate = metric(none, "step_time") / metric(full, "step_time")
    assert metric(full, "mfu") == pytest.approx(metric(none, "mfu") * rate, rel=1e-6)


def test_zero_stages_share_states_then_gradients_then_parameters(shell: Session, path: Path) -> None:
    kept = {stage: ask(shell, path, split=f"dp = 8, zero_stage = {stage}") for stage in range(4)}
    optimiser = [metric(kept[stage], "memory_of_optimiser") for stage in range(4)]
    gradients = [metric(kept[stage], "memory_of_gradients") for stage in range(4)]
    parameters = [metric(kept[stage], "memory_of_parameters") for stage in range(4)]
    assert optimiser[0] == pytest.approx(12 * 8.03e9, rel=0.01)
    assert [value / optimiser[0] for value in optimiser] == pytest.approx([1, 1 / 8, 1 / 8, 1 / 8])
    assert [value / gradients[0] for value in gradients] == pytest.approx([1, 1, 1 / 8, 1 / 8])
    assert parameters[2] == parameters[0]
    assert parameters[3] < 0.25 * parameters[0]


def test_interleaving_divides_the_bubble(shell: Session, path: Path) -> None:
    split = "tp = 2, sp = true, pp = 4, zero_stage = 1"
    plain = ask(shell, path, split=split)
    woven = ask(shell, path, split=f"{split}, virtual_stages = 4")
    assert metric(plain, "bubble") == pytest.approx(3 / (64 + 3), rel=0.01)
    assert metric(woven, "bubble") == pytest.approx(0.75 / (64 + 0.75), rel=0.01)


def test_gradients_are_hidden_by_long_passes_and_not_by_short_ones(shell: Session, path: Path) -> None:
    split, system = "dp = 256, zero_stage = 1", "H100_SuperPOD"
    long = ask(shell, path, split=split, batch=256, system=system, sequence=8192)
    short = ask(shell, path, split=split, batch=256, system=system, sequence=256)
    assert metric(long, "exposed_communication") < 0.01
    assert metric(short, "exposed_communication") > 0.3


def test_a_runtime_that_hides_nothing_waits_for_all_communication(shell: Session, path: Path) -> None:
    shown = {}
    for share in ("0", "1"):
        words = {"batch": 64, "sequence": 4096, "work": "", "system": "DGX_H100", "model": "llama3_8b"}
        text = TEXT.format(**words, more=", runtime = hiding", split="dp = 8, zero_stage = 3")
        path.write_text(text + f'runtime hiding {{ overlap_fraction = {share} @"a test" }}\n')
        shown[share] = shell.evaluate(str(path))[0].point()
    waits = metric(shown["0"], "step_time") - metric(shown["1"], "step_time")
    names = ("parameters_gather", "parameters_gather_again", "parameters_gradients")
    moved = sum(seconds(shown["0"], phase, names) for phase in ("forward", "backward"))
    assert moved > 0.1
    assert waits == pytest.approx(moved, rel=0.01)


def test_adapters_have_no_gradients_of_weights_and_few_states(shell: Session, path: Path) -> None:
    every = ask(shell, path)
    adapters = ask(shell, path, work=", lora_rank = 16")
    assert metric(adapters, "step_time") < 0.85 * metric(every, "step_time")
    assert metric(adapters, "memory_of_optimiser") < 0.02 * metric(every, "memory_of_optimiser")


def test_context_parallelism_shares_tokens_and_keeps_the_work(shell: Session, path: Path) -> None:
    whole = ask(shell, path, split="dp = 8, zero_stage = 3", batch=8, sequence=32768)
    shared = ask(shell, path, split="dp = 4, cp = 2, zero_stage = 3", batch=8, sequence=32768)
    assert metric(shared, "memory_of_activations") == pytest.approx(
        metric(whole, "memory_of_activations") / 2, rel=0.1
    )
    assert metric(shared, "step_time") == pytest.approx(metric(whole, "step_time"), rel=0.15)


def test_experts_are_summed_over_fewer_replicas_than_the_rest(shell: Session, path: Path) -> None:
    point = ask(shell, path, split="dp = 8, ep = 8, zero_stage = 1", model="mixtral_8x7b")
    parts = {row["op"] for row in point["breakdown"] if row["phase"] == "backward" and row["seconds"] > 0}
    assert "experts_dispatch" in parts
    assert "permute_backward" in parts
    assert metric(point, "memory_of_parameters") < 2.2 * 46.7e9 / 8 * 1.3


def test_metrics_of_serving_are_left_out(shell: Session, path: Path) -> None:
    assert not {"ttft", "tpot", "throughput", "mbu"} & set(ask(shell, path)["metrics"])


def test_a_batch_that_does_not_fit_says_what_does_not(shell: Session, path: Path) -> None:
    point = ask(shell, path, split="dp = 8, zero_stage = 0")
    assert point["feasible"] is False
    assert "optimiser states" in next(row["reason"] for row in point["limits"] if row["name"] == "memory")


def test_serving_refuses_what_only_training_shards(shell: Session, path: Path) -> None:
    path.write_text(
        TEXT.format(
            batch=1,
            sequence=1,
            work="",
            system="DGX_H100",
            model="llama3_8b",
            more="",
            split="dp = 2, zero_stage = 2",
        ).replace(
            "kind = training, batch = 1, sequence_length = 1 tok", "batch = 1, prompt = 1 tok, output = 1 tok"
        )
    )
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(str(path))
    assert [item.code for item in caught.value.diagnostics] == ["A303"]
