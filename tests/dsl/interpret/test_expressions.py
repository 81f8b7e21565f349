"""Arithmetic, dimensions and functions."""

from __future__ import annotations

import pytest

from accelscope.dsl.values.values import Constructor, CurveValue, ListValue, MapValue, Symbol, TableFile
from tests.support.language import codes, findings, only, program, value


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 + 2 * 3", "7"),
        ("2 ^ 3 ^ 2", "512"),
        ("-2 ^ 2", "-4"),
        ("10 - 3 - 2", "5"),
        ("1024 * 5.23 Gb/s", "669.4 GB/s"),
        ("512 MAC/cycle * 2 GHz", "2.048 TFLOP/s"),
        ("900 GB/s/bidi", "450 GB/s/dir"),
        ("1200 GB/s/bidi / 6", "100 GB/s/dir"),
        ("50%", "0.5"),
        ("min(3, 1, 2)", "1"),
        ("max([3, 1, 2])", "3"),
        ("sum([1 GB, 2 GB])", "3 GB"),
        ("product([16, 20, 28])", "8960"),
        ("abs(2 - 5)", "3"),
        ("sqrt(16 m^2)", "4 m"),
        ("log2(1024)", "10"),
        ("log10(1000)", "3"),
        ("ln(exp(2))", "2"),
        ("ceil(1.2)", "2"),
        ("floor(1.8)", "1"),
        ("round(1.6)", "2"),
        ("mod(7, 4)", "3"),
        ("len([1, 2, 3])", "3"),
        ("if 1 < 2 then 3 else 4", "3"),
        ("[5, 6, 7][1]", "6"),
        ("{ a = 1, b = 2 }.b", "2"),
        ("sum(values([hbm3 -> 3, hbm4 -> 8]))", "11"),
    ],
)
def test_an_expression_has_its_value(expression, expected):
    assert value(f"let x = {expression}", "x") == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("1 < 2 < 3", True),
        ("1 < 2 > 3", False),
        ("0.1 + 0.2 == 0.3", True),
        ("0.1 + 0.2 <= 0.3", True),
        ("0.1 + 0.2 > 0.3", False),
        ("18 * 25 GB/s/dir == 900 GB/s/bidi", True),
        ("not true or true", True),
        ("false and 1 / 0 > 1", False),
        ("approx(989.6 TFLOP/s, 989.4 TFLOP/s, 0.1%)", True),
        ("approx(80 GB, 70 GB, rel_tol = 1%)", False),
        ("hbm3 == hbm3", True),
        ("hbm3 != hbm3e", True),
    ],
)
def test_a_condition_has_its_value(expression, expected):
    assert value(f"let x = {expression}", "x") is expected


@pytest.mark.parametrize(
    ("expression", "code"),
    [
        ("1 GB + 1 GB/s", "A112"),
        ("1 GB/s/dir + 1 GB/s", "A112"),
        ("1 B/cycle + 1 B/s", "A112"),
        ("2 ^ (1 GB)", "A112"),
        ("(2 GB) ^ 0.5", "A112"),
        ("log2(1 GB)", "A112"),
        ("min(1, 1 s)", "A112"),
        ("sqrt(2 GB)", "A112"),
        ("1 / 0", "A208"),
        ("1e308 * 10", "A208"),
        ("2^2^2^2^2^2^2", "A208"),
        ("sqrt(0 - 1)", "A208"),
        ("log2(0)", "A208"),
        ("mod(1, 0)", "A208"),
        ('"a" + 1', "A208"),
        ("not 1", "A208"),
        ("if 1 then 2 else 3", "A208"),
        ("frequency * 2", "A201"),
        ("mni(1, 2) + 1", "A205"),
        ("min()", "A206"),
        ("log2(1, 2)", "A206"),
        ("approx(1)", "A206"),
        ("max(1, low = 2)", "A206"),
        ("[1, 2][5]", "A107"),
        ("{ a = 1 }.b", "A202"),
        ("[1 -> 2, 1 -> 3]", "A105"),
        ("[1 -> 2, 2 s -> 3]", "A112"),
        ("[a -> 2, a -> 3]", "A103"),
        ("[1 -> 2, 3]", "A105"),
        ("9 .. 3", "A107"),
        ("3 GB .. 4 s", "A112"),
        ("5 GB ± 1 s", "A112"),
    ],
)
def test_an_impossible_expression_is_one_finding(expression, code):
    assert codes(findings(f"let x = {expression}")) == [code]


def test_adding_dimensions_points_at_the_operation():
    found = only(findings("let x = 2 * (1 GB + 670 GB/s)"))
    assert found.span.text == "1 GB + 670 GB/s"


def test_a_bandwidth_without_direction_is_offered_both_readings():
    found = only(findings("check 450 GB/s/dir == 900 GB/s"))
    assert "900 GB/s/bidi" in found.help
    assert "450 GB/s/dir" in found.help
    assert "900 GB/s/dir" in found.help


def test_an_unknown_unit_is_pointed_at_within_the_literal():
    found = only(findings("let x = 3 GB/sec"))
    assert (found.code, found.span.text) == ("A110", "sec")
    assert "GB/s" in found.help


def test_a_unit_that_is_a_name_gets_the_hint_about_spaces():
    found = only(findings("let n = 4\nlet x = 80GB/n"))
    assert found.span.text == "n"
    assert "80GB / n" in found.help


def test_division_by_a_unit_gets_the_hint_about_units():
    found = only(findings("let x = 0.09 / cm"))
    assert (found.code, "unit" in found.help) == ("A201", True)


def test_a_misspelt_function_is_suggested():
    assert only(findings("let x = 1 + mni(1, 2)")).help == "did you mean `min`?"


def test_a_misspelt_name_is_suggested():
    assert only(findings("let clock = 1 GHz\nlet x = clok * 2")).help == "did you mean `clock`?"


def test_a_long_chain_of_additions_is_evaluated_without_nesting():
    assert value("let x = " + " + ".join(["1"] * 200), "x") == "200"


def test_a_name_that_nothing_defines_is_a_symbol():
    assert value("package X { class = hbm3e }", "X.class") == Symbol("hbm3e")


def test_a_dotted_name_that_nothing_defines_is_a_symbol():
    assert value("let x = [gpu.hbm.bandwidth]", "x").items == (Symbol("gpu.hbm.bandwidth"),)


def test_a_called_symbol_is_a_constructor():
    found = value("let x = structured(2, 4, rest = dense)", "x")
    assert isinstance(found, Constructor)
    assert (found.name, len(found.args), found.kwargs["rest"]) == ("structured", 2, Symbol("dense"))


def test_pairs_of_quantities_are_a_curve():
    found = value("let x = [128 B -> 45%, 4 KiB -> 70%]", "x")
    assert isinstance(found, CurveValue)
    assert found.points[1][0].magnitude == 4096


def test_pairs_with_words_are_a_map():
    found = value("let x = [hbm3 -> 1, hbm4 -> 2]", "x")
    assert isinstance(found, MapValue)
    assert list(found.entries) == ["hbm3", "hbm4"]


def test_a_list_keeps_its_order():
    found = value("let x = [3, 1, 2]", "x")
    assert isinstance(found, ListValue)
    assert [item.magnitude for item in found.items] == [3, 1, 2]


def test_a_table_names_its_file():
    found = value('let x = table("gemm.csv", interpolate = log)', "x")
    assert isinstance(found, TableFile)
    assert (found.name, found.kwargs["interpolate"]) == ("gemm.csv", Symbol("log"))


def test_the_low_end_of_a_range_takes_the_unit_of_the_high_end():
    found = value("let x = 32..192 GB", "x")
    assert (found.low.magnitude, found.high.magnitude) == (32e9, 192e9)


def test_a_share_is_a_tolerance_of_the_value():
    made = program("let x = 200 W ± 5%")
    assert made.module.root.get("x").value.tolerance.half_width == pytest.approx(10)


def test_a_tolerance_may_have_the_unit_of_the_value():
    made = program("let x = 3 TB/s ± 0.1 TB/s")
    assert made.module.root.get("x").value.tolerance.half_width == pytest.approx(1e11)


def test_a_distribution_keeps_its_arguments():
    found = program("let x = 3 s ~ lognormal(sigma = 0.8)").module.root.get("x").value.tolerance
    assert (found.distribution, found.args["sigma"].magnitude) == ("lognormal", 0.8)


def test_a_literal_keeps_its_unit_and_a_result_has_none():
    root = program("let x = 80 GB\nlet y = 2 * x").module.root
    assert (root.get("x").value.unit, root.get("y").value.unit) == ("GB", None)


def test_a_function_sees_where_it_is_written():
    assert value("let k = 2\nlet f(x) = k * x\npackage X { let k = 5\n y = f(3) }", "X.y") == "6"


def test_a_function_takes_arguments_by_name():
    assert value("let f(x, y) = x - y\nlet z = f(y = 1, x = 5)", "z") == "4"


def test_a_function_that_calls_itself_is_a_cycle():
    assert only(findings("let f(x) = f(x - 1)\nlet y = f(3)")).code == "A203"


def test_too_many_arguments_say_what_the_function_takes():
    found = only(findings("let f(x) = x\nlet y = f(1, 2)"))
    assert (found.code, "`x`" in found.message) == ("A206", True)


@pytest.mark.parametrize(
    "text",
    [
        "[1 GB, 2] == [1000 MB, 2]",
        "{ a = 1, b = [x] } == { b = [x], a = 1 }",
        "[4 KiB -> 40%] == [4 KiB -> 0.4]",
        "structured(2, n = 4) == structured(2, n = 4)",
        '[true, none, "a", 2024-01-01] == [1 < 2, none, "a", 2024-01-01]',
        "[1] != [1 GB]",
        "[1] != [2]",
        "[1] != [[1]]",
        "[1, 2] != [1]",
        '[a] != ["a"]',
        "{ a = 1 } != { b = 1 }",
        "[true] != [false]",
        "[none] != [false]",
        "f(1) != g(1)",
        "[1 -> 2] != [1]",
    ],
)
def test_values_without_magnitude_are_compared_part_by_part(text):
    assert findings(f"check {text}") == ()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("[1 GB, 2]", "[1 GB, 2]"),
        ("{ a = 1, b = [x] }", "{ a = 1, b = [x] }"),
        ("[4 KiB -> 40%, 8 KiB -> 50%]", None),
        ("structured(2, n = 4)", "structured(2, n = 4)"),
        ('[true, none, "a", 2024-01-01]', '[true, none, "a", 2024-01-01]'),
        ("hbm3", "hbm3"),
        ('table("a.csv", x = y)', 'table("a.csv", x = y)'),
        ("1 .. 2", "1..2"),
        ("package_of.inner", "package_of.inner"),
        ("[]", "[]"),
    ],
)
def test_a_failing_check_shows_values_as_they_are_written(text, shown):
    found = only(findings(f"package package_of {{ die inner {{ }} }}\nlet v = {text}\ncheck v == nothing"))
    assert found.label.startswith("`v` is " + (shown or "["))
    assert "=(" not in found.label


def test_a_long_value_is_cut():
    found = only(findings(f"let v = [{'100,' * 500}]\ncheck v == [1]"))
    assert len(found.label) < 100
    assert "... and `[1]` is [1]" in found.label
