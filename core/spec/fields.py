"""Declares the fields of a spec class: quantities, choices, references, inner blocks.

`accelscope.core.spec.spec` is where plugins import them from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from accelscope.core.numeric.term import term
from accelscope.core.spec.declarations import ChildDeclaration, EntriesDeclaration, FieldDeclaration

FIELD_KEY = "accelscope"
CHILD_KEY = "accelscope child"
ENTRIES_KEY = "accelscope entries"
RECORD_BLOCKS_KEY = "accelscope record blocks"
"""Keys of the declarations in the metadata of the attributes of a spec."""


def _field(declaration: FieldDeclaration) -> Any:
    """Return the attribute of a spec class for a declaration."""
    metadata = {FIELD_KEY: declaration}
    if declaration.required:
        return attrs.field(metadata=metadata)
    default = declaration.default
    if default is not None and declaration.type == "quantity":
        default = term(default, declaration.units[0])
    return attrs.field(default=default, metadata=metadata)


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
    aliases: Sequence[str] = (),
) -> Any:
    """Declare a number; a text may use any unit with the dimension of one of the units.

    Args:
        units: units such as "B/s"; the first is the one of documentation, bounds and defaults.
        doc: one sentence.
        default: in the first unit; needs a source.
        source: the source of the default.
        optional: whether an absent value is None rather than an error.
        over: the unit of the keys if the value may also be a curve.
        gt: exclusive lower bound.
        ge: inclusive lower bound.
        lt: exclusive upper bound.
        le: inclusive upper bound.
        plausible: usual range (low, high); a value outside it gives a warning.
        planned: whether no installed model reads it yet.
        aliases: former names of the field, which are still accepted.
    """
    return _field(
        FieldDeclaration(
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
            aliases=tuple(aliases),
        )
    )


def fraction(
    *,
    doc: str,
    default: float | None = None,
    source: str | None = None,
    optional: bool = False,
    over: str | None = None,
    planned: bool = False,
    aliases: Sequence[str] = (),
) -> Any:
    """Declare a plain number above 0 and up to 1."""
    return quantity(
        doc=doc,
        default=default,
        source=source,
        optional=optional,
        over=over,
        gt=0,
        le=1,
        planned=planned,
        aliases=aliases,
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
    aliases: Sequence[str] = (),
) -> Any:
    """Declare a whole number, by default at least 1; `unit` may be "tok" or "req"."""
    return _field(
        FieldDeclaration(
            default=default,
            optional=optional or planned,
            source=source,
            type="quantity",
            doc=doc,
            units=(unit,),
            ge=ge,
            integer=True,
            planned=planned,
            aliases=tuple(aliases),
        )
    )


def choice(
    *choices: str,
    doc: str,
    default: str | None = None,
    source: str | None = None,
    optional: bool = False,
    text_too: bool = False,
    planned: bool = False,
    aliases: Sequence[str] = (),
    symbol_aliases: Mapping[str, str] | None = None,
) -> Any:
    """Declare a choice; the value is a str.

    Args:
        choices: the symbols; any if there are none.
        doc: one sentence.
        default: a symbol; needs a source.
        source: the source of the default.
        optional: whether an absent value is None rather than an error.
        text_too: whether a string is allowed too.
        planned: whether no installed model reads it yet.
        aliases: former names of the field, which are still accepted.
        symbol_aliases: the present symbol for each former symbol, which is still accepted.
    """
    return _field(
        FieldDeclaration(
            default=default,
            optional=optional or planned,
            source=source,
            type="choice",
            doc=doc,
            choices=choices,
            text_too=text_too,
            planned=planned,
            aliases=tuple(aliases),
            symbol_aliases=dict(symbol_aliases or {}),
        )
    )


def text(*, doc: str, optional: bool = True, aliases: Sequence[str] = ()) -> Any:
    """Declare a string."""
    return _field(FieldDeclaration(optional=optional, type="text", doc=doc, aliases=tuple(aliases)))


def date(*, doc: str) -> Any:
    """Declare an optional date."""
    return _field(FieldDeclaration(optional=True, type="date", doc=doc))


def flag(
    *,
    doc: str,
    default: bool | None = None,
    source: str | None = None,
    planned: bool = False,
    aliases: Sequence[str] = (),
) -> Any:
    """Declare a boolean; without a default an absent value is None."""
    return _field(
        FieldDeclaration(
            default=default,
            optional=True,
            source=source,
            type="flag",
            doc=doc,
            planned=planned,
            aliases=tuple(aliases),
        )
    )


def listing(
    *units: str, doc: str, optional: bool = True, planned: bool = False, aliases: Sequence[str] = ()
) -> Any:
    """Declare a list: of quantities if there are units ("" for plain numbers), else of anything."""
    return _field(
        FieldDeclaration(
            optional=optional or planned,
            type="list",
            doc=doc,
            units=units,
            planned=planned,
            aliases=tuple(aliases),
        )
    )


def constructor(*choices: str, doc: str, planned: bool = False, aliases: Sequence[str] = ()) -> Any:
    """Declare a constructor such as `structured(2, 4)`; the choices are its names."""
    return _field(
        FieldDeclaration(
            optional=True,
            type="constructor",
            doc=doc,
            choices=choices,
            planned=planned,
            aliases=tuple(aliases),
        )
    )


def ref(
    *kinds: str,
    doc: str,
    optional: bool = False,
    text_too: bool = False,
    planned: bool = False,
    aliases: Sequence[str] = (),
) -> Any:
    """Declare a reference to a block of one of the kinds; the value is its component, or a str with `text_too`."""
    return _field(
        FieldDeclaration(
            optional=optional or planned,
            type="ref",
            doc=doc,
            ref_kinds=kinds,
            text_too=text_too,
            planned=planned,
            aliases=tuple(aliases),
        )
    )


def block(kind: str, *, doc: str, optional: bool = True) -> Any:
    """Declare one inner block of a kind; the value is an instance of its spec, or None if absent."""
    return attrs.field(
        metadata={CHILD_KEY: ChildDeclaration(kind=kind, doc=doc, many=False, required=not optional)},
        default=None,
    )


def blocks(kind: str, *, doc: str) -> Any:
    """Declare the inner blocks of a kind; the value is a tuple of `Part`, in the order written."""
    return attrs.field(
        metadata={CHILD_KEY: ChildDeclaration(kind=kind, doc=doc, many=True, required=False)}, default=()
    )


def record_blocks(record: type, *, doc: str) -> Any:
    """Declare the inner blocks that records of one class read, whatever their kinds are.

    The value is a tuple of `Part` in the order written. A plugin adds a kind by yielding a record of the class whose
    spec may stand in the block.

    Args:
        record: class of the records, such as `LayerModel`.
        doc: one sentence about the blocks.
    """
    return attrs.field(metadata={RECORD_BLOCKS_KEY: (record, doc)}, default=())


def free_entries(*units: str, doc: str, names: Sequence[str] = ()) -> Any:
    """Declare that a block takes quantities with free names, such as `ops { bf16 = 512 MAC/cycle }`.

    The value is a mapping from name to Term. `names` are the allowed names; none means any.
    """
    return attrs.field(
        factory=dict, metadata={ENTRIES_KEY: EntriesDeclaration(units=units, doc=doc, names=tuple(names))}
    )


def anything(*, doc: str) -> Any:
    """Declare a field that the language does not check."""
    return _field(FieldDeclaration(optional=True, type="any", doc=doc, planned=True))
