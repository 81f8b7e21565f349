"""What assembly chooses and what it refuses."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelscope.core.errors import DescriptionError
from accelscope.core.session import Session

HEAD = """
use std.nvidia {{ {system} }}
use std.models {{ llama3_8b }}
workload w {{ batch = 1, prompt = 512 tok, output = 64 tok }}
scenario s {{ deployment = d, workload = w }}
deployment d {{ system = {system}, model = llama3_8b{more} }}
"""


def ask(shell: Session, path: Path, system: str = "DGX_A100", more: str = "") -> dict[str, object]:
    path.write_text(HEAD.format(system=system, more=more))
    return shell.evaluate(str(path))[0].point()


def codes(shell: Session, path: Path, **given: str) -> list[tuple[str, str]]:
    with pytest.raises(DescriptionError) as caught:
        ask(shell, path, **given)
    return [(item.code, item.message) for item in caught.value.diagnostics]


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "case.accel"


def bounds(point: dict[str, object], phase: str) -> dict[str, str]:
    return {row["op"]: row["bound_by"] for row in point["breakdown"] if row["phase"] == phase}  # type: ignore[attr-defined]


def test_weights_that_no_matrix_engine_computes_in_are_widened(shell: Session, path: Path) -> None:
    wide = ask(shell, path)
    narrow = ask(shell, path, more=", precision { weights = fp8 }")
    assert bounds(narrow, "prefill")["ffn_up"] == "tensor"
    assert narrow["metrics"]["ttft"]["value"] == pytest.approx(wide["metrics"]["ttft"]["value"], rel=0.1)
    assert narrow["metrics"]["tpot"]["value"] < 0.75 * wide["metrics"]["tpot"]["value"]


def test_activations_that_no_engine_computes_in_are_refused(shell: Session, path: Path) -> None:
    found = codes(shell, path, more=", precision { weights = fp8, activations = fp8 }")
    assert found == [("A306", "`A100_SXM_80GB` has no engine that computes in fp8")]


def test_a_single_pool_is_refused_rather_than_ignored(shell: Session, path: Path) -> None:
    found = codes(shell, path, more=", pool prefill { nodes = 1 }")
    assert [code for code, _ in found] == ["A211"]


def test_sharding_of_training_is_refused_where_a_model_serves(shell: Session, path: Path) -> None:
    found = codes(shell, path, more=", parallel { tp = 2, dp = 2, zero_stage = 2 }")
    assert [code for code, _ in found] == ["A303"]


def test_an_open_loop_without_a_batch_says_what_is_missing(shell: Session, path: Path) -> None:
    path.write_text(HEAD.format(system="DGX_A100", more="").replace("batch = 1", "arrivals = 2 req/s"))
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(str(path))
    assert [item.code for item in caught.value.diagnostics] == ["A106"]
    assert "batch" in caught.value.diagnostics[0].message


def test_a_system_without_engines_is_refused(shell: Session, path: Path) -> None:
    path.write_text(
        HEAD.format(system="DGX_A100", more="").replace("system = DGX_A100", "system = empty")
        + 'node empty { host cpu { model = "some" } }\n'
    )
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(str(path))
    assert [item.code for item in caught.value.diagnostics] == ["A304"]


def test_weights_do_not_live_in_a_tier_behind_the_device(shell: Session, path: Path) -> None:
    path.write_text(
        HEAD.format(system="DGX_A100", more="").replace("system = DGX_A100", "system = card")
        + "use std.nvidia { A100_SXM_80GB }\n"
        + "package card extends A100_SXM_80GB { memory host { class = ddr5, capacity = 1 TB, bandwidth = 32 GB/s } }\n"
    )
    point = shell.evaluate(str(path))[0].point()
    memory = next(row for row in point["limits"] if row["name"] == "memory")
    assert memory["available"] == 80 * 2**30


def cost(shell: Session, path: Path, system: str, tp: int) -> float:
    point = ask(shell, path, system=system, more=f", parallel {{ tp = {tp} }}")
    return point["metrics"]["cost_per_mtok"]["value"] * point["metrics"]["throughput"]["value"]  # type: ignore[index]


def test_idle_devices_of_a_node_are_paid_for(shell: Session, path: Path) -> None:
    assert cost(shell, path, "DGX_H100", 4) == pytest.approx(cost(shell, path, "DGX_H100", 8))


def test_idle_nodes_of_a_cluster_are_not_paid_for(shell: Session, path: Path) -> None:
    assert cost(shell, path, "H100_SuperPOD", 8) == pytest.approx(cost(shell, path, "DGX_H100", 8))


def test_a_home_of_weights_without_a_bandwidth_is_refused(shell: Session, path: Path) -> None:
    path.write_text(
        HEAD.format(system="DGX_A100", more="").replace("system = DGX_A100", "system = card")
        + "package card {\n"
        + "  clock = 1 GHz\n"
        + "  engine mac { ops { bf16 = 1024 MAC/cycle } }\n"
        + "  memory hbm { class = hbm3, capacity = 64 GB }\n"
        + "}\n"
    )
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(str(path))
    assert [(item.code, "bandwidth" in item.message) for item in caught.value.diagnostics] == [("A106", True)]
