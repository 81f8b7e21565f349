"""Descriptions made to blow up: each ends soon, with a diagnostic or a value."""

from __future__ import annotations

import time

import pytest
from evaluating import checked, codes, findings, only, value
from timing import seconds


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
