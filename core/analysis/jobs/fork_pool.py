"""Processes that share the variants of a deployment search. Where the system can fork, they start with all that is loaded."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor

from accelscope.core.analysis.deployments.evaluate import Offered, offered
from accelscope.core.analysis.deployments.task import Task
from accelscope.core.analysis.jobs.jobs import Desk
from accelscope.core.session import Session

_desks: list[Desk] = []
"""The desk of this process."""


def shared(
    tasks: Iterable[Task],
    desk: Desk,
    *,
    disabled: Sequence[str] = (),
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[Offered]:
    """Return what each task comes to, in order.

    Args:
        desk: of this process.
        disabled: plugins that further processes leave out as well.
        workers: processes; without it one for each core.
        progress: called with the tasks that are done and those that there are.
    """
    work = list(tasks)
    count = min(workers or len(os.sched_getaffinity(0)), len(work))
    if count <= 1:
        return _gathered((offered(desk, task) for task in work), len(work), progress)
    forks = "fork" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if forks else None)
    settings = (tuple(disabled), tuple(map(str, desk.session.roots)))
    with ProcessPoolExecutor(
        count, context, initializer=_begin, initargs=(desk if forks else None, settings)
    ) as pool:
        return _gathered(pool.map(_work, work), len(work), progress)


def _gathered(results: Iterable[Offered], count: int, progress: Callable[[int, int], None]) -> list[Offered]:
    found = []
    for result in results:
        found.append(result)
        progress(len(found), count)
    return found


def _begin(desk: Desk | None, settings: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    gc.freeze()  # what is loaded stays: there is no need to look through it again and again
    _desks[:] = [Desk.of(Session.open(*settings)) if desk is None else desk]


def _work(task: Task) -> Offered:
    return offered(_desks[0], task)
