"""Swept degrees give what each degree gives alone, a degree of one among them."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.testing.builders import iterate_terms
from tests.support.planning import DEEPSEEK, LLAMA, QWEN_MOE, WINDOWED, decode, plan, prefill

SWEPT = {
    "cp": [1, 2, 4, 8],
    "dcp": [1, 2, 4, 8],
    "tp": [1, 2, 8, 16],
    "pp": [1, 2, 4],
    "dp": [1, 4, 16],
    "redundant_experts": [0, 32, 64],
    "zero_stage": [0, 1, 3],
}
AROUND = {
    "cp": {"tp": 2},
    "dcp": {"tp": 64},
    "tp": {"dp": 4},
    "pp": {"tp": 2},
    "dp": {"tp": 2},
    "redundant_experts": {"dp": 32, "ep": 32},
    "zero_stage": {"dp": 8, "tp": 2},
}


@pytest.fixture(autouse=True)
def strict_numpy():
    with np.errstate(all="raise"):
        yield


def named(made):
    """Return every term of a plan by a name that does not depend on which collectives have been left out."""
    found = {f"op.{op.name}.{path}": value for op in made.ops for path, value in iterate_terms(op)}
    for item in made.collectives:
        found |= {f"said.{item.name}.{path}": value for path, value in iterate_terms(item)}
    return found | dict(iterate_terms(made.residency)) | {"ranks": made.ranks, "stages": made.stages}


@pytest.mark.parametrize("name", SWEPT)
@pytest.mark.parametrize(
    "model", [LLAMA, WINDOWED, DEEPSEEK, QWEN_MOE], ids=["llama", "window", "mla", "moe"]
)
@pytest.mark.parametrize("step", [decode(64), prefill(8, 2048)], ids=["decode", "prefill"])
def test_a_swept_degree_equals_its_points(name, model, step):
    if name == "redundant_experts" and model.experts is None:
        pytest.skip("the model has no experts")
    values = SWEPT[name]
    ways = {
        "cp": [{"cp_method": "ring"}, {"cp_method": "all_to_all"}],
        "dcp": [{}, {"dcp_over": "sequences"}],
    }
    for way in ways.get(name, [{}]):
        around = {**AROUND[name], **way}
        whole = named(plan(model, step, **around, **{name: values}))
        for index, value in enumerate(values):
            for path, alone in named(plan(model, step, **around, **{name: value})).items():
                swept = np.broadcast_to(whole[path].value, len(values))[index]
                assert swept == pytest.approx(float(alone.value), rel=1e-12), (path, value)
