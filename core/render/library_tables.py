"""The library as tables of at most 100 columns: accelerators, systems, models, and what they are made of. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
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
from accelscope.core.render.table import tabulate

if TYPE_CHECKING:
    from accelscope.core.plugin.registry import Registry

_TABLE_WIDTH = 100
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


def format_library_tables(found: Sequence[LibraryDefinition], known: Mapping[str, DefinitionFacts]) -> str:
    """Return definitions as one table a group, in the order accelerators, systems, models, others.

    Args:
        known: facts by full name.
    """
    groups: tuple[tuple[str, list[LibraryDefinition], Any, tuple[str, ...], tuple[int, ...]], ...] = (
        ("ACCELERATORS", _of(found, ("package",)), _package, _PACKAGE, (1, 3, 5, 6)),
        ("SYSTEMS", _of(found, SYSTEM_KINDS), _system, _SYSTEM, (2, 4, 5)),
        ("MODELS", _of(found, ("model",)), _model, _MODEL, (1, 2, 3, 4)),
    )
    parts = []
    for title, group, row, heads, right in groups:
        if group:
            rows = [row(item, known.get(item.name)) for item in group]
            parts.append(_fitted(rows, (title, *heads), right))
    others = [item for item in found if item.component.kind not in PRIMARY_KINDS]
    if others:
        rows = [[item.name, item.component.kind, item.doc] for item in others]
        parts.append(_fitted(rows, ("PARTS", "KIND", "WHAT IT IS"), ()))
    return "\n\n".join(parts)


def format_definition_table(found: Sequence[LibraryDefinition], known: Mapping[str, DefinitionFacts]) -> str:
    """Return definitions of any kind as one table in the order given."""
    rows = [[item.name, item.component.kind, _summary(known.get(item.name)), item.doc] for item in found]
    return _fitted(rows, ("NAME", "KIND", "SIZE", "WHAT IT IS"), ())


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


def _of(found: Iterable[LibraryDefinition], kinds: tuple[str, ...]) -> list[LibraryDefinition]:
    return [item for item in found if item.component.kind in kinds]


_PACKAGE = ("PEAK", "ENGINE", "MEMORY", "CLASS", "BANDWIDTH", "TDP")
_SYSTEM = ("KIND", "NO.", "OF", "MEMORY", "NETWORK")
_MODEL = ("PARAMS", "ACTIVE", "LAYERS", "KV/TOKEN", "WHAT IT IS")


def _package(item: LibraryDefinition, known: DefinitionFacts) -> list[str]:
    if not isinstance(known, DeviceFacts):
        return [item.name, *"-" * len(_PACKAGE)]
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
        return [item.name, kind, *"-" * (len(_SYSTEM) - 1)]
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


def _fitted(rows: list[list[str]], heads: tuple[str, ...], right: tuple[int, ...]) -> str:
    """Return a table whose last column is cut so that no line is longer than `WIDTH`."""
    if 0 not in right and heads[-1] == "WHAT IT IS":
        others = [max(len(row[at]) for row in (heads, *rows)) for at in range(len(heads) - 1)]
        room = max(12, _TABLE_WIDTH - sum(others) - 2 * len(others))
        rows = [[*row[:-1], _cut(row[-1], room)] for row in rows]
    return tabulate(rows, heads, right)


def _cut(text: str, room: int) -> str:
    return text if len(text) <= room else text[: room - 1].rstrip() + "…"
