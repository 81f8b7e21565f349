"""Chunks evaluated by the workers of an existing Dask cluster, whatever becomes of its workers and its scheduler.

Only the question travels, and what comes back are small records. Tasks take some seconds each, for a scheduler manages
some thousand of them a second, however many cores there are.
"""

from __future__ import annotations

import importlib
import importlib.util
import time
from collections import deque
from collections.abc import Callable, Generator, Iterable, Iterator
from itertools import islice
from typing import Any

from attrs import define, evolve, field, frozen

from accelscope.core.errors import AccelscopeError, UsageError
from accelscope.core.sweep.store.failures import make_chunk_failure
from accelscope.core.sweep.workers.dask_worker import evaluate_orders, stop_idle_processes
from accelscope.core.sweep.workers.process import MAX_ATTEMPTS
from accelscope.core.sweep.workers.protocol import ChunkOrder, ChunkOutcome, WorkerJob

TASK_SECONDS = 20.0
"""Aim for the time of a task: what a scheduler and the process that asks do for one takes some milliseconds."""
MAX_TASK_CHUNKS = 1_000
"""Chunks of a task: what a lost worker costs at most."""
TASKS_AHEAD = 2
"""Tasks for each thread of the cluster that are handed out before an answer is there."""
_FETCH_TIMEOUT = 30.0
"""Seconds for fetching the outcomes of a task."""
_POLL_INTERVAL = 0.05
"""Seconds between two looks at what is done."""
_THREAD_COUNT_INTERVAL = 5.0
"""Seconds between two looks at how many threads the cluster has."""
_CONNECT_TIMEOUT = 10.0
"""Seconds for each try to connect."""
_RECONNECT_TIMEOUT = 600.0
"""Seconds that a scheduler may be away, as when it is started anew."""


_GONE = frozenset(("cancelled", "lost"))
"""States of a future whose scheduler knows nothing of it any more."""


@frozen(eq=False)
class _Task:
    """Chunks that are handed out together, with the future of Dask's that stands for their outcomes."""

    orders: tuple[ChunkOrder, ...]
    future: Any
    attempt: int


@define(eq=False)
class DaskCluster:
    """The connection to a cluster, made anew where it breaks.

    Attributes:
        address: of the scheduler.
        mark: name of a file of the store, by which workers know whether they see the same folder.
        left: chunks that have to be evaluated.
        say: is told what a person should know.
    """

    asked: WorkerJob
    address: str
    mark: str
    left: int
    say: Callable[[str], None]
    reconnect_timeout: float = _RECONNECT_TIMEOUT
    connect_timeout: float = _CONNECT_TIMEOUT
    _client: Any = None
    _met: bool = False
    _tasks: list[_Task] = field(factory=list)
    _again: deque[tuple[tuple[ChunkOrder, ...], int]] = field(factory=deque)
    _threads: int = 0
    _counted: float = 0.0
    _seconds: float = TASK_SECONDS

    def evaluated(self, orders: Iterable[ChunkOrder]) -> Generator[ChunkOutcome, None, None]:
        """Yield what becomes of each chunk, as soon as it is known.

        Raises:
            UsageError: there is no scheduler, or a worker cannot build the plan.
        """
        left = iter(orders)
        self._connect()
        try:
            while True:
                self._hand_out(left)
                if not self._tasks and not self._again:
                    break
                yield from self._collected()
            self._release()
        finally:
            self._close()

    def _hand_out(self, left: Iterator[ChunkOrder]) -> None:
        """Submit tasks until the cluster has enough to do; what was lost goes first."""
        self._count()
        while len(self._tasks) < max(1, self._threads) * TASKS_AHEAD:
            if self._again:
                orders, attempt = self._again.popleft()
            else:
                orders, attempt = tuple(islice(left, self._size())), 0
                self.left -= len(orders)
            if not orders:
                return
            try:
                future = self._client.submit(evaluate_orders, self.asked, orders, self.mark, pure=False)
            except _lost():
                self._again.appendleft((orders, attempt))
                self._reconnect()
                return
            self._tasks.append(_Task(orders, future, attempt))

    def _size(self) -> int:
        """Return how many chunks to hand out together: fewer towards the end, so that all workers end at once."""
        share = self.left // (max(1, self._threads) * TASKS_AHEAD * 2)
        return max(1, min(MAX_TASK_CHUNKS, share, round(TASK_SECONDS / max(self._seconds, 1e-3))))

    def _collected(self) -> Iterator[ChunkOutcome]:
        """Yield the outcomes of tasks that are done, after waiting a little where none is."""
        status = {task: task.future.status for task in self._tasks}
        if not self._running() or not _GONE.isdisjoint(status.values()):
            self._reconnect()
            return
        ready = [task for task in self._tasks if status[task] in ("finished", "error")]
        if not ready:
            time.sleep(_POLL_INTERVAL)
        for task in ready:
            try:
                found = task.future.result(timeout=_FETCH_TIMEOUT)
            except _lost():
                if self._running() and task.future.status not in _GONE:
                    continue  # its worker died before it was fetched, and another one does it again
                self._reconnect()
                return
            except _killed():
                self._tasks.remove(task)
                yield from self._retried(task)
                continue
            except AccelscopeError:
                raise
            except Exception as error:
                raise UsageError(f"Dask cannot run tasks: {type(error).__name__}: {error}") from error
            self._tasks.remove(task)
            self._note(task, found)
            yield from found

    def _running(self) -> bool:
        return self._client.status in ("running", "newly-created")

    def _note(self, task: _Task, found: tuple[ChunkOutcome, ...]) -> None:
        """Learn how long a chunk takes, and hand out again what a task left."""
        self._seconds = 0.5 * self._seconds + 0.5 * sum(item.seconds for item in found) / len(found)
        done = {item.chunk for item in found}
        rest = tuple(order for order in task.orders if order.chunk.number not in done)
        if rest:
            self._again.append((rest, 0))

    def _retried(self, task: _Task) -> Iterator[ChunkOutcome]:
        """Try the chunks of a task again whose workers died one after the other; each alone, to find the one."""
        if len(task.orders) > 1:
            self._again.extend(((order,), 0) for order in task.orders)
        elif task.attempt + 1 < MAX_ATTEMPTS:
            self._again.append((task.orders, task.attempt + 1))
        else:
            order = task.orders[0]
            reason = "the Dask workers that evaluated it died, one after the other"
            yield evolve(ChunkOutcome.of(order.chunk), failure=make_chunk_failure(order.chunk, reason))

    def _count(self) -> None:
        """Look how many threads the cluster has, now and then."""
        if time.monotonic() - self._counted < _THREAD_COUNT_INTERVAL:
            return
        try:
            found = sum(self._client.nthreads().values())
        except _lost():
            return
        if not found and (self._threads or not self._counted):
            self.say(f"the cluster at {self.address} has no workers; waiting for some")
        self._threads, self._counted = found, time.monotonic()

    def _reconnect(self) -> None:
        """Connect anew and hand out again what was out."""
        self.say(f"lost the scheduler at {self.address}; connecting anew")
        self._again.extendleft((task.orders, task.attempt) for task in reversed(self._tasks))
        self._tasks.clear()
        self._close()
        self._connect()

    def _connect(self) -> None:
        """Connect to the scheduler, which may be away for a while once it was there."""
        distributed = _distributed()
        until = time.monotonic() + (self.reconnect_timeout if self._met else 0.0)
        while True:
            try:
                self._client = distributed.Client(
                    self.address, timeout=self.connect_timeout, set_as_default=False
                )
                self._counted, self._met = 0.0, True
                return
            except _lost() as error:
                if time.monotonic() > until:
                    raise UsageError(
                        f"no Dask scheduler answers at {self.address}: {error or type(error).__name__}"
                    ) from error
                time.sleep(1.0)
            except ValueError as error:
                raise UsageError(f"--cluster {self.address}: {error}; write tcp://HOST:8786") from error

    def _release(self) -> None:
        """End the processes of the workers, which have nothing to do any more."""
        try:
            self._client.run(stop_idle_processes, on_error="ignore")
        except _lost():
            return  # they end on their own, only later

    def _close(self) -> None:
        client, self._client = self._client, None
        if client is not None:
            try:
                client.close(timeout=2)
            except _lost():
                return


def _distributed() -> Any:
    if importlib.util.find_spec("distributed") is None:
        raise UsageError("--cluster needs Dask: `pip install 'accelscope[cluster]'`")
    return importlib.import_module("distributed")


def _lost() -> tuple[type[BaseException], ...]:
    """Return what is raised where the scheduler, or the worker that holds a result, is gone."""
    from asyncio import CancelledError as Cancelled
    from concurrent.futures import CancelledError

    return (OSError, TimeoutError, Cancelled, CancelledError)


def _killed() -> type[BaseException]:
    """Return what is raised for a task several of whose workers died."""
    found: type[BaseException] = importlib.import_module("distributed").scheduler.KilledWorker
    return found
