from __future__ import annotations

import pytest

from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.syntax import nodes as s
from accelscope.dsl.syntax.parser import parse
from tests.support.sample_texts import CHIP

FOUR_MISTAKES = """\
package A {
  memory m { capacity = , bandwidth = 2 TB/s }
  memory l { capacity = 32 MiB }
}
package B {
  tdp = 700 W W
  clock == 1.8 GHz
  memory m { capacity = 80 GB
  price = 3 USD
}
package C { tdp = 400 W, memory m { capacity = 16 GB } }
"""


def read(text):
    return parse(SourceText("t", text))


def places(text):
    return [(item.code, *SourceText("t", text).position(item.span.start)) for item in read(text)[1]]


def finding(text):
    (item,) = read(text)[1]
    return item


def kept(text):
    return [text[item.start : item.end] for item in read(text)[0].statements]


def test_four_mistakes_give_four_findings_at_their_places():
    assert places(FOUR_MISTAKES) == [("A001", 2, 25), ("A001", 6, 15), ("A001", 7, 9), ("A002", 8, 12)]


def test_messages_of_four_mistakes():
    value, twice, equal, brace = read(FOUR_MISTAKES)[1]
    assert value.message == "expected a value, not `,`"
    assert twice.message == "unexpected `W`: the statement is already complete"
    assert equal.help == "`==` is a comparison; write `=` to assign a value"
    assert brace.message == "the block `memory m`, opened on line 8, is not closed: `}` is missing"
    assert [str(label.span) for label in brace.labels] == ["t:9:3"]


def test_the_rest_of_a_text_with_four_mistakes_is_kept():
    a, b, c = read(FOUR_MISTAKES)[0].statements
    assert [block.label for block in (a, b, c)] == ["A", "B", "C"]
    assert [item.target.id for item in a.body.statements[0].body.statements] == ["bandwidth"]
    assert [type(item) for item in b.body.statements] == [
        s.AssignStatement,
        s.BlockStatement,
        s.AssignStatement,
    ]
    assert b.body.statements[0].value == s.Number(0, 0, 700.0, "W")


@pytest.mark.parametrize(
    ("text", "place", "message"),
    [
        ("tdp =\n", "t:1:6", "expected a value, not the end of the line"),
        ("tdp = ± 3\n", "t:1:7", "expected a value, not `±`"),
        ("a { x = 1 }}\n", "t:1:12", "`}` has no matching opening bracket"),
        ("sweep x on 1\n", "t:1:9", "expected `in`, `.` or `[`, not `on`"),
        ("use 4\n", "t:1:5", "expected a name or a string, not `4`"),
        ("a = if b then c\n", "t:1:16", "expected `else`, not the end of the line"),
        ("check a else\n", "t:1:13", "expected a string, not the end of the line"),
        ("a = [1 2]\n", "t:1:8", "expected `,`, `]` or `->`, not `2`"),
        ("hbm[2] x {}\n", "t:1:1", "the kind of a block is a name without `[`"),
        ("a = 2025-02-30\n", "t:1:5", "there is no such date"),
        ("a = 1e999\n", "t:1:5", "this number is too large"),
        ("language 2\n", "t:1:1", "version 2 of the language is not supported"),
    ],
)
def test_message(text, place, message):
    found = finding(text)
    assert (str(found.span), found.message) == (place, message)


@pytest.mark.parametrize(
    ("text", "help"),
    [
        ("a = .5 s\n", "write `0.5`"),
        ("a = 5.\n", "write `5` or `5.0`"),
        ("a = 5. s\n", "write `5` or `5.0`"),
        ("a = 1,000\n", "group digits with `_`: `1_000`"),
        ("a = 1,000,000\n", "group digits with `_`: `1_000`"),
        ("a = $2.49/h\n", "write `2.49 USD/h`"),
        ("a = 0x10\n", "write `16`"),
        ("check a = b\n", "`=` assigns a value; write `==` to compare"),
        ("a: 3\n", "write `=` to assign a value"),
        ("a 3 W\n", "write `name = value`, or `kind label { ... }` for a block"),
        ("chek a <= 3\n", "did you mean `check`?"),
        ("conect a <-> b\n", "did you mean `connect`?"),
        ("sweep a in 1 .. 2 setp 3\n", "did you mean `step`?"),
        ("check = 3\n", "`check` is a keyword that starts a statement, so it cannot be a name here"),
        ("a -> b\n", "edges are written `connect a -> b`"),
        ("a = [1; 2]\n", "write `,` between the items"),
        ("m a { x = 1 } m b { x = 2 }\n", "start a new line, or write `,` before it"),
        ("a = b ≤ c\n", "write `<=`"),
        ("a = b && c\n", "write `and`"),
        (
            "a = b\n  + c\n",
            "a line cannot start with `+`: the statement ended with the line above; put `+` at the end of that line",
        ),
    ],
)
def test_help(text, help):
    assert read(text)[1][0].help == help


@pytest.mark.parametrize(
    ("text", "code", "span", "statements"),
    [
        ('a = "abc\nb = 2\n', "A004", '"abc', ['a = "abc', "b = 2"]),
        ('a = """abc\nb = 2\n', "A004", '"""', ['a = """abc\nb = 2\n']),
        ("a = 'abc'\nb = 2\n", "A003", "'abc'", ["a = 'abc'", "b = 2"]),
        ("a = 3 ? 4\nb = 2\n", "A003", "?", ["a = 3", "b = 2"]),
        ("a =\u00a03\nb = 2\n", "A003", "\u00a0", ["a =\u00a03", "b = 2"]),
        ("a = é\nb = 2\n", "A003", "é", ["b = 2"]),
        ("a = [1, 2\nb = 2\n", "A002", "[", ["b = 2"]),
        ("a = f(1, 2\nb = 2\n", "A002", "(", ["b = 2"]),
        ("x { a = [1, 2\n  b = 2\n}\n", "A002", "[", ["x { a = [1, 2\n  b = 2\n}"]),
        ('a = "x\\q"\nb = 2\n', "A001", "\\q", ['a = "x\\q"', "b = 2"]),
    ],
)
def test_finding_and_what_is_kept(text, code, span, statements):
    found = finding(text)
    assert (found.code, found.span.text, kept(text)) == (code, span, statements)


@pytest.mark.parametrize(
    ("text", "opened"),
    [
        ("a {\n  b = 1\n", "a"),
        ("a x {\n  b y {\n    c = 1\n\n  d z {\n    e = 1\n  }\n}\n", "b y"),
        ("a x {\n  b = 1\n\na y {\n  b = 2\n}\n", "a x"),
        ("a x {\nb y {\nc = 1\n}\n", "a x"),
        ("a = b {\n  c = 1\n\nd = 2\n", "a = b"),
    ],
)
def test_block_without_its_brace_is_named(text, opened):
    found = finding(text)
    assert found.code == "A002"
    assert f"`{opened}`" in found.message


def test_several_missing_braces():
    text = "a x {\n  b y {\n    c = 1\n\na z {\n  c = 2\n}\n"
    assert [item.code for item in read(text)[1]] == ["A002", "A002"]
    assert [block.label for block in read(text)[0].statements] == ["x", "z"]


def test_findings_are_few_for_a_text_of_nonsense():
    text = "a = = 1\n" * 1000
    found = read(text)[1]
    assert len(found) == 100
    assert found[-1].notes == ("there are more errors; the rest of the text is not read",)


@pytest.mark.parametrize("line", range(CHIP.count("\n")))
def test_a_broken_line_spoils_no_other_top_level_statement(line):
    lines = CHIP.split("\n")
    before = [item for item in read(CHIP)[0].statements if not isinstance(item, s.DocComment)]
    broken = "\n".join([*lines[:line], lines[line] + " = =", *lines[line + 1 :]])
    if lines[line].startswith("##") or "#" in lines[line]:
        broken = CHIP
    after = [item for item in read(broken)[0].statements if not isinstance(item, s.DocComment)]
    assert len(after) >= len(before) - 1
    assert len(read(broken)[1]) <= 2


@pytest.mark.parametrize(
    "text", ["x = = 1\n", "x { = }\n", "a = 3 @\n", "a = f(x = )\n", "}{", "a = {\n", "use a {\n"]
)
def test_a_finding_has_a_place_and_a_lower_case_message(text):
    for item in read(text)[1]:
        assert item.span is not None
        assert item.message[0] in "`a" or item.message[0].islower()
        assert not item.message.endswith(".")


def test_a_complete_statement_before_a_mistake_is_kept():
    assert kept("let a = 1\n3 W\nb = 2\n") == ["let a = 1", "b = 2"]
    assert kept("a { b = 1 }\n? \nc = 2\n") == ["a { b = 1 }", "c = 2"]


def test_a_word_at_fault_is_whole():
    assert finding("package Y x2xtends X { a = 1 }\n").span.text == "x2xtends"


@pytest.mark.parametrize(
    "text",
    [
        "a = if b { c = 1 } = 2\nd = 3\n",
        "a = f(b { c = 1 } e)\nd = 3\n",
        "a { b = if c { e = 1 }\n}\nd = 3\n",
    ],
)
def test_a_mistake_behind_a_block_in_a_value(text):
    assert read(text)[1]
    assert "d = 3" in kept(text)[-1]
