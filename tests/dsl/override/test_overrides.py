"""Values set from outside: where a path leads, what a copy has, arrays as values."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.numeric.array_operations import ArrayOperations
from accelscope.dsl.diagnostics.diagnostics import SourceText, Span
from accelscope.dsl.interpret.assertions import evaluate_assertions
from accelscope.dsl.interpret.connections import evaluate_connections
from accelscope.dsl.override.overrides import Override, derive_scenario, parse_override
from accelscope.dsl.syntax.nodes import Name
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.units import built_in_unit_table
from accelscope.dsl.values.values import Quantity
from tests.support.language import find, program
from tests.support.schemas import SCHEMAS

TEXT = """
link L { bandwidth = 25 GB/s/dir, latency = 1 us }
link P { bandwidth = 63 GB/s/dir, latency = 2 us }
package G {
  memory hbm[5] { class = hbm3, capacity = 16 GB, bandwidth = 670 GB/s }
  let total = hbm.count * hbm.bandwidth
}
node N {
  package gpu[8] : G
  switch sw[2] { radix = 64 }
  connect gpu[*] <-> sw[*] via L
  connect gpu[*] <-> sw[*] via P
}
model m { layers = 8 }
workload w { prompt = 512 tok }
deployment d {
  system = N
  model = m
  parallel { tp = 8 }
  assert parallel.tp <= system.gpu.count else "too many"
}
scenario s { deployment = d, workload = w }
"""


def loaded(**more):
    return program(TEXT, schemas=SCHEMAS, **more)


def derived(*texts):
    made = loaded()
    overrides = [parse_override(text)[0].override() for text in texts]
    return made, derive_scenario(made.lookup("scenario s"), overrides)


def set_value(text, path):
    made, scenario = derived(text)
    assert scenario is not None, [item.message for item in made.diagnostics]
    return show_quantity(find(scenario, path).value)


def problem(text):
    made, scenario = derived(text)
    assert scenario is None
    return made.diagnostics[0]


@pytest.mark.parametrize(
    ("text", "path", "expected"),
    [
        ("deployment.parallel.tp=4", "deployment.parallel.tp", "4"),
        ("tp=4", "deployment.parallel.tp", "4"),
        ("pp=2", "deployment.parallel.pp", "2"),
        ("batch=16", "workload.batch", "16"),
        ("gpu.hbm.bandwidth=1 TB/s", "deployment.system.gpu.hbm.bandwidth", "1 TB/s"),
        ("gpu.hbm.bandwidth=3.35 TB/s / count", "deployment.system.gpu.hbm.bandwidth", "670 GB/s"),
        ("hbm.bandwidth=2 TB/s", "deployment.system.gpu.total", "10 TB/s"),
        ("seed=7", "seed", "7"),
        ("reserve=8 GB", "deployment.memory.reserve", "8 GB"),
        ("G.tdp=500 W", "deployment.system.gpu.tdp", "500 W"),
    ],
)
def test_a_path_is_found_in_the_scenario(text, path, expected):
    assert set_value(text, path) == expected


def test_the_scenario_itself_stays_as_it_is():
    made, _ = derived("tp=4")
    assert show_quantity(find(made.lookup("s"), "deployment.parallel.tp").value) == "8"


def test_a_set_value_says_so():
    _, scenario = derived("tp=4")
    origin = find(scenario, "deployment.parallel.tp").origin
    assert (origin.how, origin.text, str(origin.span)) == ("set", "4", "--set:1:4")


def test_asserts_see_set_values():
    _, scenario = derived("tp=16")
    (outcome,) = evaluate_assertions(find(scenario, "deployment"), ("assert",))
    assert (outcome.holds, outcome.message) == (False, "too many")


def test_a_set_count_is_used():
    _, scenario = derived("gpu.count=2")
    assert find(scenario, "deployment.system.gpu").count.magnitude == 2


def test_a_reference_is_set_to_another_definition():
    assert set_value("system=G", "deployment.system.hbm.bandwidth") == "670 GB/s"


def test_a_link_is_set_by_its_name():
    _, scenario = derived("L.bandwidth=50 GB/s/dir")
    links = [item.via for item in evaluate_connections(find(scenario, "deployment.system"))]
    assert [show_quantity(link.get("bandwidth").value) for link in links] == ["50 GB/s/dir", "63 GB/s/dir"]


def test_several_places_at_one_distance_are_ambiguous():
    found = problem("link.latency=1 us")
    assert found.code == "A305"
    assert "`deployment.system.L.latency`" in found.notes[0]


def test_an_unknown_first_name_is_suggested():
    found = problem("gpuu.hbm.bandwidth=1 TB/s")
    assert (found.code, found.span.text, found.help) == ("A201", "gpuu", "did you mean `gpu`?")


def test_an_unknown_later_name_is_suggested():
    found = problem("gpu.hbm.bandwith=1 TB/s")
    assert (found.code, found.span.text, found.help) == ("A202", "bandwith", "did you mean `bandwidth`?")


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("gpu.gpu.hbm.bandwidth=1 TB/s", "gpu"),
        ("hbm.hbm=3", "hbm"),
        ("gpu.N.tdp=1 W", "N"),
        ("gpu.G.tdp=1 W", "G"),
        ("gpu.sw.radix=3", "sw"),
        ("parallel.parallel=8", "parallel"),
        ("parallel.foo.bar=8", "foo"),
        ("deployment.memory.reserv=8 GB", "reserv"),
        ("gpu.memory.bandwidth=1 TB/s", "memory"),
        ("gpu.L=3", "L"),
    ],
)
def test_a_later_name_that_means_nothing_is_refused(text, at):
    found = problem(text)
    assert (found.code, found.span.text) == ("A202", at)


def test_a_misspelt_field_of_settings_that_no_text_gives_is_suggested():
    assert problem("deployment.memory.reserv=8 GB").help == "did you mean `reserve`?"


def test_a_kind_with_named_blocks_is_answered_with_their_names():
    assert problem("gpu.memory.bandwidth=1 TB/s").notes == ("its `memory` blocks are `hbm`",)


@pytest.mark.parametrize("text", ["parallel.count=8", "model.count=3", "workload.count=4", "system.count=2"])
def test_what_stands_for_itself_is_not_counted(text):
    found = problem(text)
    assert (found.code, found.span.text) == ("A202", "count")


def test_settings_that_are_not_counted_name_their_fields():
    assert problem("parallel.count=8").notes[-1] == "its fields are `tp`, `pp`"


def test_a_count_that_no_text_gives_is_set():
    made = program(TEXT.replace("sw[2]", "sw"), schemas=SCHEMAS)
    scenario = derive_scenario(made.lookup("s"), [parse_override("sw.count=4")[0].override()])
    assert find(scenario, "deployment.system.sw").count.magnitude == 4


def test_nothing_is_set_in_a_count():
    found = problem("gpu.count.count=3")
    assert (found.message, found.help) == ("`count` is a value, so it has no fields to set", None)


def test_the_place_of_a_name_is_no_label():
    assert problem("gpu.hbm.bandwith=1 TB/s").label == ""


def test_a_link_is_set_for_one_end():
    _, scenario = derived("gpu.L.bandwidth=50 GB/s/dir")
    links = [item.via for item in evaluate_connections(find(scenario, "deployment.system"))]
    assert [show_quantity(link.get("bandwidth").value) for link in links] == ["50 GB/s/dir", "63 GB/s/dir"]


def test_a_constant_of_the_file_is_set_where_it_is_used():
    text = "let share = 2\n" + TEXT.replace("16 GB", "share * 16 GB")
    made = program(text, schemas=SCHEMAS)
    scenario = derive_scenario(made.lookup("s"), [parse_override("hbm.share=3")[0].override()])
    assert show_quantity(find(scenario, "deployment.system.gpu.hbm.capacity").value) == "48 GB"


def test_a_set_value_has_a_tolerance():
    _, scenario = derived("gpu.hbm.bandwidth=2 TB/s ± 10%")
    value = find(scenario, "deployment.system.gpu.hbm.bandwidth").value
    assert value.tolerance.half_width == pytest.approx(0.2e12)


def test_a_set_value_has_a_citation():
    _, scenario = derived('gpu.hbm.bandwidth=2 TB/s @"estimate: a guess"')
    (cite,) = find(scenario, "deployment.system.gpu.hbm.bandwidth").value.cites
    assert cite.kind == "estimate"


def test_a_set_tolerance_points_into_the_override():
    found = parse_override("gpu.hbm.bandwidth=2 TB/s ± 10% +")[1][0]
    assert (found.code, found.span.start) == ("A001", len("gpu.hbm.bandwidth=2 TB/s ± 10% +"))


def test_a_tolerance_of_several_values_is_refused_where_it_stands():
    (found,) = parse_override("tp=1..8 ± 10%")[1]
    assert (found.code, found.span.text) == ("A211", "± 10%")


@pytest.mark.parametrize(("text", "step"), [("tp=1..8 step x2", "mul"), ("tp=1..8 points 3", "lin")])
def test_a_set_range_is_divided(text, step):
    assert parse_override(text)[0].step.kind == step


@pytest.mark.parametrize("text", ["let tp=3", "tp=4\npp=3"])
def test_other_statements_are_no_override(text):
    assert parse_override(text)[0] is None


@pytest.mark.parametrize("text", ["tp", "tp=", "=4", ""])
def test_an_override_has_a_path_and_a_value(text):
    assert parse_override(text)[1][0].code == "A505"


def test_a_mistake_in_an_override_points_into_it():
    found = parse_override("gpu.hbm.bandwidth=3 +")[1][0]
    assert found.span.source.text == "gpu.hbm.bandwidth=3 +"
    assert found.span.start >= len("gpu.hbm.bandwidth=3")


def arrays(magnitudes, unit):
    scale, dimension = built_in_unit_table().parse(unit)
    return Quantity(magnitude=np.array(magnitudes) * scale, dimension=dimension)


def with_arrays(path, value):
    made = program(TEXT, schemas=SCHEMAS, operations=ArrayOperations())
    source = SourceText("sweep", path)
    span = Span(source, 0, len(path))
    override = Override(path=Name(0, len(path), path), value=value, span=span, text=path)
    return made, derive_scenario(made.lookup("s"), [override])


def test_an_array_goes_through_arithmetic():
    made = program(TEXT, schemas=SCHEMAS, operations=ArrayOperations())
    override = parse_override("hbm.bandwidth=0 B/s")[0].override()
    ready = Override(path=override.path, value=arrays([1, 2], "TB/s"), span=override.span, text="sweep")
    scenario = derive_scenario(made.lookup("s"), [ready])
    assert find(scenario, "deployment.system.gpu.total").value.magnitude.tolist() == [5e12, 10e12]


def test_an_assert_over_an_array_is_a_mask():
    _, scenario = with_arrays("tp", Quantity(magnitude=np.array([4.0, 8, 16])))
    (outcome,) = evaluate_assertions(find(scenario, "deployment"), ("assert",))
    assert outcome.holds.tolist() == [True, True, False]


def test_an_uncertain_value_may_be_varied():
    text = "package X { tdp = 700 W ± 10%\n let half = tdp / 2 }"
    made = program(text, uncertain=lambda quantity, span: quantity.magnitude + quantity.tolerance.half_width)
    assert show_quantity(find(made.module.root, "X.half").value) == "385 W"


def test_a_condition_over_arrays_chooses_elementwise():
    made = program("let f(x) = if x > 2 and not (x > 3) then 10 else 20", operations=ArrayOperations())
    call = program("let y = f(x)", operations=ArrayOperations()).module.root.index().members["y"].bindings[0]
    scope = call.scope
    scope.outer = made.module.root.index().members["f"].bindings[0].scope
    found = made.interpreter.value_of(call.node, scope, {"x": Quantity(magnitude=np.array([1.0, 3.0, 4.0]))})
    assert found.magnitude.tolist() == [20, 10, 20]
