"""Devices of the library against what their makers print, which `datasheets.csv` holds apart from the files."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.bind.binder import Binder
from accelscope.core.ir.hardware import Fabric, Machine
from accelscope.core.numeric.dtypes import DTYPE_NAMES
from accelscope.core.numeric.term import term
from accelscope.plugins.memory.level import read_rate, write_rate
from tests.support.paths import STD
from tests.support.sessions import open_session

MODULES = (
    "amd",
    "apple",
    "aws",
    "cerebras",
    "dmatrix",
    "google",
    "graphcore",
    "groq",
    "huawei",
    "intel",
    "meta",
    "microsoft",
    "nvidia",
    "rtx",
    "sambanova",
    "tenstorrent",
    "tesla",
)
with (Path(__file__).parent / "datasheets.csv").open(encoding="utf-8") as lines:
    ROWS = tuple(csv.DictReader(lines))


@cache
def program(module):
    found, problems = open_session().load(str(STD / f"{module}.accel"))
    assert found is not None and problems == ()
    return found


@cache
def machine(module, name) -> Machine:
    component = program(module).lookup(name)
    assert component is not None, f"std.{module} has no {name}"
    binder = Binder(open_session().registry)
    found = assemble_machine(component, binder)
    assert found is not None and binder.problems == []
    return found


def number(value):
    return float(np.asarray(value.value).flat[0])


def peak(found: Machine, dtype):
    rates = [part.peak(dtype) for part in found.device.engines]
    return max(number(rate) for rate in rates if rate is not None)


def home(found: Machine):
    part = found.device.home
    return part.model, part


def per_device(fabric: Fabric, found: Machine):
    """Return bytes a second of all links of one device of a tier, one way."""
    links = number(fabric.links)
    if fabric.pattern == "clique":
        peers = number(fabric.size) - 1
        links = max(links / peers, 1) * peers
    if fabric.pattern in ("ring", "torus", "mesh"):
        links *= 2 * len(fabric.shape)
    return links * number(fabric.link.bandwidth)


def level(found: Machine, name, field):
    """Return the bytes, or bytes a second, of all instances of a memory; `ports` read and write together."""
    part = next(part for part in found.device.memories if part.name == name)
    if field == "capacity":
        return number(part.spec.capacity) * number(part.count)
    if field == "ports":
        return number(read_rate(part)) + number(write_rate(part))
    return number(part.peak)


def measured(found: Machine, quantity):
    if "." in quantity:
        return level(found, *quantity.split("."))
    if quantity in DTYPE_NAMES:
        return peak(found, quantity)
    record, part = home(found)
    if quantity == "capacity":
        return number(record.capacity(part))
    if quantity == "bandwidth":
        return number(record.peak(part))
    if quantity == "tdp":
        return number(found.device.package.tdp)
    if quantity == "devices":
        return number(found.devices)
    if quantity == "link":
        return per_device(found.tiers[0], found)
    if quantity == "scale_out":
        return per_device(found.tiers[1], found)
    if quantity == "l2":
        caches = [part for part in found.device.memories if part.name == "l2"]
        return sum(number(part.spec.capacity) * number(part.count) for part in caches)
    assert quantity == "cores"
    return max(number(part.cores) for part in found.device.engines)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['name']}-{row['quantity']}")
def test_a_device_has_the_value_that_its_maker_prints(row):
    expected = number(term(float(row["value"]), row["unit"]))
    found = measured(machine(row["module"], row["name"]), row["quantity"])
    assert found == pytest.approx(expected, rel=float(row["tolerance"].rstrip("%")) / 100 + 1e-9)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row['name']}-{row['quantity']}")
def test_a_printed_value_names_its_source(row):
    assert len(row["source"]) > 8


@pytest.mark.parametrize("path", sorted(STD.glob("*.accel")), ids=lambda path: path.stem)
def test_a_library_file_is_clean(path):
    found = open_session().check(str(path), lint=True)
    assert [f"{item.code} {item.message}" for item in found if "`year`" not in item.message] == []


def test_every_package_has_power_and_aliases_of_its_own():
    seen: dict[str, str] = {}
    for module in MODULES:
        for package in program(module).definitions("package"):
            attributes = package.attributes()
            assert {"tdp", "idle", "aliases"} <= set(attributes), package.name
            for alias in attributes["aliases"].value.items:
                assert seen.setdefault(alias, package.name) == package.name
    assert {"H100-SXM", "A100-SXM-80GB", "MI300X", "TPUv5p", "Cerebras-WSE3"} <= set(seen)
