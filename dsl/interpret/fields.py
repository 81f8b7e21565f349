"""What the schemas say about a block where it stands, prepared for quick questions during evaluation."""

from __future__ import annotations

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

    __slots__ = ("_fields", "_inside", "_words", "schemas")

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self._fields: dict[tuple[str, str], dict[str, FieldSchema]] = {}
        self._words: dict[tuple[str, str], dict[str, frozenset[str] | None]] = {}
        self._inside: dict[str, tuple[str, ...]] = {}

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
                found[field.name] = None if every else frozenset((*(before or ()), *field.choices))
    if schema.selector:
        found[schema.selector] = frozenset(schema.variants) | (found.get(schema.selector) or frozenset())
    return found
