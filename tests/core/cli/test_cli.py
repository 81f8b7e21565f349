"""The command line: exit codes, streams, and messages instead of tracebacks."""

from __future__ import annotations

import json
import os

import pytest

from accelscope.core.plugin.commands import list_built_in_commands
from tests.support.paths import MAIN_JOB

JOB = MAIN_JOB
GOOD = "package X {\n  tdp = 700 W\n}\n"
BROKEN = "package X {\n  tdpp = 700 W\n}\n"


@pytest.fixture
def file(tmp_path):
    def write(text: str, name: str = "chip.accel") -> str:
        (tmp_path / name).write_text(text)
        return name

    return write


VERBS = tuple(list_built_in_commands().verbs)


def test_help_lists_every_verb_on_stdout(accel):
    done = accel("--help")
    assert (done.code, done.err) == (0, "")
    for verb in VERBS:
        assert f" {verb} " in done.out


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help(accel, verb):
    done = accel(verb, "--help")
    assert (done.code, done.err) == (0, "")
    assert "Usage" in done.out


def test_the_version_is_that_of_the_package(accel):
    from accelscope import __version__

    assert __version__ in accel("--version").out


def test_an_unknown_verb_says_what_was_meant(accel):
    done = accel("evla", "x.accel")
    assert (done.code, done.out) == (2, "")
    assert "did you mean `eval`?" in done.err


@pytest.mark.parametrize(
    "arguments",
    [("check",), ("check", "--nope", "x"), ("eval",), ("--no-plugin", "nope", "models"), ("fmt", "-o")],
)
def test_a_wrong_use_is_2_without_traceback(accel, arguments):
    done = accel(*arguments)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("error: ")
    assert "Traceback" not in done.err


# ---- check


def test_a_good_file_has_no_findings(accel, file):
    done = accel("check", file(GOOD))
    assert (done.code, done.out) == (0, "")


def test_findings_are_1_with_their_lines(accel, file):
    done = accel("check", file(BROKEN))
    assert done.code == 1
    assert " --> chip.accel:2:3" in done.out
    assert done.err.endswith("1 error\n")


def test_findings_as_json_and_annotations(accel, file):
    name = file(BROKEN)
    [item] = json.loads(accel("check", name, "--format", "json").out)
    assert (item["code"], item["file"], item["line"], item["column"]) == ("A101", "chip.accel", 2, 3)
    assert accel("check", name, "--format", "github").out.startswith("::error file=chip.accel,line=2,col=3,")


def test_standard_input_can_be_checked(accel):
    done = accel("check", "-", text=BROKEN)
    assert done.code == 1
    assert "<stdin>:2:3" in done.out


def test_colour_is_for_terminals_or_on_demand(accel, file):
    name = file(BROKEN)
    assert "\x1b[" not in accel("check", name).out
    assert "\x1b[" in accel("check", name, FORCE_COLOR="1").out
    assert "\x1b[" not in accel("check", name, FORCE_COLOR="1", NO_COLOR="1").out
    assert "\x1b[" not in accel("--no-color", "check", name, FORCE_COLOR="1").out


@pytest.mark.parametrize("verb", ["check", "eval", "fmt", "sweep"])
@pytest.mark.parametrize(
    ("name", "word"), [("nope.accel", "no such file"), (".", "directory"), ("bin.accel", "text")]
)
def test_a_file_that_cannot_be_read_is_2(accel, tmp_path, verb, name, word):
    (tmp_path / "bin.accel").write_bytes(b"\x00\x01")
    done = accel(verb, name)
    assert done.code == 2
    assert word in done.out + done.err
    assert "Traceback" not in done.err


def test_a_file_without_permission_is_2(accel, tmp_path, file):
    name = file(GOOD)
    (tmp_path / name).chmod(0)
    if os.access(tmp_path / name, os.R_OK):
        pytest.skip("this user reads everything")
    assert accel("check", name).code == 2


# ---- fmt


def test_fmt_writes_in_place_and_then_has_nothing_to_do(accel, tmp_path, file):
    name = file("package  X{\ntdp=700W\n}\n")
    assert accel("fmt", "--check", name).code == 1
    assert accel("fmt", name).code == 0
    assert (tmp_path / name).read_text() == GOOD
    assert accel("fmt", "--check", name).code == 0


def test_fmt_leaves_a_file_with_syntax_errors_alone(accel, tmp_path, file):
    name = file("package  X{\n")
    done = accel("fmt", name)
    assert (done.code, done.out) == (2, "")
    assert "error[A0" in done.err
    assert (tmp_path / name).read_text() == "package  X{\n"


def test_fmt_shows_a_difference_and_changes_nothing(accel, tmp_path, file):
    name = file("package  X{}\n")
    assert "-package  X{}" in accel("fmt", "--diff", name).out
    assert (tmp_path / name).read_text() == "package  X{}\n"


def test_fmt_reads_standard_input(accel):
    assert accel("fmt", "-", text="package  X{\ntdp=700W\n}\n").out == GOOD


def test_fmt_keeps_the_mode_of_a_file(accel, tmp_path, file):
    name = file("package  X{}\n")
    (tmp_path / name).chmod(0o640)
    accel("fmt", name)
    assert (tmp_path / name).stat().st_mode & 0o777 == 0o640


# ---- models, library


def test_models_print_their_fields(accel):
    done = accel("models", "dram")
    assert done.code == 0
    for part in (
        "capacity: quantity, in B, > 0, required",
        "efficiency",
        "default from: ",
        "class = dram | hbm",
    ):
        assert part in done.out


def test_an_unknown_model_says_what_was_meant(accel):
    done = accel("models", "drma")
    assert (done.code, done.out) == (2, "")
    assert "did you mean `dram`?" in done.err


def test_a_kind_prints_its_fields(accel):
    assert "tdp: quantity, in W" in accel("models", "package").out


def test_the_library_lists_shows_and_searches(accel):
    assert "std.nvidia.H100_SXM" in accel("library", "list", "std.nvidia").out
    shown = json.loads(accel("library", "show", "H100_SXM", "--format", "json").out)
    assert shown["name"] == "std.nvidia.H100_SXM"
    assert {"path", "value", "tolerance", "source", "place"} == set(shown["fields"][0])
    assert "std.amd.MI300X " in accel("library", "search", "mi300x").out
    assert accel("library", "show", "H100_SXN").code == 2


# ---- eval


def test_eval_prints_one_object_and_nothing_else(accel):
    done = accel("eval", JOB, "--format", "json")
    assert done.code == 0, done.err
    point = json.loads(done.out)
    assert {"scenario", "feasible", "limits", "metrics", "breakdown", "manifest"} <= set(point)


@pytest.mark.parametrize("form", ["table", "csv", "md"])
def test_eval_has_other_formats(accel, form):
    assert "tpot" in accel("eval", JOB, "--format", form).out


def test_an_infeasible_scenario_is_3(accel):
    assert accel("eval", JOB, "--set", "tp=1", "--format", "json").code == 3


def test_a_broken_description_is_2_with_its_lines(accel, file):
    done = accel("eval", file(BROKEN))
    assert (done.code, done.out) == (2, "")
    assert " --> chip.accel:2:3" in done.err


def test_an_unknown_format_says_which_there_are(accel):
    done = accel("eval", JOB, "--format", "jsn")
    assert done.code == 2
    assert "did you mean `json`?" in done.err


def test_output_goes_to_a_file_that_is_complete(accel, tmp_path):
    done = accel("eval", JOB, "--format", "json", "-o", "out.json")
    assert (done.code, done.out) == (0, "")
    assert json.loads((tmp_path / "out.json").read_text())["feasible"]
    assert [path.name for path in tmp_path.iterdir() if path.suffix == ".json"] == ["out.json"]


@pytest.mark.parametrize("path", ["no/such/folder.json", "."])
def test_an_output_that_cannot_be_written_is_2_and_leaves_nothing(accel, tmp_path, path):
    done = accel("eval", JOB, "--format", "json", "-o", path)
    assert (done.code, done.out) == (2, "")
    assert "cannot write" in done.err
    assert list(tmp_path.iterdir()) == []


def test_an_output_folder_without_permission_is_2(accel, tmp_path):
    folder = tmp_path / "locked"
    folder.mkdir(mode=0o500)
    if os.access(folder, os.W_OK):
        pytest.skip("this user writes everywhere")
    assert accel("eval", JOB, "-o", "locked/out.json").code == 2


def test_a_failed_run_leaves_an_older_output_alone(accel, tmp_path, file):
    (tmp_path / "out.json").write_text("old")
    accel("eval", file(BROKEN), "--format", "json", "-o", "out.json")
    assert (tmp_path / "out.json").read_text() == "old"


def test_explain_reaches_the_source(accel):
    done = accel("explain", JOB, "tpot")
    assert done.code == 0
    assert done.out.startswith("tpot = ")


def test_sweep_prints_its_summary(accel):
    done = accel("sweep", JOB, "--set", "batch=[1, 8, 64]", "--format", "json", "-o", "points.csv")
    assert done.code == 0, done.err
    summary = json.loads(done.out)
    assert summary["points"] == 3
    assert {"points", "feasible", "seconds", "startup", "pareto"} <= set(summary)


# ---- plugins, and what goes wrong


def test_plugins_are_listed_with_version_and_records(accel, distribution):
    distribution("zz-carbon", "carbon", "@hookimpl\ndef accelscope_metrics():\n    yield metric('carbon')\n")
    done = accel("plugins")
    [line] = [line for line in done.out.splitlines() if line.startswith("carbon ")]
    assert line.split() == ["carbon", "zz-carbon", "1.0", "ok", "metric:", "carbon"]


def test_a_broken_plugin_is_1_with_its_cause_and_the_rest_works(accel, distribution):
    distribution("zz-broken", "broken", "import no_such_module\n", version="3.2")
    done = accel("plugins")
    assert done.code == 1
    assert "`broken` of zz-broken 3.2" in done.err
    assert "no_such_module" in done.err
    assert accel("eval", JOB, "--format", "json").code == 0


def test_a_misspelt_hook_is_4_and_can_be_switched_off(accel, distribution):
    distribution("zz-typo", "typo", "@hookimpl\ndef accelscope_metric():\n    return []\n")
    done = accel("models")
    assert (done.code, done.out) == (4, "")
    assert "did you mean `accelscope_metrics`?" in done.err
    assert "Traceback" not in done.err
    assert accel("--no-plugin", "typo", "models").code == 0
    assert accel("models", ACCELSCOPE_DISABLE="typo").code == 0


def test_two_plugins_of_one_name_are_4(accel, distribution):
    distribution("zz-one", "same", "")
    distribution("zz-two", "same", "")
    done = accel("models")
    assert done.code == 4
    assert "zz-one 1.0 and zz-two 1.0" in done.err
    assert accel("--help").code == 0


VERB = """\
import click


@hookimpl
def accelscope_commands(commands):
    commands.add("thermal", "zz_verb:thermal", "Print a thermal budget.")


@click.command()
@click.argument("what", default="fine")
def thermal(what):
    if what == "key":
        {}["missing"]
    click.echo(what)
"""


def test_a_plugin_adds_a_verb(accel, distribution):
    distribution("zz-verb", "verb", VERB)
    assert "Print a thermal budget." in accel("--help").out
    assert accel("thermal", "warm").out == "warm\n"


def test_an_internal_error_is_4_in_one_line_with_the_way_to_more(accel, distribution):
    distribution("zz-verb", "verb", VERB)
    done = accel("thermal", "key")
    assert (done.code, done.out) == (4, "")
    assert done.err.splitlines()[0] == "error: internal error: KeyError: 'missing'"
    assert "ACCELSCOPE_TRACEBACK=1" in done.err
    assert "Traceback" in accel("thermal", "key", ACCELSCOPE_TRACEBACK="1").err


def test_a_verb_that_is_there_already_costs_only_itself(accel, distribution):
    distribution("zz-verb", "verb", VERB.replace('"thermal", "zz', '"eval", "zz'))
    done = accel("--help")
    assert done.code == 0
    assert "verb `eval` is there already" in done.err
