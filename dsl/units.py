"""Units and dimensions: text to scale and dimension, and a quantity back to text.

Decimal prefixes are powers of 1000 (`GB` = 1e9 B), binary ones of 1024 (`GiB` = 2^30 B); `b` is a bit and `B` a byte;
`Hz` is `cycle/s`; a link's direction is a dimension of its own (`/dir`, with `bidi = 2 dir`).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from attrs import field, frozen

from accelscope.dsl.suggest import closest


@frozen(cache_hash=True)
class Dimension:
    """A product of powers of base dimensions, as sorted (symbol, exponent) pairs without zeros."""

    powers: tuple[tuple[str, int], ...] = ()

    def __mul__(self, other: Dimension) -> Dimension:
        return _combine(self, other, 1)

    def __truediv__(self, other: Dimension) -> Dimension:
        return _combine(self, other, -1)

    def __pow__(self, exponent: int) -> Dimension:
        return Dimension(tuple((name, power * exponent) for name, power in self.powers) if exponent else ())

    def root(self, degree: int) -> Dimension | None:
        """Return the dimension whose power is this one, or None where the exponents do not divide."""
        if any(power % degree for _, power in self.powers):
            return None
        return Dimension(tuple((name, power // degree) for name, power in self.powers))

    def __str__(self) -> str:
        over = "*".join(_power(name, power) for name, power in self.powers if power > 0)
        below = sorted((pair for pair in self.powers if pair[1] < 0), key=lambda pair: pair[0] == "dir")
        under = "".join("/" + _power(name, -power) for name, power in below)
        return (over or "1") + under if self.powers else "a plain number"


def _power(name: str, power: int) -> str:
    return name if power == 1 else f"{name}^{power}"


@lru_cache(maxsize=4096)
def _combine(left: Dimension, right: Dimension, sign: int) -> Dimension:
    powers = dict(left.powers)
    for name, power in right.powers:
        powers[name] = powers.get(name, 0) + sign * power
    return Dimension(tuple(sorted((name, power) for name, power in powers.items() if power)))


NONE = Dimension()


def base(symbol: str) -> Dimension:
    """Return the dimension of a base symbol."""
    return Dimension(((symbol, 1),))


@frozen
class Unit:
    """A unit: its symbol, what it is worth, and which prefixes it takes.

    Attributes:
        symbol: as written in a text.
        scale: how many of `of` one unit is.
        of: a unit expression in known units, or None for a new base dimension.
        prefixes: "si" (k to E), "small" (m to f), "binary" (Ki to Pi), any joined by "+", or "".
    """

    symbol: str
    scale: float = 1.0
    of: str | None = None
    prefixes: str = ""


class UnknownUnit(Exception):  # noqa: N818 - it is data for a diagnostic, never shown as a traceback
    """A unit text that the table does not know: the part at fault, and what was probably meant."""

    def __init__(self, text: str, part: str, hint: str | None) -> None:
        super().__init__(text)
        self.text, self.part, self.hint = text, part, hint


_PREFIXES: Mapping[str, Mapping[str, float]] = {
    "si": {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18},
    "small": {"m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15},
    "binary": {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50},
}

BUILT_IN: tuple[Unit, ...] = (
    Unit("B", prefixes="si+binary"),
    Unit("b", 1 / 8, "B", prefixes="si+binary"),
    Unit("bit", 1 / 8, "B", prefixes="si+binary"),
    Unit("op"),
    Unit("OP", 1, "op", prefixes="si"),
    Unit("FLOP", 1, "op", prefixes="si"),
    Unit("MAC", 2, "op", prefixes="si"),
    Unit("s", prefixes="small"),
    Unit("min", 60, "s"),
    Unit("h", 3600, "s"),
    Unit("d", 86400, "s"),
    Unit("yr", 365.25 * 86400, "s"),
    Unit("cycle"),
    Unit("Hz", 1, "cycle/s", prefixes="si"),
    Unit("J", prefixes="si+small"),
    Unit("W", 1, "J/s", prefixes="si+small"),
    Unit("Wh", 3600, "J", prefixes="si"),
    Unit("m", prefixes="small"),
    Unit("cm", 1e-2, "m"),
    Unit("tok"),
    Unit("Mtok", 1e6, "tok"),
    Unit("req"),
    Unit("USD"),
    Unit("$", 1, "USD"),
    Unit("dir"),
    Unit("bidi", 2, "dir"),
    Unit("%", 0.01, ""),
    Unit("ppm", 1e-6, ""),
)

# What people write in the field, and what they mean by it.
_MEANT: Mapping[str, str] = {
    "KB": "kB` (1000 B) or `KiB` (1024 B",
    "Kb": "kb` (1000 bit) or `Kib` (1024 bit",
    "TFLOPS": "TFLOP/s",
    "GFLOPS": "GFLOP/s",
    "PFLOPS": "PFLOP/s",
    "TFLOPs": "TFLOP` or `TFLOP/s",
    "TOPS": "TOP/s",
    "POPS": "POP/s",
    "GBps": "GB/s",
    "TBps": "TB/s",
    "Gbps": "Gb/s",
    "Tbps": "Tb/s",
    "Mbps": "Mb/s",
    "GBs": "GB/s",
    "TBs": "TB/s",
    "sec": "s",
    "hr": "h",
    "tokens": "tok",
    "token": "tok",
    "requests": "req",
    "€": "USD",
    "bytes": "B",
    "bits": "bit",
    "cycles": "cycle",
    "clk": "cycle",
    "mm2": "mm^2",
}

_ATOM = re.compile(r"([A-Za-zµμΩ%$€]+[²³]?)(?:\^(-?\d{1,2}))?$")


@frozen(eq=False)
class UnitTable:
    """Every known unit, by symbol with its prefixes written out: symbol to (scale, dimension)."""

    units: Mapping[str, tuple[float, Dimension]]
    _seen: dict[str, tuple[float, Dimension]] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, units: Iterable[Unit] = ()) -> UnitTable:
        """Return the built-in units and some more; raise ValueError where a symbol is taken."""
        table: dict[str, tuple[float, Dimension]] = {}
        made = cls(table)
        for unit in (*BUILT_IN, *units):
            made._add(unit, table)
        return made

    def _add(self, unit: Unit, table: dict[str, tuple[float, Dimension]]) -> None:
        scale, dimension = (1.0, base(unit.symbol)) if unit.of is None else self.parse(unit.of)
        spellings = {unit.symbol: scale * unit.scale}
        for group in filter(None, unit.prefixes.split("+")):
            for prefix, factor in _PREFIXES[group].items():
                spellings[prefix + unit.symbol] = factor * scale * unit.scale
        for symbol, worth in spellings.items():
            if symbol in table:
                raise ValueError(f"the unit `{symbol}` is defined twice")
            table[symbol] = (worth, dimension)

    def parse(self, text: str) -> tuple[float, Dimension]:
        """Return (scale, dimension) of a unit expression such as `GB/s/dir` or `mm^2`.

        Raises:
            UnknownUnit: a part is no known unit.
        """
        found = self._seen.get(text)
        if found is None:
            found = self._parse(text)
            if len(self._seen) < 4096:
                self._seen[text] = found
        return found

    def _parse(self, text: str) -> tuple[float, Dimension]:
        scale, dimension = 1.0, NONE
        for sign, atom in re.findall(r"(^|[*/·])([^*/·]+)", text):
            match = _ATOM.match(atom.replace("²", "^2").replace("³", "^3"))
            entry = self.units.get(match[1]) if match else None
            if match is None or entry is None:
                raise UnknownUnit(text, atom, self._meant(text, atom))
            power = int(match[2] or 1) * (-1 if sign == "/" else 1)
            scale *= entry[0] ** power
            dimension = dimension * entry[1] ** power
        return scale, dimension

    def _meant(self, text: str, atom: str) -> str | None:
        if atom in _MEANT:
            return (
                f"write `{text.replace(atom, _MEANT[atom], 1) if '`' not in _MEANT[atom] else _MEANT[atom]}`"
                + (")" if "(" in _MEANT[atom] else "")
            )
        near = closest(atom, self.units)
        return f"did you mean `{text.replace(atom, near, 1)}`?" if near else None


@lru_cache(maxsize=1)
def built_in() -> UnitTable:
    """Return the table of the units that the language brings itself."""
    return UnitTable.of()


# ---- quantities as text -----------------------------------------------------------------------------------

_SI = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_SMALL = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"))


def format_quantity(value: float, dimension: Dimension, digits: int = 4) -> str:
    """Return a quantity in base units as people write it: `3.35 TB/s`, `21.07 ms`, `320 KiB`, `85 %`."""
    if value != value or value in (float("inf"), float("-inf")):
        return f"{value} {dimension}" if dimension.powers else str(value)
    if not dimension.powers:
        return f"{value:.{digits}g}" if abs(value) < 1e5 else f"{value:,.0f}"
    text = {"J/s": "W", "cycle/s": "Hz", "op": "FLOP", "op/s": "FLOP/s"}.get(str(dimension), str(dimension))
    number, prefix = _scaled(value, text.split("/")[0].split("*")[0].split("^")[0], text)
    return f"{number:.{digits}g} {prefix}{text}"


def _scaled(value: float, head: str, text: str) -> tuple[float, str]:
    size = abs(value)
    if text == "B" and size >= 1024 and size % 1024 == 0 and size < 2.0**60:
        power = max(p for p in range(1, 6) if size % 1024**p == 0 or size >= 1024 ** (p + 1) or p == 1)
        for p in range(power, 0, -1):
            if size < 1024 ** (p + 1) and round(size / 1024**p, 2) == size / 1024**p:
                return value / 1024**p, "KMGTP"[p - 1] + "i"
    table: tuple[tuple[float, str], ...] = ()
    if head in ("B", "FLOP", "Hz", "b"):
        table = _SI
    elif head in ("s", "m") and "^" not in text:
        table = _SMALL
    elif head in ("J", "W"):
        table = (*_SI, *_SMALL[1:])
    for factor, prefix in table:
        if size >= factor * 0.9999999:
            return value / factor, prefix
    return value, ""
