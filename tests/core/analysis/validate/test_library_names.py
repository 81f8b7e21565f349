"""Names of measurements are names or aliases of the library."""

from __future__ import annotations

import csv

import numpy as np
import pytest

from accelscope.core.analysis.validate.library_names import LibraryNames
from tests.support.paths import MEASURED

with (MEASURED.parents[1] / "library" / "hardware.csv").open() as file:
    DEVICES = [row["name"] for row in csv.DictReader(file)]


@pytest.fixture(scope="module")
def names(shell) -> LibraryNames:
    return LibraryNames(shell)


@pytest.mark.parametrize("hw", DEVICES)
def test_every_device_of_measurements_is_a_package(hw, names):
    item, reason = names.device(hw)
    assert reason == ""
    assert item.component.kind == "package"
    machine, _ = names.machine(hw)
    assert machine.device.name == item.component.name


def test_models_of_the_table_are_in_the_library(names):
    with (MEASURED / "e2e.csv").open() as file:
        wanted = {row["model"] for row in csv.DictReader(file)}
    assert {name: names.model(name)[1] for name in wanted if names.model(name)[0] is None} == {}


def test_an_unknown_name_has_a_reason():
    from accelscope.core.plugin.registry import Registry
    from accelscope.core.session import Session

    names = LibraryNames(Session(Registry.built_in()))
    assert names.device("XYZ") == (None, "the library has no device XYZ")
    assert names.machine("XYZ", 8) == (None, "the library has no device XYZ")
    assert names.model("llama-99") == (None, "the library has no model llama-99")


def test_several_devices_are_the_smallest_system_that_has_them(names):
    sizes = {count: names.machine("H100-SXM", count)[0].devices.value for count in (1, 2, 8, 9)}
    assert sizes == {1: 1, 2: 8, 8: 8, 9: 256}
    assert names.machine("H100-SXM", 1)[0].tiers == ()


def test_over_nodes_the_inner_network_joins_the_devices_of_one(names):
    machine, _ = names.machine("A100-DGX-80GB", 8, 2)
    inner, outer = machine.tiers
    assert (float(inner.size.value), inner.pattern, outer.pattern) == (4.0, "switch", "rail")


def test_an_engine_is_a_runtime_or_its_name_as_a_word(names):
    assert names.runtime("") is None
    assert names.runtime("some engine/2") == "some_engine_2"
    assert names.runtime("trtllm") == names.runtime("tensorrt-llm")


def test_a_model_brings_the_types_of_its_publisher(names):
    published, _ = names.model("deepseek-r1")
    assert published.precision.weights == "fp8"
    assert np.all(published.model.spec.layers.value == 61)


def test_a_measurement_may_name_the_system_that_it_ran_on(names):
    plain, _ = names.machine("A100-PCIe-80GB", 2)
    paired, _ = names.machine("A100-PCIe-80GB", 2, network="a100_pairwise_nvlink")
    assert [tier.pattern for tier in plain.tiers] == ["switch"]
    assert [tier.pattern for tier in paired.tiers] == ["clique", "switch"]
    assert float(paired.tiers[0].size.value) == 2


def test_a_node_joins_no_nodes(names):
    assert names.machine("A100-PCIe-80GB", 2, 2, network="a100_pairwise_nvlink") == (
        None,
        "the library has no system of 2 A100-PCIe-80GB in 2 nodes",
    )
