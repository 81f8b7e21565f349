"""Which split of a model over a system to compare: the fewest devices that hold it. Evaluated as one grid."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from attrs import frozen

from accelscope.core.analysis.jobs.candidates import ComparedModel, ComparedSystem
from accelscope.core.numeric.term import Array
from accelscope.core.query.feasibility import is_exceeded
from accelscope.core.query.result import LimitRow, Result

ParallelSplit = tuple[tuple[str, int], ...]
TP, PP = "deployment.parallel.tp", "deployment.parallel.pp"
_MEMORY = "memory"


@frozen(kw_only=True)
class SplitChoice:
    """A split, or why there is none: then `split` is the one that comes closest."""

    split: ParallelSplit
    why: str = ""


def list_split_degrees(
    entrant: ComparedSystem, subject: ComparedModel
) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Return the tensor- and pipeline-parallel degrees to try: divisors of the heads, and up to the layers."""
    devices = entrant.facts.devices if entrant.facts is not None else 1
    heads, layers = max(subject.facts.heads, 1), max(subject.facts.layers, 1)
    tp = tuple(degree for degree in range(1, min(heads, devices) + 1) if heads % degree == 0)
    return tp, tuple(range(1, min(layers, devices) + 1))


def format_split_overrides(tp: Sequence[int], pp: Sequence[int]) -> tuple[str, ...]:
    """Return the axes as texts of `--set`."""
    return tuple(f"{path} = [{', '.join(map(str, degrees))}]" for path, degrees in ((TP, tp), (PP, pp)))


def choose_split(result: Result, nearest: int) -> SplitChoice:
    """Return the split that holds the model on the fewest devices; of those of as many devices, the quickest decoder.

    Tensor parallelism alone within the innermost network goes first: where that holds the model, it sets how many
    devices there are. Beyond, pipeline stages come before a tensor-parallel degree that crosses networks.

    Args:
        result: over the axes `tp` and `pp`.
        nearest: devices that the innermost network joins.
    """
    tp, pp = _degrees(result)
    feasible = np.broadcast_to(result.feasible, tp.shape)
    near = feasible & (tp <= nearest)
    for sought, allowed in ((near & (pp == 1), near), (near, near), (feasible, feasible)):
        if sought.any():
            devices = (tp * pp)[sought].min()
            best = _quickest(allowed & (tp * pp == devices), _steps(result, tp.shape))
            return SplitChoice(split=_named(best, tp, pp))
    return _closest(result, tp, pp)


def _degrees(result: Result) -> tuple[Array, Array]:
    """Return the degrees at each point of the grid."""
    names = [axis.name for axis in result.axes]
    shape = result.shape
    found = []
    for path in (TP, PP):
        at = names.index(path)
        values = np.array([float(value) for value in result.axes[at].values])
        found.append(
            np.broadcast_to(values.reshape([-1 if n == at else 1 for n in range(len(shape))]), shape)
        )
    return found[0], found[1]


def _steps(result: Result, shape: tuple[int, ...]) -> Array:
    column = result.metrics.get("tpot")
    value = np.zeros(shape) if column is None or column.value is None else column.value
    return np.broadcast_to(value, shape)


def _quickest(allowed: Array, steps: Array) -> tuple[int, ...]:
    place = np.where(allowed, steps, np.inf)
    return tuple(int(at) for at in np.unravel_index(int(np.argmin(place)), place.shape))


def _named(at: tuple[int, ...], tp: Array, pp: Array) -> ParallelSplit:
    return (("tp", int(tp[at])), ("pp", int(pp[at])))


def _closest(result: Result, tp: Array, pp: Array) -> SplitChoice:
    """Return the split that lacks the least memory, of those that break no other rule, and what it lacks."""
    broken = {
        row.name: np.broadcast_to(is_exceeded(row.used, row.available), tp.shape) for row in result.limits
    }
    others = np.zeros(tp.shape, bool)
    for name, where in broken.items():
        if name != _MEMORY:
            others = others | where
    memory = next((row for row in result.limits if row.name == _MEMORY), None)
    if memory is not None and not others.all():
        ratio = np.broadcast_to(memory.used / memory.available, tp.shape)
        index = int(np.argmin(np.where(others, np.inf, ratio)))
        at = tuple(int(place) for place in np.unravel_index(index, tp.shape))
        return SplitChoice(split=_named(at, tp, pp), why=_lacking(memory, at, tp, pp))
    first = tuple(0 for _ in tp.shape)
    reasons = [row.reason or row.name for row in result.limits if broken[row.name][first]]
    return SplitChoice(split=_named(first, tp, pp), why=reasons[0] if reasons else "no split is feasible")


def _lacking(memory: LimitRow, at: tuple[int, ...], tp: Array, pp: Array) -> str:
    used, available = (
        float(np.broadcast_to(array, tp.shape)[at]) for array in (memory.used, memory.available)
    )
    return describe_shortage(used, available, int(tp[at] * pp[at]))


def describe_shortage(used: float, available: float, devices: int) -> str:
    """Return by how much a model does not fit, in few words."""
    from accelscope.core.render.library_tables import format_si_number

    each = f" on each of {devices}" if devices > 1 else ""
    return f"needs {format_si_number(used, 'B')}{each}, has {format_si_number(available, 'B')}"
