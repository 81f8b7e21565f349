"""The study that ships: it names every accelerator, and its texts and claims hold together."""

from __future__ import annotations

import pytest

from accelscope.core.analysis.architecture_study.entries import collect_participants
from accelscope.core.analysis.architecture_study.folder import StudyFolder, read_component_list
from accelscope.core.blocks.study import Claim, Gaps, Grid, Strategies
from accelscope.core.library.definitions import list_definitions
from accelscope.dsl.interpret.sweep_axes import collect_axis_statements
from tests.support.paths import EXAMPLES

FOLDER = EXAMPLES / "studies" / "cross_architecture"


@pytest.fixture(scope="module")
def folder(desk) -> StudyFolder:
    return StudyFolder.open(desk, FOLDER)


def test_every_accelerator_of_the_library_takes_part(desk, folder):
    known = {
        item.component.name for item in list_definitions(desk.session) if item.component.kind == "package"
    }
    parts_of_a_chip = {
        name for name in known if name.endswith("_core") and name.removesuffix("_core") in known
    }
    assert {kin.device.name for kin in collect_participants(folder).devices} == known - parts_of_a_chip


def test_the_grid_is_the_one_that_is_asked_for(folder):
    ((_, block),) = folder.blocks(Grid)
    axes = {axis.path: axis for axis in collect_axis_statements(block.scenario)}
    assert set(axes) == {"batch", "workload.prompt"}
    models = [item.name for item in read_component_list(block.models, "models", "model")]
    assert models == ["llama3_1_8b", "llama3_1_70b", "llama3_1_405b", "deepseek_v3", "kimi_k2"]


def test_four_models_of_a_trillion_parameters(desk, folder):
    from accelscope.core.analysis.architecture_study.systems import read_study_model

    blocks = dict(folder.blocks(Strategies))
    models = read_component_list(blocks["four"].models, "models", "model")
    sizes = {item.name: read_study_model(item, desk.session.registry).facts.parameters for item in models}
    assert set(sizes) == {"kimi_k2", "deepseek_v3_1t", "megatron_1t", "switch_c"}
    assert sizes["deepseek_v3_1t"] == pytest.approx(1e12, rel=0.01)
    assert all(0.9e12 < size < 1.7e12 for size in sizes.values())


def test_every_architecture_has_a_device_whose_gaps_are_looked_for(folder):
    ((_, block),) = folder.blocks(Gaps)
    cast = collect_participants(folder)
    devices = read_component_list(block.devices, "devices", "package")
    assert {cast.of(item.name).architecture for item in devices} == set(cast.titles)


def test_every_claim_gives_a_reason(folder):
    claims = dict(folder.blocks(Claim))
    assert len(claims) >= 9
    assert all(block.statement and block.explanation for block in claims.values())
