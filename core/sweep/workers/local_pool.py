"""Chunks evaluated by several processes of this machine; what comes out does not depend on how many there are."""

from __future__ import annotations

import os
import queue
from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from accelscope.core.sweep.workers.process import WorkerProcess
from accelscope.core.sweep.workers.protocol import ChunkOrder, ChunkOutcome, WorkerJob

_ORDERS_AHEAD = 2
"""Orders for each process that are handed out before an answer is there."""


def count_available_cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def evaluate_in_pool(
    asked: WorkerJob, orders: Iterable[ChunkOrder], *, jobs: int, ordered: bool = False
) -> Generator[ChunkOutcome, None, None]:
    """Yield what becomes of each chunk; closing the iterator ends all processes.

    Args:
        asked: the question.
        orders: taken as processes become free, so that there may be any number.
        jobs: processes.
        ordered: in the order of the orders, instead of as soon as each is known.

    Raises:
        UsageError: a process cannot build the plan.
    """
    workers = [WorkerProcess(asked) for _ in range(jobs)]
    idle: queue.SimpleQueue[WorkerProcess] = queue.SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def work(order: ChunkOrder) -> ChunkOutcome:
        worker = idle.get()
        try:
            return worker.evaluated(order)
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(jobs)
    try:
        left = iter(orders)
        running: deque[Future[ChunkOutcome]] = deque()
        while True:
            running.extend(
                threads.submit(work, order) for order in islice(left, jobs * _ORDERS_AHEAD - len(running))
            )
            if not running:
                break
            wait([running[0]] if ordered else running, return_when=FIRST_COMPLETED)
            while running and (ready := next((item for item in running if item.done()), None)):
                if ordered and ready is not running[0]:
                    break
                running.remove(ready)
                yield ready.result()
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.stop()
        threads.shutdown(wait=True)
        for worker in workers:
            worker.close()
