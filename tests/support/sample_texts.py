"""Small texts that use every construct of the language."""

from __future__ import annotations

CHIP = """\
## A made-up accelerator.
use std.process { some_node }
use "other.accel" as o

source sheet { kind = datasheet, title = "A sheet", date = 2024-03-01 }
let clk = 1.5 GHz @sheet("p. 3")
let share(m, n) = min(85%, 0.1 * m / n)

package chip extends base + cooled @sheet {
  vendor = "Nobody", tdp = 400 W ± 5% @"estimate"
  die main {
    core c[64] {                                 # 72 on the die
      engine e { ops { bf16 = 512 MAC/cycle, fp8 = 1_024 MAC/cycle } }
      memory m { class = scratchpad, capacity = 128 KiB, bandwidth = 64 B/cycle }
    }
  }
  memory hbm[4] {
    capacity   = 16 GB
    bandwidth  = 1024 * 4.8 Gb/s
    efficiency = [4 KiB -> 40%, 1 MiB -> 83%]
  }
  hbm.latency = if big then 400 ns else 300 ns
  check approx(hbm.count * hbm.capacity, 64 GB, 1%) else "capacity"
  assert 1 <= hbm.count < 8 and not (tdp > 1 kW or false)
}
"""

STUDY = """\
node n {
  package gpu[2, 4] : chip
  connect gpu[*, *] as torus(2, 4) via Link { wrap = true }
  connect gpu[*] <-> switch[*]
  connect a -> b via wire
}
my_plugin.thermal { r = 0.05, map = { "a b" = 1, c = none } }
study s {
  base = other { tp = 2 }
  sweep batch in 1..256 step x2
  sweep size in 2 GB .. 8 GB step 2 GB when batch > 4
  tune tp in [1, 2, 4] when tp <= 8
  sweep prompt in 512 tok .. 8_192 tok points 9 log
  arrivals = 12 req/s ~ poisson()
  volume   = -2^-3^2 + (1 + 2) * x.y[0].z(a, b = 3)
  require p99(ttft) <= 800 ms
  prefer goodput >= 0.95 * offered
  minimize cost as usd
  maximize throughput
}
"""

ALL = (CHIP, STUDY)
