from __future__ import annotations

import datetime

import pytest
from hypothesis import given

from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.format.printer import unparse_file
from accelscope.dsl.syntax import nodes as s
from accelscope.dsl.syntax.parser import parse
from tests.support.budgets import examples
from tests.support.sample_texts import ALL, CHIP
from tests.support.strategies import files


def tree(text):
    file, findings = parse(SourceText("t", text))
    assert findings == ()
    return file


def statement(text):
    (item,) = tree(text).statements
    return item


def value(text):
    return statement(f"v = {text}\n").value


def number(x, unit=None):
    return s.Number(0, 0, float(x), unit)


def name(text):
    return s.Name(0, 0, text)


def nodes(item):
    yield item
    for key in item.__slots__:
        parts = getattr(item, key, None)
        for part in parts if isinstance(parts, tuple) else (parts,):
            part = part[1] if isinstance(part, tuple) else part
            if isinstance(part, s.SyntaxNode):
                yield from nodes(part)


# ---- values -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1_000", number(1000)),
        ("1e12", number(1e12)),
        ("1e12 B", number(1e12, "B")),
        ("80GB", number(80, "GB")),
        ("3.35 TB/s", number(3.35, "TB/s")),
        ("25 GB/s/dir", number(25, "GB/s/dir")),
        ("0.09 cm^-2", number(0.09, "cm^-2")),
        ("5%", number(5, "%")),
        ("2 µs", number(2, "µs")),
        ('"a\\"b\\\\\\n\\t"', s.Text(0, 0, 'a"b\\\n\t')),
        ('"""two\nlines "quoted" """', s.Text(0, 0, 'two\nlines "quoted" ')),
        ("2025-06-01", s.Date(0, 0, datetime.date(2025, 6, 1))),
        ("true", s.Const(0, 0, True)),
        ("none", s.Const(0, 0, None)),
        ("hbm3e", name("hbm3e")),
        ("log", name("log")),
        ("16 GB / n", s.Binary(0, 0, "/", number(16, "GB"), name("n"))),
        ("16 GB/n", number(16, "GB/n")),
        ("2 × 3", s.Binary(0, 0, "*", number(2), number(3))),
        ("32..192 GB", s.Range(0, 0, number(32), number(192, "GB"))),
        ("[]", s.ListLiteral(0, 0, ())),
        ("{}", s.ObjectLiteral(0, 0, ())),
        ("[\n  1,\n  2,\n]", s.ListLiteral(0, 0, (number(1), number(2)))),
        (
            "{ a = 1\n  b = 2 }",
            s.ObjectLiteral(0, 0, (s.Keyword(0, 0, "a", number(1)), s.Keyword(0, 0, "b", number(2)))),
        ),
        ("1 +\n  2", s.Binary(0, 0, "+", number(1), number(2))),
    ],
)
def test_value(text, expected):
    assert value(text) == expected


def op(sign, left, right):
    return s.Binary(0, 0, sign, left, right)


A, B, C = name("a"), name("b"), name("c")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a + b * c", op("+", A, op("*", B, C))),
        ("a - b - c", op("-", op("-", A, B), C)),
        ("a / b / c", op("/", op("/", A, B), C)),
        ("a ^ b ^ c", op("^", A, op("^", B, C))),
        ("-a^b", s.Unary(0, 0, "-", op("^", A, B))),
        ("a^-b", op("^", A, s.Unary(0, 0, "-", B))),
        ("(a + b) * c", op("*", op("+", A, B), C)),
        ("a or b and c", op("or", A, op("and", B, C))),
        ("not a < b", s.Unary(0, 0, "not", s.Compare(0, 0, A, (("<", B),)))),
        ("a < b <= c", s.Compare(0, 0, A, (("<", B), ("<=", C)))),
        ("a .. b + c", s.Range(0, 0, A, op("+", B, C))),
        ("if a then b else c", s.Cond(0, 0, A, B, C)),
        ("a.b[*, c](b = 1)", s.Call(0, 0, s.Subscript(0, 0, s.Attr(0, 0, A, "b"), (s.Star(0, 0), C)), (s.Keyword(0, 0, "b", number(1)),))),
    ],
)  # fmt: skip
def test_precedence(text, expected):
    assert value(text) == expected


@pytest.mark.parametrize("sign", ["±", "+/-"])
def test_tolerance_and_citations(sign):
    found = value(f'1 kW {sign} 5% @sheet("p. 3", page = 2) @"a guess"')
    assert found.tolerance == s.PlusMinus(0, 0, number(5, "%"))
    assert [(cite.name, cite.text) for cite in found.cites] == [("sheet", None), (None, "a guess")]


def test_distribution():
    found = value("12 req/s ~ lognormal(sigma = 0.8)")
    assert found.tolerance == s.Distribution(0, 0, "lognormal", (s.Keyword(0, 0, "sigma", number(0.8)),))


# ---- statements -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("use std.units as u", s.UseStatement(0, 0, "std.units", False, "u", ())),
        ('use "f.accel"', s.UseStatement(0, 0, "f.accel", True, None, ())),
        ("use std.x { A, B }", s.UseStatement(0, 0, "std.x", False, None, (name("A"), name("B")))),
        ("let f(x, y) = x", s.LetStatement(0, 0, "f", ("x", "y"), name("x"))),
        ("let f() = 1", s.LetStatement(0, 0, "f", (), number(1))),
        ("let f = 1", s.LetStatement(0, 0, "f", None, number(1))),
        ("a.b = 1", s.AssignStatement(0, 0, s.Attr(0, 0, A, "b"), number(1))),
        ("memory m", s.BlockStatement(0, 0, "memory", "m", (), None, (), (), None)),
        ('memory "a b" {}', s.BlockStatement(0, 0, "memory", "a b", (), None, (), (), s.Body(0, 0, ()))),
        ("my.kind {}", s.BlockStatement(0, 0, "my.kind", None, (), None, (), (), s.Body(0, 0, ()))),
        (
            "die x[2, 3] : D",
            s.BlockStatement(0, 0, "die", "x", (number(2), number(3)), ":", (name("D"),), (), None),
        ),
        (
            "die x extends D +\n E",
            s.BlockStatement(0, 0, "die", "x", (), "extends", (name("D"), name("E")), (), None),
        ),
        ("connect a <-> b via c", s.ConnectStatement(0, 0, A, "<->", B, C, None)),
        ("connect a -> b", s.ConnectStatement(0, 0, A, "->", B, None, None)),
        ("connect a as ring(4)", s.ConnectPatternStatement(0, 0, A, "ring", (number(4),), None, None)),
        (
            "sweep a in 1 step x2.5",
            s.SweepStatement(0, 0, "sweep", A, number(1), s.StepClause(0, 0, "mul", number(2.5)), None),
        ),
        (
            "sweep a in 1 step ×2",
            s.SweepStatement(0, 0, "sweep", A, number(1), s.StepClause(0, 0, "mul", number(2)), None),
        ),
        (
            "tune a in 1 step 16 when b",
            s.SweepStatement(0, 0, "tune", A, number(1), s.StepClause(0, 0, "add", number(16)), B),
        ),
        (
            "sweep a in 1 points 9",
            s.SweepStatement(0, 0, "sweep", A, number(1), s.StepClause(0, 0, "lin", number(9)), None),
        ),
        (
            "sweep a in 1 points 9 log",
            s.SweepStatement(0, 0, "sweep", A, number(1), s.StepClause(0, 0, "log", number(9)), None),
        ),
        ('require a else "m"', s.CheckStatement(0, 0, "require", A, "m")),
        ("maximize a as b", s.GoalStatement(0, 0, "maximize", A, "b")),
        ("##  some text ", s.DocComment(0, 0, "some text")),
    ],
)
def test_statement(text, expected):
    assert statement(text) == expected


@pytest.mark.parametrize(
    "text",
    ["a = 1, b = 2; c = 3", "\ufeffa = 1\r\nb = 2\r\n\tc = 3\r\n", "a=1 # x\n// y\nb=2\n\n### ruler\nc=3"],
)
def test_separators_blanks_and_remarks(text):
    assert [item.target.id for item in tree(text).statements] == ["a", "b", "c"]


@pytest.mark.parametrize("text", ["", "\n", "# only a remark", "language 1", "language 1\n"])
def test_empty_texts(text):
    assert tree(text).statements == ()


def test_words_are_names_where_no_statement_uses_them():
    assert tree("step = 1\nlog = 2\npoints = log.in\nas.via = then\n")


@pytest.mark.parametrize("text", ALL)
def test_offsets_cover_exactly_the_text_of_a_node(text):
    for top in tree(text).statements:
        for node in nodes(top):
            piece = text[node.start : node.end]
            assert piece == piece.strip() and piece
            if isinstance(node, s.Name):
                assert piece == node.id
            if isinstance(node, s.Number | s.Binary | s.Call | s.ListLiteral):
                assert value(piece) == node


def test_span_of_a_deep_node():
    item = statement("a = b + [1,\n  ccc]")
    assert item.value.right.items[1].span(SourceText("t", "a = b + [1,\n  ccc]")).text == "ccc"


@examples()
@given(files(SourceText("t", "")))
def test_printed_trees_parse_to_equal_trees(file):
    assert tree(unparse_file(file)) == file


@pytest.mark.parametrize("text", ALL)
def test_printed_texts_parse_to_equal_trees(text):
    assert tree(unparse_file(tree(text))) == tree(text)


def test_collection_of_garbage_stays_as_it_was():
    import gc

    assert gc.isenabled()
    tree(CHIP)
    assert gc.isenabled()
