"""The layouts of a model on a system: every split that its devices, heads, layers and experts allow, as columns of numbers.

A column has one number for each layout. What a strategy refuses beyond that, and what memory does not hold, the
evaluation of the layouts says.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import numpy as np
from attrs import frozen

_Array = np.ndarray[Any, np.dtype[Any]]
LayoutColumns = dict[str, _Array]

TRIED_LOADS = tuple(2**n for n in range(11))
"""Sequences at once that are tried where the load does not say: 1 to 1024."""
TRIED_CHUNKS = (512, 2048, 8192)
"""Prompt tokens of a step that are tried: 8,192 and 2,048 are what vLLM, SGLang and TensorRT-LLM start with on large and
small devices, and 512 was vLLM's first; fewer make steps shorter for those that decode, more make prompts quicker."""
CONTEXT_DEGREES = (1, 2, 4, 8)
"""Degrees of context parallelism."""
MOST_STAGES = 16
"""Pipeline stages beyond which no layout is tried."""


@frozen(kw_only=True)
class LayoutSizes:
    """What splits depend on.

    Attributes:
        devices: that a layout may use.
        group: devices that are paid for together.
        experts: 0 or 1 for a dense model.
    """

    devices: int
    group: int
    heads: int
    layers: int
    experts: int


def list_layouts(sizes: LayoutSizes, replicas: Sequence[int] | None) -> LayoutColumns:
    """Return every split: tensor, pipeline, context, data and expert parallelism.

    Args:
        sizes: devices, and sizes of the model that degrees divide.
        replicas: numbers of replicas to try; None for one, and as many as fill the devices that are paid for together.
    """
    rows: set[tuple[int, ...]] = set()
    for tp in list_divisors(sizes.heads, sizes.devices):
        for pp in list_stage_counts(sizes.layers, sizes.devices // tp):
            for cp in CONTEXT_DEGREES:
                single = tp * pp * cp
                if single <= sizes.devices:
                    rows.update(_spread(sizes, (tp, pp, cp), _replicas(sizes, single, replicas)))
    table = np.array(sorted(rows), dtype=np.int64).reshape(-1, 6)
    return dict(zip(("tp", "pp", "cp", "dp", "dp_attention", "ep"), table.T, strict=True))


def _replicas(sizes: LayoutSizes, single: int, asked: Sequence[int] | None) -> tuple[int, ...]:
    """Return the numbers of replicas to try of a split over some devices."""
    room = sizes.devices // single
    if asked is None:
        return tuple(sorted({1, max(1, min(room, sizes.group // single))}))
    return tuple(sorted({n for n in (*list_powers_of_two(room), room) if n <= max(asked)}))


def _spread(
    sizes: LayoutSizes, single: tuple[int, int, int], replicas: Iterable[int]
) -> Iterator[tuple[int, ...]]:
    """Yield the replicas of a split with the ways to place experts: on the ranks of a replica, or over replicas of the
    attention."""
    tp = single[0]
    inside = [ep for ep in list_powers_of_two(tp) if ep == 1 or sizes.experts % ep == 0 < sizes.experts]
    for dp in replicas:
        yield from ((*single, dp, 1, ep) for ep in inside)
    if sizes.experts <= 1:
        return
    for dp in list_powers_of_two(sizes.devices // math.prod(single))[1:]:
        wide = [ep for ep in list_powers_of_two(tp * dp) if ep > tp and sizes.experts % ep == 0]
        yield from ((*single, 1, dp, ep) for ep in wide)


def expand_choices(columns: Mapping[str, _Array], **choices: Sequence[int]) -> LayoutColumns:
    """Return every row of some columns with every combination of further choices; the last choice varies fastest."""
    found = dict(columns)
    for name, values in choices.items():
        count = len(next(iter(found.values()))) if found else 1
        found = {key: np.repeat(column, len(values)) for key, column in found.items()}
        found[name] = np.tile(np.array(values, dtype=np.int64), count)
    return found


def take_layouts(columns: Mapping[str, _Array], where: _Array) -> LayoutColumns:
    """Return some rows of columns."""
    return {name: column[where] for name, column in columns.items()}


def cross_layouts(one: Mapping[str, _Array], other: Mapping[str, _Array]) -> LayoutColumns:
    """Return every row of one table with every row of another."""
    first, second = (len(next(iter(table.values()))) for table in (one, other))
    left = {name: np.repeat(column, second) for name, column in one.items()}
    return left | {name: np.tile(column, first) for name, column in other.items()}


def list_divisors(size: int, most: int) -> tuple[int, ...]:
    """Return the degrees up to some number that divide a size."""
    return tuple(n for n in range(1, min(max(size, 1), most) + 1) if size % n == 0) or (1,)


def list_powers_of_two(most: int) -> tuple[int, ...]:
    """Return 1, 2, 4, ... up to some number."""
    return tuple(2**n for n in range(max(most, 1).bit_length()))


def list_stage_counts(layers: int, most: int) -> tuple[int, ...]:
    """Return the pipeline degrees that are the fewest stages for the layers of their largest one."""
    degrees = {-(-layers // size) for size in range(1, max(layers, 1) + 1)}
    return tuple(sorted(n for n in degrees if n <= min(most, MOST_STAGES))) or (1,)
