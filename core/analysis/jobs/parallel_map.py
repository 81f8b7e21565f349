"""One parallel map for all analyses: processes that share what is loaded, and return results in order.

If the system can fork, processes start with all that is in memory, so that neither the function, nor the items, nor what the
initializer returns have to be sent to them. Sweeps have workers of their own (`core.sweep.workers`), since they write
stores that can be continued.
"""

from __future__ import annotations

import gc
import multiprocessing
import os
import signal
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing.connection import Connection, wait
from typing import Any, TypeVar

from attrs import frozen

_S = TypeVar("_S")
_T = TypeVar("_T")
_R = TypeVar("_R")

_FORK = "fork"


class WorkerError(RuntimeError):
    """A process ended without a result, for example since the system was out of memory."""


def parallel_map(
    function: Callable[[_S, _T], _R],
    items: Iterable[_T],
    *,
    jobs: int | None,
    initializer: Callable[[], _S],
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[_R]:
    """Return what a function makes of each item, in the order of the items.

    Args:
        function: of what the initializer returns and an item. Without fork it is at the top of a module.
        items: to work on; a process gets the next one when it is done with another.
        jobs: processes; None for one for each core. With one, all is done in this process.
        initializer: called once in each process. Without fork it must be picklable.
        progress: called with the number of items that are done and that there are.

    Raises:
        WorkerError: a process ended without a result.
    """
    work = list(items)
    count = min(jobs or count_cores(), len(work))
    if count <= 1:
        return _map_here(function, work, initializer, progress)
    results: list[Any] = [None] * len(work)
    with _start_workers(_Task(function, initializer, work), count) as connections:
        waiting = iter(range(len(work)))
        busy = [item for item in connections if _send_next(item, waiting)]
        done = 0
        while busy:
            for connection in wait(busy):
                assert isinstance(connection, Connection)
                place, result = _receive(connection)
                results[place] = result
                done += 1
                progress(done, len(work))
                if not _send_next(connection, waiting):
                    busy.remove(connection)
    return results


def count_cores() -> int:
    """Return the cores that this process may use, or all if the system does not say which."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def can_fork() -> bool:
    """Say whether processes start with what this one has in memory."""
    return _FORK in multiprocessing.get_all_start_methods()


def _map_here(
    function: Callable[[_S, _T], _R],
    work: Sequence[_T],
    initializer: Callable[[], _S],
    progress: Callable[[int, int], None],
) -> list[_R]:
    results: list[_R] = []
    if work:
        state = initializer()
        for item in work:
            results.append(function(state, item))
            progress(len(results), len(work))
    return results


@frozen(eq=False)
class _Task:
    """What all processes do."""

    function: Callable[[Any, Any], Any]
    initializer: Callable[[], Any]
    work: Sequence[Any]


@frozen(eq=False)
class _Failure:
    """The exception of an item; its note holds the traceback of the process."""

    error: BaseException


@contextmanager
def _start_workers(task: _Task, count: int) -> Iterator[list[Connection]]:
    """Give a connection to each of some processes, which end with the block."""
    context: Any = multiprocessing.get_context(_FORK if can_fork() else None)
    connections: list[Connection] = []
    processes = []
    try:
        for _ in range(count):
            here, there = context.Pipe()
            others = (*connections, here) if can_fork() else ()
            process = context.Process(target=_serve, args=(task, there, others), daemon=True)
            process.start()
            there.close()
            connections.append(here)
            processes.append(process)
        yield connections
        for connection in connections:
            connection.send(None)
        for process in processes:
            process.join()
    finally:
        for process in processes:
            process.terminate()
            process.join()
        for connection in connections:
            connection.close()


def _send_next(connection: Connection, waiting: Iterator[int]) -> bool:
    """Send the number of the next item; return whether there is one."""
    place = next(waiting, None)
    if place is not None:
        connection.send(place)
    return place is not None


def _receive(connection: Connection) -> tuple[int, Any]:
    """Return the number of an item and its result; raise what the function raised."""
    try:
        place, result = connection.recv()
    except EOFError as error:
        raise WorkerError("a process ended without a result; fewer --jobs need less memory") from error
    if isinstance(result, _Failure):
        raise result.error
    return place, result


def _serve(task: _Task, connection: Connection, inherited: Sequence[Connection]) -> None:
    """Work on the items whose numbers come in, until there is none; the loop of a process."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the process that started this one ends it
    for item in inherited:
        item.close()  # so that this process notices the end of the one that started it
    gc.freeze()  # what is loaded stays: there is no need to look through it again and again
    state: Any = None
    started = False
    try:
        while (place := connection.recv()) is not None:
            try:
                if not started:
                    state, started = task.initializer(), True
                result = task.function(state, task.work[place])
            except Exception as error:  # noqa: BLE001 - it is raised in the process that started this one
                result = _fail(error)
            _send(connection, place, result)
    except (EOFError, BrokenPipeError):
        return


def _fail(error: BaseException) -> _Failure:
    error.add_note(traceback.format_exc())
    return _Failure(error)


def _send(connection: Connection, place: int, result: Any) -> None:
    try:
        connection.send((place, result))
    except (BrokenPipeError, EOFError):
        raise
    except Exception as error:  # noqa: BLE001 - a result that cannot be sent
        connection.send((place, _Failure(WorkerError(f"a result cannot be sent between processes: {error}"))))
