"""The points of a sweep: each numeric axis owns one array dimension; everything else is a variant outside."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from functools import cache
from typing import Any

import attrs
from attrs import frozen

from accelscope.core.numeric.term import Array, Term

CHUNK_POINTS = 65_536
"""Points evaluated at once: arrays of this size stay in a core's cache."""


@frozen(kw_only=True)
class Axis:
    """A swept parameter.

    Attributes:
        name: the path as written.
        unit: of the values as written, or "" for plain numbers and variants.
        values: numbers in `unit`, or names of variants.
        numeric: whether it is an array dimension.
    """

    name: str
    unit: str
    values: tuple[float | str, ...]
    numeric: bool

    @property
    def size(self) -> int:
        """How many values."""
        return len(self.values)


def reshape_along(values: Array, position: int, dimensions: int) -> Array:
    """Return a one-dimensional array shaped to vary along one of several dimensions."""
    shape = [1] * dimensions
    shape[position] = values.size
    return values.reshape(shape)


def format_setting(name: str, value: float | str, unit: str = "") -> str:
    """Return a value of an axis as a text of `--set`."""
    return f"{name} = {value if isinstance(value, str) else f'{value:.12g} {unit}'.strip()}"


def compute_block_sizes(shape: tuple[int, ...], limit: int = CHUNK_POINTS) -> tuple[int, ...]:
    """Return the sizes of blocks of at most `limit` points that cut a grid, whole along the last dimensions."""
    found = list(shape)
    for position, size in enumerate(shape):
        inner = math.prod(shape[position + 1 :])
        found[position] = max(1, min(size, limit // max(inner, 1)))
        if found[position] > 1 or inner <= limit:
            break
    return tuple(found)


def iterate_chunk_slices(shape: tuple[int, ...], limit: int = CHUNK_POINTS) -> Iterator[tuple[slice, ...]]:
    """Yield slices that cut a grid into blocks of at most `limit` points, whole along the last dimensions."""
    sizes = compute_block_sizes(shape, limit)
    starts = [range(0, size, step) for size, step in zip(shape, sizes, strict=True)]
    for corner in itertools.product(*starts):
        yield tuple(slice(at, at + step) for at, step in zip(corner, sizes, strict=True))


def slice_terms(value: Any, where: tuple[slice, ...]) -> Any:
    """Return a copy of any nest of attrs classes, tuples and mappings with every term cut to a block of the grid."""
    return _mapped(value, lambda item: _cut(item, where))


def _cut(item: Term, where: tuple[slice, ...]) -> Term:
    return item if item.value.ndim == 0 else Term(slice_array(item.value, where), item.dimension)


def slice_array(array: Array, where: tuple[slice, ...]) -> Array:
    """Return the part of an array that belongs to a block of the grid; what does not vary along an axis stays."""
    index = tuple(part if size > 1 else slice(None) for part, size in zip(where, array.shape, strict=False))
    return array[index]


def _mapped(value: Any, change: Callable[[Term], Term]) -> Any:
    if isinstance(value, Term):
        return change(value)
    if isinstance(value, tuple):
        items = tuple([_mapped(item, change) for item in value])
        return items if any(new is not old for new, old in zip(items, value, strict=True)) else value
    if isinstance(value, dict):
        return {key: _mapped(item, change) for key, item in value.items()}
    changed = {}
    cls: type = type(value)
    for name in _fields(cls):
        old = getattr(value, name)
        new = _mapped(old, change)
        if new is not old:
            changed[name.lstrip("_")] = new
    return attrs.evolve(value, **changed) if changed else value


@cache
def _fields(cls: type) -> tuple[str, ...]:
    """Return the names of the fields in which terms may lie."""
    if not attrs.has(cls) or cls.__module__.startswith("accelscope.dsl"):
        return ()
    return tuple(item.name for item in attrs.fields(cls))
