"""Who takes part in a comparison: names of the command line to systems and models of the library or of a file."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from attrs import frozen

from accelscope.core.analysis.scenario_text import UsedDefinition
from accelscope.core.assemble.spec_sheet import (
    SYSTEM_KINDS,
    DeviceFacts,
    ModelFacts,
    device_facts,
    model_facts,
)
from accelscope.core.errors import UsageError
from accelscope.core.io.files import split_file_argument
from accelscope.core.library.definitions import (
    LibraryDefinition,
    find_definitions,
    list_definitions,
    load_file_definition,
)
from accelscope.core.numeric.dtypes import DTYPE_BITS
from accelscope.core.render.library_search import suggest_definitions

if TYPE_CHECKING:
    from accelscope.core.workspace import Workspace
    from accelscope.dsl.interpret.component import Component

DEFAULT_SYSTEMS = (
    "H100_SXM",
    "B200_SXM",
    "GH200_96GB",
    "MI300X",
    "TPUv5p",
    "Gaudi3",
    "Trainium2",
    "Wormhole_n300",
    "CS3",
    "Groq576",
    "SN40L",
    "M2_Ultra_76c",
)
"""Twelve of all classes: GPUs, a GPU with a CPU's memory, chiplets, systolic arrays, many cores, a wafer, dataflow."""
COMPARABLE_KINDS = ("package", *SYSTEM_KINDS)
"""Kinds of block that can take part."""


@frozen(kw_only=True)
class ComparedSystem:
    """A system that takes part.

    Attributes:
        facts: of its devices, with the data type that they multiply in; None where nothing in it computes.
        split: fields of `parallel { }` that were asked for; empty where the split is to be found.
    """

    used: UsedDefinition
    kind: str
    facts: DeviceFacts | None
    split: tuple[tuple[str, int], ...] = ()

    def precision(self, asked: str) -> tuple[str, str]:
        """Return the types of weights and of products: what was asked for, or the closest that the device has.

        Weights that are narrower than any product stay as they are and are widened on the way.
        """
        chosen = self.facts.dtype if self.facts is not None and self.facts.dtype is not None else asked
        return (asked if DTYPE_BITS[chosen] > DTYPE_BITS[asked] else chosen), chosen


@frozen(kw_only=True)
class ComparedModel:
    """The model of a comparison."""

    used: UsedDefinition
    facts: ModelFacts


def resolve_system_arguments(
    session: Workspace, arguments: Sequence[str], dtype: str
) -> tuple[ComparedSystem, ...]:
    """Return the systems of arguments `NAME`, `NAME:tp=8,pp=2` or `FILE.accel:NAME`, each once.

    Raises:
        UsageError: there is no such system, or a split is not of the form `field=number`.
        DescriptionError: a file has errors.
    """
    shelf = tuple(list_definitions(session))
    found = [_entrant(session, shelf, argument, dtype) for argument in arguments]
    return tuple(dict.fromkeys(found))


def resolve_model_argument(session: Workspace, argument: str) -> ComparedModel:
    """Return the model of `NAME` or `FILE.accel:NAME`.

    Raises:
        UsageError: there is no such model, or it has no sizes.
        DescriptionError: a file has errors.
    """
    file, name = split_file_argument(argument)
    used, component = _found(session, tuple(list_definitions(session)), file, name, ("model",))
    facts = model_facts(component, session.registry)
    if facts is None:
        raise UsageError(f"`{name}` has no sizes of its own; take a model that extends it")
    return ComparedModel(used=used, facts=facts)


def _entrant(
    session: Workspace, shelf: Sequence[LibraryDefinition], argument: str, dtype: str
) -> ComparedSystem:
    file, rest = split_file_argument(argument)
    name, _, split = rest.partition(":")
    used, component = _found(session, shelf, file, name, COMPARABLE_KINDS)
    return ComparedSystem(
        used=used,
        kind=component.kind,
        facts=device_facts(component, session.registry, dtype),
        split=_split(argument, split),
    )


def _split(argument: str, text: str) -> tuple[tuple[str, int], ...]:
    found = {}
    for part in filter(None, text.split(",")):
        name, _, value = (piece.strip() for piece in part.partition("="))
        if not name.isidentifier() or not value.isdecimal() or int(value) < 1:
            raise UsageError(f"`{argument}`: a split is written as `NAME:tp=8,pp=2`, not `{part}`")
        found[name] = int(value)
    return tuple(found.items())


def _found(
    session: Workspace, shelf: Sequence[LibraryDefinition], file: str, name: str, kinds: tuple[str, ...]
) -> tuple[UsedDefinition, Component]:
    if file:
        item = load_file_definition(session, file, name, kinds, _either(kinds))
        return UsedDefinition(name=name, file=file), item.component
    known = find_definitions(shelf, name, kinds)
    if len(known) == 1:
        return UsedDefinition(name=known[0].component.name, module=known[0].module), known[0].component
    if known:
        raise UsageError(f"`{name}` is any of {', '.join(f'`{item.name}`' for item in known)}")
    raise UsageError(f"the library holds no {_either(kinds)} called `{name}`; {_meant(shelf, name, kinds)}")


def _meant(shelf: Sequence[LibraryDefinition], name: str, kinds: tuple[str, ...]) -> str:
    """Return what a name that is no system, or no model, may have meant."""
    if kinds != ("model",) and find_definitions(shelf, name, ("model",)):
        return f"it is a model: `--model {name}`"
    return suggest_definitions(shelf, name, kinds)


def _either(kinds: tuple[str, ...]) -> str:
    return "model" if kinds == ("model",) else "system"
