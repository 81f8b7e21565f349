"""A sweep into a store: chunks that are not done are handed out, and what becomes of them is kept at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import closing
from typing import Protocol

from attrs import frozen

from accelscope.core.errors import PluginError
from accelscope.core.store.failures import Failure
from accelscope.core.store.folder import Store, unwritable
from accelscope.core.workers.task import CHUNK_SECONDS, Order, Outcome, Piece


class Runner(Protocol):
    """Where chunks are evaluated: a pool of processes, or a cluster."""

    def __call__(self, orders: Iterable[Order]) -> Iterator[Outcome]:
        """Yield what becomes of each order, in any order."""


@frozen(kw_only=True)
class Done:
    """What a run did.

    Attributes:
        before: chunks that were there already.
        now: chunks that this run added.
        failures: of all chunks that have no part.
    """

    before: int
    now: int
    failures: tuple[Failure, ...]


def run(
    store: Store,
    pieces: Iterable[Piece],
    runner: Runner,
    *,
    stop: bool = False,
    seconds: float = CHUNK_SECONDS,
    told: Callable[[Outcome], None] = lambda outcome: None,
) -> Done:
    """Evaluate the chunks that a store lacks; those that failed before are tried again.

    Args:
        pieces: all chunks, in their order.
        runner: evaluates them.
        stop: whether the first failure ends the run.
        seconds: that a chunk may take.
        told: is called with what became of each chunk.

    Raises:
        UsageError: the store cannot be written.
        PluginError: a chunk failed, and that is to end the run.
    """
    done = store.done()
    failed = {item.chunk for item in store.failures()}
    for number in [number for number in failed if number < len(done) and done[number]]:
        store.forget(number)  # the run was ended between adding its part and this
    before = sum(done)
    now = 0
    orders = (
        Order(chunk=piece, folder=store.folder.absolute(), seconds=seconds)
        for piece in pieces
        if not done[piece.number]
    )
    store.log(event="begin", done=before, chunks=store.chunks)
    with closing(runner(orders)) as outcomes:  # type: ignore[type-var]
        for outcome in outcomes:
            kept = _kept(store, outcome, outcome.chunk in failed)
            now += kept
            told(outcome)
            if not kept and stop:
                assert outcome.failure is not None  # that it is not kept says so
                raise PluginError(f"stopped by `on_error = stop`: {outcome.failure.reason}")
    store.log(event="end", done=before + now, chunks=store.chunks)
    return Done(before=before, now=now, failures=store.failures())


def _kept(store: Store, outcome: Outcome, failed: bool) -> bool:
    """Keep what became of a chunk; return whether it has a part."""
    if outcome.unwritable is not None:
        raise unwritable(store.folder, outcome.unwritable)
    if outcome.failure is not None:
        store.fail(outcome.failure)
        store.log(chunk=outcome.chunk, seconds=round(outcome.seconds, 6), failed=outcome.failure.reason)
        return False
    if outcome.data is not None:
        store.add(outcome.chunk, outcome.data)
    if failed:
        store.forget(outcome.chunk)
    store.log(chunk=outcome.chunk, seconds=round(outcome.seconds, 6))
    return True
