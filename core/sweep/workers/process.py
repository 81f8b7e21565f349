"""A process that evaluates chunks, seen from the one that asks: started when needed, ended when it hangs, replaced when it dies."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from typing import Any

from attrs import define, evolve, field

from accelscope.core.errors import UsageError
from accelscope.core.sweep.store.failures import make_chunk_failure
from accelscope.core.sweep.workers.channel import Channel
from accelscope.core.sweep.workers.protocol import ChunkOrder, ChunkOutcome, WorkerJob

MAX_ATTEMPTS = 3
"""Times that a chunk is tried whose process dies, for another process may have taken the memory."""
_GRACE_SECONDS = 5.0
"""Seconds beyond the limit after which a process is ended that cannot say itself why it takes so long."""
_START = "from accelscope.core.sweep.workers.child import serve_orders; serve_orders()"


@define(eq=False)
class WorkerProcess:
    """One process and its replacements; used by one thread at a time."""

    asked: WorkerJob
    _process: subprocess.Popen[bytes] | None = None
    _channel: Channel | None = None
    _closed: bool = False
    _lock: threading.Lock = field(factory=threading.Lock)

    def evaluated(self, order: ChunkOrder) -> ChunkOutcome:
        """Return what became of a chunk; a process that dies is replaced, and the chunk tried again.

        Raises:
            UsageError: a process cannot build the plan.
        """
        ended = 0
        for _ in range(MAX_ATTEMPTS):
            start = time.monotonic()
            found, slow = self._tried(order)
            if found is not None:
                return found
            if slow or self._closed:
                break
            ended = self._ended()
        seconds = time.monotonic() - start
        reason = (
            f"took longer than {order.seconds:g} s"
            if slow
            else f"the process that evaluated it ended {MAX_ATTEMPTS} times: {_how(ended)}"
        )
        self.close()
        return evolve(
            ChunkOutcome.of(order.chunk), seconds=seconds, failure=make_chunk_failure(order.chunk, reason)
        )

    def stop(self) -> None:
        """End the process, whatever it does, and start none any more; any thread may ask for it."""
        with self._lock:
            self._closed = True
            if self._process is not None:
                self._process.kill()

    def close(self) -> None:
        """End the process, if there still is one, and close the pipes to it."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            self._process = None
        if self._channel is not None:
            self._channel.close()
            self._channel = None

    def _tried(self, order: ChunkOrder) -> tuple[ChunkOutcome | None, bool]:
        """Return what became of a chunk, or None where the process ended, and whether it was ended for its slowness."""
        channel = self._started()
        process = self._process
        late = threading.Event()

        def end() -> None:
            late.set()
            if process is not None:
                process.kill()

        timer = threading.Timer(order.seconds + _GRACE_SECONDS, end)
        timer.start()
        try:
            channel.send(order)
            found: ChunkOutcome = channel.receive()
            return found, False
        except (EOFError, OSError):
            return None, late.is_set()
        finally:
            timer.cancel()

    def _started(self) -> Channel:
        """Return the channel to a process that is ready.

        Raises:
            UsageError: it cannot build the plan, or ends whenever it tries.
        """
        if self._channel is not None and self._process is not None and self._process.poll() is None:
            return self._channel
        problem: Any = None
        for _ in range(MAX_ATTEMPTS):
            channel = self._spawned()
            try:
                channel.send(self.asked)
                problem = channel.receive()
                if problem is None:
                    return channel
                break
            except (EOFError, OSError):
                problem = f"a process that evaluates chunks ended before it could: {_how(self._ended())}"
        self.close()
        raise UsageError(str(problem))

    def _spawned(self) -> Channel:
        self.close()
        with self._lock:
            if self._closed:
                raise UsageError("the sweep was stopped")
            self._process = process = _spawned()
        assert process.stdin is not None and process.stdout is not None  # both are pipes
        self._channel = channel = Channel(process.stdout, process.stdin)
        return channel

    def _ended(self) -> int:
        return self._process.wait() if self._process is not None else 0


def _spawned() -> subprocess.Popen[bytes]:
    """Start a process that finds the same modules as this one; it shares no thread and no lock with it."""
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.Popen(
        [sys.executable, "-P", "-c", _START],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        start_new_session=True,  # Ctrl-C of a terminal is for this process, which ends the others
        env=os.environ | {"PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
    )


def _how(code: int) -> str:
    """Return how a process ended."""
    if code >= 0:
        return f"exit code {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:
        return f"signal {-code}"
