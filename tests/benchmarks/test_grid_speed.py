"""Points a second of a grid of a million points: batch x prompt x bandwidth x tensor parallelism.

Run with `pytest tests/benchmarks --benchmark-enable --benchmark-only -n 0 -s`.
"""

from __future__ import annotations

import pytest

from accelscope.core.session import Session
from tests.support.paths import MAIN_JOB

SETS = (
    "batch=1..100 step 1",
    "prompt=128 tok .. 12_800 tok step 128 tok",
    "gpu.hbm.bandwidth=2 TB/s .. 6.75 TB/s step 0.25 TB/s",
    "tp=[1, 2, 3, 4, 8]",
)


@pytest.mark.benchmark(group="grid")
def test_a_million_points(benchmark):
    shell = Session.open()
    shell.sweep(MAIN_JOB, sets=["batch=[1, 2]"])
    result = benchmark.pedantic(lambda: shell.sweep(MAIN_JOB, sets=SETS), rounds=3)
    assert result.size == 1_000_000
    seconds = benchmark.stats.stats.min
    print(f"\n{result.size:,} points in {seconds:.2f} s: {result.size / seconds:,.0f} points/s, all metrics")


@pytest.mark.benchmark(group="grid")
def test_a_single_point(benchmark):
    shell = Session.open()
    shell.evaluate(MAIN_JOB)
    benchmark.pedantic(lambda: shell.evaluate(MAIN_JOB, bars=False), rounds=5)
    print(f"\none point, file read anew: {benchmark.stats.stats.min * 1e3:.0f} ms")
