"""What a chunk costs, and what a store, a pool and a Dask cluster add to it: `python -m tests.benchmarks.scale_out`.

Processor time is measured, not the clock, so that what else a machine does matters little. The Dask scheduler is a process
of its own, whose time the system tells.
"""

from __future__ import annotations

import os
import pickle
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import islice
from pathlib import Path

from accelscope.core.session import Session
from accelscope.core.sweep.evaluator import SweepEvaluator
from accelscope.core.sweep.planner import plan_sweep
from accelscope.core.sweep.store import atomic
from accelscope.core.sweep.store.folder import open_writable_store
from accelscope.core.sweep.store.parts import encode_part
from accelscope.core.sweep.workers import local_pool as pool
from accelscope.core.sweep.workers.dask_cluster import MAX_TASK_CHUNKS, TASK_SECONDS, TASKS_AHEAD, DaskCluster
from accelscope.core.sweep.workers.dispatch import DispatchLimits, dispatch_into_store, dispatch_without_store
from accelscope.core.sweep.workers.job import build_sweep_job
from accelscope.core.sweep.workers.protocol import ChunkOrder, ChunkOutcome
from tests.support.made_up import MadeUp
from tests.support.paths import ROOT

FILE = str(ROOT / "examples" / "sweeps" / "million.accel")
CHUNKS = 4
"""Of the real sweep that are measured."""
MANY = 8_192
"""Batches of a sweep whose chunks are only handed around."""
CORES = 1_000
EMPTY = 2_000
"""Chunks that cost nothing, for what is around them."""
MS = 1e3


def main() -> None:
    """Print all costs, and what follows for 1e12 points on 1,000 cores."""
    session = Session.open()
    start = time.process_time()
    plan = plan_sweep(session, FILE, None, ())
    tell("building the plan", time.process_time() - start, "s")
    asked = build_sweep_job(session, plan, file=FILE)
    desk = SweepEvaluator(plan, ())
    chunks = [chunk for chunk, _ in zip(plan.chunks(), range(CHUNKS), strict=False)]
    size = sum(chunk.size for chunk in chunks) / CHUNKS
    tables = [desk.evaluated(chunk) for chunk in chunks]  # the first also makes the designs
    compute = cost(lambda: [desk.evaluated(chunk) for chunk in chunks]) / CHUNKS
    tell(f"evaluating a chunk of {size:,.0f} points", compute * MS, "ms")
    tell("  points a second of one core", size / compute, "")
    digests = [desk.digest(table, chunk) for table, chunk in zip(tables, chunks, strict=True)]
    summing = cost(lambda: [desk.digest(*pair) for pair in zip(tables, chunks, strict=True)]) / CHUNKS
    tell("  its summary", summing * MS, "ms")
    parts = [encode_part(table, plan.columns) for table in tables]
    keeping = cost(lambda: [encode_part(table, plan.columns) for table in tables]) / CHUNKS
    tell("  its part in memory", keeping * MS, "ms")
    tell("  bytes of a point", sum(map(len, parts)) / CHUNKS / size, "B")
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        for at, data in enumerate(parts):
            atomic.write_atomically(Path(folder) / f"{at}.parquet", data)
        tell("  its part on the disk, with fsync (clock)", (time.perf_counter() - start) / CHUNKS * MS, "ms")
    tell("the question that travels", len(pickle.dumps(asked)) / 1e3, "kB")
    tell("the summary that comes back", len(pickle.dumps(digests[0])) / 1e3, "kB")
    merge = cost(lambda: [digests[0].merge(item) for item in digests[1:]]) / (CHUNKS - 1)
    tell("merging a summary", merge * MS, "ms")
    around_pool()
    per_chunk = within_task(session)
    per_task, scheduler = around_cluster()
    chunk_seconds = compute + summing + keeping
    outlook(size, chunk_seconds, per_chunk, per_task + merge, scheduler)


def around_pool() -> None:
    """Print what a chunk costs the process that asks, with and without a store."""
    made = MadeUp(chunks=EMPTY)
    runner = partial(pool.evaluate_in_pool, made, jobs=2)
    tell(
        "pool: a chunk, this process",
        cost(
            lambda: dispatch_without_store(
                made.pieces(), made.chunks, runner, DispatchLimits(), keep="nothing", told=ignored
            )
        )
        / EMPTY
        * MS,
        "ms",
    )
    with (
        tempfile.TemporaryDirectory() as folder,
        open_writable_store(Path(folder) / "s", made.manifest()) as store,
    ):
        tell(
            "pool: a chunk with a store, this process",
            cost(lambda: dispatch_into_store(store, made.pieces(), runner, DispatchLimits())) / EMPTY * MS,
            "ms",
        )


def within_task(session: Session) -> float:
    """Print and return what a chunk costs the process that asks besides its task: made, sent, received, kept, in seconds."""
    plan = plan_sweep(session, FILE, None, (f"batch=1..{MANY} step 1",))
    asked = build_sweep_job(session, plan, file=FILE)

    def answered(orders: Iterable[ChunkOrder]) -> Generator[ChunkOutcome, None, None]:
        left = iter(orders)
        while task := pickle.loads(pickle.dumps(tuple(islice(left, MAX_TASK_CHUNKS)))):
            yield from pickle.loads(pickle.dumps(tuple(ChunkOutcome.of(order.chunk) for order in task)))

    with (
        tempfile.TemporaryDirectory() as folder,
        open_writable_store(Path(folder) / "s", asked.manifest) as store,
    ):
        found = (
            cost(lambda: dispatch_into_store(store, plan.chunks(), answered, DispatchLimits())) / store.chunks
        )
    tell("cluster: a chunk besides its task, this process", found * MS, "ms")
    return found


def around_cluster() -> tuple[float, float]:
    """Print and return what a task costs the process that asks and the scheduler, in seconds."""
    made = MadeUp(chunks=EMPTY // 4)
    with cluster() as (address, scheduler):
        runner = DaskCluster(made, address, "", 1, print).evaluated  # nothing left: each task has one chunk
        before = time_of(scheduler)
        ours = (
            cost(
                lambda: dispatch_without_store(
                    made.pieces(), made.chunks, runner, DispatchLimits(), keep="nothing", told=ignored
                )
            )
            / made.chunks
        )
        theirs = (time_of(scheduler) - before) / made.chunks
    tell("cluster: a task, this process", ours * MS, "ms")
    tell("cluster: a task, the scheduler", theirs * MS, "ms")
    return ours, theirs


def outlook(size: float, chunk: float, per_chunk: float, per_task: float, scheduler: float) -> None:
    """Print what follows for 1e12 points on 1,000 cores."""
    chunks = 1e12 / size
    seconds = chunks * chunk / CORES
    each = min(TASK_SECONDS, MAX_TASK_CHUNKS * chunk)
    tasks = chunks * chunk / each
    ours = (chunks * per_chunk + tasks * per_task) / seconds
    print(f"\n1e12 points are {chunks:,.0f} chunks; on {CORES:,} cores {seconds / 60:.0f} min")
    print(
        f"in tasks of {each:.0f} s: {tasks:,.0f}, or {tasks / seconds:.0f} a second, {CORES * TASKS_AHEAD:,} at a time"
    )
    print(
        f"the process that asks is busy {ours:.0%} of that, the scheduler {tasks * scheduler / seconds:.0%}"
    )
    print(
        f"so that one process and one scheduler do for {CORES / max(ours, tasks * scheduler / seconds):,.0f} cores"
    )


def ignored(outcome: object) -> None:
    """Do nothing with what became of a chunk."""


def cost(work: Callable[[], object]) -> float:
    """Return the processor time of this process, in seconds."""
    start = time.process_time()
    work()
    return time.process_time() - start


def time_of(process: subprocess.Popen[bytes]) -> float:
    """Return the processor time of another process, in seconds (proc(5), fields utime and stime)."""
    fields = Path(f"/proc/{process.pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


@contextmanager
def cluster() -> Iterator[tuple[str, subprocess.Popen[bytes]]]:
    """Give the address of a scheduler with two workers, and its process."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = started("scheduler", "--host", "127.0.0.1", "--port", str(port))
    workers = [started("worker", address, "--no-nanny", "--nthreads", "1") for _ in range(2)]
    try:
        yield address, scheduler
    finally:
        for process in (scheduler, *workers):
            process.kill()
            process.wait()


def started(what: str, *arguments: str) -> subprocess.Popen[bytes]:
    """Start a process of Dask's."""
    code = f"from distributed.cli.dask_{what} import main; main()"
    paths = os.pathsep.join(filter(None, sys.path))
    return subprocess.Popen(
        [sys.executable, "-c", code, *arguments, "--no-dashboard"],
        env=os.environ | {"PYTHONPATH": paths},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )


def tell(what: str, value: float, unit: str) -> None:
    """Print one line."""
    print(f"{what:<50}{value:>12,.2f} {unit}")


if __name__ == "__main__":
    main()
