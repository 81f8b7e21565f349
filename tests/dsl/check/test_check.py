"""Fields and blocks against their schemas, and lints."""

from __future__ import annotations

import pytest

from tests.support.language import checked, codes, findings, only

GOOD = """
source ds { kind = datasheet, title = "Sheet", year = 2023 }
link L { bandwidth = 25 GB/s/dir, latency = 1 us }
process n4 { foundry = "T" }
package X @ds {
  vendor = "V"
  tdp = 700 W
  grid = [2, 2]
  aliases = ["x", y]
  released = 2023-05-01
  liquid = true
  process = n4
  die d {
    core k[4] { engine e { kind = matrix, ops { bf16 = 512 MAC/cycle }, sparsity = structured(2, 4) } }
    memory l2 { class = cache, capacity = 50 MiB, bandwidth = 5120 B/cycle }
  }
  memory hbm[5] { class = hbm3, capacity = 16 GB, bandwidth = 670 GB/s, efficiency = [1 KiB -> 50%, 1 MiB -> 80%] }
}
node N { package gpu[8] : X
  connect gpu[*] <-> gpu[*] via L { links_per_source = 2 } }
model m { layers = 8 }
workload w { batch = 8, prompt = 512 tok }
deployment d { system = N, model = m, parallel { tp = 8 }, memory { reserve = 6 GB } }
scenario s { deployment = d, workload = w, seed = 1 }
"""


def test_a_good_file_has_no_finding():
    assert checked(GOOD) == ()


def inside(text, kind="package X"):
    return only(checked(f"{kind} {{ {text} }}"))


@pytest.mark.parametrize(
    ("text", "code", "at"),
    [
        ("tpd = 700 W", "A101", "tpd"),
        ("memori m { }", "A102", "memori"),
        ("tdp { max = 3 }", "A102", "tdp"),
        ("tdp = 700 W\n tdp = 800 W", "A103", "tdp"),
        ("let a = 1\n let a = 2", "A103", "a"),
        ("memory m { }\n memory m { }", "A103", "m"),
        ("model m { }", "A108", "model"),
        ("core k { }", "A108", "core"),
        ("memory m { class = hbm4 }", "A104", "hbm4"),
        ("memory m { class = hbm3, energy = 1 J }", "A111", "1 J"),
        ("vendor = NVIDIA", "A105", "NVIDIA"),
        ('tdp = "700 W"', "A105", '"700 W"'),
        ("tdp = true", "A105", "true"),
        ("tdp = [1, 2]", "A105", "[1, 2]"),
        ("tdp = 700", "A111", "700"),
        ("tdp = 700 J", "A111", "700 J"),
        ("tdp = -1 W", "A107", "-1 W"),
        ("tdp = 0 W", "A107", "0 W"),
        ("tdp = nothing", "A201", "nothing"),
        ("grid = 2", "A105", "2"),
        ("grid = [2, 1 W]", "A111", "[2, 1 W]"),
        ("released = 2023", "A105", "2023"),
        ("liquid = 1", "A105", "1"),
        ("process = n5", "A201", "n5"),
        ("process = self", "A207", "self"),
        ("die d { engine e { sparsity = sparse(2, 4) } }", "A104", "sparse(2, 4)"),
        ("die d { engine e { sparsity = 2 } }", "A105", "2"),
        ("die d { engine e { ops { bf61 = 1 op/cycle } } }", "A101", "bf61"),
        ("die d { engine e { ops { bf16 = 1 op/s } } }", "A111", "1 op/s"),
        ('memory m { class = "hbm3" }', "A105", '"hbm3"'),
        ("memory m { class = cache, banks = 2.5 }", "A107", "2.5"),
        ("memory m { class = hbm3, efficiency = 120% }", "A107", "120%"),
        ("memory m { class = hbm3, efficiency = [1 s -> 50%] }", "A111", "[1 s -> 50%]"),
        ("memory m { class = hbm3, efficiency = [1 B -> 150%] }", "A107", "[1 B -> 150%]"),
        ("memory m { class = hbm3, banks = 2 }", "A101", "banks"),
        ("tdp = 70 kW", "A404", "70 kW"),
    ],
)
def test_a_wrong_field_or_block_is_one_finding(text, code, at):
    found = inside(text)
    assert (found.code, found.span.text) == (code, at)


def test_an_unknown_field_is_suggested_and_the_fields_are_listed():
    found = inside("tpd = 700 W")
    assert found.help == "did you mean `tdp`?"
    assert "`vendor`" in found.notes[0]


def test_an_unknown_kind_is_suggested():
    assert inside("memori m { }").help == "did you mean `memory`?"


def test_below_an_unknown_kind_nothing_else_is_reported():
    assert codes(checked("thing t { other o { field = 3 } }")) == ["A102"]


def test_a_block_given_as_a_field_says_how_to_write_it():
    found = only(checked("deployment d { parallel = 8 }"))
    assert (found.code, found.help) == ("A101", "`parallel` is a block: write `parallel { ... }`")


def test_an_unknown_word_lists_the_choices():
    found = inside("memory m { class = hbm4 }")
    assert found.help == "did you mean `hbm3`?"
    assert "`cache`" in found.notes[0]


def test_a_wrong_dimension_shows_an_example():
    assert "for example" in inside("memory m { bandwidth = 3 GB }").message


def test_a_link_without_direction_is_offered_both_readings():
    found = inside("bandwidth = 900 GB/s", "link L")
    assert found.code == "A111"
    assert "900 GB/s/bidi" in found.help
    assert "900 GB/s/dir" in found.help


def test_a_number_without_a_unit_is_given_the_unit():
    assert inside("tdp = 700").help == "add the unit: `700 W`"


def test_a_duplicate_points_at_the_first():
    found = inside("tdp = 700 W\n tdp = 800 W")
    assert (found.span.line, found.labels[0].span.line) == (2, 1)


def test_a_misplaced_block_says_where_it_stands():
    found = inside("model m { }")
    assert found.notes == ("it is allowed at the top of a file",)


def test_an_implausible_value_of_a_counted_block_explains_the_total():
    found = inside("memory hbm[5] { class = hbm3, bandwidth = 2 TB/s }")
    assert found.code == "A404"
    assert found.notes == (
        "the value is per instance: 5 instances have 10 TB/s; for a total write `2 TB/s / count`",
    )


def test_a_memory_of_a_deployment_has_its_own_schema():
    assert only(checked("deployment d { memory { capacity = 3 GB } }")).code == "A101"


def test_settings_of_a_connection_are_checked():
    text = "link L { }\nnode N { switch s[2] { }\n connect s[*] <-> s[*] via L { links_per_sorce = 2 } }"
    assert only(checked(text)).help == "did you mean `links_per_source`?"


def test_a_link_is_a_link():
    text = "package P { }\nnode N { switch s[2] { }\n connect s[*] <-> s[*] via P }"
    assert only(checked(text)).code == "A207"


def test_an_amended_copy_is_checked():
    text = "package P { }\ndeployment d { system = P { tpd = 3 W } }"
    assert only(checked(text)).span.text == "tpd"


def test_a_value_at_the_top_of_a_file_is_refused():
    found = only(checked("tdp = 3 W"))
    assert (found.code, found.help) == ("A211", "write `let tdp = ...` for a value that definitions use")


def test_an_unused_let_is_evaluated():
    assert codes(checked("package X { let a = 1 GHzz }")) == ["A110"]


def test_units_of_what_waits_for_metrics_are_checked():
    assert codes(findings("slo s { require ttft <= 800 msec\n prefer p99(tpot) <= 40 ms }")) == ["A110"]


def test_units_in_a_function_that_nothing_calls_are_checked():
    assert codes(findings("let f(x) = x * 2 GHzz")) == ["A110"]


def test_none_leaves_a_field_open():
    assert checked("package X { tdp = none }") == ()


def test_a_word_is_a_word_even_where_a_block_is_called_so():
    assert checked("package cache { }\npackage X { memory m { class = cache } }") == ()


def test_a_let_that_hides_a_word_is_warned_of():
    found = only(checked("let hbm3 = hbm3e\npackage X { memory m { class = hbm3 } }"))
    assert (found.code, found.severity) == ("A402", "warning")


def test_a_let_that_hides_a_word_and_does_not_fit_is_an_error():
    found = only(checked("let cache = 3\npackage X { memory m { class = cache } }"))
    assert (found.code, "rename the `let`" in found.help) == ("A105", True)


def test_on_chip_memory_in_powers_of_1000_is_warned_of():
    found = only(checked("package X { memory l2 { class = cache, capacity = 50 MB } }"))
    assert (found.code, "50 MiB" in found.help) == ("A403", True)


def test_a_number_without_source_is_warned_of_when_linting():
    text = 'source ds { title = "S" }\npackage X { tdp = 700 W\n clock = 1 GHz @ds }\npackage Y @ds { tdp = 7 W }'
    found = [item for item in checked(text, lint=True) if item.span.line > 1]
    assert [(item.code, item.span.text) for item in found] == [("A401", "700 W")]


def test_a_mistake_of_a_base_is_told_once():
    text = "package X { tpd = 3 W }\npackage Y extends X { }\nnode N { package g : X }"
    assert codes(checked(text)) == ["A101"]


def test_warnings_about_a_used_file_stay_there():
    text = 'use "b.accel" as b\nnode N { package g : b.X }'
    assert checked(text, {"b.accel": "package X { tdp = 70 kW }"}) == ()


SEVEN = """\
link L { bandwidth = 450 GB/s/dir }
package X {
  memory hbm[5] { capacity = 16 Gb, bandwidth = 670 GB/s }
  let clock = 1.83 Ghz
  let n = 80 GBs
  let a = hbm.capacity + hbm.bandwidth
  let bw = 80GB/n
  check hbm.count * hbm.capacity == 80 GB else "capacity is 80 GB"
  check L.bandwidth == 900 GB/s
  check L.bandwidth == 900 GB/s/bidi
  check approx(hbm.count * hbm.bandwith, 3.35 TB/s, 1%)
}
"""


@pytest.mark.parametrize("check", [findings, checked])
def test_seven_mistakes_are_seven_findings(check):
    assert [(item.code, item.span.line) for item in check(SEVEN)] == [
        ("A110", 4),
        ("A110", 5),
        ("A112", 6),
        ("A110", 7),
        ("A301", 8),
        ("A112", 9),
        ("A202", 11),
    ]
