"""Finding definitions of the library by words, and what a name that it does not hold may have meant. Pure."""

from __future__ import annotations

import re
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from accelscope.core.assemble.spec_sheet import SYSTEM_KINDS
from accelscope.core.library.definitions import LibraryDefinition, format_resolved_value
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.values.values import Attribute, Symbol

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

_HARDWARE = ("node", "host", "rack", "cluster", "package", "die", "core", "engine", "memory")
"""Kinds of block whose inner blocks count as what a definition is made of."""
_ORDER = ("package", "model", *SYSTEM_KINDS)
"""Of finds that are as close, these kinds come first."""
_SHOWN = 6
"""Names that a hint lists before it says how many more there are."""


@frozen
class _SearchEntry:
    """The texts that words are sought in, folded.

    Attributes:
        names: full name, short name and aliases.
        parts: names again, from each of their parts on: `A100_40GB` is `a10040gb` and `40gb`.
        traits: vendor, family, kind, bases, and names, kinds and classes of the blocks in it.
        doc: documentation.
    """

    item: LibraryDefinition
    names: tuple[str, ...]
    parts: tuple[str, ...]
    traits: frozenset[str]
    doc: str

    def place(self, word: str) -> int | None:
        """Return how close a folded word is: a name 0, the start of a part of one 1, a trait 2, anywhere else 3."""
        if word in self.names:
            return 0
        if any(part.startswith(word) for part in self.parts):
            return 1
        if word in self.traits:
            return 2
        return 3 if any(word in text for text in (*self.names, *self.traits, self.doc)) else None


def search_definitions(
    everything: Iterable[LibraryDefinition], words: Sequence[str]
) -> list[LibraryDefinition]:
    """Return the definitions that hold all words, each anywhere in one, the closest first."""
    sought = [_fold_name(word) for word in words]
    ranked = []
    for entry in map(_build_search_entry, everything):
        places = [place for word in sought if (place := entry.place(word)) is not None]
        if len(places) == len(sought):
            whole = "".join(sought) in entry.names
            ranked.append(((not whole, sum(places), *_order(entry.item)), entry.item))
    return [item for _, item in sorted(ranked, key=lambda pair: pair[0])]


def _build_search_entry(item: LibraryDefinition) -> _SearchEntry:
    """Return what a search looks into."""
    return _SearchEntry(
        item=item,
        names=tuple(_fold_name(name) for name in item.names),
        parts=tuple(_fold_name(name[start:]) for name in item.names for start in _starts(name)),
        traits=frozenset(_fold_name(trait) for trait in _list_traits(item.component)),
        doc=_fold_name(item.component.doc),
    )


def _fold_name(text: str) -> str:
    """Return a text in lower case without what names are spelt apart with: `H100-SXM`, `h100 sxm`; `80 GB`, `80gb`."""
    return re.sub(r"[-_]|(?<=\d) ", "", text.casefold())


def _list_traits(component: Component) -> Iterator[str]:
    """Yield what a definition and the hardware in it are: vendor, family, kinds, classes, names of blocks and of bases."""
    yield component.kind
    yield from (layer.title for layer in component.layer_list() if layer.title)
    for name in ("vendor", "family", "hf", "class", "kind"):
        attribute = component.get(name)
        if isinstance(attribute, Attribute):
            yield (
                attribute.value.name
                if isinstance(attribute.value, Symbol)
                else format_resolved_value(attribute.value)
            )
    for child in component.children():
        yield child.name
        if child.kind in _HARDWARE:
            yield from _list_traits(child)


def list_vendors(component: Component) -> Iterator[str]:
    """Yield the vendor of a definition and of the hardware in it."""
    attribute = component.get("vendor")
    if isinstance(attribute, Attribute):
        yield format_resolved_value(attribute.value)
    for child in component.children():
        if child.kind in _HARDWARE:
            yield from list_vendors(child)


def suggest_definitions(everything: Sequence[LibraryDefinition], name: str, kinds: Container[str]) -> str:
    """Return what a name that is not in the library may mean, of some kinds: names it is part of, else the closest."""
    fitting = [item for item in everything if item.component.kind in kinds]
    word = _fold_name(name)
    holders = [
        item
        for item in fitting
        if word and any(part.startswith(word) for part in _build_search_entry(item).parts)
    ]
    if holders:
        named = [f"`{item.component.name}`" for item in sorted(holders, key=_order)]
        more = f" and {len(named) - _SHOWN} more" if len(named) > _SHOWN else ""
        return f"it is part of {', '.join(named[:_SHOWN])}{more}"
    known = sorted({item.component.name for item in fitting})
    return did_you_mean(name, known) or f"`accelscope library search {name}` looks further"


def _starts(name: str) -> Iterator[int]:
    """Yield where the parts of a name begin."""
    yield from (match.start() for match in re.finditer(r"[^-_.\s/]+", name))


def _order(item: LibraryDefinition) -> tuple[int, int, str]:
    kind = item.component.kind
    return _ORDER.index(kind) if kind in _ORDER else len(_ORDER), len(item.component.name), item.name
