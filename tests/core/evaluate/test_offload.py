"""Weights and KV cache beyond a device: in the host, in a peer, in a pool on the network; the link decides."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelscope.core.errors import DescriptionError
from accelscope.core.session import Session

TEXT = """
use std.nvidia {{ H100_SXM }}
use std.links {{ PCIe5x16, NVLink4, NDR400 }}
use std.models {{ llama3_70b }}
node server {{
  package gpu[2] : H100_SXM
  host cpu {{ memory ddr {{ class = ddr5, capacity = 1 TB, bandwidth = 400 GB/s }} }}
  memory lender {{ class = hbm3, capacity = 80 GB, bandwidth = 3.35 TB/s }}
  connect gpu[*] <-> cpu via PCIe5x16
  connect gpu[*] <-> lender via NVLink4 {{ links_per_source = 18 }}
}}
cluster two {{
  node s[2] : server
  memory pool {{ class = cxl, capacity = 8 TB, bandwidth = 1 TB/s }}
  connect s[*] <-> pool via NDR400
}}
workload w {{ batch = {batch}, prompt = {prompt} tok, output = 2 tok }}
deployment d {{ system = two, model = llama3_70b, memory {{ reserve = 0 B, {policy} }} }}
scenario s {{ deployment = d, workload = w }}
"""
WEIGHTS = 2 * 70_553_706_496
LAYERED = WEIGHTS - 2 * 128_256 * 8192  # a pass of one token reads one row of the embedding


@pytest.fixture
def evaluate(shell: Session, tmp_path: Path):
    def run(policy: str, batch: int = 1, prompt: int = 1):
        path = tmp_path / "case.accel"
        path.write_text(TEXT.format(policy=policy, batch=batch, prompt=prompt))
        return shell.evaluate(str(path), bars=False)[0].point()

    return run


def tpot(point) -> float:
    return float(point["metrics"]["tpot"]["value"])


def tier(point) -> tuple[float, float]:
    row = next(row for row in point["limits"] if row["name"] == "tier")
    return row["used"], row["available"]


# Rate of one device: its link, or its share of the memory where that is less. Links reach 80 % (std.links).
PLACES = {
    "ddr": (min(400e9 / 2, 64e9), 1e12 / 2),
    "lender": (min(3.35e12 / 2, 18 * 25e9), 80e9 / 2),
    "pool": (min(1e12 / 4, 50e9 / 2), 8e12 / 4),
}


@pytest.mark.parametrize("place", ["ddr", "pool"])
def test_streamed_weights_take_as_long_as_their_link(evaluate, place):
    point = evaluate(f"weights = full_offload, tier = {place}")
    rate, capacity = PLACES[place]
    assert point["feasible"]
    assert tier(point) == (pytest.approx(WEIGHTS, rel=0.01), pytest.approx(capacity))
    assert LAYERED / rate < tpot(point) < LAYERED / rate / 0.6


def test_the_nearest_tier_is_taken_unless_one_is_named(evaluate):
    assert (
        tier(evaluate("weights = full_offload"))[1]
        != tier(evaluate("weights = full_offload, tier = pool"))[1]
    )


def test_a_cache_in_a_peer_is_read_over_the_links_between_them(evaluate):
    away = {
        place: evaluate(f"weights = partial_offload, kv = partial_offload, tier = {place}", 4, 4000)
        for place in PLACES
    }
    times = {place: tpot(point) for place, point in away.items()}
    assert times["lender"] < times["ddr"] < times["pool"]
    assert not away["lender"]["feasible"]  # half of 80 GB holds less than what does not fit
    assert away["ddr"]["feasible"]


def test_a_faster_link_helps_until_the_memory_decides(shell: Session, tmp_path: Path):
    path = tmp_path / "case.accel"
    path.write_text(TEXT.format(policy="weights = full_offload, tier = ddr", batch=1, prompt=1))
    seen = []
    for lanes in (1, 2, 8, 16):
        text = path.read_text().replace("via PCIe5x16", f"via PCIe5x16 {{ links_per_source = {lanes} }}")
        path.with_name(f"{lanes}.accel").write_text(text)
        seen.append(tpot(shell.evaluate(str(path.with_name(f"{lanes}.accel")), bars=False)[0].point()))
    assert seen[0] > seen[1] > seen[2] == pytest.approx(seen[3])


def test_a_tier_that_is_not_there_is_refused(evaluate):
    with pytest.raises(DescriptionError) as caught:
        evaluate("kv = partial_offload, tier = tape")
    found = caught.value.diagnostics[0]
    assert (found.code, "`tape`" in found.message) == ("A304", True)
    assert "`pool`" in (found.help or "")
