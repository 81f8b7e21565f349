"""What the fields of a spec class are declared with: quantities, words, references, inner blocks.

`accelscope.core.spec.spec` is where plugins import them from.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs

from accelscope.core.errors import ModelError
from accelscope.core.numeric.term import term

FIELD_KEY = "accelscope"
CHILD_KEY = "accelscope child"
ENTRIES_KEY = "accelscope entries"
"""Keys of the metadata of a spec's attributes."""


def _field(
    *, default: Any, optional: bool, source: str | None, aliases: Sequence[str] = (), **about: Any
) -> Any:
    given = default is not None
    if given and not source:
        raise ModelError(f"a default needs a source: {about.get('doc')!r}")
    if not about.get("doc"):
        raise ModelError("a field needs a doc sentence")
    about |= {"default": default, "source": source, "required": not given and not optional}
    about["aliases"] = tuple(aliases)
    if about["required"]:
        return attrs.field(metadata={FIELD_KEY: about})
    if given and about["type"] == "quantity":
        return attrs.field(default=term(default, about["units"][0]), metadata={FIELD_KEY: about})
    return attrs.field(default=default, metadata={FIELD_KEY: about})


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
        aliases: former names of the field, which texts may still use.
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
        aliases=aliases,
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
        default=default,
        optional=optional or planned,
        source=source,
        type="quantity",
        doc=doc,
        units=(unit,),
        ge=ge,
        integer=True,
        planned=planned,
        aliases=aliases,
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
    """Declare one of some symbols; without choices any symbol. The value is a str.

    Args:
        choices: the symbols.
        doc: one sentence.
        default: a symbol; needs a source.
        source: where the default comes from.
        optional: an absent value is None.
        text_too: a string is allowed, too.
        planned: no installed model reads it yet.
        aliases: former names of the field, which texts may still use.
        symbol_aliases: former symbols, which texts may still use, to the present ones.
    """
    return _field(
        default=default,
        optional=optional or planned,
        source=source,
        type="choice",
        doc=doc,
        choices=choices,
        text_too=text_too,
        planned=planned,
        aliases=aliases,
        symbol_aliases=dict(symbol_aliases or {}),
    )


def text(*, doc: str, optional: bool = True, aliases: Sequence[str] = ()) -> Any:
    """Declare a string."""
    return _field(default=None, optional=optional, source=None, type="text", doc=doc, aliases=aliases)


def date(*, doc: str) -> Any:
    """Declare an optional date."""
    return _field(default=None, optional=True, source=None, type="date", doc=doc)


def flag(
    *,
    doc: str,
    default: bool | None = None,
    source: str | None = None,
    planned: bool = False,
    aliases: Sequence[str] = (),
) -> Any:
    """Declare a boolean; without a default it is None where absent."""
    return _field(
        default=default,
        optional=True,
        source=source,
        type="flag",
        doc=doc,
        planned=planned,
        aliases=aliases,
    )


def listing(
    *units: str, doc: str, optional: bool = True, planned: bool = False, aliases: Sequence[str] = ()
) -> Any:
    """Declare a list; of quantities where units are given ("" for plain numbers), else of anything."""
    return _field(
        default=None,
        optional=optional or planned,
        source=None,
        type="list",
        doc=doc,
        units=units,
        planned=planned,
        aliases=aliases,
    )


def constructor(*choices: str, doc: str, planned: bool = False, aliases: Sequence[str] = ()) -> Any:
    """Declare a called symbol such as `structured(2, 4)`; the choices are the symbols."""
    return _field(
        default=None,
        optional=True,
        source=None,
        type="constructor",
        doc=doc,
        choices=choices,
        planned=planned,
        aliases=aliases,
    )


def ref(
    *kinds: str,
    doc: str,
    optional: bool = False,
    text_too: bool = False,
    planned: bool = False,
    aliases: Sequence[str] = (),
) -> Any:
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
        aliases=aliases,
    )


def block(kind: str, *, doc: str, optional: bool = True) -> Any:
    """Declare one inner block of a kind; the value is its bound spec, or None where absent."""
    return attrs.field(
        metadata={CHILD_KEY: {"kind": kind, "doc": doc, "many": False, "required": not optional}},
        default=None,
    )


def blocks(kind: str, *, doc: str) -> Any:
    """Declare the inner blocks of a kind; the value is a tuple of `Part`, in the order written."""
    return attrs.field(
        metadata={CHILD_KEY: {"kind": kind, "doc": doc, "many": True, "required": False}}, default=()
    )


def free_entries(*units: str, doc: str, names: Sequence[str] = ()) -> Any:
    """Declare that a block takes free-named quantities, as `ops { bf16 = 512 MAC/cycle }`.

    The value is a mapping from name to Term. `names` are the allowed names; none means any.
    """
    return attrs.field(
        factory=dict, metadata={ENTRIES_KEY: {"units": units, "doc": doc, "names": tuple(names)}}
    )


def anything(*, doc: str) -> Any:
    """Declare a field that the language checks no further."""
    return _field(default=None, optional=True, source=None, type="any", doc=doc, planned=True)
