"""The fields of each kind of block, as plain data: the core derives it from the spec classes of the plugins."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from attrs import field, frozen

from accelscope.dsl.values.units import Dimension

ComponentReader: TypeAlias = Callable[[Any], float | None]
"""From a component to a value in base units, or None if the component does not say enough."""
ComponentNotes: TypeAlias = Callable[[Any], tuple[str, ...]]
"""From a component to notes of a warning about it."""


@frozen(kw_only=True)
class FieldSchema:
    """One field of a block.

    Attributes:
        name: the name in a text.
        type: "quantity", "choice", "text", "flag", "date", "list", "mapping", "constructor", "ref" or "any".
        doc: one sentence.
        units: the units in the documentation. A quantity may have any of them.
        dimensions: the dimensions of the units, in the same order.
        over: the dimension of the keys if a quantity may also be a curve, or None.
        required: whether an evaluation needs it; a definition may still leave it open.
        default: value in base units, or text, for the documentation; None if there is none.
        source: the source of the default.
        gt: exclusive lower bound in base units, or None.
        ge: inclusive lower bound in base units, or None.
        lt: exclusive upper bound in base units, or None.
        le: inclusive upper bound in base units, or None.
        plausible: usual range (low, high) in base units; a value outside it gives a warning.
        choices: symbols of a choice, or keys of a mapping; any if empty.
        ref_kinds: kinds of block that a reference may point to.
        text_too: whether a choice or a reference also takes a string.
        integer: whether a quantity must be a whole number.
        planned: whether no installed model reads it yet.
        aliases: former names of the field, which are still accepted.
        symbol_aliases: the present symbol for each former symbol of a choice, which is still accepted.
    """

    name: str
    type: str
    doc: str
    units: tuple[str, ...] = ()
    dimensions: tuple[Dimension, ...] = ()
    over: Dimension | None = None
    required: bool = False
    default: object = None
    source: str | None = None
    gt: float | None = None
    ge: float | None = None
    lt: float | None = None
    le: float | None = None
    plausible: tuple[float, float] | None = None
    choices: tuple[str, ...] = ()
    ref_kinds: tuple[str, ...] = ()
    text_too: bool = False
    integer: bool = False
    planned: bool = False
    aliases: tuple[str, ...] = ()
    symbol_aliases: Mapping[str, str] = field(factory=dict)


@frozen(kw_only=True, eq=False)
class DerivedQuantity:
    """A quantity computed from the fields of a block and of the blocks in it, with its usual range.

    Attributes:
        name: what it is, such as "rate of a pin".
        of: computes the value of a component in base units, or None if the component does not say enough.
        unit: the unit in messages.
        scale: base units in one unit.
        usual: usual range (low, high) in base units for each value of the field `by`; "" for any value.
        by: the field that chooses the range, such as `class`.
        at: the field that a warning points at.
        source: the source of the range.
        notes: gives further notes of a warning, such as the values that the quantity was computed from.
        help: what to do about a value outside the range; empty for common mistakes of units and counts.
    """

    name: str
    of: ComponentReader
    unit: str
    scale: float
    usual: Mapping[str, tuple[float, float]]
    by: str = ""
    at: str = ""
    source: str
    notes: ComponentNotes | None = None
    help: str = ""


@frozen(kw_only=True)
class BlockSchema:
    """The fields of one kind of block as one model reads it.

    Attributes:
        kind: the word in front of the label, such as `memory`.
        model: the name of the model that reads it, such as `dram`.
        doc: one sentence.
        fields: the fields by name.
        within: kinds of block that it may be in; "file" is the top level, "*" is anywhere.
        entries: the field that each free entry of a block such as `ops { bf16 = ... }` must fit, or None; its
            `choices` are the allowed names, any if empty.
        cited: whether its numbers, and those of blocks in it, describe real parts and need a source; a question such
            as a workload needs none.
        derived: quantities that must be plausible.
        aliases: former words for the kind, which are still accepted.
    """

    kind: str
    model: str
    doc: str
    fields: Mapping[str, FieldSchema]
    within: tuple[str, ...] = ("*",)
    entries: FieldSchema | None = None
    cited: bool = True
    derived: tuple[DerivedQuantity, ...] = ()
    aliases: tuple[str, ...] = ()


@frozen(kw_only=True)
class KindSchema:
    """All models of a kind of block. The value of one field, the selector, decides which model reads a block.

    Attributes:
        kind: the kind, such as `memory`.
        selector: the name of the field, such as `class`, or None if one model reads all blocks.
        variants: the schema for each value of the selector; several values may share one.
        default: the schema of a block without the selector, or None if it is required.
    """

    kind: str
    selector: str | None = None
    variants: Mapping[str, BlockSchema] = field(factory=dict)
    default: BlockSchema | None = None

    def selected_by_label(self, label: str) -> str | None:
        """Return the value of the selector that the label of a block implies, or None.

        `engine vector { ... }` is read like `engine vector { kind = vector, ... }`.
        """
        return label if label in self.variants else None

    def schema_for(self, selected: str | None) -> BlockSchema | None:
        """Return the schema for a value of the selector."""
        if selected is None or self.selector is None:
            return self.default
        return self.variants.get(selected)

    def all_fields(self) -> dict[str, FieldSchema]:
        """Return the fields of all models, for blocks whose model is not known."""
        fields: dict[str, FieldSchema] = {}
        for schema in self.blocks():
            fields.update(schema.fields)
        return fields

    @property
    def cited(self) -> bool:
        """Whether numbers in blocks of this kind need a source."""
        return all(schema.cited for schema in self.blocks())

    @property
    def aliases(self) -> tuple[str, ...]:
        """Former words for the kind."""
        return tuple(dict.fromkeys(name for schema in self.blocks() for name in schema.aliases))

    def blocks(self) -> tuple[BlockSchema, ...]:
        """Return the schemas of all models."""
        return (*self.variants.values(), *((self.default,) if self.default else ()))

    @property
    def within(self) -> tuple[str, ...]:
        """Kinds of block that this kind may be in."""
        return tuple(dict.fromkeys(name for schema in self.blocks() for name in schema.within))


Schemas = Mapping[str, KindSchema]
"""Schemas by kind; a key such as `deployment.memory`, for a `memory` in a `deployment`, takes precedence over `memory`."""


def schema_of_kind(schemas: Schemas, kind: str, parent_kind: str | None) -> KindSchema | None:
    """Return the schemas of a kind of block inside another kind, which may have one of its own.

    Args:
        schemas: all schemas.
        kind: the kind of the block.
        parent_kind: the kind of the block around it.
    """
    return schemas.get(f"{parent_kind}.{kind}") or schemas.get(kind)
