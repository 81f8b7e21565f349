"""`library list`, `show`, `search` and `check`."""

from __future__ import annotations

import json

import pytest

from accelscope.core.assemble.machine import assemble_machine
from accelscope.core.assemble.spec_sheet import device_facts, find_matmul_dtype, model_facts
from accelscope.core.library.definitions import find_definitions, list_definitions
from accelscope.core.render.library_search import search_definitions, suggest_definitions
from accelscope.core.render.library_tables import (
    format_parameter_count,
    format_peak,
    format_si_number,
    summarize_facts,
)


@pytest.fixture(scope="module")
def shelf(shell):
    return tuple(list_definitions(shell))


def facts(shell, shelf, name):
    return device_facts(find_definitions(shelf, name)[0].component, shell.registry)


# ---- facts


def test_facts_of_a_device_are_those_of_its_data_sheet(shell, shelf):
    h100 = facts(shell, shelf, "H100_SXM")  # NVIDIA H100 datasheet: 989 TFLOP/s, 80 GB, 3.35 TB/s, 700 W
    assert h100.peak == pytest.approx(989.4e12, rel=1e-3)
    assert h100.memory == 80 * 2**30
    assert h100.bandwidth == pytest.approx(3.35e12, rel=2e-3)
    assert (h100.tdp, h100.dtype, h100.engine, h100.memory_class) == (700, "bf16", "matrix", "hbm3")
    assert format_peak(h100) == "989 T"


def test_facts_of_a_system_count_devices_and_their_network(shell, shelf):
    dgx = facts(shell, shelf, "DGX_H100")  # 18 NVLinks of 25 GB/s one way
    assert (dgx.devices, dgx.device, dgx.nearest) == (8, "H100_SXM", 8)
    assert dgx.network_bandwidth == pytest.approx(450e9)


def test_facts_of_models_tell_total_from_active(shell, shelf):
    mixtral = model_facts(find_definitions(shelf, "mixtral_8x7b")[0].component, shell.registry)
    assert mixtral.parameters == pytest.approx(46.7e9, rel=2e-3)  # Mixtral of Experts, arXiv 2401.04088
    assert mixtral.active == pytest.approx(12.9e9, rel=5e-3)
    assert model_facts(find_definitions(shelf, "std.models.transformer")[0].component, shell.registry) is None


@pytest.mark.parametrize(
    ("name", "asked", "found"),
    [("H100_SXM", "fp8", "fp8"), ("A100_SXM_80GB", "fp8", "bf16"), ("A100_SXM_80GB", "bf16", "bf16")],
)
def test_a_device_multiplies_in_the_closest_type(shell, shelf, name, asked, found):
    from accelscope.core.bind.binder import Binder

    device = assemble_machine(find_definitions(shelf, name)[0].component, Binder(shell.registry)).device
    assert find_matmul_dtype(device, asked) == found


def test_facts_are_told_in_a_line(shell, shelf):
    assert (
        summarize_facts(facts(shell, shelf, "H100_SXM"))
        == "989 TFLOP/s bf16 dense, 85.9 GB hbm3, 3.35 TB/s, 700 W"
    )
    assert summarize_facts(facts(shell, shelf, "DGX_H100")).startswith("8 × H100_SXM, each 989 TFLOP/s")
    mixtral = model_facts(find_definitions(shelf, "mixtral_8x7b")[0].component, shell.registry)
    assert summarize_facts(mixtral).startswith("46.7 B parameters, 12.9 B for one token, 32 layers, 131 kB")
    assert summarize_facts(None) == ""


@pytest.mark.parametrize(
    ("value", "text"), [(None, "-"), (21e15, "21 PB/s"), (3.352e12, "3.35 TB/s"), (999.9e9, "1 TB/s")]
)
def test_numbers_have_prefixes(value, text):
    assert format_si_number(value, "B/s") == text


def test_parameters_are_counted_as_people_do():
    assert [format_parameter_count(value) for value in (70.56e9, 124e6, 1.03e12)] == [
        "70.6 B",
        "124 M",
        "1.03 T",
    ]


# ---- names and search


@pytest.mark.parametrize(
    "name", ["std.nvidia.H100_SXM", "H100_SXM", "h100_sxm", "H100-SXM", "STD.NVIDIA.H100_SXM"]
)
def test_a_name_is_found_in_any_case_and_by_alias(shelf, name):
    assert [item.name for item in find_definitions(shelf, name)] == ["std.nvidia.H100_SXM"]


def test_an_exact_alias_comes_first(shelf):
    assert search_definitions(shelf, ["mi300x"])[0].name == "std.amd.MI300X"
    assert search_definitions(shelf, ["llama-3-70b"])[0].name == "std.models.llama3_70b"


def test_all_words_have_to_match(shelf):
    found = search_definitions(shelf, ["nvidia", "hbm3e"])
    assert {"std.nvidia.H200_SXM", "std.nvidia.B200_SXM"} <= {item.name for item in found}
    assert {item.module for item in found} <= {"std.nvidia", "std.clusters"}
    assert "std.nvidia.H100_SXM" not in {item.name for item in found}  # it has HBM3
    assert search_definitions(shelf, ["nvidia", "nosuchword"]) == []


def test_search_finds_the_kind_of_an_engine(shelf):
    assert "std.google.TPUv5p" in {item.name for item in search_definitions(shelf, ["google", "systolic"])}


def test_each_word_may_stand_anywhere_in_a_definition(shelf):
    found = [item.component.name for item in search_definitions(shelf, ["wafer", "sram"])]
    assert {"WSE3", "WSE2"} == set(found[:2])  # the die is a wafer, the memory of its cores SRAM
    assert {"CS3", "CS3x4"} <= set(found)  # systems hold what their packages hold


def test_the_start_of_a_name_goes_before_its_middle(shelf):
    found = [item.component.name for item in search_definitions(shelf, ["a100"])]
    assert found[0].startswith("A100_")
    assert found.index("DGX_A100") < found.index("Maia_100")  # `maia100` holds it too


def test_search_reads_names_however_they_are_spelt(shelf):
    for words in (["h100", "sxm", "80gb"], ["H100-SXM", "80_GB"], ["h100_sxm"]):
        assert search_definitions(shelf, words)[0].component.name == "H100_SXM"


def test_search_finds_the_generation_of_a_chip(shelf):
    found = {item.component.name for item in search_definitions(shelf, ["hopper"])}
    assert {"H100_SXM", "H200_SXM", "DGX_H100"} <= found
    assert "A100_SXM_80GB" not in found


def test_search_finds_heirs_by_the_name_of_their_base(shelf):
    found = {item.component.name for item in search_definitions(shelf, ["moe"])}
    assert {"moe", "mixtral_8x7b"} <= found
    assert "llama3_8b" not in found


def test_a_hint_for_part_of_a_name_lists_the_names_with_it(shelf):
    assert suggest_definitions(shelf, "h100", ("package",)).startswith("it is part of `H100_")
    assert "DGX" not in suggest_definitions(shelf, "h100", ("package",))
    assert suggest_definitions(shelf, "a100", ("package",)).count("`A100_") == 3
    assert "Maia" not in suggest_definitions(shelf, "a100", ("package",))
    assert suggest_definitions(shelf, "H100_SXN", ("package",)) == "did you mean `H100_SXM`?"
    assert "library search qqqq" in suggest_definitions(shelf, "qqqq", ("package",))


# ---- the command line


def test_the_list_has_groups(accel):
    done = accel("library", "list")
    count, *lines = done.out.splitlines()
    assert " accelerators, " in count
    assert [line.split()[0] for line in lines if line and line[0] != "s"] == [
        "ACCELERATORS",
        "SYSTEMS",
        "MODELS",
    ]
    assert "std.links.NVLink4" not in done.out
    assert "std.models.transformer" not in done.out


def test_parts_are_listed_with_all_or_with_a_module(accel):
    assert "std.links.NVLink4" in accel("library", "list", "--all").out
    assert "std.links.NVLink4" in accel("library", "list", "std.links").out


def test_a_kind_is_listed_alone(accel):
    done = accel("library", "list", "--kind", "rack", "--format", "json")
    assert {item["kind"] for item in json.loads(done.out)} == {"rack"}
    done = accel("library", "list", "--kind", "rak")
    assert done.code == 2
    assert "did you mean `rack`?" in done.err


def test_a_vendor_is_listed_with_its_systems(accel):
    done = accel("library", "list", "--vendor", "groq")
    names = [line.split()[0] for line in done.out.splitlines() if line.startswith("std.")]
    assert names[0] == "std.groq.LPU_v1"
    assert "std.groq.GroqRack" in names
    assert all(name.startswith("std.groq.") for name in names)
    assert "did you mean `NVIDIA`?" in accel("library", "list", "--vendor", "nvida").err


def test_a_class_is_that_of_the_main_engine_or_of_the_memory_of_weights(accel):
    for asked, key in (("systolic", "engine"), ("HBM3e", "memory_class")):
        done = accel("library", "list", "--class", asked, "--format", "json")
        listed = json.loads(done.out)
        assert len(listed) > 5
        assert {item["facts"][key] for item in listed} == {asked.casefold()}
    assert accel("library", "list", "std.cerebras", "--class", "hbm3").code == 2


def test_json_lists_everything_with_facts(accel):
    listed = {item["name"]: item for item in json.loads(accel("library", "list", "--format", "json").out)}
    assert {"std.links.NVLink4", "std.dtypes.bf16", "std.models.transformer"} <= set(listed)
    assert listed["std.models.llama3_70b"]["facts"]["layers"] == 80
    assert "facts" not in listed["std.links.NVLink4"]


def test_a_picture_stands_before_the_values(accel):
    done = accel("library", "show", "h100-sxm")
    assert "core sm ×132" in done.out
    assert done.out.index("core sm ×132") < done.out.index("TOLERANCE")
    assert "core sm ×132" not in accel("library", "show", "H100_SXM", "--no-picture").out


def test_a_picture_is_written_to_a_file(accel, tmp_path):
    assert accel("library", "show", "MI300X", "--format", "svg", "-o", "chip.svg").code == 0
    assert (tmp_path / "chip.svg").read_text().startswith("<svg ")
    done = accel("library", "show", "llama3_8b", "--format", "svg")
    assert (done.code, done.out) == (2, "")


def test_a_word_that_nothing_holds_gets_a_hint(accel):
    done = accel("library", "search", "mi300z")
    assert (done.code, done.out) == (0, "")
    assert "did you mean `MI300" in done.err


def test_words_that_nothing_holds_together_are_counted_alone(accel):
    done = accel("library", "search", "wafer hbm3")
    assert (done.code, done.out) == (0, "")
    assert "all of `wafer hbm3`; alone, `wafer` finds " in done.err


def test_part_of_a_name_is_answered_with_the_names(accel):
    done = accel("library", "show", "H100")
    assert (done.code, done.out) == (2, "")
    assert "it is part of" in done.err
    assert "`H100_SXM`" in done.err


def test_the_library_that_ships_is_clean(accel):
    done = accel("library", "check")
    assert (done.code, done.out) == (0, "")


def test_a_value_without_a_source_is_a_finding(accel, distribution):
    site = distribution(
        "acme", "acme", "import pathlib\n\n\n@hookimpl\ndef accelscope_library():\n"
        "    yield LibraryFolder(name='acme', doc='x', path=pathlib.Path(__file__).parent / 'shelf')\n",
    )  # fmt: skip
    (site / "shelf").mkdir()
    (site / "shelf" / "chips.accel").write_text("package A { tdp = 300 W }\n")
    done = accel("library", "check", "acme.chips")
    assert done.code == 1
    assert "A401" in done.out
    assert accel("library", "check", "std.links").code == 0


def test_an_unknown_module_is_refused(accel):
    done = accel("library", "check", "std.nvida")
    assert done.code == 2
    assert "did you mean `std.nvidia`?" in done.err


# ---- definitions of a file

OWN = """use std.nvidia { H200_SXM }
## One of ours.
package Own extends H200_SXM { gh100.sm.tensor.sparsity = none, tdp = 650 W @"brief" }
"""


def test_a_definition_of_a_file_is_shown_with_what_it_inherits(accel, tmp_path):
    (tmp_path / "own.accel").write_text(OWN)
    shown = accel("library", "show", "own.accel:Own")
    assert shown.code == 0
    assert shown.out.startswith("package own.accel:Own: One of ours.\n989 TFLOP/s bf16")
    assert "└─ memory hbm  hbm3e 141 GB at 4.8 TB/s" in shown.out
    lines = [line.split() for line in shown.out.splitlines()]
    assert ["tdp", "650", "W", "brief"] in lines
    assert ["gh100.sm[132].tensor[4].sparsity", "none"] in lines
    told = json.loads(accel("library", "show", "own.accel:Own", "--format", "json").out)
    assert (told["name"], told["facts"]["tdp"]) == ("own.accel:Own", 650)
    assert accel("library", "show", "own.accel:Own", "--format", "svg").out.startswith("<svg")


def test_a_file_with_errors_is_not_shown(accel, tmp_path):
    (tmp_path / "own.accel").write_text(OWN + "package Bad extends Own { check tdp == 700 W }\n")
    shown = accel("library", "show", "own.accel:Own")
    assert (shown.code, shown.out) == (2, "")
    assert "error[A301]" in shown.err


def test_what_a_file_does_not_hold_is_named(accel, tmp_path):
    (tmp_path / "own.accel").write_text(OWN)
    shown = accel("library", "show", "own.accel:Owm")
    assert shown.code == 2
    assert "`own.accel` holds no definition called `Owm`; did you mean `Own`?" in shown.err
    assert "say which of its definitions" in accel("library", "show", "own.accel").err
