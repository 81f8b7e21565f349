"""Fits as text: calibration blocks that a person can read, and a library can ship."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from accelscope.core.analysis.calibrate.fits import Book, Entry
from accelscope.core.analysis.calibrate.hierarchy import ORIGINS, Place
from accelscope.core.assemble.calibration_lookup import module_of
from accelscope.core.blocks.calibration import Kernel
from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import fields_of
from accelscope.dsl.diagnostics.diagnostics import Source
from accelscope.dsl.format.formatter import format_text
from accelscope.dsl.values.units import format_quantity

_KEY = {"device": "applies_to", "family": "family", "model": "model"}
_TWINS = {"bf16": "bf16, fp16"}
_DIGITS = 3


def texts(book: Book, sources: Sequence[str]) -> Mapping[str, str]:
    """Return the texts of a library by module, such as `device.H100_SXM` or `device.H100_SXM.vllm`.

    Args:
        sources: of the measurements, as their tables name them.
    """
    grouped: dict[str, list[Entry]] = {}
    for entry in book.entries:
        place = entry.place
        detailed = place.backend is not None or place.release is not None
        module = module_of(place.origin, place.name, place.runtime, detailed=detailed)
        grouped.setdefault(module, []).append(entry)
    return {module: _text(grouped[module], sources) for module in sorted(grouped)}


def joined(book: Book, sources: Sequence[str]) -> str:
    """Return all calibrations in one text."""
    blocks = [_block(same) for _, same in _by_place(book.entries)]
    return _formatted([*_head("measurements", book.entries, sources), *blocks])


def _text(entries: Sequence[Entry], sources: Sequence[str]) -> str:
    blocks = [_block(same) for _, same in _by_place(entries)]
    return _formatted([*_head(_of(entries[0].place), entries, sources), *blocks])


def _formatted(lines: Sequence[str]) -> str:
    return format_text(Source("calibration.accel", "\n".join(lines)))


def _of(place: Place) -> str:
    on = {
        "device": place.name,
        "family": f"devices of the family {place.name}",
        "model": f"devices whose engines are served by `{place.name}`",
    }[place.origin]
    return on if place.runtime is None else f"{place.runtime} on {on}"


def _head(what: str, entries: Sequence[Entry], sources: Sequence[str]) -> list[str]:
    points = max((float(entry.kernel.points.value) for entry in entries if entry.kernel.points), default=0)
    named = ", ".join(sources)
    return [
        f"## Kernels of {what}, as `accelscope calibrate` fitted them; the best known rests on {points:,.0f} measurements.",
        f'source measured {{ kind = measured, title = "fit of accelscope calibrate to public measurements: {named}" }}',
        "",
    ]


def _by_place(entries: Iterable[Entry]) -> list[tuple[Place, list[Entry]]]:
    found: dict[Place, list[Entry]] = {}
    for entry in entries:
        found.setdefault(entry.place, []).append(entry)
    return sorted(found.items(), key=lambda item: _order(item[0]))


def _order(place: Place) -> tuple[int, str, str, str, str]:
    words = (place.runtime or "", place.backend or "", place.release or "")
    return -ORIGINS.index(place.origin), place.name, *words


def _block(entries: Sequence[Entry]) -> str:
    place = entries[0].place
    words = [place.name, place.runtime, place.backend, place.release]
    label = re.sub(r"\W+", "_", "_".join(word for word in words if word)).lower()
    name = f'"{place.name}"' if place.origin == "device" else place.name
    lines = [f"{_KEY[place.origin]} = {name}"]
    named = (("runtime", place.runtime), ("backend", place.backend))
    lines += [f"{key} = {word}" for key, word in named if word]
    if place.release is not None:
        lines.append(f'release = "{place.release}"')
    lines += [_kernel(entry.kernel) for entry in sorted(entries, key=_named)]
    return "\n".join([f"calibration {label} @measured {{", *lines, "}", ""])


def _named(entry: Entry) -> str:
    return _label(entry.kernel)


def _label(kernel: Kernel) -> str:
    if not kernel.dtypes:
        return kernel.op
    dtype, stored = kernel.dtypes[0], kernel.stored[0]
    return "_".join((kernel.op, dtype) if dtype == stored else (kernel.op, dtype, stored))


def _kernel(kernel: Kernel) -> str:
    given = [f"op = {kernel.op}"]
    if kernel.dtypes:
        given += [f"dtypes = [{_twins(kernel.dtypes)}]", f"stored = [{_twins(kernel.stored)}]"]
    for name, told in fields_of(Kernel).items():
        value = getattr(kernel, name)
        if isinstance(value, Term):
            given.append(f"{name} = {_number(value, told)}")
    return f"kernel {_label(kernel)} {{ {', '.join(given)} }}"


def _twins(names: Iterable[str]) -> str:
    return ", ".join(_TWINS.get(name, name) for name in names)


def _number(value: Term, told: Mapping[str, object]) -> str:
    number = float(value.value)
    if value.dimension.powers:
        return format_quantity(number, value.dimension, digits=_DIGITS)
    return f"{number:.0f}" if told.get("integer") else f"{number:.{_DIGITS}g}"
