"""A sweep from its plan to its summary: chunk after chunk, with what goes wrong on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator

from attrs import define, field

from accelscope.core.sweep.evaluator import SweepEvaluator, attribute_error
from accelscope.core.sweep.interrupts import watch_interrupts
from accelscope.core.sweep.plan import ChunkDetails, ChunkTable, SweepChunk, SweepPlan
from accelscope.core.sweep.store.failures import ChunkFailure, make_failure_from_error
from accelscope.core.sweep.summary import SweepSummary


@define(kw_only=True, eq=False)
class SweepRun:
    """What became of a sweep.

    Attributes:
        seconds: of evaluating, judging and writing its points.
        known: points that a store had already.
        chunk_failures: why chunks could not be evaluated.
        stopped: why it ended before its last point, or None.
        interrupted: whether that was Ctrl-C.
    """

    summary: SweepSummary
    seconds: float = 0.0
    known: int = 0
    chunk_failures: list[ChunkFailure] = field(factory=list)
    stopped: str | None = None
    interrupted: bool = False


def run_sweep(
    plan: SweepPlan,
    summary: SweepSummary,
    write: Callable[[ChunkTable], None],
    progress: Callable[[int], None] = lambda points: None,
    done: Iterable[tuple[SweepChunk, ChunkTable | Exception]] | None = None,
) -> SweepRun:
    """Evaluate every chunk of a plan, and return what is known of its points.

    Ctrl-C, and the time of the study's `limits`, end it between two chunks; what is done is kept.

    Args:
        plan: of the sweep.
        summary: empty, grows.
        write: takes the table of each chunk.
        progress: takes the number of points that are done.
        done: chunks with their tables or what they raised, in any order; without it they are evaluated here, in order.
    """
    found = SweepRun(summary=summary)
    start = time.perf_counter()
    over = False
    try:
        with watch_interrupts() as pressed:
            for chunk, table in evaluate_chunks(plan) if done is None else done:
                _keep(plan, found, chunk, table, write)
                progress(summary.points)
                found.interrupted = pressed()
                over = plan.options.time is not None and time.perf_counter() - start > plan.options.time
                if over or found.interrupted:
                    break
    except KeyboardInterrupt:
        found.interrupted = True
    found.seconds = time.perf_counter() - start
    if found.interrupted:
        found.stopped = "interrupted"
    elif over and summary.points + sum(item.points for item in found.chunk_failures) < plan.points:
        found.stopped = f"the {plan.options.time:g} s of `limits {{ time }}` are over"
    return found


def _keep(
    plan: SweepPlan,
    found: SweepRun,
    chunk: SweepChunk,
    table: ChunkTable | Exception,
    write: Callable[[ChunkTable], None],
) -> None:
    """Keep what became of a chunk.

    Raises:
        AccelscopeError: it failed, and the study says that this ends the sweep.
    """
    if not isinstance(table, Exception):
        write(table)
        found.summary.add(table, chunk.first)
    elif plan.options.stops:
        raise table
    else:
        found.chunk_failures.append(make_failure_from_error(chunk, table))


def evaluate_chunks(
    plan: SweepPlan, collect: Callable[[ChunkDetails], None] | None = None
) -> Iterator[tuple[SweepChunk, ChunkTable | Exception]]:
    """Yield each chunk with its table, or with what was raised in it, which names the plugin at fault if one is.

    Args:
        plan: of the sweep.
        collect: takes everything that is known of the points of each chunk; None if only tables are wanted.
    """
    desk = SweepEvaluator(plan, collect=collect)
    for chunk in plan.chunks():
        try:
            table = desk.evaluated(chunk)
        except Exception as error:  # noqa: BLE001 - whatever a chunk raises costs that chunk only
            yield chunk, attribute_error(desk, chunk, error)
        else:
            yield chunk, table
