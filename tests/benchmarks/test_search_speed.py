"""Seconds of a search for deployments: Llama-3-70B and DeepSeek-V3 over 20 systems, every layout, load, chunk and pool.

Run with `OMP_NUM_THREADS=1 pytest tests/benchmarks/test_search_speed.py --benchmark-enable --benchmark-only -n 0 -s`.
"""

from __future__ import annotations

import resource

import pytest

from accelscope.core.analysis.deployments.run import search_deployments, select_candidate_systems
from accelscope.core.analysis.deployments.task import DeploymentProblem
from accelscope.core.analysis.scenario_text import UsedDefinition
from accelscope.core.session import Session

SYSTEMS = [
    "DGX_A100",
    "DGX_H100",
    "DGX_H200",
    "DGX_B200",
    "DGX_B300",
    "GB200_NVL72",
    "HGX_H20",
    "HGX_H800",
    "MI300X_platform",
    "MI325X_platform",
    "MI355X_platform",
    "Gaudi3_node",
    "Trn2_48xlarge",
    "TPU7x_host",
    "TPUv6e_8",
    "TPUv5p_host",
    "CS3x4",
    "Corsair_server",
    "SN40L_8",
    "Atlas_800_A3",
]


def processor() -> float:
    """Return the seconds of processor time so far, of this process and of those that it has ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(item.ru_utime + item.ru_stime for item in used)


@pytest.mark.benchmark(group="search")
@pytest.mark.parametrize("pools", [False, True])
def test_two_models_over_twenty_systems(benchmark, pools):
    session = Session.open()
    wishes = [
        DeploymentProblem(
            model=UsedDefinition(name=name, module="std.models"),
            load={"prompt": "2_048 tok", "output": "512 tok"},
            free="concurrency",
            requirements=("ttft <= 2 s", "tpot <= 50 ms/tok"),
        )
        for name in ("llama3_1_70b", "deepseek_v3")
    ]
    systems = select_candidate_systems(session, SYSTEMS, None, ("fp8",))

    def run():
        return [search_deployments(session, wish, systems, pools=pools) for wish in wishes]

    start = processor()
    found = benchmark.pedantic(run, rounds=1)
    spent = processor() - start
    count, seconds = sum(item.candidates for item in found), benchmark.stats.stats.min
    assert len(systems) == 20
    assert all(item.allowed for item in found)
    print(f"\n{count:,} deployments, pools: {pools}, in {seconds:.1f} s; {spent:.1f} s of processor time")
