"""Names of measurements are names or aliases of the library."""

from __future__ import annotations

import csv
from pathlib import Path

import numpy as np
import pytest

from accelscope.core.measured.names import Names

HERE = Path(__file__).parent / "measured"

# Device names of published measurements, with the peak in bf16 TFLOP/s and the GB/s of their data sheets.
DEVICES = {
    "A100-SXM-40GB": (312, 1555), "A100-SXM-80GB": (312, 2039), "A100-PCIe-80GB": (312, 1935), "A100-DGX-80GB": (312, 2039),
    "A40": (149.7, 696), "A10G": (70, 600), "RTXA6000": (154.8, 768), "RTX3070": (40.6, 448), "RTX3080": (59.5, 760),
    "RTX3080Ti": (68.2, 912), "RTX3090": (71, 936), "RTX3090Ti": (80, 1008), "RTX4070Ti": (80.2, 504), "RTX4080": (97.5, 717),
    "RTX4090": (165.2, 1008), "RTX4000Ada": (107, 360), "RTX5000Ada": (261, 576), "RTX6000Ada": (364, 960),
    "RTXPRO6000": (503.8, 1597), "RTXPRO4500": (200, 896), "L4": (121, 300), "L40S": (362, 864), "H100-SXM": (989, 3352),
    "H100-SXM-pcap": (989, 3352), "H100-PCIe": (756, 2039), "H100-NVL": (835, 3938), "H200-SXM": (989, 4800),
    "H200-NVL": (836, 4800), "H200-CTS": (989, 4800), "H20": (148, 4000), "H800-SXM": (989, 3352), "GH200-96GB": (989, 4000),
    "GH200-144GB": (989, 4900), "B200-SXM": (2250, 8000), "GB200": (2500, 8000), "B300-SXM": (2250, 8000),
    "GB300": (2500, 8000), "JetsonThor": (258, 273), "MI210": (181, 1638), "MI250-GCD": (181, 1638), "MI250X-GCD": (191.5, 1638),
    "MI300X": (1307, 5300), "MI325X": (1307, 6000), "MI350X": (2300, 8000), "MI355X": (2516, 8000), "RX7900XTX": (122.8, 960),
    "PVC-stack": (419, 1638), "ArcB60": (98.3, 456), "ArcB60Dual": (196.6, 912), "ArcB50": (85, 224), "ArcB70": (183, 608),
    "Gaudi2": (432, 2460), "Gaudi3": (1678, 3700), "SN40L": (638, 1600), "TPUv3-core": (61.5, 450), "TPUv4": (275, 1228),
    "TPUv5e": (197, 819), "TPUv5p": (459, 2765), "TPUv6e": (918, 1640), "TPU7x": (2307, 7370), "Inferentia2-core": (95, 440),
    "Trainium1-core": (95, 440), "Trainium2-core": (83, 362), "Groq-LPU": (188, 80000), "Cerebras-WSE3": (15840, 15.8e6),
    "Ascend910C": (752, 3200), "Wormhole-n150": (74, 288), "Wormhole-chip": (74, 288), "Blackhole-p100": (166, 448),
    "Blackhole-p150": (194, 512), "Apple-M1-7c": (2.6, 68), "Apple-M1Max-32c": (10.6, 400), "Apple-M2Ultra-76c": (27.2, 800),
    "Apple-M3Max-40c": (14.2, 400),
}  # fmt: skip


@pytest.fixture(scope="module")
def names(shell) -> Names:
    return Names(shell)


@pytest.mark.parametrize("hw", DEVICES)
def test_every_device_is_a_package_of_its_peaks(hw, names):
    from accelscope.core.facts import device_facts

    item, reason = names.device(hw)
    assert reason == ""
    found = device_facts(item.component, names.registry)
    assert found.peak / 1e12 == pytest.approx(DEVICES[hw][0], rel=0.03)
    assert found.bandwidth / 1e9 == pytest.approx(DEVICES[hw][1], rel=0.03)


def test_models_of_the_table_are_in_the_library(names):
    with (HERE / "e2e.csv").open() as file:
        wanted = {row["model"] for row in csv.DictReader(file)}
    assert {name: names.model(name)[1] for name in wanted if names.model(name)[0] is None} == {}


def test_an_unknown_name_has_a_reason():
    from accelscope.core.registry import Registry
    from accelscope.core.session import Session

    names = Names(Session(Registry.built_in()))
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
    assert published.precision["weights"] == "fp8"
    assert np.all(published.model.spec.layers.value == 61)
