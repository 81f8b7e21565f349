"""What a spec class declares: its kind, its fields, its inner blocks and its free entries, as frozen data."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from attrs import field, frozen

from accelscope.core.errors import ModelError
from accelscope.dsl.schema.schema import DerivedQuantity, FieldSchema
from accelscope.dsl.values.units import UnitTable


@frozen(kw_only=True)
class FieldDeclaration:
    """One field of a spec class, as its author declares it. Numbers are in the first unit.

    Attributes:
        type: "quantity", "choice", "text", "flag", "date", "list", "constructor", "ref" or "any".
        doc: one sentence.
        default: the default, or None if there is none.
        source: the source of the default, or None.
        optional: whether the field may be absent although it has no default.
        units: units such as "B/s"; the first is the one of documentation, bounds and defaults.
        over: the unit of the keys if the value may also be a curve, or None.
        gt: exclusive lower bound, or None.
        ge: inclusive lower bound, or None.
        lt: exclusive upper bound, or None.
        le: inclusive upper bound, or None.
        plausible: usual range (low, high), or None.
        choices: the symbols of a choice or of a constructor; any if empty.
        ref_kinds: the kinds of block that a reference may point to.
        text_too: whether a choice or a reference also takes a string.
        integer: whether a quantity must be a whole number.
        planned: whether no installed model reads the field yet.
        aliases: former names of the field, which are still accepted.
        symbol_aliases: the present symbol for each former symbol, which is still accepted.
    """

    type: str
    doc: str
    default: Any = None
    source: str | None = None
    optional: bool = False
    units: tuple[str, ...] = ()
    over: str | None = None
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

    def __attrs_post_init__(self) -> None:
        if self.default is not None and not self.source:
            raise ModelError(f"a default needs a source: {self.doc!r}")
        if not self.doc:
            raise ModelError("a field needs a doc sentence")

    @property
    def required(self) -> bool:
        """Whether an evaluation needs a value from the description."""
        return self.default is None and not self.optional

    def schema(self, name: str, units: UnitTable) -> FieldSchema:
        """Return the schema of the field for the language, with numbers in base units.

        Args:
            name: the name in a text.
            units: the known units.
        """
        scale = units.parse(self.units[0])[0] if self.units and self.units[0] else 1.0

        def scaled(number: float | None) -> float | None:
            return None if number is None else number * scale

        low_high = self.plausible
        return FieldSchema(
            name=name,
            type=self.type,
            doc=self.doc,
            units=self.units,
            dimensions=tuple(units.parse(unit)[1] for unit in self.units),
            over=units.parse(self.over)[1] if self.over else None,
            required=self.required,
            default=scaled(self.default) if self.type == "quantity" else self.default,
            source=self.source,
            gt=scaled(self.gt),
            ge=scaled(self.ge),
            lt=scaled(self.lt),
            le=scaled(self.le),
            plausible=(low_high[0] * scale, low_high[1] * scale) if low_high else None,
            choices=self.choices,
            ref_kinds=self.ref_kinds,
            text_too=self.text_too,
            integer=self.integer,
            planned=self.planned,
            aliases=self.aliases,
            symbol_aliases=self.symbol_aliases,
        )


@frozen(kw_only=True)
class ChildDeclaration:
    """The inner blocks of one kind that a spec takes.

    Attributes:
        kind: their kind.
        doc: one sentence.
        many: whether there may be several; the value is then a tuple.
        required: whether an evaluation needs one.
    """

    kind: str
    doc: str
    many: bool
    required: bool


@frozen(kw_only=True)
class EntriesDeclaration:
    """The free entries of a spec, such as `ops { bf16 = 512 MAC/cycle }`.

    Attributes:
        units: the units that an entry may have.
        doc: one sentence.
        names: the names that are allowed; any if empty.
    """

    units: tuple[str, ...]
    doc: str
    names: tuple[str, ...]

    def schema(self, units: UnitTable) -> FieldSchema:
        """Return the schema of each entry for the language."""
        return FieldSchema(
            name="*",
            type="quantity",
            doc=self.doc,
            units=self.units,
            dimensions=tuple(units.parse(unit)[1] for unit in self.units),
            choices=self.names,
            gt=0,
        )


@frozen(kw_only=True, eq=False)
class SpecDeclaration:
    """What the decorator `spec` says of a class.

    Attributes:
        kind: the word in front of the label of a block.
        select: the field whose values choose this spec among those of its kind, with these values; empty if it reads all.
        default: whether it also reads blocks without the selecting field.
        within: kinds of block that the block may be in.
        cited: whether its numbers describe real parts and need a source.
        derived: quantities that must be plausible.
        aliases: former words for the kind, which are still accepted.
    """

    kind: str
    select: Mapping[str, tuple[str, ...]]
    default: bool
    within: tuple[str, ...]
    cited: bool
    derived: tuple[DerivedQuantity, ...]
    aliases: tuple[str, ...]
