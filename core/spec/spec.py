"""Spec classes: one declaration of a block's fields that parser checks, docs, completion and evaluation all read.

    @spec(kind="memory", select={"class": ("hbm3", "hbm3e")}, within=("package",))
    class Hbm:
        \"\"\"Stacked DRAM reached at one aggregate bandwidth.\"\"\"

        capacity: Term = quantity("B", doc="usable bytes of one stack", gt=0)
        bandwidth: Term = quantity("B/s", doc="peak bandwidth of one stack", gt=0)
        efficiency: Term = fraction(doc="achieved share of peak", default=0.8, source="...")

A trailing underscore of a Python name is dropped in a text (`class_` is written `class`). A field without a default
is required by an evaluation unless it is `optional`, and then None stands for an absent value.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, dataclass_transform

import attrs

from accelscope.core.errors import ModelError
from accelscope.core.spec.fields import (
    CHILD_KEY,
    ENTRIES_KEY,
    FIELD_KEY,
    anything,
    block,
    blocks,
    choice,
    constructor,
    count,
    date,
    flag,
    fraction,
    free_entries,
    listing,
    quantity,
    ref,
    text,
)
from accelscope.dsl.schema.schema import BlockSchema, DerivedQuantity, FieldSchema
from accelscope.dsl.values.units import UnitTable, built_in_unit_table

__all__ = [
    "anything",
    "block",
    "blocks",
    "build_block_schema",
    "children_of",
    "choice",
    "constructor",
    "count",
    "date",
    "fields_of",
    "flag",
    "fraction",
    "free_entries",
    "free_entries_of",
    "listing",
    "quantity",
    "read_spec_info",
    "ref",
    "spec",
    "text",
    "written_name",
]

_T = TypeVar("_T")


@dataclass_transform(
    kw_only_default=True,
    frozen_default=True,
    eq_default=False,
    field_specifiers=(
        quantity,
        fraction,
        count,
        choice,
        text,
        date,
        flag,
        listing,
        constructor,
        ref,
        block,
        blocks,
        free_entries,
        anything,
    ),
)
def spec(
    *,
    kind: str,
    select: Mapping[str, Sequence[str]] | None = None,
    default: bool = True,
    within: Sequence[str] = ("*",),
    cited: bool = True,
    derived: Sequence[DerivedQuantity] = (),
    aliases: Sequence[str] = (),
) -> Callable[[type[_T]], type[_T]]:
    """Turn a class into a frozen, keyword-only spec of a kind of block.

    Args:
        kind: the word in front of the label; `deployment.memory` is a `memory` in a `deployment`.
        select: one field and the values of it that choose this spec among those of its kind.
        default: whether it also reads blocks that do not give the selecting field.
        within: kinds of block that it may stand in; "file" is the top level, where every labelled block may stand.
        cited: whether its numbers say something about the world, so that a library has to cite a source for them.
        derived: quantities that the values must make plausible together; a warning (A404) says where they do not.
        aliases: former words for the kind, which texts may still use.
    """

    def decorate(cls: type[_T]) -> type[_T]:
        if not (cls.__doc__ or "").strip():
            raise ModelError(f"spec {cls.__name__} needs a docstring")
        made: Any = attrs.frozen(kw_only=True, eq=False, slots=False)(cls)
        made.__accel__ = {
            "kind": kind,
            "select": {key: tuple(values) for key, values in (select or {}).items()},
            "default": default,
            "within": tuple(within),
            "cited": cited,
            "derived": tuple(derived),
            "aliases": tuple(aliases),
        }
        return made  # type: ignore[no-any-return]

    return decorate


def read_spec_info(cls: type) -> dict[str, Any]:
    """Return what `spec` was told about a class; raise ModelError for a class that is no spec."""
    found = getattr(cls, "__accel__", None)
    if found is None:
        raise ModelError(f"{cls.__name__} is not decorated with @spec")
    return dict(found)


def written_name(python_name: str) -> str:
    """Return how a field is written in a text."""
    return python_name.rstrip("_")


def build_block_schema(cls: type, model: str, units: UnitTable | None = None) -> BlockSchema:
    """Return the plain schema of a spec class for the language."""
    table = units or built_in_unit_table()
    told = read_spec_info(cls)
    fields = {
        written_name(item.name): _field_schema(written_name(item.name), item.metadata[FIELD_KEY], table)
        for item in attrs.fields(cls)
        if FIELD_KEY in item.metadata
    }
    kind = str(told["kind"])
    return BlockSchema(
        kind=kind,
        model=model,
        doc=(cls.__doc__ or "").strip().split("\n")[0],
        fields=fields,
        within=told["within"],
        entries=_entries_schema(cls, table),
        cited=told["cited"],
        derived=told["derived"],
        aliases=told["aliases"],
    )


def fields_of(cls: type) -> dict[str, dict[str, Any]]:
    """Return what each field of a spec declares, by Python name."""
    return {
        item.name: dict(item.metadata[FIELD_KEY]) for item in attrs.fields(cls) if FIELD_KEY in item.metadata
    }


def children_of(cls: type) -> dict[str, dict[str, Any]]:
    """Return the inner blocks that a spec takes, by Python name: kind, doc, many, required."""
    return {
        item.name: dict(item.metadata[CHILD_KEY]) for item in attrs.fields(cls) if CHILD_KEY in item.metadata
    }


def free_entries_of(cls: type) -> tuple[str, dict[str, Any]] | None:
    """Return the Python name and the declaration of the free-named entries of a spec, or None."""
    for item in attrs.fields(cls):
        if ENTRIES_KEY in item.metadata:
            return item.name, dict(item.metadata[ENTRIES_KEY])
    return None


def _entries_schema(cls: type, table: UnitTable) -> FieldSchema | None:
    found = free_entries_of(cls)
    if found is None:
        return None
    units = tuple(found[1]["units"])
    dimensions = tuple(table.parse(unit)[1] for unit in units)
    return FieldSchema(
        name="*",
        type="quantity",
        doc=found[1]["doc"],
        units=units,
        dimensions=dimensions,
        choices=found[1]["names"],
        gt=0,
    )


def _field_schema(name: str, about_field: Mapping[str, Any], table: UnitTable) -> FieldSchema:
    told = dict(about_field)
    units = tuple(told.pop("units", ()))
    over = told.pop("over", None)
    scale = table.parse(units[0])[0] if units and units[0] else 1.0
    for bound in ("gt", "ge", "lt", "le"):
        if told.get(bound) is not None:
            told[bound] = told[bound] * scale
    if told.get("plausible"):
        told["plausible"] = tuple(limit * scale for limit in told["plausible"])
    if told["type"] == "quantity" and told.get("default") is not None:
        told["default"] = told["default"] * scale
    dimensions = tuple(table.parse(unit)[1] for unit in units)
    return FieldSchema(
        name=name, units=units, dimensions=dimensions, over=table.parse(over)[1] if over else None, **told
    )
