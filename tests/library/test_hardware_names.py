"""Every name that published measurements use is a device of the library, with the peaks that `hardware.csv` lists.

`hardware.csv` holds data-sheet values by the names that measurements use: dense TFLOP/s in 16, 8 and 4 bit, GB/s, GB and
GB/s one way into the innermost network. Where a better source contradicts it, `hardware_exceptions.csv` has the value
and says why.
"""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import numpy as np
import pytest

from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.bind.binder import Binder
from tests.support.paths import STD
from tests.support.sessions import open_session

HERE = Path(__file__).parent
QUANTITIES = ("peak_16", "peak_8", "peak_4", "bandwidth", "capacity", "link")
TOLERANCE = {"capacity": 0.08, "link": 0.04}
"""Capacities are round numbers, GB or GiB; PCI Express is listed before or after its coding."""
USUAL = 0.015
DTYPES = {"peak_16": ("bf16", "fp16"), "peak_8": ("fp8", "int8", "bf16", "fp16"), "peak_4": ("fp4",)}
"""Types that a listed peak may be of."""


def table(name):
    with (HERE / name).open(encoding="utf-8") as lines:
        return tuple(csv.DictReader(lines))


ROWS = table("hardware.csv")
EXCEPTIONS = {(row["name"], row["quantity"]): row for row in table("hardware_exceptions.csv")}
CASES = tuple(
    (row, quantity)
    for row in ROWS
    for quantity in QUANTITIES
    if row[quantity] and (quantity != "link" or row["system"])
)


@cache
def components():
    """Return every package by alias and every system by name."""
    packages, systems = {}, {}
    for path in sorted(STD.glob("*.accel")):
        program, _ = open_session().load(str(path))
        assert program is not None
        for package in program.definitions("package"):
            aliases = package.attributes().get("aliases")
            packages.update(dict.fromkeys(aliases.value.items if aliases else (), package))
        for kind in ("node", "rack", "cluster"):
            systems.update({system.name: system for system in program.definitions(kind)})
    return packages, systems


@cache
def machine(name, of_system=False):
    found = components()[1 if of_system else 0]
    assert name in found, f"the library has no `{name}`"
    binder = Binder(open_session().registry)
    built = assemble_machine(found[name], binder)
    assert built is not None and binder.problems == []
    return built


def number(value):
    return float(np.asarray(value.value).flat[0])


def peaks(found, quantity):
    """Return the TFLOP/s that a listed peak may be; 16 bit stand in where a device has no type of 8."""
    known: dict[str, float] = {}
    for dtype in DTYPES[quantity]:
        rates = [part.peak(dtype) for part in found.device.engines]
        found_rates = [number(rate) / 1e12 for rate in rates if rate is not None]
        if found_rates:
            known[dtype] = max(found_rates)
    narrow = [known[dtype] for dtype in ("fp8", "int8") if dtype in known]
    return narrow if quantity == "peak_8" and narrow else [max(known.values())] if known else []


def one_way(found):
    """Return the GB/s of one device, one way, into the innermost tier."""
    tier = found.tiers[0]
    links = number(tier.links)
    if tier.pattern == "clique":
        peers = number(tier.size) - 1
        links = max(links / peers, 1) * peers
    if tier.pattern in ("torus", "mesh"):
        links *= 2 * len(tier.shape)
    return links * number(tier.link.bandwidth) / 1e9


def of_library(row, quantity):
    if quantity == "link":
        return [one_way(machine(row["system"], of_system=True))]
    found = machine(row["name"])
    if quantity in DTYPES:
        return peaks(found, quantity)
    part = found.device.home
    record = part.model
    return [number((record.capacity if quantity == "capacity" else record.peak)(part)) / 1e9]


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row["name"])
def test_a_name_of_the_measurements_is_a_device(row):
    assert machine(row["name"]).device.engines


@pytest.mark.parametrize(
    ("row", "quantity"), CASES, ids=lambda item: item if isinstance(item, str) else item["name"]
)
def test_a_device_has_the_listed_value_or_the_better_one(row, quantity):
    exception = EXCEPTIONS.get((row["name"], quantity))
    accepted = [float(row[quantity])] + ([float(exception["value"])] if exception else [])
    tolerance = TOLERANCE.get(quantity, USUAL)
    found = of_library(row, quantity)
    assert any(one == pytest.approx(value, rel=tolerance) for one in found for value in accepted), (
        found,
        accepted,
    )


def test_an_exception_is_of_a_listed_value_and_differs_from_it():
    listed = {(row["name"], quantity): float(row[quantity]) for row, quantity in CASES}
    for key, row in EXCEPTIONS.items():
        assert len(row["reason"]) > 10
        assert float(row["value"]) != pytest.approx(listed[key], rel=TOLERANCE.get(key[1], USUAL))


def test_a_gpu_of_a_superchip_has_the_memory_of_its_cpu_as_a_tier():
    for name, gigabytes, rate in (
        ("GH200-96GB", 480, 450),
        ("GH200-144GB", 480, 450),
        ("GB200", 240, 225),
        ("GB300", 240, 225),
    ):
        found = machine(name).device
        tier = next(part for part in found.memories if part.name == "grace")
        record = tier.model
        assert found.home.name == "hbm"
        assert number(record.capacity(tier)) / 1e9 == pytest.approx(gigabytes)
        assert number(record.peak(tier)) / 1e9 == pytest.approx(rate)
