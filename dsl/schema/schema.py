"""What a kind of block may hold, as plain data: the core derives it from the plugins' spec classes."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from attrs import field, frozen

from accelscope.dsl.values.units import Dimension

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component


@frozen(kw_only=True)
class FieldSchema:
    """One field of a block.

    Attributes:
        name: as written in a text.
        type: "quantity", "choice", "text", "flag", "date", "list", "mapping", "constructor", "ref" or "any".
        units: unit texts as documented; `dimensions` are theirs, in the same order. A quantity fits any of them.
        over: for a quantity that may also be a curve, the dimension of its keys.
        doc: one sentence.
        required: an evaluation cannot do without it; a definition may still leave it open.
        default: value in base units, or text, for the documentation; None without one.
        source: where the default comes from.
        gt, ge, lt, le: bounds in base units.
        plausible: (low, high) in base units beyond which a value is suspicious.
        choices: symbols of a choice, or keys of a mapping (empty: any).
        ref_kinds: kinds that a reference may point to.
        text_too: a choice or reference also takes a string.
        integer: a quantity must be a whole number.
        planned: no installed model reads it yet.
        aliases: former names of the field, which texts may still use.
        symbol_aliases: former symbols of a choice, which texts may still use, to the present ones.
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
    """A quantity that follows from the fields of a block and of blocks in it, and what it is of parts in practice.

    Attributes:
        name: what it is, such as "rate of a pin".
        of: a block to the value in base units, or None where the block does not say enough.
        unit, scale: the unit that messages use, and how many base units it is.
        usual: (low, high) in base units by the word that `by` has in the block; "" for any word.
        by: field whose word chooses the range, such as `class`.
        at: field that a warning points at.
        source: where the range comes from.
        notes: a block to what a warning also says, such as the values behind the quantity.
        help: what to do about a value beyond the range; empty for the usual slips of units and counts.
    """

    name: str
    of: Callable[[Component], float | None]
    unit: str
    scale: float
    usual: Mapping[str, tuple[float, float]]
    by: str = ""
    at: str = ""
    source: str
    notes: Callable[[Component], tuple[str, ...]] | None = None
    help: str = ""


@frozen(kw_only=True)
class BlockSchema:
    """The fields of one kind of block as one model reads it.

    Attributes:
        kind: the word in front of the label, such as `memory`.
        model: name of the model that reads it, such as `dram`.
        fields: by name.
        within: kinds of block that it may stand in; "file" is the top level, "*" anywhere.
        entries: for a block of free-named fields such as `ops { bf16 = ... }`, what each of them must be; its
            `choices` are the allowed names (empty: any name).
        cited: whether its numbers, and those of blocks in it, say something about the world and need a source; a
            question such as a workload needs none.
        derived: quantities that its values must make plausible together.
        aliases: former words for the kind, which texts may still use.
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
    """All models of a kind; which one reads a block is decided by the value of one field.

    Attributes:
        kind: such as `memory`.
        selector: name of the deciding field, such as `class`, or None where one model reads all.
        variants: selector value to schema; several values may share one.
        default: the schema of a block that does not give the selector, or None where it must.
    """

    kind: str
    selector: str | None = None
    variants: Mapping[str, BlockSchema] = field(factory=dict)
    default: BlockSchema | None = None

    def selected_by_label(self, label: str) -> str | None:
        """Return the label of a block that does not give the selector, where it names a value of it.

        So `engine vector { ... }` is read like `engine vector { kind = vector, ... }`.
        """
        return label if label in self.variants else None

    def schema_for(self, selected: str | None) -> BlockSchema | None:
        """Return the schema that reads a block with this selector value."""
        if selected is None or self.selector is None:
            return self.default
        return self.variants.get(selected)

    def all_fields(self) -> dict[str, FieldSchema]:
        """Return the fields of all variants, for blocks whose model is still open."""
        found: dict[str, FieldSchema] = {}
        for schema in self.blocks():
            found.update(schema.fields)
        return found

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
        """Kinds of block that this kind may stand in."""
        return tuple(dict.fromkeys(name for schema in self.blocks() for name in schema.within))


Schemas = Mapping[str, KindSchema]
"""By kind; a key such as `deployment.memory` is for a `memory` block in a `deployment` and goes before `memory`."""


def schema_of_kind(schemas: Schemas, kind: str, parent_kind: str | None) -> KindSchema | None:
    """Return the schemas of a kind of block where it stands: the parent's own first, then the general one."""
    return schemas.get(f"{parent_kind}.{kind}") or schemas.get(kind)
