"""What the schemas say of a block where it stands, prepared for fast lookups during evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from accelscope.dsl.schema.schema import FieldSchema, KindSchema, Schemas, schema_of_kind

TOP_LEVEL_KIND = "file"
"""The kind of the top level, which definitions stand in."""


class PlacedBlock(Protocol):
    """A block that has a kind and perhaps a block around it."""

    @property
    def kind(self) -> str:
        """The word in front of the label."""

    @property
    def parent(self) -> PlacedBlock | None:
        """The block around it, or None at the top of a file."""


def kind_and_parent(block: PlacedBlock) -> tuple[str, str]:
    """Return the kind of a block and the kind of the block around it."""
    return block.kind, block.parent.kind if block.parent is not None else TOP_LEVEL_KIND


class SchemaIndex:
    """The fields, words and inner blocks of every kind.

    Attributes:
        schemas: the schemas by kind.
        former: the present names for each former name of a field or kind.
    """

    __slots__ = ("_fields", "_inner_kinds", "_kinds", "_names", "_symbols", "_words", "former", "schemas")

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self._fields: dict[tuple[str, str], dict[str, FieldSchema]] = {}
        self._words: dict[tuple[str, str], dict[str, frozenset[str] | None]] = {}
        self._inner_kinds: dict[str, tuple[str, ...]] = {}
        self._names: dict[tuple[str, str], dict[str, str]] = {}
        self._symbols: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
        self._kinds = {
            alias: name.rpartition(".")[2] for name, schema in schemas.items() for alias in schema.aliases
        }
        self.former = _former_names(schemas, self._kinds)

    def schema(self, block: PlacedBlock) -> KindSchema | None:
        """Return the schemas of the kind of a block where it stands."""
        kind, parent = kind_and_parent(block)
        return schema_of_kind(self.schemas, kind, parent)

    def of(self, block: PlacedBlock) -> dict[str, FieldSchema]:
        """Return the fields of a block in any model of its kind."""
        place = kind_and_parent(block)
        fields = self._fields.get(place)
        if fields is None:
            schema = self.schema(block)
            fields = self._fields[place] = schema.all_fields() if schema else {}
        return fields

    def takes_word(self, block: PlacedBlock, name: str, word: str) -> bool:
        """Return whether a field takes a word as such, even if something else has that name.

        Args:
            block: the block that has the field.
            name: the name of the field.
            word: the word.
        """
        place = kind_and_parent(block)
        words = self._words.get(place)
        if words is None:
            words = self._words[place] = _words_by_field(self.schema(block))
        if name not in words:
            return False
        choices = words[name]
        return choices is None or word in choices

    def present_name(self, block: PlacedBlock, name: str) -> str:
        """Return the present name of a field or inner block of a block for a former one, else the name."""
        return self.present_name_in(*kind_and_parent(block), name)

    def present_name_in(self, kind: str, parent: str, name: str) -> str:
        """Return the present name of a field or inner block for a former one, else the name.

        Args:
            kind: the kind of the block that has the field.
            parent: the kind of the block around it.
            name: the name as written.
        """
        if name not in self.former:
            return name
        place = (kind, parent)
        names = self._names.get(place)
        if names is None:
            names = self._names[place] = _field_aliases(schema_of_kind(self.schemas, kind, parent))
        present = names.get(name)
        if present is None and name in self._kinds and self.may_hold(kind, self._kinds[name]):
            present = self._kinds[name]
        return present or name

    def present_kind(self, parent: str, kind: str) -> str:
        """Return the present word for a kind of block in a parent kind for a former one, else the word."""
        if kind not in self._kinds or schema_of_kind(self.schemas, kind, parent) is not None:
            return kind
        return self._kinds[kind]

    def symbol_aliases(self, block: PlacedBlock, name: str) -> dict[str, str]:
        """Return the present symbol for each former symbol of a choice."""
        place = kind_and_parent(block)
        symbols = self._symbols.get(place)
        if symbols is None:
            symbols = self._symbols[place] = _symbol_aliases(self.schema(block))
        return symbols.get(name, {})

    def inner_kinds(self, kind: str) -> tuple[str, ...]:
        """Return the kinds of block that name a kind as the block around them."""
        kinds = self._inner_kinds.get(kind)
        if kinds is None:
            names = []
            for name, schema in self.schemas.items():
                outer, _, inner = name.rpartition(".")
                if kind in schema.within:
                    names.append(inner if outer in self.schemas else name)
            kinds = self._inner_kinds[kind] = tuple(dict.fromkeys(names))
        return kinds

    def may_hold(self, kind: str, inner: str) -> bool:
        """Return whether a block of one kind may hold a block of another kind."""
        schema = schema_of_kind(self.schemas, inner, kind)
        return schema is not None and (kind in schema.within or "*" in schema.within)


def _words_by_field(schema: KindSchema | None) -> dict[str, frozenset[str] | None]:
    """Return the words that each field takes: the choices of all models, or None for any word."""
    if schema is None:
        return {}
    words: dict[str, frozenset[str] | None] = {}
    for block in schema.blocks():
        for field in block.fields.values():
            if field.type == "choice":
                before = words.get(field.name, frozenset())
                takes_any = before is None or not field.choices
                choices = (*(before or ()), *field.choices, *field.symbol_aliases)
                words[field.name] = None if takes_any else frozenset(choices)
    if schema.selector:
        words[schema.selector] = frozenset(schema.variants) | (words.get(schema.selector) or frozenset())
    return words


def _field_aliases(schema: KindSchema | None) -> dict[str, str]:
    """Return the present name for each former name of a field of a kind, unless a field has that name now."""
    fields = schema.all_fields() if schema is not None else {}
    aliases: dict[str, str] = {}
    for block in schema.blocks() if schema is not None else ():
        for field in block.fields.values():
            aliases |= {alias: field.name for alias in field.aliases if alias not in fields}
    return aliases


def _symbol_aliases(schema: KindSchema | None) -> dict[str, dict[str, str]]:
    """Return the present symbol for each former symbol, by the name of the field."""
    aliases: dict[str, dict[str, str]] = {}
    for block in schema.blocks() if schema is not None else ():
        for field in block.fields.values():
            if field.symbol_aliases:
                aliases.setdefault(field.name, {}).update(field.symbol_aliases)
    return aliases


def _former_names(schemas: Schemas, kinds: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return the present names for each former name of a field or kind."""
    names: dict[str, frozenset[str]] = {alias: frozenset((kind,)) for alias, kind in kinds.items()}
    for schema in schemas.values():
        for alias, name in _field_aliases(schema).items():
            names[alias] = names.get(alias, frozenset()) | {name}
    return names
