"""How long the command line takes to start, in processor time of a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

pytest.importorskip("pytest_benchmark")


@pytest.mark.parametrize(
    "arguments", [("--help",), ("--version",), ("check", "--help"), ("models",)], ids=" ".join
)
def test_start(benchmark, arguments):
    """Time a run; the table of the benchmark has wall time, `extra_info` the processor time of the last run."""
    command = [sys.executable, "-m", "accelscope", *arguments]

    def run() -> float:
        before = os.times()
        subprocess.run(command, check=True, capture_output=True)
        after = os.times()
        return after.children_user + after.children_system - before.children_user - before.children_system

    benchmark.extra_info["cpu seconds"] = benchmark.pedantic(run, rounds=5, warmup_rounds=1)
