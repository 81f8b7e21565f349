"""Processes that share the variants of a deployment search. Where the system can fork, they start with all that is loaded."""

from __future__ import annotations

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ProcessPoolExecutor

from accelscope.core.analysis.deployments.evaluate import DeploymentVariantResult, evaluate_deployment_variant
from accelscope.core.analysis.deployments.task import DeploymentTask
from accelscope.core.analysis.jobs.jobs import JobEvaluator
from accelscope.core.session import Session

_desks: list[JobEvaluator] = []
"""The desk of this process."""


def run_deployment_tasks(
    tasks: Iterable[DeploymentTask],
    desk: JobEvaluator,
    *,
    disabled: Sequence[str] = (),
    workers: int | None = None,
    progress: Callable[[int, int], None] = lambda done, of: None,
) -> list[DeploymentVariantResult]:
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
        return _gathered((evaluate_deployment_variant(desk, task) for task in work), len(work), progress)
    forks = "fork" in multiprocessing.get_all_start_methods()
    context = multiprocessing.get_context("fork" if forks else None)
    settings = (tuple(disabled), tuple(map(str, desk.session.roots)))
    with ProcessPoolExecutor(
        count, context, initializer=_begin, initargs=(desk if forks else None, settings)
    ) as pool:
        return _gathered(pool.map(_work, work), len(work), progress)


def _gathered(
    results: Iterable[DeploymentVariantResult], count: int, progress: Callable[[int, int], None]
) -> list[DeploymentVariantResult]:
    found = []
    for result in results:
        found.append(result)
        progress(len(found), count)
    return found


def _begin(desk: JobEvaluator | None, settings: tuple[tuple[str, ...], tuple[str, ...]]) -> None:
    gc.freeze()  # what is loaded stays: there is no need to look through it again and again
    _desks[:] = [JobEvaluator.of(Session.open(*settings)) if desk is None else desk]


def _work(task: DeploymentTask) -> DeploymentVariantResult:
    return evaluate_deployment_variant(_desks[0], task)
