"""Units and dimensions: text to scale and dimension, and a quantity back to text.

Decimal prefixes are powers of 1000 (`GB` = 1e9 B), binary ones of 1024 (`GiB` = 2^30 B); `b` is a bit and `B` a byte;
`Hz` is `cycle/s`; a link's direction is a dimension of its own (`/dir`, with `bidi = 2 dir`).
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from functools import lru_cache

from attrs import field, frozen

from accelscope.dsl.diagnostics.suggest import find_closest_word
from accelscope.dsl.values.unit_spelling import suggest_unit


@frozen(cache_hash=True)
class Dimension:
    """A product of powers of base dimensions, as sorted (symbol, exponent) pairs without zeros."""

    powers: tuple[tuple[str, int], ...] = ()

    def __mul__(self, other: Dimension) -> Dimension:
        if not other.powers:
            return self
        return _combine(self, other, 1) if self.powers else other

    def __truediv__(self, other: Dimension) -> Dimension:
        return _combine(self, other, -1) if other.powers else self

    def __pow__(self, exponent: int) -> Dimension:
        return Dimension(tuple((name, power * exponent) for name, power in self.powers) if exponent else ())

    def root(self, degree: int) -> Dimension | None:
        """Return the root of a dimension, or None if an exponent is not divisible."""
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


DIMENSIONLESS = Dimension()


def base_dimension(symbol: str) -> Dimension:
    """Return the dimension of a base symbol."""
    return Dimension(((symbol, 1),))


@frozen
class Unit:
    """A unit: its symbol, its scale, and the prefixes that it takes.

    Attributes:
        symbol: the symbol in a text.
        scale: one unit in `of`.
        of: a unit expression in known units, or None for a new base dimension.
        prefixes: "si" (k to E), "small" (m to f), "binary" (Ki to Pi), any joined by "+", or "".
    """

    symbol: str
    scale: float = 1.0
    of: str | None = None
    prefixes: str = ""


class UnknownUnit(Exception):
    """A unit is not known.

    Attributes:
        text: the whole unit.
        part: the unknown part.
        hint: how to fix it, or None.
    """

    def __init__(self, text: str, part: str, hint: str | None) -> None:
        super().__init__(text)
        self.text, self.part, self.hint = text, part, hint


_PREFIXES: Mapping[str, Mapping[str, float]] = {
    "si": {"k": 1e3, "M": 1e6, "G": 1e9, "T": 1e12, "P": 1e15, "E": 1e18},
    "small": {"m": 1e-3, "u": 1e-6, "µ": 1e-6, "μ": 1e-6, "n": 1e-9, "p": 1e-12, "f": 1e-15},
    "binary": {"Ki": 2.0**10, "Mi": 2.0**20, "Gi": 2.0**30, "Ti": 2.0**40, "Pi": 2.0**50},
}

BUILT_IN_UNITS: tuple[Unit, ...] = (
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

_PART = re.compile(r"(^|[*/·])([^*/·]+)")
_ATOM = re.compile(r"([A-Za-zµμΩ%$€]+[²³]?)(?:\^(-?\d{1,2}))?$")


@frozen(eq=False)
class UnitTable:
    """Every known unit, by symbol with its prefixes written out: symbol to (scale, dimension)."""

    units: Mapping[str, tuple[float, Dimension]]
    _cache: dict[str, tuple[float, Dimension]] = field(factory=dict, repr=False)

    @classmethod
    def of(cls, units: Iterable[Unit] = ()) -> UnitTable:
        """Return a table of the built-in units and more; raise ValueError if a symbol is defined twice."""
        table: dict[str, tuple[float, Dimension]] = {}
        made = cls(table)
        for unit in (*BUILT_IN_UNITS, *units):
            made._add(unit, table)
        return made

    def _add(self, unit: Unit, table: dict[str, tuple[float, Dimension]]) -> None:
        scale, dimension = (1.0, base_dimension(unit.symbol)) if unit.of is None else self.parse(unit.of)
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
            UnknownUnit: a part is not a known unit.
        """
        parsed = self._cache.get(text)
        if parsed is None:
            parsed = self._parse(text)
            if len(self._cache) < 4096:
                self._cache[text] = parsed
        return parsed

    def _parse(self, text: str) -> tuple[float, Dimension]:
        scale, dimension = 1.0, DIMENSIONLESS
        for part in _PART.finditer(text):
            match = _ATOM.match(part[2].replace("²", "^2").replace("³", "^3"))
            entry = self.units.get(match[1]) if match else None
            if match is None or entry is None:
                raise UnknownUnit(text, part[2], self._hint(text, part))
            power = int(match[2] or 1) * (-1 if part[1] == "/" else 1)
            scale *= entry[0] ** power
            dimension = dimension * entry[1] ** power
        return scale, dimension

    def _hint(self, text: str, part: re.Match[str]) -> str | None:
        sign, atom = part[1], part[2]
        before, after = text[: part.start(2)], text[part.end(2) :]
        known = suggest_unit(before, atom, after)
        if known or len(atom) > 20:
            return known
        divide = (
            f"put spaces around `{sign}` to {'divide' if sign == '/' else 'multiply'} by the name `{atom}`"
        )
        if not sign:
            near = find_closest_word(atom, self.units)
            return f"did you mean `{near}{after}`?" if near else None
        near = find_closest_word(atom, self.units, cutoff=0.65) if len(atom) > 1 else None
        return f"did you mean `{before}{near}{after}`? or {divide}" if near else divide


@lru_cache(maxsize=1)
def built_in_unit_table() -> UnitTable:
    """Return the table of the built-in units."""
    return UnitTable.of()


# ---- quantities as text -----------------------------------------------------------------------------------

_SI = ((1e18, "E"), (1e15, "P"), (1e12, "T"), (1e9, "G"), (1e6, "M"), (1e3, "k"), (1.0, ""))
_SMALL = ((1.0, ""), (1e-3, "m"), (1e-6, "u"), (1e-9, "n"), (1e-12, "p"), (1e-15, "f"))
_SCALES: Mapping[str, tuple[tuple[float, str], ...]] = {
    "B": _SI,
    "FLOP": _SI,
    "Hz": _SI,
    "s": _SMALL,
    "m": _SMALL,
    "J": (*_SI, *_SMALL[1:]),
    "W": (*_SI, *_SMALL[1:]),
}

# Units that are easier to read than base units: the unit, its scale, its prefixes.
_USUAL: Mapping[str, tuple[str, float, tuple[tuple[float, str], ...]]] = {
    "J/B": ("J/bit", 8.0, _SMALL),
    "m^2": ("mm^2", 1e-6, ()),
    "1/m^2": ("cm^-2", 1e4, ()),
    "J/m^2/s": ("W/mm^2", 1e6, ()),
    "USD/s": ("USD/h", 1 / 3600, ()),
    "USD/tok": ("USD/Mtok", 1e-6, ()),
}
_LONG_TIMES = ((365.25 * 86400, "yr"), (86400.0, "d"), (3600.0, "h"), (600.0, "min"))
_BINARY = ((2.0**50, "Pi"), (2.0**40, "Ti"), (2.0**30, "Gi"), (2.0**20, "Mi"), (2.0**10, "Ki"))


def format_quantity(value: float, dimension: Dimension, digits: int = 4) -> str:
    """Return a quantity in readable units: `3.35 TB/s`, `21.07 ms`, `320 KiB`, `1.3 pJ/bit`.

    Bytes are in binary units if that takes fewer digits; rates are always in decimal units.

    Args:
        value: in base units.
        dimension: its dimension.
        digits: significant digits.
    """
    if not dimension.powers:
        return _number(value, digits)
    text = _readable(dimension)
    if not math.isfinite(value):
        return f"{value} {text}"
    if text == "s" and abs(value) >= 600:
        factor, unit = next(entry for entry in _LONG_TIMES if abs(value) >= entry[0])
        return f"{_number(value / (60.0 if unit == 'min' else factor), digits)} {unit}"
    unit, worth, scales = _USUAL.get(str(dimension), (text, 1.0, _scales(text)))
    value /= worth
    if binary := _binary(value, text, digits):
        return binary
    for factor, prefix in scales if value else ():
        if float(f"{abs(value) / factor:.{digits}g}") >= 1 or factor == scales[-1][0]:
            return f"{_number(value / factor, digits)} {prefix}{unit}"
    return f"{_number(value, digits)} {unit}"


def _readable(dimension: Dimension) -> str:
    """Return a dimension with W for J/s, Hz for cycle/s and FLOP for op."""
    powers = dict(dimension.powers)
    for unit, parts in (("W", ("J", "s")), ("Hz", ("cycle", "s"))):
        if powers.get(parts[0]) == 1 and powers.get(parts[1]) == -1:
            rest = {name: power for name, power in powers.items() if name not in parts}
            if all(power < 0 for power in rest.values()):
                return str(Dimension(((unit, 1), *sorted(rest.items()))))
    return re.sub(r"\bop\b", "FLOP", str(dimension))


def _scales(text: str) -> tuple[tuple[float, str], ...]:
    head = re.match(r"[A-Za-z]+(?![\w^*])", text)
    return _SCALES.get(head[0], ()) if head and not text.endswith("/cycle") else ()


def _number(value: float, digits: int) -> str:
    large = 10**digits <= abs(value) < 1e15
    return f"{value:,.0f}" if large else f"{value:.{digits}g}"


def _binary(value: float, text: str, digits: int) -> str | None:
    """Return bytes in binary units if that takes fewer digits than decimal ones."""
    if abs(value) < 1024 or text not in ("B", "B/cycle", "B/tok", "B/req"):
        return None
    factor, prefix = next(entry for entry in _BINARY if abs(value) >= entry[0])
    length = _length(value / factor)
    return f"{value / factor:.{digits}g} {prefix}{text}" if length < min(digits + 1, _length(value)) else None


def _length(value: float) -> int:
    """Return the number of digits, without zeros at either end."""
    return len(f"{abs(value):.12e}".split("e")[0].replace(".", "").rstrip("0"))
