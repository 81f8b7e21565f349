"""One chunk in this process: evaluated, checked, written; what goes wrong names the plugin."""

from __future__ import annotations

import time
from collections.abc import Mapping
from types import FrameType
from typing import Any

from attrs import evolve

from accelscope.core.errors import AccelscopeError, PluginError
from accelscope.core.numeric.term import Array
from accelscope.core.plugin.checked_calls import at_work, expecting
from accelscope.core.sweep.store.failures import Failure, failed, failure_of
from accelscope.core.sweep.store.folder import add_part
from accelscope.core.sweep.store.layout import part
from accelscope.core.sweep.store.parts import decoded, encoded
from accelscope.core.sweep.workers.protocol import Desk, Order, Outcome


def evaluated(desk: Desk, order: Order) -> Outcome:
    """Return what became of a chunk."""
    start = time.perf_counter()
    found = _found(desk, order)
    return evolve(found, seconds=time.perf_counter() - start)


def _found(desk: Desk, order: Order) -> Outcome:
    chunk = order.chunk
    found = Outcome.of(chunk)
    try:
        there = _read(desk, order)
        if there is not None:
            return evolve(found, digest=desk.digest(there, chunk), known=True)
        table = desk.evaluated(chunk)
        found = evolve(found, digest=desk.digest(table, chunk))
        data = encoded(table, desk.columns) if order.keep in ("folder", "part") else b""
    except Exception as error:  # noqa: BLE001 - whatever a chunk raises costs that chunk only
        return evolve(found, digest=None, failure=failure_of(chunk, blamed(desk, chunk, error)))
    if order.keep == "part":
        return evolve(found, part=data)
    if order.keep == "table":
        return evolve(found, table=table)
    if order.keep == "folder":
        try:
            add_part(order.folder, chunk.number, data)
        except OSError as error:
            return evolve(found, digest=None, unwritable=error.strerror or str(error))
    return found


def _read(desk: Desk, order: Order) -> Mapping[str, Array] | None:
    """Return the points of a part that a store has; None where there is none, or where it cannot be read."""
    if not order.known:
        return None
    try:
        return decoded(part(order.folder, order.chunk.number), desk.columns)
    except (OSError, ValueError):  # a disk that lost a piece of it: it is evaluated anew
        return None


def warm_up() -> None:
    """Import what writes parts, which would count as time of the first chunk."""
    encoded({}, ())


def too_slow(order: Order, frame: FrameType | None) -> Failure:
    """Return the failure of a chunk that takes too long, with the plugin whose function is at work.

    Args:
        order: that is being answered.
        frame: where the thread is that evaluates it.
    """
    watched = at_work(frame)
    if watched is None:
        return failed(order.chunk, f"took longer than {order.seconds:g} s")
    reason = f"{watched.where}: took longer than {order.seconds:g} s"
    return failed(order.chunk, reason, watched.plugin.name, watched.plugin.distribution)


def blamed(desk: Desk, chunk: Any, error: Exception) -> Exception:
    """Return the error that names the plugin at fault, or the same one.

    One that does not tell may be of an array that a plugin made too long or too short.
    """
    return error if isinstance(error, AccelscopeError) else _looked_into(desk, chunk) or error


def _looked_into(desk: Desk, chunk: Any) -> PluginError | None:
    """Evaluate a chunk that failed again while the shapes of what plugins return are checked."""
    try:
        with expecting(desk.grid(chunk)):
            desk.evaluated(chunk)
    except PluginError as error:
        return error
    except Exception:  # noqa: BLE001 - it failed before, and no plugin is at fault
        return None
    return None
