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
from accelscope.core.spec.declarations import (
    ChildDeclaration,
    EntriesDeclaration,
    FieldDeclaration,
    SpecDeclaration,
)
from accelscope.core.spec.fields import (
    FIELD_KEY,
    anything,
    choice,
    constructor,
    count,
    date,
    flag,
    fraction,
    listing,
    quantity,
    ref,
    text,
)
from accelscope.core.spec.inner_blocks import (
    CHILD_KEY,
    ENTRIES_KEY,
    RECORD_BLOCKS_KEY,
    block,
    blocks,
    free_entries,
    record_blocks,
)
from accelscope.dsl.schema.schema import BlockSchema, DerivedQuantity
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
    "record_blocks",
    "record_blocks_of",
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
        record_blocks,
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
        within: kinds of block that it may be in; "file" is the top level, where every labelled block is allowed.
        cited: whether its numbers describe real parts, so that a library has to cite a source for them.
        derived: quantities that must be plausible; if one is not, there is a warning (A404).
        aliases: former words for the kind, which are still accepted.
    """

    def decorate(cls: type[_T]) -> type[_T]:
        if not (cls.__doc__ or "").strip():
            raise ModelError(f"spec {cls.__name__} needs a docstring")
        made: Any = attrs.frozen(kw_only=True, eq=False, slots=False)(cls)
        made.__accel__ = SpecDeclaration(
            kind=kind,
            select={key: tuple(values) for key, values in (select or {}).items()},
            default=default,
            within=tuple(within),
            cited=cited,
            derived=tuple(derived),
            aliases=tuple(aliases),
        )
        return made  # type: ignore[no-any-return]

    return decorate


def read_spec_info(cls: type) -> SpecDeclaration:
    """Return the declaration of a spec class; raise ModelError for another class."""
    declaration = getattr(cls, "__accel__", None)
    if not isinstance(declaration, SpecDeclaration):
        raise ModelError(f"{cls.__name__} is not decorated with @spec")
    return declaration


def written_name(python_name: str) -> str:
    """Return how a field is written in a text."""
    return python_name.rstrip("_")


def build_block_schema(cls: type, model: str, units: UnitTable | None = None) -> BlockSchema:
    """Return the schema of a spec class for the language.

    Args:
        cls: the spec class.
        model: the name of the model that reads the block.
        units: the known units; the built-in ones if None.
    """
    table = units or built_in_unit_table()
    declaration, entries = read_spec_info(cls), free_entries_of(cls)
    written = {written_name(name): field for name, field in fields_of(cls).items()}
    return BlockSchema(
        kind=declaration.kind,
        model=model,
        doc=(cls.__doc__ or "").strip().split("\n")[0],
        fields={name: field.schema(name, table) for name, field in written.items()},
        within=declaration.within,
        entries=None if entries is None else entries[1].schema(table),
        cited=declaration.cited,
        derived=declaration.derived,
        aliases=declaration.aliases,
    )


def fields_of(cls: type) -> dict[str, FieldDeclaration]:
    """Return the declarations of the fields of a spec, by Python name."""
    return {item.name: item.metadata[FIELD_KEY] for item in attrs.fields(cls) if FIELD_KEY in item.metadata}


def children_of(cls: type) -> dict[str, ChildDeclaration]:
    """Return the declarations of the inner blocks of a spec, by Python name."""
    return {item.name: item.metadata[CHILD_KEY] for item in attrs.fields(cls) if CHILD_KEY in item.metadata}


def record_blocks_of(cls: type) -> tuple[str, type] | None:
    """Return the Python name and the class of records of the inner blocks that records read, or None."""
    for item in attrs.fields(cls):
        if RECORD_BLOCKS_KEY in item.metadata:
            return item.name, item.metadata[RECORD_BLOCKS_KEY][0]
    return None


def free_entries_of(cls: type) -> tuple[str, EntriesDeclaration] | None:
    """Return the Python name and the declaration of the free entries of a spec, or None."""
    for item in attrs.fields(cls):
        if ENTRIES_KEY in item.metadata:
            return item.name, item.metadata[ENTRIES_KEY]
    return None
