"""Whether memories on the dies keep up with the memory behind them: achieved bandwidths that follow from a package.

A cache that achieves less than the DRAM behind it slows every byte that passes it. It is most often one that an heir
took over when it raised the DRAM.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import TYPE_CHECKING

from attrs import frozen

from accelscope.core.spec.derived import (
    count_block_instances,
    extract_number,
    read_field_number,
    walk_nested_blocks,
)
from accelscope.dsl.values.units import built_in_unit_table, format_quantity
from accelscope.dsl.values.values import CurveValue

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

_ON_CHIP = frozenset({"cache", "scratchpad", "sram"})
_NOT_BEHIND = _ON_CHIP | {"regfile"}


@frozen(kw_only=True, eq=False)
class _Rate:
    """A memory and the B/s that all its instances achieve."""

    memory: Component
    rate: float

    def __str__(self) -> str:
        _, dimension = built_in_unit_table().parse("B/s")
        return f"`{self.memory.name}` achieves {format_quantity(self.rate, dimension, digits=3)}"


def compute_headroom(package: Component) -> float | None:
    """Return the achieved bandwidth of the slowest memory in front over that of the memory behind."""
    found = _pair(package)
    return found[0].rate / found[1].rate if found is not None else None


def describe_headroom(package: Component) -> tuple[str, ...]:
    """Return the two bandwidths of `headroom` in words."""
    found = _pair(package)
    return (f"{found[0]}, and {found[1]}",) if found is not None else ()


def _pair(package: Component) -> tuple[_Rate, _Rate] | None:
    """Return the slowest memory shared by cores and the fastest memory beside the dies that is no cache."""
    behind = max(_behind(package), key=lambda item: item.rate, default=None)
    if behind is None:
        return None
    front = [item for item in _front(package) if not _meant(item.memory, behind.memory)]
    return (min(front, key=lambda item: item.rate), behind) if front else None


def _behind(package: Component) -> Iterator[_Rate]:
    for memory in package.children("memory"):
        rate = _achieved(memory, count_block_instances(memory), read_field_number(package, "clock"))
        if rate is not None and _class(memory) not in _NOT_BEHIND:
            yield _Rate(memory=memory, rate=rate)


def _front(package: Component) -> Iterator[_Rate]:
    for memory, count, clock in walk_nested_blocks(package, "memory"):
        shared = memory.parent is None or memory.parent.kind != "core"
        rate = _achieved(memory, count, clock)
        if shared and rate is not None and _class(memory) in _ON_CHIP:
            yield _Rate(memory=memory, rate=rate)


def _meant(front: Component, behind: Component) -> bool:
    """Say whether the source of a bandwidth names the memory behind, which says why it is slower than that."""
    attribute = front.attributes()["bandwidth"]
    word = re.compile(rf"\b{re.escape(behind.name)}\b")
    return any(word.search(cite.text) for cite in attribute.origin.cites)


def _achieved(memory: Component, count: float, clock: float | None) -> float | None:
    """Return count x bandwidth x efficiency in B/s; None where one of them cannot be told."""
    rate, share = read_field_number(memory, "bandwidth"), _efficiency(memory)
    if rate is None or share is None:
        return None
    if "cycle" not in str(getattr(memory.attributes()["bandwidth"].value, "dimension", "")):
        return rate * count * share
    return None if clock is None else rate * count * clock * share


def _efficiency(memory: Component) -> float | None:
    """Return the achieved share of the peak, of a curve its largest, else the default of the model that reads it."""
    attribute = memory.attributes().get("efficiency")
    if attribute is None:
        kind = memory.interpreter.fields.schema(memory)
        schema = kind.schema_for(_class(memory) or None) if kind is not None else None
        default = schema.fields["efficiency"].default if schema and "efficiency" in schema.fields else None
        return float(default) if isinstance(default, int | float) else None
    if isinstance(attribute.value, CurveValue):
        shares = [extract_number(item) for _, item in attribute.value.points]
        return max((share for share in shares if share is not None), default=None)
    return extract_number(attribute.value)


def _class(memory: Component) -> str:
    attribute = memory.attributes().get("class")
    return str(getattr(attribute.value, "name", "")) if attribute is not None else ""
