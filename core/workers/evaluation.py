"""One chunk in this process: evaluated, checked, written; what goes wrong names the plugin."""

from __future__ import annotations

import time
from types import FrameType

from attrs import evolve

from accelscope.core.errors import AccelscopeError, PluginError
from accelscope.core.guard import at_work, expecting
from accelscope.core.store.failures import Failure, failed, failure_of
from accelscope.core.store.folder import add_part
from accelscope.core.store.parts import encoded
from accelscope.core.workers.task import Desk, Order, Outcome


def evaluated(desk: Desk, order: Order) -> Outcome:
    """Return what became of a chunk."""
    start = time.perf_counter()
    number = order.chunk.number
    try:
        table = desk.evaluated(order.chunk)
        found = Outcome(chunk=number, digest=desk.digest(table, order.chunk))
        data = encoded(table, desk.columns) if order.keep in ("folder", "part") else b""
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a chunk raises costs that chunk only
        return Outcome(chunk=number, seconds=time.perf_counter() - start, failure=_fault(desk, order, error))
    if order.keep == "folder":
        try:
            add_part(order.folder, number, data)
        except OSError as error:
            return Outcome(chunk=number, unwritable=error.strerror or str(error))
    elif order.keep == "part":
        found = evolve(found, part=data)
    elif order.keep == "table":
        found = evolve(found, table=table)
    return evolve(found, seconds=time.perf_counter() - start)


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


def _fault(desk: Desk, order: Order, error: BaseException) -> Failure:
    """Return who is at fault; an error that does not tell may be of an array that a plugin made too long or too short."""
    if not isinstance(error, AccelscopeError):
        error = _looked_into(desk, order) or error
    return failure_of(order.chunk, error)


def _looked_into(desk: Desk, order: Order) -> PluginError | None:
    """Evaluate a chunk that failed again while the shapes of what plugins return are checked."""
    try:
        with expecting(desk.grid(order.chunk)):
            desk.evaluated(order.chunk)
    except PluginError as error:
        return error
    except (Exception, SystemExit):  # noqa: BLE001 - it failed before, and no plugin is at fault
        return None
    return None
