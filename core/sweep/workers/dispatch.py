"""A sweep from its chunks to where their points go: what is not done is handed out, and what becomes of it kept at once."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator
from contextlib import closing
from typing import Literal, Protocol

from attrs import evolve, frozen

from accelscope.core.errors import PluginError
from accelscope.core.sweep.interrupts import watch_interrupts
from accelscope.core.sweep.store.failures import ChunkFailure, ChunkLike
from accelscope.core.sweep.store.folder import SweepStore, unwritable_store_error
from accelscope.core.sweep.workers.protocol import DEFAULT_CHUNK_SECONDS, ChunkOrder, ChunkOutcome


class ChunkRunner(Protocol):
    """Where chunks are evaluated: a pool of processes, or a cluster."""

    def __call__(self, orders: Iterable[ChunkOrder]) -> Generator[ChunkOutcome, None, None]:
        """Yield what becomes of each order, in any order."""


@frozen(kw_only=True)
class DispatchLimits:
    """How long a run and each chunk may take, and whether the first failure ends it.

    Attributes:
        seconds: that a chunk may take.
        time: seconds after which a run hands out nothing more, or None.
        stop: whether the first failure ends the run.
    """

    seconds: float = DEFAULT_CHUNK_SECONDS
    time: float | None = None
    stop: bool = False


@frozen(kw_only=True)
class DispatchResult:
    """What a run did.

    Attributes:
        before: chunks that were there already.
        chunks_added: chunks that this run added.
        failures: of all chunks that have no points.
        stopped: why it ended before its last chunk, or None.
        interrupted: whether somebody ended it.
    """

    before: int
    chunks_added: int
    failures: tuple[ChunkFailure, ...]
    stopped: str | None = None
    interrupted: bool = False


def dispatch_into_store(
    store: SweepStore,
    pieces: Iterable[ChunkLike],
    runner: ChunkRunner,
    rules: DispatchLimits,
    *,
    told: Callable[[ChunkOutcome], None] | None = None,
) -> DispatchResult:
    """Evaluate the chunks that a store lacks; those that failed before are tried again.

    Args:
        store: folder that keeps the points.
        pieces: all chunks, in their order.
        runner: evaluates them.
        rules: how long the run and each chunk may take, and whether the first failure ends it.
        told: is called with what became of each chunk, once it is kept; those that the store has already are read for it.

    Raises:
        UsageError: the store cannot be written.
        PluginError: a chunk failed, and that is to end the run.
    """
    done = store.done()
    failed = {item.chunk for item in store.failures()}
    for number in [number for number in failed if number < len(done) and done[number]]:
        store.remove_failure(number)  # the run was ended between adding its part and this
    known = sum(done)

    def orders() -> Iterator[ChunkOrder]:
        for piece in pieces:
            if told is not None or not done[piece.number]:
                yield ChunkOrder(
                    chunk=piece,
                    keep="folder",
                    folder=store.folder.absolute(),
                    known=bool(done[piece.number]),
                    seconds=rules.seconds,
                )

    def keep(outcome: ChunkOutcome) -> None:
        if not outcome.known:
            _kept(store, outcome, outcome.chunk in failed)
        if told is not None:
            told(outcome)

    store.log(event="begin", done=known, chunks=store.chunks)
    ordered = store.chunks if told is not None else store.chunks - known
    ran = _run(orders(), ordered, runner, rules, keep)
    store.log(event="end", done=known + ran.chunks_added, chunks=store.chunks, stopped=ran.stopped)
    return evolve(ran, before=known, failures=store.failures())


def dispatch_without_store(
    pieces: Iterable[ChunkLike],
    chunks: int,
    runner: ChunkRunner,
    rules: DispatchLimits,
    *,
    keep: Literal["table", "nothing"],
    told: Callable[[ChunkOutcome], None],
) -> DispatchResult:
    """Evaluate all chunks and keep nothing but what `told` does with them.

    Args:
        pieces: all chunks, in their order.
        chunks: how many there are.
        runner: evaluates them.
        rules: how long the run and each chunk may take, and whether the first failure ends it.
        keep: whether the points are sent back, too.
        told: is called with what became of each chunk.

    Raises:
        PluginError: a chunk failed, and that is to end the run.
    """
    orders = (ChunkOrder(chunk=piece, keep=keep, seconds=rules.seconds) for piece in pieces)
    return _run(orders, chunks, runner, rules, told)


def _run(
    orders: Iterable[ChunkOrder],
    chunks: int,
    runner: ChunkRunner,
    rules: DispatchLimits,
    keep: Callable[[ChunkOutcome], None],
) -> DispatchResult:
    """Keep what becomes of orders, until the last of so many chunks, Ctrl-C, or the end of the time."""
    start = time.monotonic()
    failures: list[ChunkFailure] = []
    seen = now = 0
    stopped, interrupted = None, False
    try:
        with watch_interrupts() as pressed, closing(runner(orders)) as outcomes:
            for outcome in outcomes:
                keep(outcome)
                seen += 1
                if outcome.failure is None:
                    now += not outcome.known
                elif rules.stop:
                    raise _stopped(outcome.failure)
                else:
                    failures.append(outcome.failure)
                if seen == chunks:
                    continue  # let the runner end by itself
                if pressed():
                    interrupted = True
                    break
                if rules.time is not None and time.monotonic() - start > rules.time:
                    stopped = f"the {rules.time:g} s of `limits {{ time }}` are over"
                    break
    except KeyboardInterrupt:
        interrupted = True
    return DispatchResult(
        before=0,
        chunks_added=now,
        failures=tuple(failures),
        stopped="interrupted" if interrupted else stopped,
        interrupted=interrupted,
    )


def _stopped(failure: ChunkFailure) -> PluginError:
    return PluginError(
        f"{failure.reason} (chunk {failure.chunk}; `on_error = stop` ends the sweep)",
        plugin=failure.plugin,
        distribution=failure.distribution,
    )


def _kept(store: SweepStore, outcome: ChunkOutcome, failed: bool) -> None:
    """Keep what became of a chunk."""
    if outcome.write_error is not None:
        raise unwritable_store_error(store.folder, outcome.write_error)
    if outcome.failure is not None:
        store.add_failure(outcome.failure)
        store.log(chunk=outcome.chunk, seconds=round(outcome.seconds, 6), failed=outcome.failure.reason)
        return
    if outcome.part is not None:
        store.add(outcome.chunk, outcome.part)
    if failed:
        store.remove_failure(outcome.chunk)
    store.log(chunk=outcome.chunk, seconds=round(outcome.seconds, 6))
