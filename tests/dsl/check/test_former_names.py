"""Former names of fields, blocks and symbols: they keep their meaning, and every use of one has a fix."""

from __future__ import annotations

import pytest

from accelscope.dsl.check.override_values import check_settings
from accelscope.dsl.check.program import load_program
from accelscope.dsl.diagnostics.diagnostics import SourceText, Span
from accelscope.dsl.diagnostics.fixes import apply_replacements
from accelscope.dsl.interpret.interpreter import Interpreter
from accelscope.dsl.override.overrides import derive_scenario, parse_override
from accelscope.dsl.schema.schema import BlockSchema, FieldSchema, KindSchema
from accelscope.dsl.syntax.parser import parse
from accelscope.dsl.values.operations import ScalarOperations
from accelscope.dsl.values.units import built_in_unit_table


def kind(name, *fields, within=("file",), aliases=()):
    block = BlockSchema(
        kind=name,
        model=name,
        doc=f"A {name}.",
        fields={item.name: item for item in fields},
        within=within,
        aliases=aliases,
    )
    return KindSchema(kind=name, default=block)


def number(name, *aliases):
    return FieldSchema(name=name, type="quantity", doc=f"{name}.", aliases=aliases)


SCHEMAS = {
    item.kind: item
    for item in (
        kind("scenario", FieldSchema(name="model", type="ref", doc="model.", ref_kinds=("model",))),
        kind("study", FieldSchema(name="base", type="ref", doc="base.", ref_kinds=("scenario",))),
        kind(
            "model",
            number("sliding_window", "window"),
            number("layers"),
            FieldSchema(
                name="norm",
                type="choice",
                doc="norm.",
                choices=("rms", "per_head"),
                symbol_aliases={"head": "per_head"},
            ),
        ),
        kind("linear_attention", number("chunk_size", "chunk"), within=("model",), aliases=("linear",)),
    )
}


class NoFiles:
    """A reader that knows no other text."""

    def parse(self, source):
        return parse(source)

    def library(self, name):
        return None

    def modules(self):
        return ()


def program(text):
    interpreter = Interpreter(NoFiles(), built_in_unit_table(), SCHEMAS, ScalarOperations())
    return load_program(SourceText("main.accel", text), interpreter)


def check(text):
    return program(text).check()


def uses(text):
    """Return the former names that a check offers to replace, in the order of the text."""
    found = check(text)
    assert [item.code for item in found] == ["A408"] * len(found)
    return [(item.span.text, item.replacement) for item in found]


def number_at(made, *names):
    at = made.module.root
    for name in names:
        at = at.get(name)
    return at.value.magnitude


MODEL = "model m { window = 128, norm = head, linear { chunk = 64 } }\n"
SCENARIO = MODEL + "scenario s { model = m }\n"
PRESENT = "model m { sliding_window = 128, norm = per_head, linear_attention { chunk_size = 64 } }\n"


def test_former_names_of_fields_blocks_and_symbols_are_the_present_ones():
    made = program(MODEL)
    assert number_at(made, "m", "sliding_window") == 128
    assert number_at(made, "m", "linear_attention", "chunk_size") == 64
    assert made.lookup("m").attributes()["norm"].value.name == "per_head"


def test_each_use_has_a_fix_and_the_fixed_text_has_none():
    source = SourceText("main.accel", "# window of the paper\n" + MODEL)
    made = load_program(source, program("").interpreter)
    text, count = apply_replacements(source, made.check())
    assert (text, count) == ("# window of the paper\n" + PRESENT, 4)
    assert check(text) == ()


@pytest.mark.parametrize(
    "more",
    [
        "model n extends m { check window == 128 }",
        "model n extends m { check self.window == 128 }",
        "check m.window == 128",
        "check m.linear.chunk == 64",
        "check m.norm == head",
        "check m.norm == per_head",
        "model n extends m { linear.chunk = 32, check linear_attention.chunk_size == 32 }",
        "model n extends m { let wide = window * 2, check wide == 256 }",
        "model n extends m { sliding_window = 64, check window == 64 }",
        "model n { window = 1, let wide = window * 2, check wide == 2 }",
    ],
)
@pytest.mark.parametrize("base", [MODEL, PRESENT])
def test_expressions_mean_the_present_field(base, more):
    assert {item.code for item in check(base + more)} <= {"A408"}


def test_a_name_of_a_text_comes_before_a_former_name():
    text = "let window = 7\nmodel m { sliding_window = window, check sliding_window == 7 }"
    assert uses(text) == []
    assert uses("model m { let window = 7, layers = window }") == []


def test_a_former_name_comes_before_what_stands_around_the_block_that_writes_it():
    assert (
        uses("let window = 7\nmodel m { window = 3, layers = window, check layers == 3 }")
        == [("window", "sliding_window")] * 2
    )


@pytest.mark.parametrize(
    "body",
    ["window = 1, sliding_window = 2", "sliding_window = 1, window = 2", "linear {}, linear_attention {}"],
)
def test_a_former_and_the_present_name_in_one_block_are_an_error(body):
    assert "A103" in [item.code for item in check("model m { " + body + " }")]


def test_a_stronger_text_may_use_the_other_name():
    made = program(MODEL + "model n extends m { sliding_window = 1, linear_attention { chunk_size = 2 } }")
    assert number_at(made, "n", "sliding_window") == 1
    assert number_at(made, "n", "linear_attention", "chunk_size") == 2


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ("window", ("sliding_window",)),
        ("model.window", ("sliding_window",)),
        ("chunk", ("linear_attention", "chunk_size")),
        ("linear.chunk", ("linear_attention", "chunk_size")),
        ("model.linear.chunk", ("linear_attention", "chunk_size")),
        ("linear_attention.chunk_size", ("linear_attention", "chunk_size")),
    ],
)
def test_an_override_may_use_former_names(path, names):
    made = program(SCENARIO)
    assignment, _ = parse_override(f"{path}=5")
    derived = derive_scenario(made.lookup("s"), [assignment.override()])
    at = derived.get("model").value
    for name in names:
        at = at.get(name)
    assert at.value.magnitude == 5
    check_settings(derived)
    assert {item.code for item in made.diagnostics} <= {"A408"}
    written = [item.span.text for item in made.diagnostics if item.span.source.name == "--set"]
    assert written == [name for name in path.split(".") if name in ("window", "linear", "chunk")]


def test_an_override_with_a_former_symbol():
    made = program(SCENARIO)
    assignment, _ = parse_override("norm=head")
    derived = derive_scenario(made.lookup("s"), [assignment.override()])
    assert derived.get("model").value.get("norm").value.name == "per_head"


def test_axes_use_former_names():
    text = (
        PRESENT
        + "scenario s { model = m }\nstudy t { base = s, sweep window in [1, 2], sweep norm in [head, rms] }"
    )
    assert uses(text) == [("window", "sliding_window"), ("head", "per_head")]


def test_a_replacement_of_another_text_is_left_out():
    source, other = SourceText("a", "window"), SourceText("b", "window")
    made = load_program(SourceText("main.accel", MODEL), program("").interpreter)
    item = made.check()[0]
    assert item.span == Span(made.module.source, 10, 16)
    assert apply_replacements(source, [item]) == ("window", 0)
    assert apply_replacements(other, ()) == ("window", 0)
