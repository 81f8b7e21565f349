"""Quantities that follow from several fields: how a spec class declares them, and how they are read off a block.

    def pin_rate(block: Component) -> float | None:
        rate, stacks = value(block, "bandwidth"), value(block, "stacks")
        return None if rate is None or stacks is None else rate / stacks / 1024

    @spec(kind="memory", derived=(derived("rate of a pin", "b/s", pin_rate, by="class", usual={"hbm3": (4e9, 7e9)}, ...),))

What a description leaves out is not guessed: the function returns None, and nothing is said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING

from accelscope.dsl.schema.schema import DerivedQuantity
from accelscope.dsl.values.units import built_in_unit_table
from accelscope.dsl.values.values import Quantity

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

QuantityReader = Callable[["Component"], float | None]
_INSIDE = ("package", "die", "core")


def declare_derived(
    name: str,
    unit: str,
    of: QuantityReader,
    *,
    usual: Mapping[str, tuple[float, float]] | tuple[float, float],
    source: str,
    by: str = "",
    at: str = "",
    notes: Callable[[Component], tuple[str, ...]] | None = None,
    help: str = "",
) -> DerivedQuantity:
    """Declare a derived quantity.

    Args:
        name: what it is.
        unit: unit of the ranges and of messages.
        of: a block to the value in base units, or None.
        usual: (low, high), or such ranges by the word of a field; `math.inf` for no upper end.
        source: where the ranges come from.
        by: the field whose word chooses a range.
        at: the field that a warning points at.
        notes: a block to what a warning also says.
        help: what to do about a value beyond the range; empty for the usual slips of units and counts.
    """
    scale = built_in_unit_table().parse(unit)[0] if unit else 1.0
    ranges = {"": usual} if isinstance(usual, tuple) else usual
    scaled = {word: (low * scale, high * scale) for word, (low, high) in ranges.items()}
    return DerivedQuantity(
        name=name,
        of=of,
        unit=unit,
        scale=scale,
        usual=scaled,
        by=by,
        at=at,
        source=source,
        notes=notes,
        help=help,
    )


def read_field_number(block: Component, field: str) -> float | None:
    """Return a field's number in base units, or None where it is absent, no number or swept."""
    attribute = block.attributes().get(field)
    return None if attribute is None else extract_number(attribute.value)


def extract_number(found: object) -> float | None:
    """Return the magnitude of a quantity that is one number."""
    if not isinstance(found, Quantity) or not isinstance(found.magnitude, int | float):
        return None
    return float(found.magnitude)


def count_block_instances(block: Component) -> float:
    """Return how many instances a block stands for where it is; 1 where that is swept."""
    return extract_number(block.count) or 1.0


def make_field_reader(field: str) -> QuantityReader:
    """Return a reader of one field, for ranges that depend on the word of another."""
    return lambda block: read_field_number(block, field)


def make_ratio_reader(top: QuantityReader, bottom: QuantityReader) -> QuantityReader:
    """Return a reader of a quotient."""

    def read(block: Component) -> float | None:
        over, under = top(block), bottom(block)
        return over / under if over is not None and under else None

    return read


def walk_nested_blocks(block: Component, kind: str) -> Iterator[tuple[Component, float, float | None]]:
    """Yield the blocks of a kind in a package with their number and the nearest clock in cycle/s."""
    yield from _within(block, kind, 1.0, read_field_number(block, "clock"))


def _within(
    block: Component, kind: str, count: float, clock: float | None
) -> Iterator[tuple[Component, float, float | None]]:
    for child in block.children():
        inside = count * count_block_instances(child)
        if child.kind == kind:
            yield child, inside, read_field_number(child, "clock") or clock
        if child.kind in _INSIDE:
            yield from _within(child, kind, inside, read_field_number(child, "clock") or clock)
