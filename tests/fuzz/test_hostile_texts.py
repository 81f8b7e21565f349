from __future__ import annotations

import sys
import time
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.diagnostics.limits import MAX_BRACKETS, MAX_FILE_BYTES, MAX_TERMINALS
from accelscope.dsl.format.formatter import format_text
from accelscope.dsl.syntax.decode import decode_source
from accelscope.dsl.syntax.parser import parse
from tests.support.budgets import examples
from tests.support.sample_texts import ALL
from tests.support.timing import assert_linear, seconds

SIZE, FULL_SIZE = 20_000, 100_000
"""Terminals of a hostile text in an ordinary run, and with full budgets; of two terminals each, 40 % of it."""


def hostile(pattern: str, share: float = 1.0, before: str = "", after: str = "") -> Callable[[int], str]:
    """Return a function of a size: a text that repeats a pattern."""
    return lambda size: before + pattern * int(size * share) + after


HOSTILE = {
    "braces": hostile("{"),
    "blocks": hostile("a{"),
    "blocks on lines": hostile("a b { x = 1\n", 0.2),
    "lists": hostile("[1,", before="x = "),
    "parentheses": hostile("(", before="x = "),
    "closers": hostile("}"),
    "quotes": hostile('"'),
    "texts": hostile('x = "a\n', 0.2),
    "backslashes": hostile("\\", before='x = "'),
    "triple quotes": hostile('"""'),
    "members": hostile("a.", 0.4, before="x = ", after="a"),
    "calls": hostile("()", 0.4, before="x = a"),
    "subscripts": hostile("[0]", before="x = a"),
    "amendments": hostile("{}", before="x = a"),
    "signs": hostile("- ", before="x = ", after="1"),
    "negations": hostile("not ", before="x = ", after="1"),
    "sums": hostile("1 + ", 0.4, before="x = ", after="1"),
    "powers": hostile("a^", before="x = ", after="a"),
    "comparisons": hostile(" < b", before="x = a"),
    "conditions": hostile("if a then b else ", 0.1, before="x = ", after="c"),
    "tests": hostile("if a then ", 0.1, before="x = ", after="b"),
    "digits": hostile("1", before="x = "),
    "units": hostile("*a", before="x = 1 a"),
    "blanks": hostile(" ", before="x = 1", after="y"),
    "lines": hostile("\n"),
    "remarks": hostile("\n #"),
    "rulers": hostile("#"),
    "names": hostile("a "),
    "one name": hostile("a"),
    "citations": hostile(" @a", before="x = 1"),
    "commas": hostile(","),
    "questions": hostile("?"),
    "letters": hostile("é\n"),
    "mistakes": hostile("x = = 3\n", 0.2),
    "statements": hostile("a = 1\n", 0.2),
    "open blocks": hostile("y = 1\n", 0.2, before="package A {\n  x = 1\n" * 60),
    "prices": hostile("$1/"),
    "control": hostile("\0"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_text_ends_quickly(name, budget):
    limit = sys.getrecursionlimit()
    size = budget.choose(normal=SIZE, full=FULL_SIZE)

    def read(length):
        source = SourceText("t", HOSTILE[name](length))
        file, findings = parse(source)
        format_text(source)
        assert len(findings) <= 120
        repr(file)

    assert_linear(read, size)
    assert sys.getrecursionlimit() == limit


@pytest.mark.parametrize(
    "name",
    ["blocks", "lists", "parentheses", "signs", "sums", "powers", "conditions", "members", "calls"],
)
def test_deep_text_is_one_finding(name, budget):
    text = HOSTILE[name](budget.choose(normal=SIZE, full=FULL_SIZE))
    assert [item.code for item in parse(SourceText("t", text))[1]] == ["A005"]


@pytest.mark.parametrize(("depth", "codes"), [(MAX_BRACKETS, []), (MAX_BRACKETS + 1, ["A005"])])
@pytest.mark.parametrize(("left", "right"), [("[", "]"), ("a = b(", ")"), ("a {", "}")])
def test_limit_of_nesting(depth, codes, left, right):
    head, opener = ("", left) if left == "a {" else ("a = ", left.removeprefix("a = "))
    text = head + opener * depth + right * depth + "\nb = 1\n"
    file, findings = parse(SourceText("t", text))
    assert [item.code for item in findings] == codes
    assert file.statements[-1].target.id == "b"


def test_text_beside_a_deep_one_is_kept():
    text = "a = 1\nb = " + "1 + " * 1000 + "1\nc = 2\n"
    file, findings = parse(SourceText("t", text))
    assert [item.target.id for item in file.statements] == ["a", "c"]
    assert [item.code for item in findings] == ["A005"]


def test_a_deep_statement_of_a_block_is_dropped_alone():
    text = "a {\n  b = " + "1 + " * 1000 + "1\n  c = 2\n  d { e = " + "x(" * 90 + "1" + ")" * 90 + " }\n}\n"
    file, (finding,) = parse(SourceText("t", text))
    assert [type(item).__name__ for item in file.statements[0].body.statements] == [
        "AssignStatement",
        "BlockStatement",
    ]
    assert (finding.code, str(finding.span)) == ("A005", "t:2:7")


def test_long_lists_and_wide_texts_are_fine():
    assert parse(SourceText("t", f"a = [{', '.join(['1'] * 40_000)}]\n"))[1] == ()


LARGEST = {
    "lists": hostile("1,", before="let a=[", after="1]\ncheck sum(a) > 0\n"),
    "comparisons": hostile("<1", before="check 1"),
    "mistakes": hostile("= N\n", 0.524),
    "statements": hostile("a=1\n", 0.524),
    "open block": hostile("k = 1\n", 0.048, before="package a {\n"),
}


@pytest.mark.parametrize("name", LARGEST)
def test_a_text_as_large_as_allowed_ends_soon(name, budget):
    size = budget.choose(normal=100_000, full=500_000)
    assert len(LARGEST[name](500_000)) <= MAX_FILE_BYTES
    assert_linear(lambda length: parse(SourceText("t", LARGEST[name](length))), size)


def test_a_text_of_too_many_terminals_is_one_finding():
    (finding,) = parse(SourceText("t", "a = [" + "1," * MAX_TERMINALS + "1]\n"))[1]
    assert (finding.code, finding.message) == ("A503", "`t` has more than 200,000 tokens")


def test_statements_in_front_of_too_many_terminals_are_kept():
    file, _ = parse(SourceText("t", "a = 1\nb = 2\nc = [" + "1," * MAX_TERMINALS + "1]\n"))
    assert [item.target.id for item in file.statements] == ["a", "b"]


def test_the_largest_file_has_a_mebibyte():
    assert decode_source("t", b" " * (2**22 + 1))[1][0].message == "`t` is larger than 4 MiB"


# ---- bytes ------------------------------------------------------------------------------------------------


def test_a_huge_file_ends_at_once():
    before = time.process_time()
    source, (finding,) = decode_source("big", b"x" * 50_000_000)
    assert (source, finding.code) == (None, "A503")
    assert time.process_time() - before < seconds(2)


def test_a_huge_text_is_not_parsed():
    before = time.process_time()
    file, (finding,) = parse(SourceText("big", "x = 1\n" * 10_000_000))
    assert (file.statements, finding.code) == ((), "A503")
    assert time.process_time() - before < seconds(2)


def test_largest_file():
    assert decode_source("t", b" " * MAX_FILE_BYTES)[0] is not None
    assert decode_source("t", b" " * (MAX_FILE_BYTES + 1))[0] is None


@pytest.mark.parametrize(
    ("data", "line", "column"),
    [(b"a = 1\nb\0 = 2\n", 2, 2), ("é\nx".encode() + b"\xff", 2, 2), (b"\xff", 1, 1), ("é\0".encode(), 1, 2)],
)
def test_no_text(data, line, column):
    source, (finding,) = decode_source("t", data)
    assert (source, finding.code) == (None, "A502")
    assert (finding.span.line, finding.span.column) == (line, column)


def test_other_encodings_are_named():
    (finding,) = decode_source("t", "a = 1".encode("utf-16"))[1]
    assert finding.help == "the file looks like UTF-16; save it as UTF-8 text"


def test_byte_order_mark_is_dropped():
    assert decode_source("t", b"\xef\xbb\xbfa = 1")[0].text == "a = 1"


@examples()
@given(st.binary(max_size=200))
def test_any_bytes_are_a_source_or_a_finding(data):
    source, findings = decode_source("t", data)
    assert (source is None) == bool(findings)
    if source is not None:
        parse(source)


# ---- mutations --------------------------------------------------------------------------------------------

PIECES = ["", "{", "}", "[", "]", "(", ")", '"', "'", "=", "==", ",", ";", "\n", "#", "##", "@", "±", "~", "..", ".",
          "-", "->", "<->", "^", "*", "/", "$", "1e", "1_", "x2", "if ", "not ", "let ", "use ", "sweep ", "\\", "é", "\0",
          '"""', " step ", " extends ", ":", "%", "\ufeff", "\r"]  # fmt: skip


@st.composite
def mutated(draw):
    text = draw(st.sampled_from(ALL))
    for _ in range(draw(st.integers(1, 6))):
        start = draw(st.integers(0, len(text)))
        end = min(len(text), start + draw(st.sampled_from([0, 0, 1, 1, 2, 5, 40])))
        moved = draw(st.booleans())
        piece = text[end : end + 20] if moved else draw(st.sampled_from(PIECES))
        text = text[:start] + piece + text[end:]
    return text


@examples(300)
@given(mutated())
def test_mutated_texts_give_findings_not_exceptions(text):
    source = SourceText("t", text)
    before = time.process_time()
    file, findings = parse(source)
    assert time.process_time() - before < seconds(1)
    for item in findings:
        assert 0 <= item.span.start <= item.span.end <= len(text)
    if not findings:
        assert parse(SourceText("t", format_text(source)))[1] == ()
    assert all(0 <= node.start <= node.end <= len(text) for node in file.statements)


@examples(200)
@given(st.text(max_size=60))
def test_any_text_gives_a_tree(text):
    assert parse(SourceText("t", text))[0].source.text == text
    format_text(SourceText("t", text))


@examples(200)
@given(
    st.lists(st.sampled_from([*PIECES, "a", "b ", " c", "1", "2 GB", "in ", "when "]), max_size=25).map(
        "".join
    )
)
def test_any_mix_of_terminals_gives_a_tree(text):
    parse(SourceText("t", text))
    format_text(SourceText("t", text))
