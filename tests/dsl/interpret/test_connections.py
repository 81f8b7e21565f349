"""Connections: ends, links, patterns, and links changed for one block."""

from __future__ import annotations

from accelscope.dsl.interpret.connections import evaluate_connections
from accelscope.dsl.values.arithmetic import show_quantity
from tests.support.language import checked, find, findings, only, program

TEXT = """
link L { bandwidth = 25 GB/s/dir }
package G { }
node N {
  package gpu[8] : G
  switch sw[4] { radix = 64 }
  connect gpu[*] <-> sw[*] via L { links_per_source = 18 }
  connect gpu[*] as ring(8, wrap = true)
}
"""


def connections(text, path):
    return evaluate_connections(find(program(text).module.root, path))


def test_ends_are_paths_with_subscripts():
    first = connections(TEXT, "N")[0]
    assert (first.left.path, first.left.subscripts, first.right.component.kind) == (
        ("gpu",),
        ((None,),),
        "switch",
    )


def test_a_path_of_several_blocks_keeps_them_all():
    text = TEXT + "cluster C { node n[2] : N\n connect n[*].sw[0] -> n[1].sw[*] }"
    left = connections(text, "C")[0].left
    assert [item.name for item in left.components] == ["n", "sw"]
    assert [[sub and sub.magnitude for sub in subs] for subs in left.subscripts] == [[None], [0]]


def test_settings_are_a_block():
    assert show_quantity(connections(TEXT, "N")[0].settings.get("links_per_source").value) == "18"


def test_a_pattern_has_arguments():
    second = connections(TEXT, "N")[1]
    assert (second.pattern, second.args[0].magnitude, second.kwargs, second.right) == (
        "ring",
        8,
        {"wrap": True},
        None,
    )


def test_an_heir_replaces_a_connection_of_the_same_ends():
    text = TEXT + "node M extends N { connect gpu[*] <-> sw[*] via L { links_per_source = 9 } }"
    found = connections(text, "M")
    assert len(found) == 2
    assert show_quantity(found[-1].settings.get("links_per_source").value) == "9"


def test_connections_are_inherited():
    assert len(connections(TEXT + "node M extends N { connect sw[*] <-> sw[*] }", "M")) == 3


def test_an_unknown_end_is_suggested():
    found = only(findings(TEXT.replace("connect gpu[*] <->", "connect gpuu[*] <->")))
    assert (found.code, found.help) == ("A201", "did you mean `gpu`?")


def test_a_subscript_out_of_range_is_refused():
    assert only(findings(TEXT.replace("<-> sw[*]", "<-> sw[4]"))).code == "A107"


def test_a_wrong_number_of_subscripts_is_refused():
    assert only(findings(TEXT.replace("<-> sw[*]", "<-> sw[*, *]"))).code == "A206"


def test_an_unknown_link_is_suggested():
    found = only(checked(TEXT.replace("via L", "via LL")))
    assert (found.code, found.help) == ("A201", "did you mean `L`?")


def test_a_link_changed_through_one_end_takes_effect_there_only():
    text = TEXT + "cluster C { node n[2] : N\n n.gpu.L.bandwidth = 11 GB/s/dir }"
    changed = evaluate_connections(find(program(text).module.root, "C.n"))[0]
    assert show_quantity(changed.via.get("bandwidth").value) == "11 GB/s/dir"
    assert show_quantity(connections(text, "N")[0].via.get("bandwidth").value) == "25 GB/s/dir"
