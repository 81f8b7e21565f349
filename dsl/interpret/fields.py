"""What the schemas say about a block where it stands, prepared for quick questions during evaluation."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from accelscope.dsl.schema.schema import FieldSchema, KindSchema, Schemas, schema_of_kind

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

TOP_LEVEL_KIND = "file"
"""The kind that definitions stand in."""


def kind_and_parent(component: Component) -> tuple[str, str]:
    """Return the kind of a component and of what it stands in."""
    return component.kind, component.parent.kind if component.parent is not None else TOP_LEVEL_KIND


class SchemaIndex:
    """The fields, words and inner blocks of every kind."""

    __slots__ = ("_fields", "_inside", "_kinds", "_names", "_symbols", "_words", "former", "schemas")

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self._fields: dict[tuple[str, str], dict[str, FieldSchema]] = {}
        self._words: dict[tuple[str, str], dict[str, frozenset[str] | None]] = {}
        self._inside: dict[str, tuple[str, ...]] = {}
        self._names: dict[tuple[str, str], dict[str, str]] = {}
        self._symbols: dict[tuple[str, str], dict[str, dict[str, str]]] = {}
        self._kinds = {
            alias: name.rpartition(".")[2] for name, schema in schemas.items() for alias in schema.aliases
        }
        self.former = _former_names(schemas, self._kinds)

    def schema(self, component: Component) -> KindSchema | None:
        """Return the schemas of a component's kind where it stands."""
        kind, parent = kind_and_parent(component)
        return schema_of_kind(self.schemas, kind, parent)

    def of(self, component: Component) -> dict[str, FieldSchema]:
        """Return the fields of a component in any model of its kind."""
        place = kind_and_parent(component)
        found = self._fields.get(place)
        if found is None:
            schema = self.schema(component)
            found = self._fields[place] = schema.all_fields() if schema else {}
        return found

    def takes_word(self, component: Component, name: str, word: str) -> bool:
        """Say whether a field takes a word as such, whatever else may be called so."""
        place = kind_and_parent(component)
        words = self._words.get(place)
        if words is None:
            words = self._words[place] = _words(self.schema(component))
        if name not in words:
            return False
        known = words[name]
        return known is None or word in known

    def present_name(self, component: Component, name: str) -> str:
        """Return the present name of a field or inner block of a component for a former one, else the name."""
        return self.present_name_in(*kind_and_parent(component), name)

    def present_name_in(self, kind: str, parent: str, name: str) -> str:
        """Return the present name of a field or inner block of a kind for a former one, else the name."""
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
        """Return the present word for a kind of block in another kind for a former one, else the word."""
        if kind not in self._kinds or schema_of_kind(self.schemas, kind, parent) is not None:
            return kind
        return self._kinds[kind]

    def symbol_aliases(self, component: Component, name: str) -> dict[str, str]:
        """Return the former symbols of a choice to its present ones."""
        place = kind_and_parent(component)
        symbols = self._symbols.get(place)
        if symbols is None:
            symbols = self._symbols[place] = _symbol_aliases(self.schema(component))
        return symbols.get(name, {})

    def inner_kinds(self, kind: str) -> tuple[str, ...]:
        """Return the kinds of block that say by name that they may stand in a kind."""
        found = self._inside.get(kind)
        if found is None:
            names = []
            for name, schema in self.schemas.items():
                outer, _, inner = name.rpartition(".")
                if kind in schema.within:
                    names.append(inner if outer in self.schemas else name)
            found = self._inside[kind] = tuple(dict.fromkeys(names))
        return found

    def may_hold(self, kind: str, inner: str) -> bool:
        """Say whether a block of a kind may hold a block of another kind."""
        schema = schema_of_kind(self.schemas, inner, kind)
        return schema is not None and (kind in schema.within or "*" in schema.within)


def _words(schema: KindSchema | None) -> dict[str, frozenset[str] | None]:
    """Return the words that each field takes: the choices of all models, or None for any word."""
    if schema is None:
        return {}
    found: dict[str, frozenset[str] | None] = {}
    for block in (*schema.variants.values(), *((schema.default,) if schema.default else ())):
        for field in block.fields.values():
            if field.type == "choice":
                before = found.get(field.name, frozenset())
                every = before is None or not field.choices
                words = (*(before or ()), *field.choices, *field.symbol_aliases)
                found[field.name] = None if every else frozenset(words)
    if schema.selector:
        found[schema.selector] = frozenset(schema.variants) | (found.get(schema.selector) or frozenset())
    return found


def _field_aliases(schema: KindSchema | None) -> dict[str, str]:
    """Return the former names of the fields of a kind to the present ones; a field that is called so comes first."""
    fields = schema.all_fields() if schema is not None else {}
    found: dict[str, str] = {}
    for block in schema.blocks() if schema is not None else ():
        for field in block.fields.values():
            found |= {alias: field.name for alias in field.aliases if alias not in fields}
    return found


def _symbol_aliases(schema: KindSchema | None) -> dict[str, dict[str, str]]:
    """Return the former symbols of the choices of a kind, by the name of the field."""
    found: dict[str, dict[str, str]] = {}
    for block in schema.blocks() if schema is not None else ():
        for field in block.fields.values():
            if field.symbol_aliases:
                found.setdefault(field.name, {}).update(field.symbol_aliases)
    return found


def _former_names(schemas: Schemas, kinds: Mapping[str, str]) -> dict[str, frozenset[str]]:
    """Return every former name of a field or kind to its present names."""
    found: dict[str, frozenset[str]] = {alias: frozenset((kind,)) for alias, kind in kinds.items()}
    for schema in schemas.values():
        for alias, name in _field_aliases(schema).items():
            found[alias] = found.get(alias, frozenset()) | {name}
    return found
