"""The values of a sweep."""

from __future__ import annotations

import pytest

from accelscope.dsl.interpret.sweep_axes import collect_axis_statements, evaluate_domain
from accelscope.dsl.override.overrides import parse_override
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.values import Quantity, Symbol
from tests.support.language import only, program


def domain(text, before=""):
    made = program(f"{before}\nstudy s {{ sweep x in {text} }}")
    (axis,) = collect_axis_statements(made.lookup("s"))
    return made, evaluate_domain(made.interpreter, axis)


def shown(text, before=""):
    made, found = domain(text, before)
    assert found is not None, [item.message for item in made.diagnostics]
    return [show_quantity(item) if isinstance(item, Quantity) else item for item in found]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1..8 step x2", ["1", "2", "4", "8"]),
        ("1..9 step x2", ["1", "2", "4", "8"]),
        ("0.1..0.5 step 0.1", ["0.1", "0.2", "0.3", "0.4", "0.5"]),
        ("2 TB/s .. 4 TB/s step 1 TB/s", ["2 TB/s", "3 TB/s", "4 TB/s"]),
        ("32..96 GB step 32", ["32 GB", "64 GB", "96 GB"]),
        ("1..100 points 3 log", ["1", "10", "100"]),
        ("0..100 points 3 lin", ["0", "50", "100"]),
        ("[80 GB, 141 GB]", ["80 GB", "141 GB"]),
        ("[a, b]", [Symbol("a"), Symbol("b")]),
        ("values(gens)", ["3", "8"]),
        ("7 GB", ["7 GB"]),
    ],
)
def test_a_domain_has_its_values(text, expected):
    assert shown(text, "let gens = [hbm3 -> 3, hbm4 -> 8]") == expected


def test_components_are_values():
    assert [item.name for item in domain("[A, B]", "node A { }\nnode B { }")[1]] == ["A", "B"]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1 .. 1e9 step 1", "A209"),
        ("1 .. 1e300 step x1.0000001", "A209"),
        ("1 .. 2 points 1e9 lin", "A209"),
        ("1 .. 2 step 0", "A107"),
        ("1 .. 2 step x1", "A107"),
        ("0 .. 2 step x2", "A107"),
        ("0 .. 2 points 3 log", "A107"),
        ("1 .. 2 points 2.5 lin", "A107"),
        ("1 .. 2 GB step 1 s", "A112"),
        ("[1 GB, 2 s]", "A112"),
        ("1 .. 2", "A211"),
        ("3 step 1", "A105"),
        ("[]", "A105"),
    ],
)
def test_an_impossible_domain_is_one_finding(text, code):
    made, found = domain(text)
    assert found is None
    assert only(made.diagnostics).code == code


def test_an_axis_keeps_word_path_and_condition():
    made = program("study s { tune tp in [1, 2] when tp <= 8 }")
    (axis,) = collect_axis_statements(made.lookup("s"))
    assert (axis.word, axis.path, axis.when.span(made.module.source).text) == ("tune", "tp", "tp <= 8")


def test_a_range_of_the_command_line_is_an_axis():
    made = program("scenario s { let top = 6 TB/s }")
    assignment, found = parse_override("gpu.hbm.bandwidth=2 TB/s .. top step 2 TB/s")
    assert found == ()
    axis = assignment.axis(made.lookup("s"))
    assert [show_quantity(item) for item in evaluate_domain(made.interpreter, axis)] == [
        "2 TB/s",
        "4 TB/s",
        "6 TB/s",
    ]


def test_spans_of_the_command_line_point_into_the_argument():
    assignment, _ = parse_override("a.b=2 TB/s .. 6 TB/s step 2 TB/s")
    texts = [node.span(assignment.source).text for node in (assignment.target, assignment.domain)]
    assert texts == ["a.b", "2 TB/s .. 6 TB/s"]
