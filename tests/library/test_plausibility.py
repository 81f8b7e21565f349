"""Plausibility ranges: silent about what ships, and loud about slips of units and counts."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from accelscope.core.session import Session
from tests.support.paths import ROOT

USE = "use std.nvidia { H100_SXM, DGX_H100 }\nuse std.amd { MI300X }\nuse std.links { NVLink4 }\n"


@cache
def session():
    return Session.open(roots=[Path("/")])


def said(text, tmp_path):
    path = tmp_path / "slip.accel"
    path.write_text(USE + text, encoding="utf-8")
    return [
        f"{item.message} {' '.join(item.notes)}" for item in session().check(str(path)) if item.code == "A404"
    ]


@pytest.mark.parametrize(
    ("slip", "name"),
    [
        ("package X extends H100_SXM { memory hbm { bandwidth = 26.8 TB/s } }", "rate of a pin of `hbm`"),
        ("package X extends H100_SXM { memory hbm { capacity = 80 Gb } }", "capacity of a stack of `hbm`"),
        (
            "package X extends H100_SXM { memory hbm { energy = 39 pJ/bit } }",
            "energy of moving one bit of `hbm`",
        ),
        ("package X extends H100_SXM { memory hbm { latency = 48 us } }", "latency of `hbm`"),
        (
            "package X extends H100_SXM { gh100.sm.tensor.ops.bf16 = 5120 MAC/cycle }",
            "16-bit peak over the area of the dies of `X`",
        ),
        ("package X extends H100_SXM { tdp = 7 kW }", "power over the area of the dies of `X`"),
        (
            "package X extends H100_SXM { gh100.l2.capacity = 500 MiB }",
            "cache over the area of the dies of `X`",
        ),
        ("package X extends H100_SXM { gh100.l2.bandwidth = 55 TB/s }", "bandwidth of the fastest cache"),
        (
            "package X extends H100_SXM { gh100.sm.tensor.energy = 3.8 pJ/op }",
            "power of the engines at their peak",
        ),
        (
            "package X extends H100_SXM { gh100.sm.tensor.ops.fp8 = 10240 MAC/cycle }",
            "rate in fp8 over that in 16 bit",
        ),
        (
            "package X extends H100_SXM { gh100.sm.smem.capacity = 2280 KiB }",
            "time to read all of one in a core",
        ),
        ("package X extends MI300X { idle = 1.4 kW }", "idle power over `tdp`"),
        ("node X extends DGX_H100 { power { max = 102 kW } }", "power of the system"),
        (
            "link X extends NVLink4 { bandwidth = 25 TB/s/dir }",
            "bandwidth of one link in one direction of `X`",
        ),
        ("link X extends NVLink4 { latency = 8 us }", "latency of `X`"),
    ],
)
def test_a_slip_is_implausible(slip, name, tmp_path):
    found = said(slip, tmp_path)
    assert any(name in item and "the range: " in item for item in found), found


@pytest.mark.parametrize(
    "sane",
    [
        "package X extends H100_SXM {}",
        "package X extends H100_SXM { tdp = 500 W, memory hbm { bandwidth = 4 TB/s } }",
        "package X extends MI300X { memory hbm { class = hbm3e, capacity = 288 GB, bandwidth = 8 TB/s } }",
        "node X extends DGX_H100 { power { max = 11 kW } }",
    ],
)
def test_a_next_chip_is_plausible(sane, tmp_path):
    assert said(sane, tmp_path) == []


SLOW = "achieved bandwidth of the slowest shared SRAM over that of the memory behind of `X`"
FASTER = "memory hbm { class = hbm3e, bandwidth = 7 TB/s, stacks = 7, capacity = 168 GB }"


def test_a_cache_that_achieves_less_than_the_memory_behind_it_is_implausible(tmp_path):
    found = said(f"package X extends H100_SXM {{ {FASTER} }}", tmp_path)
    assert [item for item in found if item.startswith(SLOW)]  # 5.5 TB/s over 0.79 x 7 TB/s
    assert "`l2` achieves 5.5 TB/s, and `hbm` achieves 5.53 TB/s" in found[0]


@pytest.mark.parametrize(
    "text",
    [
        'gh100.l2.bandwidth = 6 TB/s @"scaled"',
        'gh100.l2.bandwidth = 5.5 TB/s @"measured: slower than hbm"',
    ],
)
def test_a_scaled_cache_or_one_whose_source_says_why_is_not(text, tmp_path):
    assert said(f"package X extends H100_SXM {{ {FASTER} {text} }}", tmp_path) == []


def test_a_chip_is_doubted_once_however_many_nodes_hold_it(tmp_path):
    nodes = "node N { package gpu[8] : X }\nnode M extends N { package gpu[4] : X }"
    found = said(f"package X extends H100_SXM {{ tdp = 7 kW }}\n{nodes}", tmp_path)
    assert [item.split(" is ")[0] for item in found] == [
        "idle power over `tdp` of `X`",
        "power over the area of the dies of `X`",
    ]
    changed = "node N { package gpu[8] : H100_SXM { tdp = 7 kW } }"
    assert [item for item in said(changed, tmp_path) if "`gpu`" in item]


@pytest.mark.parametrize("share", ["20%", "[1 MiB -> 10%, 1 GiB -> 20%]"])
def test_what_a_cache_achieves_is_its_bandwidth_times_its_efficiency(share, tmp_path):
    found = said(f"package X extends H100_SXM {{ gh100.l2.efficiency = {share} }}", tmp_path)
    assert "`l2` achieves 1.1 TB/s, and `hbm` achieves 2.65 TB/s" in found[0]  # 5.5 TB/s, and 0.79 of 3.35


def test_scratchpads_of_cores_are_not_compared_with_the_memory_and_shared_ones_are(tmp_path):
    chip = (
        "package X {{ clock = 1 GHz, memory hbm {{ class = hbm3, stacks = 1, capacity = 24 GB, bandwidth = 800 GB/s }} "
        "die d {{ {0} core c[4] {{ engine e {{ kind = vector }} {1} }} }} }}"
    )
    sram = "memory s { class = scratchpad, capacity = 256 KiB, bandwidth = 64 B/cycle }"
    assert said(chip.format("", sram), tmp_path) == []
    found = said(chip.format(sram, ""), tmp_path)
    assert [item for item in found if "`s` achieves 56.3 GB/s" in item]  # 0.88 of 64 B at 1 GHz


def test_what_a_block_does_not_say_is_not_judged(tmp_path):
    assert (
        said("package X { tdp = 700 W, die d { core c[4] { engine e { kind = vector } } } }", tmp_path) == []
    )


def test_the_page_names_every_derived_quantity():
    page = (ROOT / "docs" / "reference" / "plausibility.md").read_text(encoding="utf-8")
    schemas = session().registry.schemas().values()
    names = {item.name.strip(" ,") for kind in schemas for block in kind.blocks() for item in block.derived}
    assert len(names) > 20
    assert sorted(name for name in names if name not in page) == []
