"""Chunks evaluated by several processes of this machine; what comes out does not depend on how many there are."""

from __future__ import annotations

import os
import queue
from collections.abc import Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from itertools import islice

from accelscope.core.workers.process import Worker
from accelscope.core.workers.task import Asked, Order, Outcome

AHEAD = 2
"""Orders for each process that are handed out before an answer is there."""


def cores() -> int:
    """Return how many cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def evaluated(asked: Asked, orders: Iterable[Order], jobs: int) -> Iterator[Outcome]:
    """Yield what becomes of each chunk, as soon as it is known; closing the iterator ends all processes.

    Args:
        asked: the question.
        orders: taken as processes become free, so that there may be any number.
        jobs: processes.

    Raises:
        UsageError: a process cannot build the plan.
    """
    workers = [Worker(asked) for _ in range(jobs)]
    idle: queue.SimpleQueue[Worker] = queue.SimpleQueue()
    for worker in workers:
        idle.put(worker)

    def work(order: Order) -> Outcome:
        worker = idle.get()
        try:
            return worker.evaluated(order)
        finally:
            idle.put(worker)

    threads = ThreadPoolExecutor(jobs)
    try:
        left = iter(orders)
        running: set[Future[Outcome]] = {threads.submit(work, order) for order in islice(left, jobs * AHEAD)}
        while running:
            ready, running = wait(running, return_when=FIRST_COMPLETED)
            running |= {threads.submit(work, order) for order in islice(left, len(ready))}
            yield from (future.result() for future in ready)
    finally:
        threads.shutdown(wait=False, cancel_futures=True)
        for worker in workers:
            worker.stop()
        threads.shutdown(wait=True)
        for worker in workers:
            worker.close()
