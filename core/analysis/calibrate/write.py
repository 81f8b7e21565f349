"""Fits as text: calibration blocks that a person can read, and a library can ship."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence

from accelscope.core.analysis.calibrate.fits import CalibrationFits, KernelFit
from accelscope.core.analysis.calibrate.hierarchy import FIT_LEVELS, FitScope
from accelscope.core.assemble.calibration_lookup import calibration_module_name
from accelscope.core.blocks.calibration import Kernel
from accelscope.core.numeric.term import Term
from accelscope.core.spec.spec import fields_of
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.format.formatter import format_text
from accelscope.dsl.values.units import format_quantity

_KEY = {"device": "applies_to", "family": "family", "model": "engine_model"}
_TWINS = {"bf16": "bf16, fp16"}
_DIGITS = 3


def format_calibration_modules(book: CalibrationFits, sources: Sequence[str]) -> Mapping[str, str]:
    """Return the texts of a library by module, such as `device.H100_SXM` or `device.H100_SXM.vllm`.

    Args:
        book: fitted kernels.
        sources: of the measurements, as their tables name them.
    """
    grouped: dict[str, list[KernelFit]] = {}
    for entry in book.entries:
        place = entry.place
        detailed = place.backend is not None or place.release is not None
        module = calibration_module_name(place.origin, place.name, place.runtime, detailed=detailed)
        grouped.setdefault(module, []).append(entry)
    return {module: _text(grouped[module], sources) for module in sorted(grouped)}


def format_calibration_file(book: CalibrationFits, sources: Sequence[str]) -> str:
    """Return all calibrations in one text."""
    blocks = [_block(same) for _, same in _by_place(book.entries)]
    return _formatted([*_head("measurements", book.entries, sources), *blocks])


def _text(entries: Sequence[KernelFit], sources: Sequence[str]) -> str:
    blocks = [_block(same) for _, same in _by_place(entries)]
    return _formatted([*_head(_of(entries[0].place), entries, sources), *blocks])


def _formatted(lines: Sequence[str]) -> str:
    return format_text(SourceText("calibration.accel", "\n".join(lines)))


def _of(place: FitScope) -> str:
    on = {
        "device": place.name,
        "family": f"devices of the family {place.name}",
        "model": f"devices whose engines are served by `{place.name}`",
    }[place.origin]
    return on if place.runtime is None else f"{place.runtime} on {on}"


def _head(what: str, entries: Sequence[KernelFit], sources: Sequence[str]) -> list[str]:
    points = max(
        (float(entry.kernel.measurement_count.value) for entry in entries if entry.kernel.measurement_count),
        default=0,
    )
    named = ", ".join(sources)
    return [
        f"## Kernels of {what}, as `accelscope calibrate` fitted them; the best known rests on {points:,.0f} measurements.",
        f'source measured {{ kind = measured, title = "fit of accelscope calibrate to public measurements: {named}" }}',
        "",
    ]


def _by_place(entries: Iterable[KernelFit]) -> list[tuple[FitScope, list[KernelFit]]]:
    found: dict[FitScope, list[KernelFit]] = {}
    for entry in entries:
        found.setdefault(entry.place, []).append(entry)
    return sorted(found.items(), key=lambda item: _order(item[0]))


def _order(place: FitScope) -> tuple[int, str, str, str, str]:
    words = (place.runtime or "", place.backend or "", place.release or "")
    return -FIT_LEVELS.index(place.origin), place.name, *words


def _block(entries: Sequence[KernelFit]) -> str:
    place = entries[0].place
    words = [place.name, place.runtime, place.backend, place.release]
    label = re.sub(r"\W+", "_", "_".join(word for word in words if word)).lower()
    name = f'"{place.name}"' if place.origin == "device" else place.name
    lines = [f"{_KEY[place.origin]} = {name}"]
    named = (("runtime", place.runtime), ("backend", place.backend))
    lines += [f"{key} = {word}" for key, word in named if word]
    if place.release is not None:
        lines.append(f'runtime_version = "{place.release}"')
    lines += [_kernel(entry.kernel) for entry in sorted(entries, key=_named)]
    return "\n".join([f"calibration {label} @measured {{", *lines, "}", ""])


def _named(entry: KernelFit) -> str:
    return _label(entry.kernel)


def _label(kernel: Kernel) -> str:
    if not kernel.dtypes:
        return kernel.op
    dtype, stored = kernel.dtypes[0], kernel.storage_dtypes[0]
    return "_".join((kernel.op, dtype) if dtype == stored else (kernel.op, dtype, stored))


def _kernel(kernel: Kernel) -> str:
    given = [f"op = {kernel.op}"]
    if kernel.dtypes:
        given += [
            f"dtypes = [{_twins(kernel.dtypes)}]",
            f"storage_dtypes = [{_twins(kernel.storage_dtypes)}]",
        ]
    for name, field in fields_of(Kernel).items():
        value = getattr(kernel, name)
        if isinstance(value, Term):
            given.append(f"{name} = {_number(value, integer=field.integer)}")
    return f"kernel {_label(kernel)} {{ {', '.join(given)} }}"


def _twins(names: Iterable[str]) -> str:
    return ", ".join(_TWINS.get(name, name) for name in names)


def _number(value: Term, *, integer: bool) -> str:
    number = float(value.value)
    if value.dimension.powers:
        return format_quantity(number, value.dimension, digits=_DIGITS)
    return f"{number:.0f}" if integer else f"{number:.{_DIGITS}g}"
