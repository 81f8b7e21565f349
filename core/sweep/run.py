"""A sweep from its plan to its summary: chunk after chunk, with what goes wrong on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import define, field

from accelscope.core.errors import UsageError
from accelscope.core.plugin.registry import Registry
from accelscope.core.sweep.interrupts import watch_interrupts
from accelscope.core.sweep.plan import STATUS_COLUMNS, ChunkTable, SweepChunk, SweepPlan
from accelscope.core.sweep.planner import collect_sweep_criteria
from accelscope.core.sweep.store.failures import ChunkFailure, make_failure_from_error
from accelscope.core.sweep.summary import SweepObjective, SweepSummary
from accelscope.core.sweep.targets import GOAL_SIGNS
from accelscope.core.sweep.workers.chunk import attribute_error
from accelscope.core.sweep.workers.job import SweepEvaluator
from accelscope.dsl.diagnostics.suggest import did_you_mean

_DEFAULT_TRADE_OFFS = (("tpot", "throughput_per_device"), ("step_time", "train_throughput_per_device"))
"""What the front trades off where a study says nothing: of serving, of training."""


@define(kw_only=True, eq=False)
class SweepRun:
    """What became of a sweep.

    Attributes:
        seconds: of evaluating, judging and writing its points.
        known: points that a store had already.
        failed: why chunks could not be evaluated.
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
        summary: empty, grows.
        write: takes the table of each chunk.
        progress: takes the points that are done.
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
                over = plan.words.time is not None and time.perf_counter() - start > plan.words.time
                if over or found.interrupted:
                    break
    except KeyboardInterrupt:
        found.interrupted = True
    found.seconds = time.perf_counter() - start
    if found.interrupted:
        found.stopped = "interrupted"
    elif over and summary.points + sum(item.points for item in found.chunk_failures) < plan.points:
        found.stopped = f"the {plan.words.time:g} s of `limits {{ time }}` are over"
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
    elif plan.words.stops:
        raise table
    else:
        found.chunk_failures.append(make_failure_from_error(chunk, table))


def evaluate_chunks(plan: SweepPlan) -> Iterator[tuple[SweepChunk, ChunkTable | Exception]]:
    """Yield each chunk with its table, or with what was raised in it; where a plugin is at fault, that names it."""
    desk = SweepEvaluator(plan)
    for chunk in plan.chunks():
        try:
            table = desk.evaluated(chunk)
        except Exception as error:  # noqa: BLE001 - whatever a chunk raises costs that chunk only
            yield chunk, attribute_error(desk, chunk, error)
        else:
            yield chunk, table


def create_sweep_summary(plan: SweepPlan, registry: Registry, trade: Sequence[str] = ()) -> SweepSummary:
    """Return an empty summary of a plan.

    Args:
        trade: what the front trades off; without it what the study reports, else its goals.

    Raises:
        UsageError: one of them is no column.
    """
    signs = {
        item.message or item.text: GOAL_SIGNS[item.word] for item in collect_sweep_criteria(plan.asked).goals
    }
    names = tuple(trade) or plan.words.pareto or tuple(signs) or _usual(plan)
    return SweepSummary(
        columns=plan.columns,
        trade=tuple(_objective(plan, registry, name, signs) for name in names),
        goals=tuple(_objective(plan, registry, name, signs) for name in dict.fromkeys((*signs, *names))),
        group_by=_groups(plan),
    )


def _measures(plan: SweepPlan) -> list[str]:
    """Return the names of the columns that are metrics or goals."""
    return [item.name for item in plan.columns[len(plan.axes) + len(plan.tuned) + len(STATUS_COLUMNS) :]]


def _usual(plan: SweepPlan) -> tuple[str, ...]:
    """Return what is traded off where nobody says: the usual pair, or the first two metrics that are computed."""
    known = _measures(plan)
    return next((pair for pair in _DEFAULT_TRADE_OFFS if set(pair) <= set(known)), tuple(known[:2]))


def _objective(plan: SweepPlan, registry: Registry, name: str, signs: dict[str, float]) -> SweepObjective:
    known = _measures(plan)
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise UsageError(f"there is no `{name}` to trade off; {hint}")
    if name in signs:
        return SweepObjective(name=name, sign=signs[name])
    return SweepObjective(name=name, sign=-1.0 if registry.metrics[name].better == "high" else 1.0)


def _groups(plan: SweepPlan) -> tuple[str, ...]:
    known = [axis.name for axis in (*plan.axes, *plan.tuned)]
    for name in plan.words.group_by:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known) or 'none'}"
            raise UsageError(f"`group_by` names `{name}`, which is not swept; {hint}")
    return plan.words.group_by
