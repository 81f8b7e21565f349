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
from accelscope.core.term import term
from accelscope.dsl.schema import BlockSchema, FieldSchema
from accelscope.dsl.units import UnitTable, built_in

_KEY = "accelscope"
_CHILD = "accelscope child"
_ENTRIES = "accelscope entries"
T = TypeVar("T")


def _field(*, default: Any, optional: bool, source: str | None, **about: Any) -> Any:
    given = default is not None
    if given and not source:
        raise ModelError(f"a default needs a source: {about.get('doc')!r}")
    if not about.get("doc"):
        raise ModelError("a field needs a doc sentence")
    about |= {"default": default, "source": source, "required": not given and not optional}
    if about["required"]:
        return attrs.field(metadata={_KEY: about})
    if given and about["type"] == "quantity":
        return attrs.field(default=term(default, about["units"][0]), metadata={_KEY: about})
    return attrs.field(default=default, metadata={_KEY: about})


def quantity(
    *units: str,
    doc: str,
    default: float | None = None,
    source: str | None = None,
    optional: bool = False,
    over: str | None = None,
    gt: float | None = None,
    ge: float | None = None,
    lt: float | None = None,
    le: float | None = None,
    plausible: tuple[float, float] | None = None,
    planned: bool = False,
) -> Any:
    """Declare a number with a dimension; a text may use any of the units' dimensions.

    Args:
        units: unit texts such as "B/s"; the first is the one that documentation and defaults use.
        doc: one sentence.
        default: in the first unit; needs a source.
        source: where the default comes from.
        optional: an absent value is None.
        over: unit of the keys where the value may also be a curve.
        gt, ge, lt, le: bounds in the first unit.
        plausible: (low, high) in the first unit, beyond which a value is suspicious.
        planned: no installed model reads it yet.
    """
    return _field(
        default=default,
        optional=optional or planned,
        source=source,
        type="quantity",
        doc=doc,
        units=units or ("",),
        over=over,
        gt=gt,
        ge=ge,
        lt=lt,
        le=le,
        plausible=plausible,
        planned=planned,
    )


def fraction(
    *,
    doc: str,
    default: float | None = None,
    source: str | None = None,
    optional: bool = False,
    over: str | None = None,
    planned: bool = False,
) -> Any:
    """Declare a plain number above 0 and up to 1."""
    return quantity(
        doc=doc, default=default, source=source, optional=optional, over=over, gt=0, le=1, planned=planned
    )


def count(
    *,
    doc: str,
    unit: str = "",
    default: float | None = None,
    source: str | None = None,
    optional: bool = False,
    ge: float = 1,
    planned: bool = False,
) -> Any:
    """Declare a whole number, by default at least 1; `unit` may be "tok" or "req"."""
    return _field(
        default=default,
        optional=optional or planned,
        source=source,
        type="quantity",
        doc=doc,
        units=(unit,),
        ge=ge,
        integer=True,
        planned=planned,
    )


def choice(
    *choices: str,
    doc: str,
    default: str | None = None,
    source: str | None = None,
    optional: bool = False,
    text_too: bool = False,
    planned: bool = False,
) -> Any:
    """Declare one of some symbols; without choices any symbol. The value is a str."""
    return _field(
        default=default,
        optional=optional or planned,
        source=source,
        type="choice",
        doc=doc,
        choices=choices,
        text_too=text_too,
        planned=planned,
    )


def text(*, doc: str, optional: bool = True) -> Any:
    """Declare a string."""
    return _field(default=None, optional=optional, source=None, type="text", doc=doc)


def date(*, doc: str) -> Any:
    """Declare an optional date."""
    return _field(default=None, optional=True, source=None, type="date", doc=doc)


def flag(*, doc: str, default: bool | None = None, source: str | None = None, planned: bool = False) -> Any:
    """Declare a boolean; without a default it is None where absent."""
    return _field(default=default, optional=True, source=source, type="flag", doc=doc, planned=planned)


def listing(*units: str, doc: str, optional: bool = True, planned: bool = False) -> Any:
    """Declare a list; of quantities where units are given ("" for plain numbers), else of anything."""
    return _field(
        default=None,
        optional=optional or planned,
        source=None,
        type="list",
        doc=doc,
        units=units,
        planned=planned,
    )


def constructor(*choices: str, doc: str, planned: bool = False) -> Any:
    """Declare a called symbol such as `structured(2, 4)`; the choices are the symbols."""
    return _field(
        default=None,
        optional=True,
        source=None,
        type="constructor",
        doc=doc,
        choices=choices,
        planned=planned,
    )


def ref(*kinds: str, doc: str, optional: bool = False, text_too: bool = False, planned: bool = False) -> Any:
    """Declare a reference to a block of one of some kinds; the value is its component, or a str with text_too."""
    return _field(
        default=None,
        optional=optional or planned,
        source=None,
        type="ref",
        doc=doc,
        ref_kinds=kinds,
        text_too=text_too,
        planned=planned,
    )


def block(kind: str, *, doc: str, optional: bool = True) -> Any:
    """Declare one inner block of a kind; the value is its bound spec, or None where absent."""
    return attrs.field(
        metadata={_CHILD: {"kind": kind, "doc": doc, "many": False, "required": not optional}}, default=None
    )


def blocks(kind: str, *, doc: str) -> Any:
    """Declare the inner blocks of a kind; the value is a tuple of `Part`, in the order written."""
    return attrs.field(
        metadata={_CHILD: {"kind": kind, "doc": doc, "many": True, "required": False}}, default=()
    )


def free_entries(*units: str, doc: str, names: Sequence[str] = ()) -> Any:
    """Declare that a block takes free-named quantities, as `ops { bf16 = 512 MAC/cycle }`.

    The value is a mapping from name to Term. `names` are the allowed names; none means any.
    """
    return attrs.field(factory=dict, metadata={_ENTRIES: {"units": units, "doc": doc, "names": tuple(names)}})


def anything(*, doc: str) -> Any:
    """Declare a field that the language checks no further."""
    return _field(default=None, optional=True, source=None, type="any", doc=doc, planned=True)


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
) -> Callable[[type[T]], type[T]]:
    """Turn a class into a frozen, keyword-only spec of a kind of block.

    Args:
        kind: the word in front of the label; `deployment.memory` is a `memory` in a `deployment`.
        select: one field and the values of it that choose this spec among those of its kind.
        default: whether it also reads blocks that do not give the selecting field.
        within: kinds of block that it may stand in; "file" is the top level, where every labelled block may stand.
    """

    def decorate(cls: type[T]) -> type[T]:
        if not (cls.__doc__ or "").strip():
            raise ModelError(f"spec {cls.__name__} needs a docstring")
        made: Any = attrs.frozen(kw_only=True, eq=False, slots=False)(cls)
        made.__accel__ = {
            "kind": kind,
            "select": {key: tuple(values) for key, values in (select or {}).items()},
            "default": default,
            "within": tuple(within),
        }
        return made  # type: ignore[no-any-return]

    return decorate


def about(cls: type) -> dict[str, Any]:
    """Return what `spec` was told about a class; raise ModelError for a class that is no spec."""
    found = getattr(cls, "__accel__", None)
    if found is None:
        raise ModelError(f"{cls.__name__} is not decorated with @spec")
    return dict(found)


def written_name(python_name: str) -> str:
    """Return how a field is written in a text."""
    return python_name.rstrip("_")


def schema_of(cls: type, model: str, units: UnitTable | None = None) -> BlockSchema:
    """Return the plain schema of a spec class for the language."""
    table = units or built_in()
    told = about(cls)
    fields = {
        written_name(item.name): _field_schema(written_name(item.name), item.metadata[_KEY], table)
        for item in attrs.fields(cls)
        if _KEY in item.metadata
    }
    kind = str(told["kind"])
    return BlockSchema(
        kind=kind,
        model=model,
        doc=(cls.__doc__ or "").strip().split("\n")[0],
        fields=fields,
        within=told["within"],
        entries=_entries_schema(cls, table),
    )


def fields_of(cls: type) -> dict[str, dict[str, Any]]:
    """Return what each field of a spec declares, by Python name."""
    return {item.name: dict(item.metadata[_KEY]) for item in attrs.fields(cls) if _KEY in item.metadata}


def children_of(cls: type) -> dict[str, dict[str, Any]]:
    """Return the inner blocks that a spec takes, by Python name: kind, doc, many, required."""
    return {item.name: dict(item.metadata[_CHILD]) for item in attrs.fields(cls) if _CHILD in item.metadata}


def entries_of(cls: type) -> tuple[str, dict[str, Any]] | None:
    """Return the Python name and the declaration of the free-named entries of a spec, or None."""
    for item in attrs.fields(cls):
        if _ENTRIES in item.metadata:
            return item.name, dict(item.metadata[_ENTRIES])
    return None


def _entries_schema(cls: type, table: UnitTable) -> FieldSchema | None:
    found = entries_of(cls)
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
