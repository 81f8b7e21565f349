"""One chunk in this process: evaluated, checked, written; what goes wrong names the plugin."""

from __future__ import annotations

import time
from collections.abc import Mapping

from attrs import evolve

from accelscope.core.numeric.term import Array
from accelscope.core.plugin.checked_calls import find_active_function
from accelscope.core.sweep.evaluator import ChunkEvaluator, attribute_error
from accelscope.core.sweep.store.failures import ChunkFailure, make_chunk_failure, make_failure_from_error
from accelscope.core.sweep.store.folder import add_part
from accelscope.core.sweep.store.layout import part_path
from accelscope.core.sweep.store.parts import decode_part, encode_part
from accelscope.core.sweep.workers.protocol import ChunkOrder, ChunkOutcome


def evaluate_chunk(desk: ChunkEvaluator, order: ChunkOrder) -> ChunkOutcome:
    """Return what became of a chunk."""
    start = time.perf_counter()
    found = _found(desk, order)
    return evolve(found, seconds=time.perf_counter() - start)


def _found(desk: ChunkEvaluator, order: ChunkOrder) -> ChunkOutcome:
    chunk = order.chunk
    found = ChunkOutcome.of(chunk)
    try:
        there = _read(desk, order)
        if there is not None:
            return evolve(found, digest=desk.digest(there, chunk), known=True)
        table = desk.evaluated(chunk)
        found = evolve(found, digest=desk.digest(table, chunk))
        data = encode_part(table, desk.columns) if order.keep in ("folder", "part") else b""
    except Exception as error:  # noqa: BLE001 - whatever a chunk raises costs that chunk only
        return evolve(
            found, digest=None, failure=make_failure_from_error(chunk, attribute_error(desk, chunk, error))
        )
    if order.keep == "part":
        return evolve(found, part=data)
    if order.keep == "table":
        return evolve(found, table=table)
    if order.keep == "folder":
        try:
            add_part(order.folder, chunk.number, data)
        except OSError as error:
            return evolve(found, digest=None, write_error=error.strerror or str(error))
    return found


def _read(desk: ChunkEvaluator, order: ChunkOrder) -> Mapping[str, Array] | None:
    """Return the points of a part that a store has; None where there is none, or where it cannot be read."""
    if not order.known:
        return None
    try:
        return decode_part(part_path(order.folder, order.chunk.number), desk.columns)
    except (OSError, ValueError):  # a disk that lost a piece of it: it is evaluated anew
        return None


def import_part_writers() -> None:
    """Import what writes parts, which would count as time of the first chunk."""
    encode_part({}, ())


def make_timeout_failure(order: ChunkOrder, thread: int) -> ChunkFailure:
    """Return the failure of a chunk that takes too long, with the plugin whose function is at work.

    Args:
        order: that is being answered.
        thread: the thread that evaluates it.
    """
    watched = find_active_function(thread)
    if watched is None:
        return make_chunk_failure(order.chunk, f"took longer than {order.seconds:g} s")
    reason = f"{watched.where}: took longer than {order.seconds:g} s"
    return make_chunk_failure(order.chunk, reason, watched.plugin.name, watched.plugin.distribution)
