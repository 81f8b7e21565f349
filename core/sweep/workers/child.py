"""A process that evaluates chunks: builds the plan once, then answers orders until nobody gives any.

What a plugin prints goes to standard error. A thread watches: where a chunk takes too long, it says which plugin is at
work and ends the process; it also ends where the process that gives orders is gone.
"""

from __future__ import annotations

import os
import threading
import time

from attrs import define, evolve, field

from accelscope.core.sweep.evaluator import ChunkEvaluator
from accelscope.core.sweep.workers.channel import Channel
from accelscope.core.sweep.workers.chunk import evaluate_chunk, import_part_writers, make_timeout_failure
from accelscope.core.sweep.workers.protocol import ChunkOrder, ChunkOutcome, WorkerJob

_WATCH_INTERVAL = 0.1
"""Seconds between two looks of the thread that watches."""
_IDLE_TIMEOUT = 900.0
"""Seconds without an order after which a process ends: one that nobody needs any more should not keep its memory."""


def serve_orders() -> None:
    """Serve the orders that come over standard input."""
    channel = _channel()
    watch = ChunkWatchdog(channel, threading.main_thread().ident or 0, os.getppid())
    threading.Thread(target=watch.run, daemon=True).start()
    try:
        desk = _ready(channel)
        while desk is not None:
            order: ChunkOrder = channel.receive()
            watch.begin(order)
            watch.end(evaluate_chunk(desk, order))
    except (EOFError, OSError):
        return


def _channel() -> Channel:
    """Return the channel to the parent; whatever else writes to standard output writes to standard error."""
    incoming, outgoing = os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb")
    null = os.open(os.devnull, os.O_RDONLY)
    os.dup2(null, 0)
    os.dup2(2, 1)
    return Channel(incoming, outgoing)


def _ready(channel: Channel) -> ChunkEvaluator | None:
    """Build the desk and say that it is there, or why it cannot be."""
    try:
        asked: WorkerJob = channel.receive()
        desk = asked.desk()
        import_part_writers()
    except (Exception, SystemExit) as error:  # noqa: BLE001 - the process that asks has to tell it
        channel.send(str(error) or type(error).__name__)
        return None
    channel.send(None)
    return desk


@define(eq=False)
class ChunkWatchdog:
    """Looks at the clock while a chunk is evaluated."""

    channel: Channel
    thread: int
    parent: int
    _order: ChunkOrder | None = None
    _since: float = field(factory=time.monotonic)
    _lock: threading.Lock = field(factory=threading.Lock)

    def begin(self, order: ChunkOrder) -> None:
        """Start the clock."""
        with self._lock:
            self._since, self._order = time.monotonic(), order

    def end(self, outcome: ChunkOutcome) -> None:
        """Stop the clock and send what became of the chunk."""
        with self._lock:
            self._since, self._order = time.monotonic(), None
            self.channel.send(outcome)

    def run(self) -> None:
        """Look at the clock for ever."""
        while True:
            time.sleep(_WATCH_INTERVAL)
            if os.getppid() != self.parent:
                os._exit(1)
            with self._lock:
                order, passed = self._order, time.monotonic() - self._since
                if order is None and passed > _IDLE_TIMEOUT:
                    os._exit(0)
                if order is not None and passed > order.seconds:
                    self._give_up(order)

    def _give_up(self, order: ChunkOrder) -> None:
        self.channel.send(
            evolve(
                ChunkOutcome.of(order.chunk),
                seconds=order.seconds,
                failure=make_timeout_failure(order, self.thread),
            )
        )
        os._exit(1)
