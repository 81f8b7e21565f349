"""A sweep from its plan to its summary: chunk after chunk, with what goes wrong on the way."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence

from attrs import define, field

from accelscope.core.errors import UsageError
from accelscope.core.plugin.registry import Registry
from accelscope.core.sweep.interrupts import interruptions
from accelscope.core.sweep.plan import STATUS, Chunk, Plan, Table
from accelscope.core.sweep.planner import aims_of
from accelscope.core.sweep.store.failures import Failure, failure_of
from accelscope.core.sweep.summary import Objective, Summary
from accelscope.core.sweep.targets import SIGNS
from accelscope.core.sweep.workers.chunk import blamed
from accelscope.core.sweep.workers.job import SweepDesk
from accelscope.dsl.diagnostics.suggest import did_you_mean

TRADES = (("tpot", "throughput_per_device"), ("step_time", "train_throughput_per_device"))
"""What the front trades off where a study says nothing: of serving, of training."""


@define(kw_only=True, eq=False)
class Run:
    """What became of a sweep.

    Attributes:
        seconds: of evaluating, judging and writing its points.
        known: points that a store had already.
        failed: why chunks could not be evaluated.
        stopped: why it ended before its last point, or None.
        interrupted: whether that was Ctrl-C.
    """

    summary: Summary
    seconds: float = 0.0
    known: int = 0
    failed: list[Failure] = field(factory=list)
    stopped: str | None = None
    interrupted: bool = False


def run(
    plan: Plan,
    summary: Summary,
    write: Callable[[Table], None],
    progress: Callable[[int], None] = lambda points: None,
    done: Iterable[tuple[Chunk, Table | Exception]] | None = None,
) -> Run:
    """Evaluate every chunk of a plan, and return what is known of its points.

    Ctrl-C, and the time of the study's `limits`, end it between two chunks; what is done is kept.

    Args:
        summary: empty, grows.
        write: takes the table of each chunk.
        progress: takes the points that are done.
        done: chunks with their tables or what they raised, in any order; without it they are evaluated here, in order.
    """
    found = Run(summary=summary)
    start = time.perf_counter()
    over = False
    try:
        with interruptions() as pressed:
            for chunk, table in evaluated(plan) if done is None else done:
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
    elif over and summary.points + sum(item.points for item in found.failed) < plan.points:
        found.stopped = f"the {plan.words.time:g} s of `limits {{ time }}` are over"
    return found


def _keep(
    plan: Plan, found: Run, chunk: Chunk, table: Table | Exception, write: Callable[[Table], None]
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
        found.failed.append(failure_of(chunk, table))


def evaluated(plan: Plan) -> Iterator[tuple[Chunk, Table | Exception]]:
    """Yield each chunk with its table, or with what was raised in it; where a plugin is at fault, that names it."""
    desk = SweepDesk(plan)
    for chunk in plan.chunks():
        try:
            table = desk.evaluated(chunk)
        except Exception as error:  # noqa: BLE001 - whatever a chunk raises costs that chunk only
            yield chunk, blamed(desk, chunk, error)
        else:
            yield chunk, table


def summary_of(plan: Plan, registry: Registry, trade: Sequence[str] = ()) -> Summary:
    """Return an empty summary of a plan.

    Args:
        trade: what the front trades off; without it what the study reports, else its goals.

    Raises:
        UsageError: one of them is no column.
    """
    signs = {item.message or item.text: SIGNS[item.word] for item in aims_of(plan.asked).goals}
    names = tuple(trade) or plan.words.pareto or tuple(signs) or _usual(plan)
    return Summary(
        columns=plan.columns,
        trade=tuple(_objective(plan, registry, name, signs) for name in names),
        goals=tuple(_objective(plan, registry, name, signs) for name in dict.fromkeys((*signs, *names))),
        group_by=_groups(plan),
    )


def _measures(plan: Plan) -> list[str]:
    """Return the names of the columns that are metrics or goals."""
    return [item.name for item in plan.columns[len(plan.axes) + len(plan.tuned) + len(STATUS) :]]


def _usual(plan: Plan) -> tuple[str, ...]:
    """Return what is traded off where nobody says: the usual pair, or the first two metrics that are computed."""
    known = _measures(plan)
    return next((pair for pair in TRADES if set(pair) <= set(known)), tuple(known[:2]))


def _objective(plan: Plan, registry: Registry, name: str, signs: dict[str, float]) -> Objective:
    known = _measures(plan)
    if name not in known:
        hint = did_you_mean(name, known) or f"there are {', '.join(known)}"
        raise UsageError(f"there is no `{name}` to trade off; {hint}")
    if name in signs:
        return Objective(name=name, sign=signs[name])
    return Objective(name=name, sign=-1.0 if registry.metrics[name].better == "high" else 1.0)


def _groups(plan: Plan) -> tuple[str, ...]:
    known = [axis.name for axis in (*plan.axes, *plan.tuned)]
    for name in plan.words.group_by:
        if name not in known:
            hint = did_you_mean(name, known) or f"there are {', '.join(known) or 'none'}"
            raise UsageError(f"`group_by` names `{name}`, which is not swept; {hint}")
    return plan.words.group_by
