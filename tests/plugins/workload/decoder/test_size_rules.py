"""Models that no decoder can be are refused, and are infeasible points of a sweep."""

from __future__ import annotations

import pytest

from accelscope.core.errors import DescriptionError
from accelscope.plugins.workload.decoder.checks import POSSIBLE_DECODER

SCENARIO = """
use std.nvidia {{ DGX_H100 }}
model m {{
  layers = 8, hidden = 1024, heads = 32, vocab = 1000
  {fields}
}}
workload one {{ batch = 1, prompt = 128 tok, output = 8 tok }}
deployment d {{ system = DGX_H100, model = m }}
scenario s {{ deployment = d, workload = one }}
"""
DENSE = "kv_heads = 8, head_dim = 32, ffn = 4096"
MOE = "kv_heads = 8, head_dim = 32, experts { routed = 8, top_k = 2, ffn = 512, %s }"


@pytest.fixture
def written(tmp_path):
    def write(fields):
        (tmp_path / "m.accel").write_text(SCENARIO.format(fields=fields))
        return str(tmp_path / "m.accel")

    return write


def messages(session, path, *sets):
    with pytest.raises(DescriptionError) as caught:
        session.evaluate(path, sets=sets)
    return [(item.code, item.message) for item in caught.value.diagnostics]


@pytest.mark.parametrize("fields", [DENSE, MOE % "", MOE % "groups = 4, top_groups = 1"])
def test_models_that_can_be(session, written, fields):
    assert session.evaluate(written(fields))[0].feasible.all()


@pytest.mark.parametrize(
    "fields, message",
    [
        (DENSE.replace("kv_heads = 8", "kv_heads = 64"), "`m.kv_heads` is 64, which does not divide the 32 of `heads`"),
        (DENSE.replace("kv_heads = 8", "kv_heads = 7"), "`m.kv_heads` is 7, which does not divide the 32 of `heads`"),
        (MOE.replace("top_k = 2", "top_k = 9") % "", "`m.experts.top_k` is 9, which is more than the 8 of `experts.routed`"),
        (MOE % "groups = 3", "`m.experts.groups` is 3, which does not divide the 8 of `experts.routed`"),
        (MOE % "groups = 4, top_groups = 5", "`m.experts.top_groups` is 5, which is more than the 4 of `experts.groups`"),
        (MOE % "groups = 8, top_groups = 1", "`m.experts.top_k` is 2, which is more than the 1 of"),
        (MOE % "dense_layers = 9, dense_ffn = 64", "`m.experts.dense_layers` is 9, which is more than the 8 of `layers`"),
        (DENSE + ", window = 64 tok, global_every = 9", "`m.global_every` is 9, which is more than the 8 of `layers`"),
        (DENSE + ", window = 64 tok, global_layers = 9", "`m.global_layers` is 9, which is more than the 8 of `layers`"),
    ],
)  # fmt: skip
def test_sizes_that_do_not_fit_are_refused(session, written, fields, message):
    found = messages(session, written(fields))
    assert [code for code, _ in found] == ["A107"]
    assert message in found[0][1]


def test_heads_divide_the_hidden_size_where_no_head_dim_is_given(session, written):
    found = messages(session, written("ffn = 4096"), "heads=33")
    assert found == [("A107", "`m.heads` is 33, which does not divide the 1024 of `hidden`")]


@pytest.mark.parametrize(
    "fields, message",
    [
        ("kv_heads = 8", "`m` needs `ffn`"),
        (MOE % "dense_layers = 1", "`m` needs `experts.dense_ffn`"),
        (MOE % "top_groups = 1", "`m` needs `experts.groups`"),
        (DENSE + ", global_every = 2", "`m` needs `sliding_window`"),
        (DENSE + ", global_layers = 2", "`m` needs `sliding_window`"),
    ],
)
def test_fields_that_the_sizes_need(session, written, fields, message):
    found = messages(session, written(fields))
    assert [code for code, _ in found] == ["A106"]
    assert message in found[0][1]


@pytest.mark.parametrize(
    "fields, axis, feasible",
    [
        (DENSE, "kv_heads=[7, 8, 64, 32]", [False, True, False, True]),
        (MOE % "", "top_k=[9, 8, 1]", [False, True, True]),
        (MOE % "groups = 4, top_groups = 2", "groups=[3, 4, 8, 1]", [False, True, True, False]),
        (MOE % "dense_layers = 1, dense_ffn = 64", "dense_layers=[9, 8, 0]", [False, True, True]),
        (DENSE + ", window = 64 tok, global_every = 2", "global_every=[9, 8, 1]", [False, True, True]),
    ],
)
def test_points_of_a_sweep_are_infeasible_instead(session, written, fields, axis, feasible):
    assert list(session.sweep(written(fields), sets=(axis,)).feasible) == feasible


def test_a_reason_names_the_rule(session, written):
    result = session.sweep(written(DENSE), sets=("kv_heads=[7, 8]",))
    assert any("kv_heads divides heads" in limit.name for limit in result.limits)


def test_other_models_are_left_alone():
    class Model:
        spec = object()

    class Design:
        model = Model()

    assert tuple(POSSIBLE_DECODER.run(Design())) == ()
