"""Points a second of a model with experts whose steps vary: batch x prompt x bandwidth, uniform routing and Zipf's law.

Run with `pytest tests/benchmarks --benchmark-enable --benchmark-only -n 0 -s`.
"""

from __future__ import annotations

import pytest

from accelscope.core.session import Session
from accelscope.core.sweep.run_query import run_query
from tests.support.paths import EXAMPLES

EXAMPLE = str(EXAMPLES / "variability.accel")
SETS = (
    "batch=64 .. 6_400 step 64",
    "prompt=128 tok .. 12_800 tok step 256 tok",
    "gpu.hbm.bandwidth=4 TB/s .. 13.5 TB/s step 0.5 TB/s",
)


@pytest.mark.benchmark(group="variability")
@pytest.mark.parametrize("scenario", ("experts", "popular"))
def test_a_hundred_thousand_points(benchmark, scenario):
    shell = Session.open()
    program = shell.checked(EXAMPLE)

    def run(*sets):
        return run_query(program, shell.registry, f"scenario {scenario}", sets, bars=False)

    run("batch=[64, 128]")
    result = benchmark.pedantic(lambda: run(*SETS), rounds=3)
    assert result.size == 100_000
    seconds = benchmark.stats.stats.min
    print(f"\n{result.size:,} points in {seconds:.2f} s: {result.size / seconds:,.0f} points/s, all metrics")
