"""Where the time of each pass of an evaluation goes: its operations, its communication and the host. Pure."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from accelscope.core.evaluate.evaluate import Evaluation
from accelscope.core.evaluate.pass_cost import PassCost
from accelscope.core.numeric.term import Array
from accelscope.core.query.feasibility import take_nominal
from accelscope.core.query.result import BreakdownRow


def list_breakdown(evaluation: Evaluation, shape: tuple[int, ...], inputs: int) -> tuple[BreakdownRow, ...]:
    """Return the rows of all passes; shares are of the pass.

    Args:
        evaluation: of some points.
        shape: of the points.
        inputs: length of the last dimension of terms, that of uncertain inputs; 0 without one.
    """
    return tuple(row for step in evaluation.passes for row in _list_pass_rows(step, shape, inputs))


def _list_pass_rows(step: PassCost, shape: tuple[int, ...], inputs: int) -> Iterator[BreakdownRow]:
    """Yield the operations of a pass, then its communication, then the host."""
    rounds, whole = take_nominal(step.rounds, inputs), take_nominal(step.time, inputs)

    def row(component: str, op: str, seconds: Array, names: tuple[str, ...], winner: Array) -> BreakdownRow:
        return BreakdownRow(
            phase=step.phase,
            component=component,
            op=op,
            seconds=np.broadcast_to(seconds, shape),
            share=np.broadcast_to(seconds / whole, shape),
            bound_by=names,
            winner=np.broadcast_to(winner, shape),
        )

    for cost in step.ops:
        times = [take_nominal(time, inputs) for _, time in cost.parts]
        winner = np.argmax(np.stack(np.broadcast_arrays(*times)), axis=0)
        names = tuple(name for name, _ in cost.parts)
        yield row(cost.component, cost.name, take_nominal(cost.seconds, inputs) * rounds, names, winner)
    for comm in step.comms:
        seconds = take_nominal(comm.seconds, inputs) * rounds
        yield row(comm.item.component, comm.item.name, seconds, ("network",), np.zeros((), dtype=int))
    host = take_nominal(step.overhead, inputs)
    if np.any(host > 0):
        yield row("engine", "host", host, ("host",), np.zeros((), dtype=int))
