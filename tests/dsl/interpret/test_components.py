"""Components: inheritance, late binding, counts, overrides in a text, citations."""

from __future__ import annotations

from accelscope.dsl.interpret.assertions import collect_goals, collect_requirements
from accelscope.dsl.values.values import Symbol
from tests.support.language import codes, find, findings, only, program, value

H100 = """
package H100 {
  tdp = 700 W
  let peak = clock * 2
  clock = 1 GHz
  memory hbm[5] { class = hbm3, capacity = 16 GB }
  let total = hbm.count * hbm.capacity
}
"""


def test_an_heir_has_what_its_base_has():
    assert value(H100 + "package H200 extends H100 { }", "H200.tdp") == "700 W"


def test_an_heir_replaces_an_attribute():
    assert value(H100 + "package H200 extends H100 { tdp = 1 kW }", "H200.tdp") == "1 kW"


def test_a_let_of_the_base_uses_the_values_of_the_heir():
    assert value(H100 + "package H200 extends H100 { clock = 2 GHz }", "H200.peak") == "4 GHz"


def test_the_base_stays_as_it_is():
    assert value(H100 + "package H200 extends H100 { clock = 2 GHz }", "H100.peak") == "2 GHz"


def test_a_block_given_again_merges():
    text = H100 + "package H200 extends H100 { memory hbm { capacity = 24 GB } }"
    assert value(text, "H200.hbm.class") == Symbol("hbm3")


def test_a_block_given_again_without_dims_keeps_them():
    assert (
        value(H100 + "package H200 extends H100 { memory hbm { capacity = 24 GB } }", "H200.total")
        == "120 GB"
    )


def test_a_block_given_again_with_dims_has_those():
    text = H100 + "package H200 extends H100 { memory hbm[6] { capacity = 24 GB } }"
    assert value(text, "H200.total") == "144 GB"


def test_anonymous_blocks_merge_by_kind():
    text = "engine a { ops { bf16 = 1, fp8 = 2 } }\nengine b extends a { ops { fp8 = 3 } }"
    assert (value(text, "b.ops.bf16"), value(text, "b.ops.fp8")) == ("1", "3")


def test_later_mix_ins_go_before_earlier_ones():
    text = "package A { tdp = 1 W }\npackage B { tdp = 2 W }\npackage C extends A + B { }"
    assert value(text, "C.tdp") == "2 W"


def test_a_common_base_of_mix_ins_is_the_weakest():
    text = "package O { tdp = 1 W }\npackage A extends O { tdp = 2 W }\npackage B extends O { }\n"
    assert value(text + "package C extends A + B { }", "C.tdp") == "2 W"


def test_a_new_base_of_an_inherited_block_replaces_the_old_one():
    text = (
        H100
        + "package B { tdp = 9 W }\nnode N { package gpu[8] : H100 }\nnode M extends N { package gpu : B }"
    )
    found = find(program(text).module.root, "M.gpu")
    assert (found.get("hbm"), found.count.magnitude) == (None, 8)


def test_a_dotted_override_changes_a_part_of_an_heir():
    text = H100 + "package H200 extends H100 { hbm.capacity = 24 GB }"
    assert value(text, "H200.total") == "120 GB"


def test_a_dotted_override_is_evaluated_where_it_is_written():
    text = H100 + "package H200 extends H100 { let extra = 8 GB\n hbm.capacity = extra * 2 }"
    assert value(text, "H200.hbm.capacity") == "16 GB"


def test_a_dotted_override_of_an_unknown_member_is_suggested():
    found = only(findings(H100 + "package H200 extends H100 { hbm.capacty = 24 GB }"))
    assert (found.code, found.span.text, found.help) == ("A202", "capacty", "did you mean `capacity`?")


def test_a_dotted_override_with_a_subscript_is_refused():
    assert only(findings(H100 + "package H200 extends H100 { hbm[0].capacity = 24 GB }")).code == "A211"


def test_an_amended_reference_is_a_copy():
    text = H100 + "deployment d { system = H100 { tdp = 3 W } }"
    assert (value(text, "d.system.tdp"), value(text, "H100.tdp")) == ("3 W", "700 W")


def test_an_override_through_a_reference_is_a_copy():
    text = H100 + "deployment d { system = H100 }\ndeployment e extends d { system.tdp = 3 W }"
    assert (value(text, "e.system.tdp"), value(text, "d.system.tdp")) == ("3 W", "700 W")


def test_names_are_found_in_the_blocks_around():
    assert value("package X { let c = 2 GHz\n die d { core k { clock = c } } }", "X.d.k.clock") == "2 GHz"


def test_a_member_goes_before_what_is_around():
    assert value("let c = 1 GHz\npackage X { let c = 2 GHz\n clock = c }", "X.clock") == "2 GHz"


def test_definitions_may_come_in_any_order():
    assert value("package B extends A { }\npackage A { tdp = x }\nlet x = 5 W", "B.tdp") == "5 W"


def test_count_is_the_product_of_the_dims():
    assert value("node N { package chip[4, 4, 2] { } }", "N.chip").count.magnitude == 32


def test_count_inside_a_block_is_its_own():
    assert (
        value("package X { memory hbm[5] { bandwidth = 3.35 TB/s / count } }", "X.hbm.bandwidth")
        == "670 GB/s"
    )


def test_a_count_may_be_set():
    text = "node N { package gpu[8] { } }\nnode M extends N { gpu.count = 4 }"
    assert value(text, "M.gpu").count.magnitude == 4


def test_shape_is_the_list_of_dims():
    text = "node N { package chip[4, 2] { }\n let s = chip.shape }"
    assert [item.magnitude for item in value(text, "N.s").items] == [4, 2]


def test_parent_is_the_block_around():
    assert value("package X { tdp = 9 W\n die d { let t = parent.tdp } }", "X.d.t") == "9 W"


def test_an_instance_knows_its_definition():
    root = program(H100 + "node N { package gpu[8] : H100 }").module.root
    found = find(root, "N.gpu")
    assert (found.name, found.definition, found.path) == ("gpu", "H100", "N.gpu")


def test_a_base_of_another_kind_is_refused():
    assert only(findings("link L { }\npackage X extends L { }")).code == "A207"


def test_an_unknown_base_is_suggested_and_nothing_follows_from_it():
    found = only(findings(H100 + "package H200 extends H10 { }\nlet x = H200.tdp * 2"))
    assert (found.code, found.help) == ("A201", "did you mean `H100`?")


def test_a_definition_built_on_itself_is_a_cycle_with_the_way_round():
    found = only(findings("package A extends B { }\npackage B extends A { }"))
    assert (found.code, "`A` -> `B` -> `A`" in found.notes[0]) == ("A203", True)


def test_a_value_defined_through_itself_is_a_cycle_with_the_way_round():
    found = only(findings("let a = b\nlet b = c + 1\nlet c = a"))
    assert (found.code, "`a` -> `b` -> `c` -> `a`" in found.notes[0]) == ("A203", True)


def test_a_block_that_contains_itself_is_a_cycle():
    assert only(findings("package A { package b : A }")).code == "A203"


def test_an_error_in_a_value_is_told_once():
    assert codes(findings("let a = 1 GHzz\nlet b = a * 2\npackage X { clock = a + b }")) == ["A110"]


def test_a_comment_documents_the_next_item():
    root = program("## Fast.\n## And hot.\npackage X { ## of a stack\n memory hbm { } }").module.root
    assert root.get("X").doc.splitlines() == ["Fast.", "And hot."]


def test_layers_tell_who_gave_a_value():
    root = program(H100 + "package H200 extends H100 { tdp = 1 kW }").module.root
    assert [item.text for item in root.get("H200").layers("tdp")] == ["700 W", "1 kW"]


CITED = 'source ds { kind = datasheet, title = "Sheet", year = 2023 }\n'


def test_a_declared_source_is_cited_with_its_title():
    found = find(program(CITED + 'package X { tdp = 7 W @ds("p. 3") }').module.root, "X.tdp")
    assert (found.value.cites[0].text, found.value.cites[0].kind) == ("Sheet, 2023, p. 3", "datasheet")


def test_a_citation_of_a_block_holds_for_what_is_in_it():
    text = CITED + 'package X @ds { memory hbm { capacity = 16 GB\n energy = 1 pJ/bit @"estimate" } }'
    root = program(text).module.root
    assert find(root, "X.hbm.capacity").value.cites[0].kind == "datasheet"
    assert [item.kind for item in find(root, "X.hbm.energy").value.cites] == ["estimate"]


def test_citations_are_joined_in_arithmetic():
    text = 'let a = 2 @"one"\nlet b = 3 @"two"\nlet c = a * b'
    assert [item.text for item in program(text).module.root.get("c").value.cites] == ["one", "two"]


def test_an_unknown_source_is_suggested():
    found = only(findings(CITED + "package X { tdp = 7 W @dss }"))
    assert (found.code, found.help) == ("A210", "did you mean `ds`?")


def test_a_check_is_not_run_for_heirs():
    text = "package A { tdp = 1 W\n check tdp == 1 W }\npackage B extends A { tdp = 2 W }\nnode N { package g : B }"
    assert findings(text) == ()


def test_an_assert_is_run_for_heirs():
    text = "package A { tdp = 1 W\n assert tdp < 2 W }\npackage B extends A { tdp = 2 W }"
    found = only(findings(text))
    assert (found.code, found.label, found.labels[0].text) == ("A302", "`tdp` is 2 W", "in `B`")


def test_a_failed_check_shows_the_values():
    found = only(
        findings(
            'package A { memory m[5] { capacity = 2 GB }\n check m.count * m.capacity == 8 GB else "8" }'
        )
    )
    assert (found.code, found.label) == ("A301", "`m.count * m.capacity` is 10 GB")
    assert found.message == "check failed: 8"


def test_a_check_that_fails_by_eight_explains_bits():
    found = only(findings("package A { memory m { capacity = 16 Gb }\n check m.capacity == 16 GB }"))
    assert found.notes == ("16 Gb is 2 GB: `b` is a bit and `B` a byte",)


def test_requirements_wait_with_their_scope():
    made = program('slo s { let limit = 800\n require p99(ttft) <= limit else "slow"\n prefer speed > 1 }')
    first, second = collect_requirements(made.lookup("slo s"))
    found = made.interpreter.value_of(first.expr, first.scope, {"p99": lambda x: x, "ttft": made.module.root})
    assert (first.word, first.message, second.word, found) == ("require", "slow", "prefer", None)


def test_goals_have_names():
    goals = collect_goals(program("objective o { minimize cost / speed as usd }").lookup("o"))
    assert [(goal.word, goal.text, goal.message) for goal in goals] == [("minimize", "cost / speed", "usd")]
