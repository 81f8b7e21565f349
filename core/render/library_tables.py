"""The library as tables: accelerators, systems, models, and what they are made of. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from accelscope.core.assemble.spec_sheet import (
    SYSTEM_KINDS,
    DeviceFacts,
    ModelFacts,
    device_facts,
    model_facts,
)
from accelscope.core.library.definitions import LibraryDefinition
from accelscope.core.render.document import Block
from accelscope.core.render.table import Column, Table, make_table

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

PRIMARY_KINDS = ("package", *SYSTEM_KINDS, "model")
"""Kinds that a person looks for; the others are what these are made of."""
_PREFIXES = ((1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"))

DefinitionFacts = DeviceFacts | ModelFacts | None


def read_definition_facts(item: LibraryDefinition, registry: Registry) -> DefinitionFacts:
    """Return what is known of a definition at a glance, None for kinds that have no such numbers."""
    kind = item.component.kind
    if kind == "package" or kind in SYSTEM_KINDS:
        return device_facts(item.component, registry)
    return model_facts(item.component, registry) if kind == "model" else None


def classify_hardware(known: DefinitionFacts) -> tuple[str, ...]:
    """Return the kind of the main engine and the class of the memory that holds weights, as the columns show them."""
    if not isinstance(known, DeviceFacts):
        return ()
    return tuple(word for word in (known.engine, known.memory_class) if word)


def is_base_model(item: LibraryDefinition) -> bool:
    """Say whether a model has no sizes of its own, so that only others extend it."""
    component = item.component
    return component.kind == "model" and not any(component.has(name) for name in ("layers", "hidden"))


def summarize_definition(item: LibraryDefinition, known: DefinitionFacts) -> dict[str, Any]:
    """Return a definition as JSON shows it; numbers are in SI units."""
    found: dict[str, Any] = {"name": item.name, "kind": item.component.kind, "doc": item.doc}
    return found if known is None else found | {"facts": attrs.asdict(known)}


def build_library_blocks(
    definitions: Sequence[LibraryDefinition], known: Mapping[str, DefinitionFacts]
) -> Iterator[Block]:
    """Yield how many definitions there are, then a table for accelerators, systems, models and others.

    Args:
        definitions: to list.
        known: facts by full name.
    """
    counts = []
    tables: list[Table] = []
    for noun, kinds, columns, row in _GROUPS:
        group = [item for item in definitions if item.component.kind in kinds]
        if group:
            counts.append(f"{len(group)} {noun}{'s' * (len(group) > 1)}")
            heads = (Column("name", title=f"{noun.upper()}S"), *columns)
            tables.append(make_table(heads, [row(item, known.get(item.name)) for item in group]))
    others = [item for item in definitions if item.component.kind not in PRIMARY_KINDS]
    if others:
        counts.append(f"{len(others)} part{'s' * (len(others) > 1)}")
        heads = (Column("name", title="PARTS"), Column("kind"), _DOC)
        tables.append(make_table(heads, [(item.name, item.component.kind, item.doc) for item in others]))
    yield ", ".join(counts)
    yield from tables


def build_match_blocks(
    definitions: Sequence[LibraryDefinition], known: Mapping[str, DefinitionFacts]
) -> Iterator[Block]:
    """Yield which definition is the closest, then all of them as one table in the order given.

    Args:
        definitions: that a search found, the closest first.
        known: facts by full name.
    """
    count = len(definitions)
    yield f"{count} definition{'s' * (count > 1)}; the closest is {definitions[0].name}"
    columns = (Column("name"), Column("kind"), Column("size", priority=1), _DOC)
    rows = [
        (item.name, item.component.kind, _summary(known.get(item.name)), item.doc) for item in definitions
    ]
    yield make_table(columns, rows)


def _summary(known: DefinitionFacts) -> str:
    """Return the one number that tells a definition from its neighbours."""
    if isinstance(known, ModelFacts):
        return f"{format_parameter_count(known.parameters)} params"
    if not isinstance(known, DeviceFacts):
        return ""
    return (
        f"{known.devices} devices"
        if known.devices > 1
        else f"{format_peak(known)}, {format_si_number(known.memory, 'B')}"
    )


def summarize_facts(known: DefinitionFacts) -> str:
    """Return the facts of a definition in one line, empty where there are none."""
    if isinstance(known, ModelFacts):
        active = (
            ""
            if known.active == known.parameters
            else f", {format_parameter_count(known.active)} for one token"
        )
        cache = f"{format_si_number(known.kv_per_token, 'B')} of KV cache a token in 16 bit"
        return (
            f"{format_parameter_count(known.parameters)} parameters{active}, {known.layers} layers, {cache}"
        )
    if not isinstance(known, DeviceFacts):
        return ""
    many = f"{known.devices} × {known.device}, each " if known.devices > 1 else ""
    parts = [
        f"{format_si_number(known.peak, 'FLOP/s' if is_float_dtype(known.dtype) else 'op/s')} {known.dtype} dense"
        if known.peak
        else "",
        f"{format_si_number(known.memory, 'B')} {known.memory_class or ''}".strip() if known.memory else "",
        f"{format_si_number(known.bandwidth, 'B/s')}" if known.bandwidth else "",
        f"{known.tdp:,.0f} W" if known.tdp else "",
    ]
    return many + ", ".join(part for part in parts if part)


def is_float_dtype(dtype: str | None) -> bool:
    """Say whether products of a data type are floating-point operations."""
    return dtype is not None and not dtype.startswith("int")


def format_si_number(value: float | None, unit: str, digits: int = 4) -> str:
    """Return a number with an SI prefix, "-" for None."""
    if value is None:
        return "-"
    for scale, prefix in _PREFIXES:
        if abs(value) >= scale * (1 - 5e-4):
            return f"{_digits(value / scale, digits)} {prefix}{unit}"
    return f"{_digits(value, digits)} {unit}"


def _digits(value: float, digits: int) -> str:
    text = f"{value:.{digits - 1}g}"
    return f"{value:.0f}" if "e" in text else text


_DOC = Column("doc", title="WHAT IT IS", wraps=True, priority=3)
_PACKAGE = (
    Column("peak", align="right", doc="dense, of bf16 if no other type is named"),
    Column("engine"),
    Column("memory", align="right"),
    Column("class", priority=1),
    Column("bandwidth", align="right"),
    Column("tdp", align="right", priority=2),
)
_SYSTEM = (
    Column("kind", priority=2),
    Column("devices", title="NO.", align="right"),
    Column("of"),
    Column("memory", align="right", doc="of all devices"),
    Column("network", align="right", priority=1, doc="of one device to its neighbours, one way"),
)
_MODEL = (
    Column("parameters", title="PARAMS", align="right"),
    Column("active", align="right", priority=2),
    Column("layers", align="right", priority=1),
    Column("kv_per_token", title="KV/TOKEN", align="right"),
    _DOC,
)


def _package(item: LibraryDefinition, known: DefinitionFacts) -> list[str]:
    if not isinstance(known, DeviceFacts):
        return [item.name, *["-"] * len(_PACKAGE)]
    return [
        item.name,
        format_peak(known),
        known.engine or "-",
        format_si_number(known.memory, "B"),
        known.memory_class or "-",
        format_si_number(known.bandwidth, "B/s"),
        "-" if known.tdp is None else f"{known.tdp:,.0f} W",
    ]


def _system(item: LibraryDefinition, known: DefinitionFacts) -> list[str]:
    kind = item.component.kind
    if not isinstance(known, DeviceFacts):
        return [item.name, kind, *["-"] * (len(_SYSTEM) - 1)]
    memory = None if known.memory is None else known.memory * known.devices
    return [
        item.name,
        kind,
        f"{known.devices}",
        known.device,
        format_si_number(memory, "B"),
        format_si_number(known.network_bandwidth, "B/s"),
    ]


def _model(item: LibraryDefinition, known: DefinitionFacts) -> list[str]:
    if not isinstance(known, ModelFacts):
        return [item.name, "-", "-", "-", "-", item.doc]
    active = "" if known.active == known.parameters else format_parameter_count(known.active)
    return [
        item.name,
        format_parameter_count(known.parameters),
        active,
        f"{known.layers}",
        format_si_number(known.kv_per_token, "B"),
        item.doc,
    ]


def format_peak(known: DeviceFacts) -> str:
    """Return the peak with its data type where that is not bf16: `989 T`, `400 T int8`."""
    if known.peak is None:
        return "-"
    other = "" if known.dtype == "bf16" else f" {known.dtype}"
    rate = known.peak / 1e12
    return (f"{rate:,.0f} T" if rate >= 100 else f"{rate:.3g} T") + other


def format_parameter_count(parameters: float) -> str:
    """Return a number of parameters as people say it, such as `70.6 B` or `124 M`."""
    for scale, suffix in ((1e12, "T"), (1e9, "B"), (1e6, "M")):
        if parameters >= scale:
            return f"{parameters / scale:.3g} {suffix}"
    return f"{parameters:g}"


_GROUPS: tuple[tuple[str, tuple[str, ...], tuple[Column, ...], Callable[..., list[str]]], ...] = (
    ("accelerator", ("package",), _PACKAGE, _package),
    ("system", SYSTEM_KINDS, _SYSTEM, _system),
    ("model", ("model",), _MODEL, _model),
)
"""Groups of a list: noun, kinds of block, columns beside the name, and what makes a row."""
