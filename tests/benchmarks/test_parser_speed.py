"""Lines a second of the parser; run with `pytest tests/benchmarks --benchmark-enable --benchmark-only -n 0 -s`."""

from __future__ import annotations

import time

import pytest

from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.syntax.parser import parse

DENSE = """\
package chip_{n} extends base + cooled @sheet {{
  vendor = "Nobody", tdp = {n} W ± 5% @"estimate"
  memory hbm[{n}] {{ class = hbm3, capacity = 16 GB, bandwidth = 1024 * 5.2 Gb/s @sheet("p. {n}") }}
  let peak_{n} = die.sm.count * die.sm.tensor.count * die.sm.tensor.ops.bf16 * clock
  check approx(hbm.count * hbm.bandwidth, 3.35 TB/s, 0.5%) else "bandwidth {n}"
  efficiency = [4 KiB -> 40%, 64 KiB -> 61%, 1 MiB -> 83%]
  connect hbm[*] <-> die[*] via link_{n} {{ fan_in = 2 }}
  latency = if n_{n} >= 3 then 400 ns else 2 * (300 ns + offset[{n}])
}}
"""
PLAIN = """\
memory m_{n} {{
  class = scratchpad
  capacity = {n} KiB
  bandwidth = 128 B/cycle
  shared = l1

  # a remark
}}
"""


def lines_per_second(benchmark, block, times):
    text = "".join(block.format(n=n) for n in range(1, times + 1))
    parse(SourceText("warm", "a = 1"))

    def run():
        assert parse(SourceText("t", text))[1] == ()

    benchmark(run)
    return text.count("\n") / benchmark.stats.stats.min


@pytest.mark.benchmark(group="parser", timer=time.process_time)
@pytest.mark.parametrize(
    ("block", "times", "target"), [(DENSE, 500, 5_000), (PLAIN, 800, 15_000)], ids=["dense", "plain"]
)
def test_lines_per_second(benchmark, block, times, target):
    speed = lines_per_second(benchmark, block, times)
    print(f"\n{speed:,.0f} lines/s of CPU time")
    assert speed >= target
