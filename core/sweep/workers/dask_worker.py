"""What runs on the workers of a Dask cluster: it hands chunks to a process of its own, so that a hang can be ended."""

from __future__ import annotations

import queue
from collections.abc import Iterable, Iterator
from functools import lru_cache

from attrs import evolve

from accelscope.core.sweep.evaluator import ChunkDigest
from accelscope.core.sweep.workers.process import WorkerProcess
from accelscope.core.sweep.workers.protocol import ChunkOrder, ChunkOutcome, WorkerJob

_MAX_MESSAGE_BYTES = 32_000_000
"""Bytes of parts that are sent back at once."""


def evaluate_orders(asked: WorkerJob, orders: tuple[ChunkOrder, ...], mark: str) -> tuple[ChunkOutcome, ...]:
    """Return what becomes of some chunks; the first that has a digest has that of all, so that little travels.

    Args:
        asked: the question.
        orders: the chunks; those that are left out because the parts are large come back later.
        mark: name of a file of the store, which says whether this machine sees the same folder.
    """
    idle = _idle(asked.fingerprint)
    try:
        worker = idle.get_nowait()
    except queue.Empty:
        worker = WorkerProcess(asked)
    try:
        return _merge_outcomes(_evaluated_some(worker, orders, mark))
    finally:
        idle.put(worker)


def _evaluated_some(
    worker: WorkerProcess, orders: tuple[ChunkOrder, ...], mark: str
) -> Iterator[ChunkOutcome]:
    """Yield what becomes of chunks, until the parts that are sent back are large enough for one message."""
    size = 0
    for order in orders:
        outcome = _evaluated(worker, order, mark)
        size += len(outcome.part or b"")
        yield outcome
        if size > _MAX_MESSAGE_BYTES:
            return


def _merge_outcomes(outcomes: Iterable[ChunkOutcome]) -> tuple[ChunkOutcome, ...]:
    """Return outcomes of which one has the digest of all."""
    whole: ChunkDigest | None = None
    found = []
    for outcome in outcomes:
        if whole is None or outcome.digest is None:
            whole = whole or outcome.digest
            found.append(outcome)
        else:
            whole.merge(outcome.digest)
            found.append(evolve(outcome, digest=None))
    return tuple(found)


def stop_idle_processes() -> None:
    """End the processes that wait for work."""
    _idle.cache_clear()


def _evaluated(worker: WorkerProcess, order: ChunkOrder, mark: str) -> ChunkOutcome:
    """Return what becomes of a chunk; where the folder of the store is not seen here, its part is sent back."""
    if order.keep != "folder" or (order.folder / mark).is_file():
        return worker.evaluated(order)
    if order.known:
        return evolve(ChunkOutcome.of(order.chunk), known=True, must_read_part=True)
    return worker.evaluated(evolve(order, keep="part"))


class _Idle(queue.SimpleQueue[WorkerProcess]):
    """Workers without work; they end with it."""

    def __del__(self) -> None:
        while not self.empty():
            self.get_nowait().close()


@lru_cache(maxsize=1)
def _idle(fingerprint: str) -> _Idle:
    """Return the workers of a question that wait for work; those of another question end."""
    return _Idle()
