"""Designs a second of sweeps on one core and on two, memory, and the distance to what numpy could do at best.

Run with `pytest tests/benchmarks/test_sweep_speed.py --benchmark-enable --benchmark-only -n 0 -s`; the figures are in
docs/explanation/speed.md. Each is of a process of its own, as a person runs it.
"""

from __future__ import annotations

import json
import os
import platform
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelscope.core.numeric.term import Term
from accelscope.core.session import Session
from accelscope.core.sweep.plan import SweepPlan
from accelscope.core.sweep.planner import plan_sweep
from tests.support.paths import EXAMPLES, MAIN_JOB

MILLION = str(EXAMPLES / "sweeps" / "million.accel")
VARIABILITY = str(EXAMPLES / "variability.accel")
TEN_MILLION = ("output=16 tok .. 1_280 tok step 16 tok",)
TWO_AXES = ("batch=1..1_000 step 1", "prompt=8 tok .. 8_000 tok step 8 tok")
EXPERTS = (
    "batch=64..4_096 step 64",
    "prompt=128 tok .. 8_192 tok step 128 tok",
    "output=64 tok .. 512 tok step 64 tok",
)


def ran(*arguments: str) -> dict[str, Any]:
    """Return the summary that `accelscope sweep` prints, with one thread for each process."""
    command = [sys.executable, "-m", "accelscope", "sweep", *arguments, "--format", "json"]
    one_thread = {**os.environ, "OMP_NUM_THREADS": "1"}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=one_thread)
    return dict(json.loads(done.stdout))


def told(what: str, found: dict[str, Any]) -> None:
    print(
        f"\n{what}: {found['points']:,} points in {found['seconds']:.2f} s, {found['points_per_second']:,} a second; "
        f"start-up {found['startup']:.2f} s, peak memory {found['peak_memory'] / 1e6:.0f} MB"
    )


def sets(*texts: str) -> list[str]:
    return [part for text in texts for part in ("--set", text)]


CASES = {
    "a million mixed designs, one core": [MILLION],
    "the same to Parquet": [MILLION, "-o", "points.parquet"],
    "ten million, one core": [MILLION, *sets(*TEN_MILLION)],
    "ten million, two processes": [MILLION, *sets(*TEN_MILLION), "--jobs", "2"],
    "a million of two axes, which all depend on": [MAIN_JOB, *sets(*TWO_AXES)],
    "mixture of experts, latencies as distributions, even routing": [
        VARIABILITY, "--study", "batches", *sets(*EXPERTS)
    ],
    "mixture of experts, latencies as distributions, Zipf's law": [
        VARIABILITY, "--study", "batches", "--set", "variability.routing = zipf", "--set", "variability.skew = 0.5",
        *sets(*EXPERTS)
    ],
}  # fmt: skip


@pytest.mark.benchmark(group="sweep")
@pytest.mark.parametrize("case", CASES)
def test_sweep(benchmark: Any, case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    best: list[dict[str, Any]] = []
    benchmark.pedantic(lambda: best.append(ran(*CASES[case])), rounds=3 if "million mixed" in case else 1)
    told(case, min(best, key=lambda found: found["seconds"]))


@pytest.mark.benchmark(group="sweep")
@pytest.mark.parametrize("size", [4_096, 16_384, 65_536, 262_144])
def test_the_cost_of_a_chunk(benchmark: Any, size: int) -> None:
    """Time the chunks of the first variant, whose design is there: what a chunk costs whatever its size shows."""
    plan = plan_sweep(Session.open(), MILLION, None, chunk_points=size)
    chunks = [chunk for chunk in plan.chunks() if chunk.first < 262_144]
    benchmark.pedantic(lambda: [plan.evaluate(chunk) for chunk in chunks], rounds=3, warmup_rounds=1)
    each = benchmark.stats.stats.min / len(chunks)
    print(f"\nchunks of {size:,}: {each * 1e3:.1f} ms each, {size / each:,.0f} points a second")


@pytest.mark.benchmark(group="sweep")
def test_the_distance_to_numpy(benchmark: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """Count the elements that all operations of a chunk make, and time numpy making as many in plain products."""
    plan = plan_sweep(Session.open(), MILLION, None)
    chunk = next(iter(plan.chunks()))
    plan.evaluate(chunk)
    operations, elements = counted(plan, chunk, monkeypatch)
    benchmark.pedantic(lambda: plan.evaluate(chunk), rounds=10, warmup_rounds=1)
    spent = benchmark.stats.stats.min
    passes = elements / chunk.size
    bare = time_of_product(chunk.size) * passes
    calls = time_of_product(1) * operations
    print(
        f"\n{operations:,} operations make {passes:.0f} arrays of {chunk.size:,} numbers in {spent * 1e3:.1f} ms; numpy "
        f"multiplies as many in {bare * 1e3:.1f} ms (ratio {spent / bare:.1f}), and that many calls on single numbers take "
        f"{calls * 1e3:.1f} ms (ratio to both {spent / (bare + calls):.1f}); {machine()}"
    )


def counted(plan: SweepPlan, chunk: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[int, int]:
    """Return how many terms the evaluation of a chunk makes, and how many numbers they hold."""
    made = Term.__init__
    sizes: list[int] = []

    def noted(self: Term, value: Any, *rest: Any, **words: Any) -> None:
        sizes.append(int(np.size(value)))
        made(self, value, *rest, **words)

    with monkeypatch.context() as patch:
        patch.setattr(Term, "__init__", noted)
        plan.evaluate(chunk)
    return len(sizes), sum(sizes)


def time_of_product(size: int) -> float:
    """Return the seconds in which numpy multiplies two arrays of some size into a new one."""
    left, right = np.random.default_rng(0).random((2, size))
    best = float("inf")
    for _ in range(20):
        start = time.perf_counter()
        for _ in range(50):
            np.multiply(left, right)
        best = min(best, (time.perf_counter() - start) / 50)
    return best


def machine() -> str:
    """Return what the figures were measured on."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line]
    name = names[0].partition(":")[2].strip() if names else platform.processor()
    return f"{os.cpu_count()} cores of {name}, Python {platform.python_version()}, numpy {np.__version__}"
