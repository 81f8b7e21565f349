"""Which layouts can hold a model at all: limits of their plans and of memory, for one sequence. Pure.

This costs two plans instead of an evaluation. A layout that breaks a limit here breaks it under every load.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import evolve, fields_dict

from accelscope.core.assemble.design import Design
from accelscope.core.evaluate.memory_placement import placed
from accelscope.core.evaluate.pass_cost import plain
from accelscope.core.evaluate.serving.closed_loop import alive_of
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import minimum, term
from accelscope.core.query.points import broken

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

Array = np.ndarray[Any, np.dtype[Any]]


def laid_out(design: Design, columns: Mapping[str, Array]) -> Design:
    """Return a design with degrees of its strategies from columns; all of them share one array dimension."""
    strategies = []
    for strategy, spec in design.strategies:
        own = {name: term(column) for name, column in columns.items() if name in fields_dict(type(spec))}
        strategies.append((strategy, evolve(spec, **own) if own else spec))
    return evolve(design, strategies=tuple(strategies))


def unfit(design: Design, registry: Registry, size: int, *, tokens: float) -> Iterator[tuple[Limit, Array]]:
    """Yield each limit that some layouts break, with where.

    Args:
        design: terms have one dimension, that of the layouts.
        size: layouts.
        tokens: fewest prompt tokens of a step.
    """
    load = design.load
    prompt, output = plain(load.prompt), plain(load.output)
    context = prompt + (output - 1.0) / 2.0
    with np.errstate(all="ignore"):
        alive, single = alive_of(design, context, minimum(prompt, term(tokens)))
        placement = placed(design, registry, alive)
    devices = Limit(name="devices", used=single.ranks, available=design.machine.devices)
    for limit in (*design.limits, *single.limits, devices, *placement.limits):
        over = broken(limit, size) > 0.0
        if over.any():
            yield limit, over


def first_of(found: Iterable[tuple[str, Array]], size: int) -> tuple[tuple[str, ...], Array]:
    """Return reasons, and for each point the place of the first one that rules it out; -1 where none does."""
    names: list[str] = []
    first = np.full(size, -1)
    for name, over in found:
        first[(first < 0) & over] = len(names)
        names.append(name)
    return tuple(names), first


def counted(names: Sequence[str], first: Array) -> dict[str, int]:
    """Return how many points each reason rules out."""
    counts: dict[str, int] = {}
    for name, count in zip(names, np.bincount(first[first >= 0], minlength=len(names)), strict=True):
        if count:
            counts[name] = counts.get(name, 0) + int(count)
    return counts


def one_each(columns: Mapping[str, Array]) -> int:
    """Return how many rows columns have."""
    return len(next(iter(columns.values()))) if columns else 0
