"""Points a second of accelscope and of a peer that PyPI serves, on this machine in one run: Llama-3.1-70B on eight H100.

    python -m venv /tmp/peer && /tmp/peer/bin/pip install genz-llm==0.0.16
    OMP_NUM_THREADS=1 python tests/benchmarks/peer.py /tmp/peer/bin/python

A point is a prefill and a decode step at one batch and prompt length, with tensor parallelism over eight devices in bf16:
ttft, tpot and throughput from both. GenZ (Bambhaniya et al., arXiv 2406.01698) evaluates one point a call. accelscope
evaluates the same points as one grid, then a grid of a million. Both use one core, and their start is not counted.
"""

from __future__ import annotations

import subprocess
import sys
import time
from pathlib import Path

BATCHES = (1, 2, 4, 8, 16, 32)
PROMPTS = (256, 512, 1024, 2048)
MANY = ("batch = 1..1_000 step 1", "prompt = 16 tok .. 16_000 tok step 16 tok")
PEER = f"""
import io, time
from contextlib import redirect_stdout
from GenZ import decode_moddeling, prefill_moddeling

def point(batch, prompt):
    same = dict(model="meta-llama/meta-llama-3.1-70b", batch_size=batch, input_tokens=prompt, system_name="H100_GPU",
                bits="bf16", tensor_parallel=8, pipeline_parallel=1, debug=False)
    return prefill_moddeling(**same), decode_moddeling(output_tokens=256, Bb=1, **same)

with redirect_stdout(io.StringIO()):
    point(1, 128)
    start = time.perf_counter()
    for batch in {BATCHES}:
        for prompt in {PROMPTS}:
            point(batch, prompt)
    seconds = time.perf_counter() - start
print({len(BATCHES) * len(PROMPTS)} / seconds)
"""
TEXT = """
use std.nvidia { DGX_H100 }
use std.models { llama3_1_70b }
workload w { batch = 1, prompt = 128 tok, output = 256 tok }
deployment d { system = DGX_H100, model = llama3_1_70b, precision { weights = bf16 }, parallel { tp = 8 } }
scenario s { deployment = d, workload = w }
"""


def peer_rate(python: str) -> float:
    """Return the points a second of the peer that another Python has installed."""
    done = subprocess.run([python, "-c", PEER], capture_output=True, text=True, check=True)
    return float(done.stdout.split()[-1])


def our_rate(sets: tuple[str, ...]) -> float:
    """Return our points a second over some axes, all metrics."""
    from accelscope.core.session import Session
    from accelscope.core.sweep.run_query import run_query
    from accelscope.dsl.check.program import load_program
    from accelscope.dsl.diagnostics.diagnostics import SourceText

    session = Session.open()
    source = SourceText("peer.accel", TEXT)
    session.library.adopt(source, Path())
    program = load_program(source, session.language())
    run_query(program, session.registry, "scenario s", bars=False)
    start = time.perf_counter()
    result = run_query(program, session.registry, "scenario s", sets, bars=False)
    return result.size / (time.perf_counter() - start)


def main() -> None:
    """Print the rates and their ratios."""
    theirs = peer_rate(sys.argv[1])
    same = our_rate((f"batch = {list(BATCHES)}", "prompt = [" + ", ".join(f"{n} tok" for n in PROMPTS) + "]"))
    many = our_rate(MANY)
    print(f"genz-llm, {len(BATCHES) * len(PROMPTS)} points one by one: {theirs:,.1f} points/s")
    print(f"accelscope, the same points: {same:,.0f} points/s, {same / theirs:,.0f} times as many")
    print(f"accelscope, a million points: {many:,.0f} points/s, {many / theirs:,.0f} times as many")


if __name__ == "__main__":
    main()
