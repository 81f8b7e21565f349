"""Other spellings of units: those that the formatter rewrites, and those that get a hint."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final

_RATE: Final = re.compile(r"([kMGTP]i?)?(B|b|bit)ps(?![A-Za-z0-9^])")
_OPS: Final = re.compile(r"([kMGTPE])?(FLOP|OP)S(?![A-Za-z0-9^])")
_SIGNS: Final = str.maketrans({"µ": "u", "μ": "u", "·": "*", "$": "USD", "²": "^2", "³": "^3"})

UNIT_SUGGESTIONS: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "KB": (("kB", "1000 B"), ("KiB", "1024 B")),
    "Kb": (("kb", "1000 bit"), ("Kib", "1024 bit")),
    "TFLOPs": (("TFLOP", "a number of operations"), ("TFLOP/s", "a rate")),
    "GFLOPs": (("GFLOP", "a number of operations"), ("GFLOP/s", "a rate")),
    "GBs": (("GB/s", ""),),
    "TBs": (("TB/s", ""),),
    "S": (("s", ""),),
    "sec": (("s", ""),),
    "second": (("s", ""),),
    "seconds": (("s", ""),),
    "minutes": (("min", ""),),
    "hr": (("h", ""),),
    "hour": (("h", ""),),
    "hours": (("h", ""),),
    "day": (("d", ""),),
    "days": (("d", ""),),
    "year": (("yr", ""),),
    "years": (("yr", ""),),
    "y": (("yr", ""),),
    "token": (("tok", ""),),
    "tokens": (("tok", ""),),
    "request": (("req", ""),),
    "requests": (("req", ""),),
    "byte": (("B", ""),),
    "bytes": (("B", ""),),
    "bits": (("bit", ""),),
    "cycles": (("cycle", ""),),
    "clk": (("cycle", ""),),
    "ops": (("op", ""),),
    "mm2": (("mm^2", ""),),
    "cm2": (("cm^2", ""),),
    "€": (("USD", "the only currency"),),
    "EUR": (("USD", "the only currency"),),
}
"""From a unit that is not known to the likely units, each with a remark or ""."""


def spell_unit(unit: str) -> str:
    """Return a unit in its usual spelling: `GBps` is `GB/s`, `TFLOPS` is `TFLOP/s`, `µs` is `us`.

    An unknown spelling is returned unchanged.
    """
    unit = unit.translate(_SIGNS)
    rate = _RATE.match(unit)
    if rate:
        return f"{rate[1] or ''}{rate[2]}/s{unit[rate.end() :]}"
    ops = _OPS.match(unit)
    if ops:
        return f"{ops[1] or ''}{ops[2]}/s{unit[ops.end() :]}"
    return unit


def suggest_unit(before: str, atom: str, after: str) -> str | None:
    """Return a hint for an unknown unit that has a known replacement, or None.

    Args:
        before: the text of the unit in front of the unknown part.
        atom: the unknown part.
        after: the text behind it.
    """
    spelt = spell_unit(atom)
    choices = UNIT_SUGGESTIONS.get(atom) or (((spelt, ""),) if spelt != atom else ())
    if not choices:
        return None
    words = [f"`{before}{unit}{after}`" + (f" ({remark})" if remark else "") for unit, remark in choices]
    return f"write {' or '.join(words)}"
