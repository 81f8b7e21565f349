"""Declares the fields of a spec class: quantities, choices, references and so on.

`accelscope.core.spec.spec` is where plugins import them from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from accelscope.core.numeric.term import term
from accelscope.core.spec.declarations import FieldDeclaration

FIELD_KEY = "accelscope"
"""Key of the declaration in the metadata of an attribute of a spec."""


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
    """Declare a plain number above 0 and up to 1.

    Args:
        doc: one sentence.
        default: the default; needs a source.
        source: the source of the default.
        optional: whether an absent value is None rather than an error.
        over: the unit of the keys if the value may also be a curve.
        planned: whether no installed model reads it yet.
        aliases: former names of the field, which are still accepted.
    """
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
    """Declare a whole number, by default at least 1; `unit` may be "tok" or "req".

    Args:
        doc: one sentence.
        unit: "", "tok", "req" or another unit.
        default: in the unit; needs a source.
        source: the source of the default.
        optional: whether an absent value is None rather than an error.
        ge: inclusive lower bound.
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
    """Declare a string.

    Args:
        doc: one sentence.
        optional: whether an absent value is None rather than an error.
        aliases: former names of the field, which are still accepted.
    """
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
    """Declare a boolean; without a default an absent value is None.

    Args:
        doc: one sentence.
        default: the default; needs a source.
        source: the source of the default.
        planned: whether no installed model reads it yet.
        aliases: former names of the field, which are still accepted.
    """
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
    """Declare a list: of quantities if there are units ("" for plain numbers), else of anything.

    Args:
        units: units of the items; "" for plain numbers, none for items of any type.
        doc: one sentence.
        optional: whether an absent value is None rather than an error.
        planned: whether no installed model reads it yet.
        aliases: former names of the field, which are still accepted.
    """
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
    """Declare a constructor such as `structured(2, 4)`; the choices are its names.

    Args:
        choices: the names that are allowed; any if there are none.
        doc: one sentence.
        planned: whether no installed model reads it yet.
        aliases: former names of the field, which are still accepted.
    """
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
    """Declare a reference to a block of one of the kinds; the value is its component, or a str with `text_too`.

    Args:
        kinds: the kinds of block that the reference may point to.
        doc: one sentence.
        optional: whether an absent value is None rather than an error.
        text_too: whether a string is allowed too.
        planned: whether no installed model reads it yet.
        aliases: former names of the field, which are still accepted.
    """
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


def anything(*, doc: str) -> Any:
    """Declare a field that the language does not check."""
    return _field(FieldDeclaration(optional=True, type="any", doc=doc, planned=True))
