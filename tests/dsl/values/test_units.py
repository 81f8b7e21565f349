from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelscope.dsl.values.unit_spelling import spell_unit
from accelscope.dsl.values.units import (
    DIMENSIONLESS,
    Dimension,
    Unit,
    UnitTable,
    UnknownUnit,
    built_in_unit_table,
    format_quantity,
)

UNITS = built_in_unit_table()


def worth(unit):
    return UNITS.parse(unit)


@pytest.mark.parametrize(
    ("left", "factor", "right"),
    [
        ("GB", 1e9, "B"),
        ("GiB", 2.0**30, "B"),
        ("Gb", 1e9 / 8, "B"),
        ("bit", 1 / 8, "B"),
        ("GB/s/bidi", 0.5, "GB/s/dir"),
        ("Hz", 1, "cycle/s"),
        ("MAC", 2, "op"),
        ("TFLOP/s", 1e12, "op/s"),
        ("W", 1, "J/s"),
        ("Wh", 3600, "J"),
        ("mm^2", 1e-6, "m^2"),
        ("mm²", 1e-6, "m^2"),
        ("cm^-2", 1e4, "m^-2"),
        ("µs", 1e-6, "s"),
        ("μs", 1e-6, "s"),
        ("Mtok", 1e6, "tok"),
        ("$/h", 1 / 3600, "USD/s"),
        ("yr", 365.25, "d"),
        ("%", 1e4, "ppm"),
        ("MAC/cycle*GHz", 2e9, "op/s"),
        ("MAC/cycle·GHz", 2e9, "op/s"),
    ],
)
def test_worth(left, factor, right):
    (scale, dimension), (other_scale, other) = worth(left), worth(right)
    assert dimension == other
    assert math.isclose(scale, factor * other_scale)


@pytest.mark.parametrize(
    ("one", "other"), [("GB/s/dir", "GB/s"), ("Hz", "s^-1"), ("B/cycle", "B/s"), ("tok", "req")]
)
def test_dimensions_kept_apart(one, other):
    assert worth(one)[1] != worth(other)[1]


@pytest.mark.parametrize(
    ("unit", "part", "hint"),
    [
        ("KB", "KB", "write `kB` (1000 B) or `KiB` (1024 B)"),
        ("KB/s", "KB", "write `kB/s` (1000 B) or `KiB/s` (1024 B)"),
        ("GB/n", "n", "put spaces around `/` to divide by the name `n`"),
        ("GB*n", "n", "put spaces around `*` to multiply by the name `n`"),
        ("GB/s/dri", "dri", "did you mean `GB/s/dir`? or put spaces around `/` to divide by the name `dri`"),
        ("GBs", "GBs", "write `GB/s`"),
        ("GBps", "GBps", "write `GB/s`"),
        ("TFLOPS", "TFLOPS", "write `TFLOP/s`"),
        ("J/bits", "bits", "write `J/bit`"),
        ("Ghz", "Ghz", "did you mean `GHz`?"),
        ("tokens/s", "tokens", "write `tok/s`"),
        ("qqqqqqq", "qqqqqqq", None),
        ("a" * 100_000, "a" * 100_000, None),
    ],
)
def test_unknown_unit(unit, part, hint):
    with pytest.raises(UnknownUnit) as caught:
        worth(unit)
    assert (caught.value.part, caught.value.hint) == (part, hint)


def test_plugins_add_units():
    table = UnitTable.of([Unit("K"), Unit("flit", 16, "B", prefixes="si")])
    assert table.parse("kflit") == (16_000.0, worth("B")[1])
    assert table.parse("W/K")[1] == Dimension((("J", 1), ("K", -1), ("s", -1)))


def test_a_symbol_has_one_meaning():
    with pytest.raises(ValueError, match="`GB` is defined twice"):
        UnitTable.of([Unit("GB")])


@pytest.mark.parametrize(
    "text",
    [
        "3.35 TB/s", "80 GB", "50 MiB", "320 KiB", "1 KiB", "1 kB", "512 B", "70.3 kB", "16 GiB", "2 KiB/cycle",
        "450 GB/s/dir", "1.3 pJ/bit", "3.9 pJ/bit", "814 mm^2", "0.09 cm^-2", "0.7 W/mm^2", "700 W", "10.2 kW",
        "1.83 GHz", "989 TFLOP/s", "40 ms/tok", "320 KiB/tok", "12 req/s", "12,345 tok/s", "30 min", "2 h", "4 yr",
        "2.49 USD/h", "300,000 USD", "5 USD/Mtok", "500 ns", "21.07 ms", "20 mJ/tok", "-3.35 TB/s", "-50 MiB", "3 tok",
    ],
)  # fmt: skip
def test_quantity_as_written(text):
    number, unit = text.replace(",", "").split(" ")
    scale, dimension = worth(unit)
    assert format_quantity(float(number) * scale, dimension) == text


@pytest.mark.parametrize(
    ("value", "text"),
    [(0.85, "0.85"), (3, "3"), (12345, "12,345"), (1e20, "1e+20"), (1e-7, "1e-07"), (math.inf, "inf")],
)
def test_plain_number(value, text):
    assert format_quantity(value, DIMENSIONLESS) == text


@pytest.mark.parametrize(
    ("value", "unit", "text"),
    [
        (999.96e9, "B/s", "1 TB/s"),
        (0.0, "B", "0 B"),
        (math.inf, "B/s", "inf B/s"),
        (math.nan, "s", "nan s"),
        (1024, "op/cycle", "1024 FLOP/cycle"),
        (900e9, "B/s/bidi", "450 GB/s/dir"),
        (1e-18, "s", "0.001 fs"),
        (8e9, "B/s/W", "8 GB/J"),
    ],
)
def test_quantity(value, unit, text):
    scale, dimension = worth(unit)
    assert format_quantity(value * scale, dimension) == text


def test_digits():
    assert format_quantity(1.23456e9, worth("B/s")[1], digits=3) == "1.23 GB/s"


@given(st.floats(allow_nan=True, allow_infinity=True), st.sampled_from(sorted(UNITS.units)))
def test_any_quantity_has_a_text_that_reads_back(value, unit):
    dimension = worth(unit)[1]
    text = format_quantity(value, dimension, digits=9)
    if dimension.powers and math.isfinite(value):
        number, shown = text.split(" ")
        assert worth(shown)[1] == dimension
        assert math.isclose(
            float(number.replace(",", "")) * worth(shown)[0], value, rel_tol=1e-6, abs_tol=1e-300
        )


@pytest.mark.parametrize("unit", ["GB/s", "MAC/cycle", "mm^2", "pJ/bit", "USD/h", "%", "tok/s"])
def test_usual_spelling_stays(unit):
    assert spell_unit(unit) == unit
