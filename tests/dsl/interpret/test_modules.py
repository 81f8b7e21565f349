"""Files and library modules that a file uses."""

from __future__ import annotations

from tests.support.language import codes, findings, only, program, value

CHIP = "let w = 7 W\npackage X { tdp = w }\n"


def test_names_of_a_module_are_used_as_own():
    assert value("use std.chips { X }\nnode N { package g : X }", "N.g.tdp", {"std.chips": CHIP}) == "7 W"


def test_a_module_is_called_by_its_last_name():
    assert value("use std.chips\nlet y = chips.w", "y", {"std.chips": CHIP}) == "7 W"


def test_a_module_may_be_called_otherwise():
    assert value("use std.chips as c\nlet y = c.w", "y", {"std.chips": CHIP}) == "7 W"


def test_a_file_is_called_by_its_stem():
    assert value('use "a/chips.accel"\nlet y = chips.w', "y", {"a/chips.accel": CHIP}) == "7 W"


def test_a_function_of_a_module_is_called():
    assert value('use "m.accel" as m\nlet y = m.f(3)', "y", {"m.accel": "let k = 2\nlet f(x) = k * x"}) == "6"


def test_a_module_that_nothing_uses_is_not_parsed():
    made = program("use std.chips as c\nlet y = 1", {"std.chips": CHIP})
    made.check()
    assert [name for name, _ in made.interpreter.modules.parsed] == ["main.accel"]


def test_what_a_module_uses_itself_is_not_its_own():
    texts = {"a.accel": 'use "b.accel" as b', "b.accel": CHIP}
    assert only(findings('use "a.accel" as a\nlet y = a.b', texts)).code == "A202"


def test_an_unknown_module_is_suggested():
    found = only(findings("use std.chps { X }", {"std.chips": CHIP}))
    assert (found.code, found.help) == ("A204", "did you mean `std.chips`?")


def test_an_unknown_name_of_a_module_is_pointed_at():
    found = only(findings("use std.chips { X, Y2 }", {"std.chips": CHIP}))
    assert (found.code, found.span.text) == ("A202", "Y2")


def test_a_file_that_is_not_there_is_reported_at_the_use():
    found = only(findings('use "no.accel" as n'))
    assert (found.code, found.span.line) == ("A501", 1)


def test_files_that_use_each_other_are_a_cycle():
    texts = {"b.accel": 'use "main.accel" as m\nlet y = m.x'}
    found = only(findings('use "b.accel" as b\nlet x = b.y', texts))
    assert (found.code, found.span.source.name) == ("A203", "b.accel")


def test_a_mistake_in_a_used_file_is_reported_there():
    found = findings('use "b.accel" as b\nlet x = b.y', {"b.accel": "let y = 1 GHzz"})
    assert (codes(found), found[0].span.source.name) == (["A110"], "b.accel")


def test_a_fork_evaluates_anew_but_parses_nothing():
    made = program("use std.chips { X }\npackage Y extends X { }", {"std.chips": CHIP})
    made.check()
    other = made.interpreter.fork()
    again = other.modules.of(made.module.source)
    assert other.modules.parsed is made.interpreter.modules.parsed
    assert again.root.get("Y") is not made.module.root.get("Y")
