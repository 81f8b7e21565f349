"""Diagnostics as text, JSON and annotations: exactly these characters."""

from __future__ import annotations

import json

from accelscope.core.render.diagnostics import (
    format_diagnostics_json,
    format_github_annotations,
    render_diagnostics,
    summarize_diagnostics,
)
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Label, SourceText, Span

TEXT = """\
package X {
  memory hbm {
\tbandwidth = 13 TB
    name = "漢字" + foo
  }
}
"""
CHIP = SourceText("chip.accel", TEXT)


def at(part: str, source: SourceText = CHIP) -> Span:
    start = source.text.index(part)
    return Span(source, start, start + len(part))


def shown(text: str) -> str:
    return text.removeprefix("\n")


def test_a_finding_shows_its_line_its_labels_its_notes_and_its_help():
    other = SourceText("std/hbm.accel", "memory HBM {\n}\n")
    item = Diagnostic(
        code="A111",
        message="`bandwidth` needs B/s, not B",
        span=at("13 TB"),
        label="this is B",
        labels=(
            Label(span=at("memory hbm"), text="in this block"),
            Label(span=at("HBM", other), text="declared here"),
        ),
        notes=("bandwidth: peak read bandwidth",),
        help="write `13 TB/s`",
    )
    assert render_diagnostics([item]) == shown("""
error[A111]: `bandwidth` needs B/s, not B
 --> chip.accel:3:14
  |
2 |   memory hbm {
  |   ---------- in this block
3 |     bandwidth = 13 TB
  |                 ^^^^^ this is B
 ::: std/hbm.accel:1:8
  |
1 | memory HBM {
  |        --- declared here
  = note: bandwidth: peak read bandwidth
  = help: write `13 TB/s`
""")


def test_marks_stand_below_wide_characters():
    item = Diagnostic(code="A201", message="nothing is called `foo`", span=at("foo"))
    assert render_diagnostics([item]) == shown("""
error[A201]: nothing is called `foo`
 --> chip.accel:4:19
  |
4 |     name = "漢字" + foo
  |                     ^^^
""")


def test_a_long_line_is_cut_around_the_place():
    source = SourceText("long.accel", "x = " + "1 + " * 60 + "bad" + " + 2" * 40)
    item = Diagnostic(code="A201", message="nothing is called `bad`", span=at("bad", source))
    lines = render_diagnostics([item], width=60).splitlines()
    assert max(map(len, lines)) <= 60
    assert lines[3].startswith("1 | …")
    assert lines[3].endswith("…")
    assert lines[3][lines[4].index("^") :].startswith("bad")


def test_a_span_of_several_lines_shows_its_ends():
    item = Diagnostic(code="A108", message="misplaced", span=at(TEXT[10:-1]), label="all of this")
    assert render_diagnostics([item]) == shown("""
error[A108]: misplaced
 --> chip.accel:1:11
  |
1 | package X {
  |           ^
...
6 | }
  | ^ all of this
""")


def test_the_end_of_the_file_can_be_pointed_at():
    end = Span(CHIP, len(TEXT), len(TEXT))
    assert "7 |\n  | ^ here\n" in render_diagnostics(
        [Diagnostic(code="A002", message="open", span=end, label="here")]
    )


def test_a_finding_without_a_place_is_one_line_with_its_help():
    item = Diagnostic(code="A501", message="cannot read `x`", help="did you mean `y`?")
    assert render_diagnostics([item]) == "error[A501]: cannot read `x`\n  = help: did you mean `y`?\n"


def test_control_characters_of_a_file_do_not_reach_the_terminal():
    source = SourceText("evil.accel", "x = \x1b[31m\u202ered\n")
    item = Diagnostic(code="A003", message="`\x1b[31m`", span=Span(source, 4, 5), label="\x07")
    assert not {"\x1b", "\u202e", "\x07"} & set(render_diagnostics([item]))


def test_plain_text_has_no_escapes_and_colour_has():
    item = Diagnostic(code="A201", message="x", span=at("foo"))
    assert "\x1b[" not in render_diagnostics([item])
    assert "\x1b[" in render_diagnostics([item], color=True)


def test_windows_line_ends_are_not_shown():
    source = SourceText("dos.accel", "a = 1\r\nb = c\r\n")
    assert "2 | b = c\n  |     ^\n" in render_diagnostics(
        [Diagnostic(code="A201", message="m", span=at("c", source))]
    )


def test_the_summary_counts_by_severity():
    error, warning = (Diagnostic(code=code, message="m") for code in ("A201", "A401"))
    assert summarize_diagnostics([]) == ""
    assert summarize_diagnostics([error, error, warning]) == "2 errors, 1 warning"


def test_json_has_lines_and_columns_from_one_and_exclusive_ends():
    item = Diagnostic(code="A201", message="nothing is called `foo`", span=at("foo"), notes=("n",), help="h")
    assert json.loads(format_diagnostics_json([item])) == [
        {
            "code": "A201",
            "severity": "error",
            "title": "unknown-name",
            "file": "chip.accel",
            "line": 4,
            "column": 19,
            "end_line": 4,
            "end_column": 22,
            "message": "nothing is called `foo`",
            "label": "",
            "labels": [],
            "notes": ["n"],
            "help": "h",
            "replacement": None,
        }
    ]


def test_annotations_are_escaped():
    source = SourceText("a,b:c.accel", "foo\n")
    item = Diagnostic(code="A201", message="100%\nbad: x, y", span=at("foo", source), help="h")
    assert format_github_annotations([item]) == (
        "::error file=a%2Cb%3Ac.accel,line=1,col=1,endColumn=4,title=A201 unknown-name::100%25%0Abad: x, y%0Ahelp: h"
    )
