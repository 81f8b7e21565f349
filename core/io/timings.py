"""Seconds that each stage of an evaluation takes, for `--timings`: nothing is measured unless somebody asks."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar

from attrs import define, field

_NOT_TIMED: AbstractContextManager[None] = nullcontext()


@define(eq=False)
class StageTimings:
    """Processor time by stage. A stage inside another one counts for itself only.

    Attributes:
        seconds: s by name of the stage, in the order in which stages first began.
        calls: how often each stage ran.
    """

    seconds: dict[str, float] = field(factory=dict)
    calls: dict[str, int] = field(factory=dict)
    _running: list[str] = field(factory=list)
    _since: float = 0.0

    @contextmanager
    def measure(self, name: str) -> Iterator[None]:
        """Count the time inside the block for a stage."""
        self._book()
        self._running.append(name)
        self.seconds.setdefault(name, 0.0)
        self.calls[name] = self.calls.get(name, 0) + 1
        try:
            yield
        finally:
            self._book()
            self._running.pop()

    def _book(self) -> None:
        """Add the time since the last change to the stage that ran."""
        now = time.process_time()
        if self._running:
            self.seconds[self._running[-1]] += now - self._since
        self._since = now

    def lines(self) -> tuple[str, ...]:
        """Return a line of text for each stage, with its milliseconds, share and number of calls."""
        total = sum(self.seconds.values()) or 1.0
        width = max(map(len, self.seconds), default=0)
        return tuple(
            f"{name:<{width}}  {seconds * 1e3:8.1f} ms  {seconds / total:4.0%}  {self.calls[name]:>5} x"
            for name, seconds in self.seconds.items()
        )


_TIMINGS: ContextVar[StageTimings | None] = ContextVar("timings", default=None)


@contextmanager
def record_timings() -> Iterator[StageTimings]:
    """Measure the stages that run inside the block."""
    timings = StageTimings()
    token = _TIMINGS.set(timings)
    try:
        yield timings
    finally:
        _TIMINGS.reset(token)


def stage(name: str) -> AbstractContextManager[None]:
    """Return a context that counts its time for a stage if timings are recorded."""
    timings = _TIMINGS.get()
    return _NOT_TIMED if timings is None else timings.measure(name)
