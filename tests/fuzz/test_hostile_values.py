"""Descriptions made to blow up: each ends soon, with a diagnostic or a value."""

from __future__ import annotations

import time

import pytest

from tests.support.language import checked, codes, findings, only, value
from tests.support.timing import assert_linear, seconds


def doubled(template, first):
    return first + "".join(template.format(i=i, j=i - 1) for i in range(1, 61))


def test_values_doubled_sixty_times_are_computed_once_each():
    assert value(doubled("let a{i} = a{j} + a{j}\n", "let a0 = 1\n"), "a60") == "1.153e+18"


def test_lists_doubled_sixty_times_share_their_items():
    assert findings(doubled("let a{i} = [a{j}, a{j}]\n", "let a0 = [1]\n")) == ()


def test_bases_doubled_sixty_times_are_inherited_once():
    assert (
        value(doubled("package a{i} extends a{j} + a{j} {{ }}\n", "package a0 { tdp = 1 W }\n"), "a60.tdp")
        == "1 W"
    )


@pytest.mark.parametrize(
    "text",
    [
        doubled("let f{i}(x) = f{j}(x) + f{j}(x)\n", "let f0(x) = x\n") + "let y = f60(1)",
        doubled("package a{i} {{ package x : a{j}, package y : a{j} }}\n", "package a0 { tdp = 1 W }\n"),
        doubled(
            "package a{i} extends a{j} {{ package x{i} : a{j}, package y{i} : a{j} }}\n",
            "package a0 { tdp = 1 W }\n",
        ),
        "package a { memory m[1e12] { } }",
        "package a { memory m[1000000, 1000000] { } }",
    ],
    ids=["functions", "blocks", "bases and blocks", "count", "dims"],
)
def test_an_explosion_is_one_finding(text):
    start = time.process_time()
    assert only(findings(text)).code == "A209"
    assert time.process_time() - start < seconds(3)


@pytest.mark.parametrize("count", ["0", "-1", "1.5"])
def test_a_count_is_a_whole_number_from_one_up(count):
    assert codes(findings(f"package a {{ memory m[{count}] {{ }} }}")) == ["A107"]


def test_a_count_with_a_unit_is_refused():
    assert codes(findings("package a { memory m[1 GB] { } }")) == ["A111"]


@pytest.mark.parametrize(
    "text",
    [
        "let a0 = 1\n" + "".join(f"let a{i} = a{i - 1} + 1\n" for i in range(1, 1000)),
        "package a0 { }\n" + "".join(f"package a{i} extends a{i - 1} {{ }}\n" for i in range(1, 500)),
        "package a {" + "".join(f"package p{i} {{" for i in range(60)) + "}" * 61,
        "let x0 = a { }\npackage a { }\n" + "".join(f"let x{i} = x{i - 1} {{ }}\n" for i in range(1, 100)),
    ],
    ids=["lets", "bases", "blocks", "amended"],
)
def test_a_long_way_in_order_is_no_problem(text):
    assert findings(text) == ()


@pytest.mark.parametrize(
    "text",
    [
        "".join(f"let a{i} = a{i - 1} + 1\n" for i in range(1000, 0, -1)) + "let a0 = 1",
        "".join(f"package a{i} extends a{i - 1} {{ }}\n" for i in range(300, 0, -1)) + "package a0 { }",
    ],
    ids=["lets", "bases"],
)
def test_a_long_way_backwards_is_a_finding_and_no_crash(text):
    assert set(codes(findings(text))) == {"A209"}


@pytest.mark.parametrize(
    "text",
    [
        "let f(x) = g(x)\nlet g(x) = f(x)\nlet y = f(1)",
        "package a { package b : c }\npackage c { package d : a }",
    ],
    ids=["functions", "blocks"],
)
def test_a_cycle_of_two_is_found(text):
    assert set(codes(findings(text))) == {"A203"}


def test_a_copy_that_contains_itself_is_a_finding():
    text = 'package X { deployment d { system = parent { vendor = "V" } } }'
    assert codes(checked(text)).count("A203") == 1


def test_a_block_called_count_is_no_count():
    assert value("node N { package gpu[8] { package count { } } }", "N.gpu").count.magnitude == 8


def tower(name, template, first, height=80):
    return f"let {name}0 = {first}\n" + "".join(
        f"let {name}{i} = {template.format(f'{name}{i - 1}')}\n" for i in range(1, height)
    )


LISTS, TWINS = tower("a", "[{0}, {0}]", "[1, 2]"), tower("b", "[{0}, {0}]", "[1, 2]")
OBJECTS = tower("o", "{{ a = {0}, b = {0} }}", "{ a = 1 }")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (LISTS + "check a79 == a79", []),
        (LISTS + TWINS + "check a79 == b79", []),
        (LISTS + TWINS + "check a79 != b79", ["A301"]),
        (LISTS + "check a79 == a78", ["A301"]),
        (LISTS + "check [a79] == [a79, 1]", ["A301"]),
        (OBJECTS + "check o79 == o78", ["A301"]),
        (tower("a", "[{0}]", "1", 9_000) + "check a8999 == a8998", ["A301"]),
    ],
    ids=["itself", "equal", "unequal", "lower", "longer", "objects", "deep"],
)
def test_shared_values_are_compared_soon(text, expected):
    start = time.process_time()
    assert codes(findings(text)) == expected
    assert time.process_time() - start < seconds(2)


def test_a_comparison_of_very_many_pairs_is_one_finding():
    text = "let a = [" + "[1]," * 9000 + "]\nlet b = [" + "[1]," * 9000 + "]\n"
    text += f"check [{'a,' * 9}] == [{'b,' * 9}]\n"
    assert codes(findings(text + "check a == b\n" * 30)) == ["A209"]


def test_a_shared_value_is_shown_on_a_line():
    label = only(findings(LISTS + "check a79 == a78")).label
    assert label.startswith("`a79` is [[[[[[")
    assert len(label) < 200


def test_a_sum_of_a_long_list_uses_up_the_steps():
    def check(size):
        text = "let a = [" + "1," * 40_000 + "]\n" + "check sum(a) > 0\n" * size
        assert codes(findings(text)) == ["A209"]

    assert_linear(check, 400)


def lines(pattern, count):
    return "".join(pattern.format(i=i) for i in range(count))


MISTAKES = {
    "keys": lambda size: "package a {\n" + lines("k{i} = {i}\n", size) + "}\n",
    "kinds": lambda size: lines("kind{i} {{ }}\n", size),
    "names": lambda size: lines("let a{i} = 1\n", size // 2) + lines("check z{i} > 1\n", size // 4),
    "bases": lambda size: (
        lines("let a{i} = 1\n", size // 2) + lines("package z{i} : q{i} {{ }}\n", size // 5)
    ),
    "doubts": lambda size: (
        "package a {\n" + lines("memory m{i} {{ bandwidth = 1e30 B/s }}\n", size // 2) + "}"
    ),
}


@pytest.mark.parametrize("name", MISTAKES)
def test_very_many_mistakes_are_a_hundred_findings_soon(name, budget):
    def check(size):
        found = checked(MISTAKES[name](size))
        assert len(found) == 100
        assert found[-1].notes[-1] == "there are more errors or warnings, which are not shown"

    assert_linear(check, budget.choose(normal=5_000, full=20_000))


def test_a_hundred_mistakes_are_all_there_is_to_say():
    found = checked("package a {\n" + "".join(f"k{i} = {i}\n" for i in range(100)) + "}\n")
    assert not any("more" in note for item in found for note in item.notes)


def test_errors_go_before_warnings_where_there_are_too_many():
    text = "package a {\n" + "".join(f"memory m{i} {{ bandwidth = 1e30 B/s }}\n" for i in range(200))
    assert "A101" in codes(checked(text + "k = 1\n}\n"))


def test_numbers_without_a_source_are_all_listed():
    text = "package a {\n" + "".join(f"memory m{i} {{ capacity = 1 GB }}\n" for i in range(300)) + "}\n"
    assert codes(checked(text, lint=True)) == ["A401"] * 300
