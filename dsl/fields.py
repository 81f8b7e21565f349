"""What the schemas say about a kind of block, prepared for quick questions during evaluation."""

from __future__ import annotations

from collections.abc import Iterable

from accelscope.dsl.schema import FieldSchema, Schemas


class Fields:
    """The fields and places of every kind."""

    __slots__ = ("_choices", "_fields", "_inside", "schemas")

    def __init__(self, schemas: Schemas) -> None:
        self.schemas = schemas
        self._fields: dict[str, dict[str, FieldSchema]] = {}
        self._choices: dict[str, dict[str, frozenset[str]]] = {}
        self._inside: dict[str, tuple[str, ...]] = {}

    def of(self, kind: str) -> dict[str, FieldSchema]:
        """Return the fields of all models of a kind."""
        found = self._fields.get(kind)
        if found is None:
            schema = self.schemas.get(kind)
            found = self._fields[kind] = schema.all_fields() if schema else {}
        return found

    def choices(self, kind: str, name: str) -> frozenset[str]:
        """Return the symbols that a field takes in any model of the kind."""
        found = self._choices.get(kind)
        if found is None:
            found = self._choices[kind] = self._collect(kind)
        return found.get(name, frozenset())

    def _collect(self, kind: str) -> dict[str, frozenset[str]]:
        schema = self.schemas.get(kind)
        if schema is None:
            return {}
        found: dict[str, set[str]] = {}
        blocks = (*schema.variants.values(), *((schema.default,) if schema.default else ()))
        for block in blocks:
            for field in block.fields.values():
                if field.type in ("choice", "list"):
                    found.setdefault(field.name, set()).update(field.choices)
        if schema.selector:
            found.setdefault(schema.selector, set()).update(schema.variants)
        return {name: frozenset(words) for name, words in found.items()}

    def inside(self, kind: str) -> tuple[str, ...]:
        """Return the kinds that may stand in a kind and say so by name."""
        found = self._inside.get(kind)
        if found is None:
            found = tuple(name for name, schema in self.schemas.items() if kind in schema.within)
            self._inside[kind] = found
        return found

    def may_hold(self, kind: str, inner: str) -> bool:
        """Say whether a block of a kind may hold a block of another kind."""
        schema = self.schemas.get(inner)
        return schema is not None and (kind in schema.within or "*" in schema.within)

    def kinds(self) -> Iterable[str]:
        """Return every known kind."""
        return self.schemas.keys()
