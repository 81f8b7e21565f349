"""Fitted paces as text: the `runtime` blocks of a file with their fields and ports written anew."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import numpy as np

from accelscope.core.analysis.calibrate.runtime_fit import (
    DEVICE_WIDTHS,
    PROFILE_FIELD_PRIORS,
    RATE_FACTORS,
    TIME_FIELDS,
    ProfileFit,
)
from accelscope.core.analysis.calibrate.runtime_groups import RuntimeRowGroup, VendorFamilyDevice
from accelscope.core.blocks.runtime import Runtime
from accelscope.core.spec.spec import fields_of
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.format.formatter import format_text

_HALF_WIDTH = 1.96
_WIDEST = 0.9
_KNOWN = 0.9
"""Largest deviation of a field over its width for it to be told: what the rows say nothing of is left out."""
_DIFFERENT = 0.03
"""Least logarithm of a change for a port to tell it."""
_BLOCK = re.compile(r"^runtime (\w+)[^{]*\{\n(.*?)^\}", re.MULTILINE | re.DOTALL)
_OVERRIDE = "(?:device_override|port)"
"""The kind of block, and its former name."""
_PORT = re.compile(
    rf"^  {_OVERRIDE} \w+ +\{{[^\n]+\}}\n|^  {_OVERRIDE} \w+ +\{{\n.*?^  \}}\n", re.MULTILINE | re.DOTALL
)
_FITTED = "|".join(
    word
    for name in (*PROFILE_FIELD_PRIORS, "log_error_std")
    for word in (name, *fields_of(Runtime)[name].aliases)
)
_OLD = re.compile(rf"^  (?:{_FITTED})\s*= [^\n]*\n", re.MULTILINE)
_NOTHING: VendorFamilyDevice = ("", "", "")


def rewrite_runtimes(
    text: str, fit: ProfileFit, groups: Sequence[RuntimeRowGroup], spreads: Mapping[str, float], source: str
) -> str:
    """Return a text whose runtimes have the fitted paces; what was not fitted stays.

    Args:
        text: text of the file of runtimes.
        fit: fitted values.
        groups: rows that were fitted to.
        spreads: deviation of the errors on rows that were left out, by runtime.
        source: citation of the values, such as a name that the text declares.
    """
    of: dict[str, list[RuntimeRowGroup]] = {}
    for group in groups:
        of.setdefault(group.runtime, []).append(group)

    def block(match: re.Match[str]) -> str:
        if match[1] not in of:
            return match[0]
        kept = _OLD.sub("", _PORT.sub("", match[2]))
        lines = list(_body(fit, match[1], of[match[1]], spreads.get(match[1]), source))
        head = match[0][: match.start(2) - match.start(0)]
        return head + kept + "".join(f"  {line}\n" for line in lines) + "}"

    return format_text(SourceText("runtimes.accel", _BLOCK.sub(block, text)))


def _body(
    fit: ProfileFit, name: str, groups: Sequence[RuntimeRowGroup], spread: float | None, source: str
) -> Iterator[str]:
    for field in PROFILE_FIELD_PRIORS:
        if _is_known(fit, name, "", field):
            deviation = fit.deviations[("runtime", name, field)]
            yield _line(field, fit.of(name, _NOTHING, field), deviation, source)
    if spread is not None:
        yield f"log_error_std = {_number(spread)} @{source}"
    for label, names in _ports(groups):
        lines = list(_port(fit, name, names, source))
        if lines:
            yield f"device_override {label} {{ {', '.join(lines)} }}"


def _is_known(fit: ProfileFit, name: str, vendor: str, field: str) -> bool:
    """Return whether rows say something of a field of a runtime, or of its port to a vendor."""
    own = fit.deviations.get(("runtime", name, field), np.inf)
    ported = fit.deviations.get(("port", name, vendor, field), np.inf)
    return bool(
        own < _KNOWN * PROFILE_FIELD_PRIORS[field].own or ported < _KNOWN * PROFILE_FIELD_PRIORS[field].port
    )


def _ports(groups: Iterable[RuntimeRowGroup]) -> Iterator[tuple[str, VendorFamilyDevice]]:
    """Yield the labels of ports and what they are of: vendors, families, devices."""
    found: dict[str, VendorFamilyDevice] = {}
    for group in groups:
        vendor, family, device = group.names
        if vendor:
            found.setdefault(vendor, (vendor, "", ""))
        found.setdefault(family, (vendor, family, ""))
        found.setdefault(device, (vendor, family, device))
    yield from found.items()


def _port(fit: ProfileFit, runtime: str, names: VendorFamilyDevice, source: str) -> Iterator[str]:
    """Yield the fields of a port that differ from those of what is wider."""
    vendor, family, device = names
    wider: VendorFamilyDevice = (vendor, family, "") if device else (vendor, "", "") if family else _NOTHING
    for field in PROFILE_FIELD_PRIORS:
        if not _is_known(fit, runtime, vendor, field):
            continue
        own, other = (fit.of(runtime, which, field) for which in (names, wider))
        if abs(np.log(own / other)) > _DIFFERENT and (not device or RATE_FACTORS.get(field) in DEVICE_WIDTHS):
            yield _line(field, own, fit.deviation(runtime, names, field), source)


def _line(field: str, value: float, deviation: float, source: str) -> str:
    share = min(float(np.expm1(_HALF_WIDTH * deviation)), _WIDEST)
    percent = max(round(share * 20) * 5, 5)
    shown = f"{_number(value * 1e6)} us" if field in TIME_FIELDS else _number(value)
    return f"{field} = {shown} ± {percent}% @{source}"


def _number(value: float) -> str:
    """Return a number in three digits."""
    rounded = float(f"{value:.3g}")
    return f"{rounded:_.0f}" if rounded >= 100 else f"{rounded:g}"
