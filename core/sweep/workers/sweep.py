"""The sweep of a study by several processes: into a store, into one file, or for its summary alone."""

from __future__ import annotations

import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Literal

from attrs import field, frozen

from accelscope.core.errors import UsageError
from accelscope.core.sweep.plan import ChunkTable, SweepPlan
from accelscope.core.sweep.run import SweepRun
from accelscope.core.sweep.store import layout, parts
from accelscope.core.sweep.store.folder import SweepStore, open_writable_store
from accelscope.core.sweep.summary import SweepSummary
from accelscope.core.sweep.workers import local_pool as pool
from accelscope.core.sweep.workers.dask_cluster import DaskCluster
from accelscope.core.sweep.workers.dispatch import (
    ChunkRunner,
    DispatchLimits,
    dispatch_into_store,
    dispatch_without_store,
)
from accelscope.core.sweep.workers.job import SweepJob
from accelscope.core.sweep.workers.protocol import DEFAULT_CHUNK_SECONDS, ChunkOutcome


@frozen(kw_only=True)
class SweepDestination:
    """Where a sweep runs and where its points go.

    Attributes:
        store: folder, or None.
        resume: continue what the folder holds.
        jobs: processes of this machine; None for those that the study says, else one for each core.
        cluster: address of a Dask scheduler, or None for this machine.
    """

    store: str | None = None
    resume: bool = False
    jobs: int | None = None
    cluster: str | None = None

    def check_ordered_points(self) -> None:
        """Refuse to hand points on in their order where a cluster would have to send them all here.

        Raises:
            UsageError: a cluster is asked for without a store.
        """
        if self.cluster is not None and self.store is None:
            raise UsageError("--cluster writes points into a store only: name its folder with -o DIR/")


@frozen(kw_only=True, eq=False)
class SweepObserver:
    """Whom a sweep tells of its progress.

    Attributes:
        write: takes the table of each chunk, in order; None where nobody wants them.
        progress: takes the points that are done.
        say: takes what a person should know.
    """

    write: Callable[[ChunkTable], None] | None = None
    progress: Callable[[int], None] = field(default=lambda points: None)
    say: Callable[[str], None] = field(default=lambda message: None)


def run_parallel_sweep(
    plan: SweepPlan, asked: SweepJob, summary: SweepSummary, where: SweepDestination, tell: SweepObserver
) -> SweepRun:
    """Return what became of a sweep that other processes evaluate.

    Args:
        plan: in this process.
        asked: the same for others.
        summary: empty, grows.
        where: processes or cluster that evaluate it, and the store of its points.
        tell: callbacks for points, progress and messages.

    Raises:
        UsageError: the store is of another question or cannot be written, or there is no such cluster.
        PluginError: a chunk failed, and the study says that this ends the sweep.
    """
    if tell.write is not None:
        where.check_ordered_points()
    start = time.perf_counter()
    rules = DispatchLimits(
        seconds=plan.options.chunk_time or DEFAULT_CHUNK_SECONDS,
        time=plan.options.time,
        stop=plan.options.stops,
    )

    known: list[int] = []

    def told(outcome: ChunkOutcome) -> None:
        if outcome.known:
            known.append(outcome.points)
        if outcome.must_read_part:
            folder = Path(where.store or "")
            summary.add(
                parts.decode_part(layout.part_path(folder, outcome.chunk), plan.columns), outcome.first
            )
        if isinstance(outcome.digest, SweepSummary):
            summary.merge(outcome.digest)
        if outcome.table is not None and tell.write is not None:
            tell.write(outcome.table)
        tell.progress(summary.points)

    if where.store is None:
        left = int(asked.manifest["chunks"])
        runner = _runner(plan, asked, where, tell, left=left, ordered=tell.write is not None)
        keep: Literal["table", "nothing"] = "nothing" if tell.write is None else "table"
        done = dispatch_without_store(plan.chunks(), left, runner, rules, keep=keep, told=told)
    else:
        with open_writable_store(where.store, asked.manifest, resume=where.resume) as store:
            left = store.chunks - sum(store.done())
            mark = store.mark() if where.cluster is not None else ""
            runner = _runner(plan, asked, where, tell, left=left, mark=mark)
            done = dispatch_into_store(store, plan.chunks(), runner, rules, told=told)
            _copy(store, plan, tell)
    return SweepRun(
        summary=summary,
        seconds=time.perf_counter() - start,
        known=sum(known),
        chunk_failures=list(done.failures),
        stopped=done.stopped,
        interrupted=done.interrupted,
    )


def _runner(
    plan: SweepPlan,
    asked: SweepJob,
    where: SweepDestination,
    tell: SweepObserver,
    *,
    left: int,
    mark: str = "",
    ordered: bool = False,
) -> ChunkRunner:
    """Return what evaluates chunks.

    Args:
        plan: plan of the sweep in this process.
        asked: the same for other processes.
        where: processes or cluster that evaluate the chunks.
        tell: callbacks for messages.
        left: how many there are to do.
        mark: name of the file by which a machine knows the store.
        ordered: whether they are wanted in their order.
    """
    if where.cluster is not None:
        return DaskCluster(asked, where.cluster, mark, left, tell.say).evaluated
    jobs = where.jobs or plan.options.workers or pool.count_available_cores()
    return partial(pool.evaluate_in_pool, asked, jobs=jobs, ordered=ordered)


def _copy(store: SweepStore, plan: SweepPlan, tell: SweepObserver) -> None:
    """Hand the points of a store on, in their order, where somebody wants them besides."""
    if tell.write is not None:
        for path in store.parts():
            tell.write(parts.decode_part(path, plan.columns))
