from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.format.formatter import format_text
from accelscope.dsl.format.printer import unparse_file
from accelscope.dsl.syntax import nodes as s
from accelscope.dsl.syntax.parser import parse
from accelscope.dsl.values.unit_spelling import spell_unit
from tests.support.budgets import examples
from tests.support.sample_texts import ALL
from tests.support.strategies import files


def fmt(text):
    return format_text(SourceText("t", text))


def tree(text):
    """Return the tree of a good text, with its units in their usual spelling."""
    file, findings = parse(SourceText("t", text))
    assert findings == ()
    return respelt(file)


def respelt(item):
    if isinstance(item, tuple):
        return tuple(map(respelt, item))
    if isinstance(item, s.Number) and item.unit:
        item.unit = spell_unit(item.unit)
    if isinstance(item, s.SyntaxNode):
        for key in (key for kind in type(item).__mro__ for key in getattr(kind, "__slots__", ())):
            if key not in ("start", "end", "source", "__weakref__"):
                setattr(item, key, respelt(getattr(item, key)))
    return item


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1", "a = 1\n"),
        ("a = 16GB", "a = 16 GB\n"),
        ("a = 3350GBps", "a = 3350 GB/s\n"),
        ("a = 989 TFLOPS", "a = 989 TFLOP/s\n"),
        ("a = 400Gbps/dir", "a = 400 Gb/s/dir\n"),
        ("a = 2 µs", "a = 2 us\n"),
        ("a = 5 %+/-1 %", "a = 5% ± 1%\n"),
        ("a = 1   \n\n\n\nb = 2\n\n\n", "a = 1\n\nb = 2\n"),
        ("a = 1\r\nb = 2\r\n", "a = 1\nb = 2\n"),
        ("// one\na = 1//two\n//# three", "# one\na = 1  #two\n# # three\n"),
        ("##text\na=1", "## text\na = 1\n"),
        ("a{b=1}", "a { b = 1 }\n"),
        ("a{\nb=1\nc{\nd=[\n1,\n2]\n}\n}", "a {\n  b = 1\n  c {\n    d = [\n      1,\n      2]\n  }\n}\n"),
        ("a=f( b,c=[ 1,2 ] )", "a = f(b, c = [1, 2])\n"),
        ("a=b [ * , 1 ] . c (d)", "a = b[*, 1].c(d)\n"),
        ("a=-b*-c- -d^-2", "a = -b * -c - -d^-2\n"),
        ("a = 3 m^2", "a = 3 m^2\n"),
        ("a = 3 m ^ 2", "a = 3 m ^ 2\n"),
        ("a = 16 GB/n + 16 GB / n", "a = 16 GB/n + 16 GB / n\n"),
        ("a = 2×3", "a = 2 * 3\n"),
        ("a=1 .. 256", "a = 1..256\n"),
        ("a=1 GB..2 GB", "a = 1 GB .. 2 GB\n"),
        ("sweep a in(b)step x2 when(c)", "sweep a in (b) step x2 when (c)\n"),
        ('check(a)else"m"', 'check (a) else "m"\n'),
        ("x = log(a), y = points (b)", "x = log(a), y = points(b)\n"),
        ("die x [2]:D@s{}", "die x[2] : D @s {}\n"),
        ("connect a[*]<->b via c{d=1}", "connect a[*] <-> b via c { d = 1 }\n"),
        ('let f(x)=x@"t"', 'let f(x) = x @"t"\n'),
        ("a = b +\nc", "a = b +\n  c\n"),
        ("a=1\nbcd=2\n\ne=3", "a   = 1\nbcd = 2\n\ne = 3\n"),
        ("let a=1\nbcd=2", "let a = 1\nbcd = 2\n"),
        ("link A{x=1}\nlink BCD{x=2}", "link A   { x = 1 }\nlink BCD { x = 2 }\n"),
        (
            "a = 1      # same column\nbc = 2     # same column",
            "a  = 1     # same column\nbc = 2     # same column\n",
        ),
        ('a = """x  \n  =y"""', 'a = """x  \n  =y"""\n'),
        ("", ""),
        ("# only", "# only\n"),
    ],
)
def test_layout(text, expected):
    assert fmt(text) == expected
    assert fmt(expected) == expected
    assert tree(expected) == tree(text)


@pytest.mark.parametrize("text", ["a = \n", "a{", 'a="', "a = 0x10", "a = [1"])
def test_a_text_with_mistakes_comes_back_as_it_is(text):
    assert fmt(text) == text


@pytest.mark.parametrize("text", ALL)
def test_good_layout_stays(text):
    assert fmt(text) == text


@examples()
@given(files(SourceText("t", "")))
def test_printed_trees_keep_their_tree(file):
    text = unparse_file(file)
    assert tree(fmt(text)) == tree(text)
    assert fmt(fmt(text)) == fmt(text)


@st.composite
def loosened(draw):
    """Return a sample text with blanks, line ends and remarks put in where they mean nothing."""
    text = draw(st.sampled_from(ALL))
    pieces = re.split(r"(\n)", text)
    for n, piece in enumerate(pieces):
        if piece == "\n":
            pieces[n] = draw(st.sampled_from(["\n", "\n", "  \n", "\r\n", "\n\n\n", " # x\n", "// y\n\t"]))
            if "##" in pieces[n - 1] or "#" in pieces[n - 1]:
                pieces[n] = "\n"
        elif '"' not in piece and "#" not in piece:
            pieces[n] = re.sub(r"(?<=[=,]) ", lambda _: draw(st.sampled_from(["", " ", "   ", "\t"])), piece)
    return "".join(pieces)


@examples()
@given(loosened())
def test_any_layout_keeps_its_tree_and_settles_at_once(text):
    once = fmt(text)
    assert tree(once) == tree(text)
    assert fmt(once) == once
    assert "\r" not in once and not re.search(r"[ \t]\n", once)


@examples()
@given(loosened())
def test_remarks_are_kept(text):
    assert fmt(text).count("# x") == text.count("# x")
    assert fmt(text).count(" y\n") == text.count(" y\n")
