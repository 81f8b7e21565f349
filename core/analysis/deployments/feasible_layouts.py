"""Which layouts can hold a model at all: limits of their plans and of memory, for one sequence. Pure.

This costs two plans instead of an evaluation. A layout that breaks a limit here breaks it under every load.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import evolve, fields_dict

from accelscope.core.assemble.design import Design
from accelscope.core.evaluate.memory_placement import place_memory
from accelscope.core.evaluate.serving.closed_loop import plan_single_request
from accelscope.core.ir.usage import Limit
from accelscope.core.numeric.term import minimum, strip_count_unit, term
from accelscope.core.query.feasibility import check_limits

_Array = np.ndarray[Any, np.dtype[Any]]


def apply_layouts(design: Design, columns: Mapping[str, _Array]) -> Design:
    """Return a design with degrees of its strategies from columns; all of them share one array dimension."""
    strategies = []
    for strategy, spec in design.strategies:
        own = {name: term(column) for name, column in columns.items() if name in fields_dict(type(spec))}
        strategies.append((strategy, evolve(spec, **own) if own else spec))
    return evolve(design, strategies=tuple(strategies))


def find_broken_limits(design: Design, size: int, *, tokens: float) -> Iterator[tuple[Limit, _Array]]:
    """Yield each limit that some layouts break, with where.

    Args:
        design: terms have one dimension, that of the layouts.
        size: layouts.
        tokens: fewest prompt tokens of a step.
    """
    load = design.load
    prompt, output = strip_count_unit(load.prompt), strip_count_unit(load.output)
    context = prompt + (output - 1.0) / 2.0
    with np.errstate(all="ignore"):
        alive, single = plan_single_request(design, context, minimum(prompt, term(tokens)))
        placement = place_memory(design, alive)
    devices = Limit(name="devices", used=single.ranks, available=design.machine.devices)
    for check in check_limits((*design.limits, *single.limits, devices, *placement.limits)):
        if check.broken.any():
            yield check.limit, np.broadcast_to(check.broken, (size,))


def count_reasons(names: Sequence[str], first: _Array) -> dict[str, int]:
    """Return how many points each reason rules out."""
    counts: dict[str, int] = {}
    for name, count in zip(names, np.bincount(first[first >= 0], minlength=len(names)), strict=True):
        if count:
            counts[name] = counts.get(name, 0) + int(count)
    return counts


def count_layouts(columns: Mapping[str, _Array]) -> int:
    """Return how many rows columns have."""
    return len(next(iter(columns.values()))) if columns else 0
