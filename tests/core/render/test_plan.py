"""`explain split`: what strategies make of a deployment, in words and numbers of one device."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelscope.core.cli.main import run_cli
from accelscope.core.session import Session

TEXT = """
use std.nvidia {{ H100_SuperPOD }}
use std.models {{ llama3_70b }}
workload w {{ batch = 2, prompt = 131072 tok, output = 2 tok }}
deployment d {{ system = H100_SuperPOD, model = llama3_70b, parallel {{ {} }} }}
scenario s {{ deployment = d, workload = w }}
"""


@pytest.fixture
def explained(shell: Session, tmp_path: Path):
    def run(split: str) -> str:
        path = tmp_path / "case.accel"
        path.write_text(TEXT.format(split))
        return shell.split(str(path))

    return run


def rows(text: str, name: str) -> list[list[str]]:
    return [line.split() for line in text.splitlines() if name in line.split()]


def test_degrees_and_devices_come_first(explained) -> None:
    devices, degrees, *_ = explained("tp = 4, sp = true, cp = 4, pp = 3").split("\n\n")
    assert devices.startswith("s: 48 of 256 devices; ")
    assert degrees == "tp = 4, sp = true, cp = 4, pp = 3"
    assert "one device holds everything" in explained("tp = 1")


def test_each_communication_names_the_tiers_that_it_crosses(explained) -> None:
    text = explained("tp = 4, cp = 4, pp = 3")
    inner, ring, stages = (
        rows(text, name)[0] for name in ("o_proj_all_reduce", "attention_ring", "stage_send")
    )
    assert inner[4] == "NVLink4"
    assert ring[4:7] == ["NVLink4", "+", "NDR400"]
    assert stages[4] == "NDR400"


def test_a_ring_hides_behind_attention_where_prompts_are_long(explained) -> None:
    ring = rows(explained("tp = 8, cp = 4"), "attention_ring")[0]
    assert ring[-3:] == ["0", "s", "100%"]


def test_a_rule_that_is_broken_gives_its_reason(explained) -> None:
    text = explained("tp = 3, cp = 4, cp_method = all_to_all")
    assert "broken: tp = 3 does not divide 64 heads" in text
    assert "broken: cp = 4 does not divide 22 heads of a rank" in text


def test_the_command_prints_it(tmp_path: Path, capsys) -> None:
    path = tmp_path / "case.accel"
    path.write_text(TEXT.format("tp = 8"))
    assert run_cli(["explain", str(path), "split"]) == 0
    assert "ONE DEVICE HOLDS" in capsys.readouterr().out


def test_gathered_weights_hide_behind_a_long_prompt_and_not_behind_one_token(explained) -> None:
    found = rows(explained("dp = 8, zero_stage = 3"), "parameters_gather")
    prefill, decode = ((row[0], row[-1]) for row in found)
    assert prefill == ("prefill", "100%")
    assert decode[0] == "decode"
    assert float(decode[1].rstrip("%")) < 20


POOLS = """
use std.nvidia { H100_SuperPOD }
use std.models { deepseek_v3 }
workload w { concurrency = 64, prompt = 4096 tok, output = 16 tok }
deployment d {
  system = H100_SuperPOD, model = deepseek_v3
  precision { weights = fp8 }
  pool prefill { parallel { tp = 4, cp = 2, dp_attention = 4, ep = 32 }, redundant_experts = 32 }
  pool decode  { parallel { tp = 8, dcp = 8, dp_attention = 8, ep = 64 }, redundant_experts = 32 }
}
scenario s { deployment = d, workload = w }
"""


def test_pools_have_a_split_and_rules_of_their_own(shell: Session, tmp_path: Path) -> None:
    path = tmp_path / "case.accel"
    path.write_text(POOLS)
    text = shell.split(str(path))
    assert "\n\nprefill: dp_attention = 4, tp = 4, cp = 2, ep = 32, redundant_experts = 32\ndecode: " in text
    assert ["prefill:", "ep", "divides", "experts", "holds"] in [line.split() for line in text.splitlines()]
    assert "decode: ep divides experts" in text
    assert "broken: ep = 64 does not divide 288 experts" in text


def test_an_exchange_beside_another_batch_is_hidden_as_far_as_that_works(
    shell: Session, tmp_path: Path
) -> None:
    path = tmp_path / "case.accel"
    waits = {}
    for how in ("none", "two_batch"):
        path.write_text(
            POOLS.replace("concurrency = 64", "batch = 8192")
            .replace("pool prefill", "#")
            .replace(
                "pool decode  { parallel { tp = 8, dcp = 8, dp_attention = 8, ep = 64 }, redundant_experts = 32 }",
                f"parallel {{ dp_attention = 64, ep = 64, ep_overlap = {how} }}",
            )
        )
        point = shell.evaluate(str(path), bars=False)[0].point()
        rows = [row for row in point["breakdown"] if row["phase"] == "decode"]
        waits[how] = sum(
            row["seconds"] for row in rows if row["op"].startswith("experts_") and "dis" in row["op"]
        )
        waits[how + " tpot"] = point["metrics"]["tpot"]["value"]
    assert waits["two_batch"] < 0.5 * waits["none"]
    assert waits["two_batch tpot"] < waits["none tpot"]
