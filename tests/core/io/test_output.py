"""Pipes that nobody reads, files that cannot be written, and grids that are too large to print."""

from __future__ import annotations

import csv
import json
import subprocess
import sys
from pathlib import Path

import pytest

from accelscope.core.errors import UsageError
from accelscope.core.sweep.run_query import MAX_EVALUATED_POINTS
from tests.support.paths import MAIN_JOB

JOB = MAIN_JOB


@pytest.mark.parametrize("arguments", [f"eval {JOB} --format json", "--help", "eval --help", "library list"])
def test_a_pipe_that_nobody_reads_is_quiet_and_0(arguments):
    command = f'"{sys.executable}" -m accelscope {arguments} | true; echo ${{PIPESTATUS[0]}}'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("0\n", "")


def test_a_broken_pipe_of_a_verb_of_a_plugin_is_an_error(accel, distribution):
    code = (
        "import click\n\n\n@hookimpl\ndef accelscope_commands(commands):\n"
        "    commands.add('leak', 'zz_leak:leak', 'Of a test.')\n\n\n"
        "@click.command()\ndef leak():\n    raise BrokenPipeError(32, 'Broken pipe')\n"
    )
    distribution("zz-leak", "leak", code)
    done = accel("leak")
    assert done.code == 4
    assert "BrokenPipeError" in done.err


def test_a_full_device_is_named(accel):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    done = accel("eval", JOB, "-o", "/dev/full")
    assert done.code == 2
    assert done.err == "error: cannot write `/dev/full`: no space left on device\n"


# ---- size

GRID = ("batch=1..2000 step 1", "prompt=1 tok .. 1_100 tok step 1 tok")


def test_eval_refuses_a_grid_that_is_for_sweep(shell, main_job):
    assert MAX_EVALUATED_POINTS == 2_000_000
    with pytest.raises(UsageError, match=r"2,200,000 points .*`accelscope sweep FILE -o out.parquet`"):
        shell.evaluate(main_job, sets=GRID)


def test_sweep_refuses_a_grid_that_does_not_fit_in_memory(shell, main_job):
    with pytest.raises(UsageError, match=r"44,000,000 points are more than .* GB"):
        shell.sweep(main_job, sets=(*GRID, "tp=1..20 step 1"))


# ---- formats in pieces


def test_json_in_pieces_is_one_text(shell, main_job, tmp_path):
    swept, single = shell.sweep(main_job, sets=["batch=[1, 2]"]), shell.evaluate(main_job)[0]
    write = shell.registry.reports["json"].write
    for name, results in (("one", (swept,)), ("two", (swept, single))):
        with (tmp_path / name).open("w") as stream:
            write(results, stream)
        text = (tmp_path / name).read_text()
        found = json.loads(text)
        assert text == json.dumps(found, indent=2, ensure_ascii=False) + "\n"
        first = found if name == "one" else found[0]
        assert first["points"] == list(swept.points())


def test_points_in_blocks_are_all_points(tmp_path, monkeypatch, shell, main_job):
    from accelscope.core.render import columns as frame

    swept = shell.sweep(main_job, sets=["batch=[1, 2, 3]", "tp=[4, 8]"])
    monkeypatch.setattr(frame.iterate_column_blocks, "__defaults__", (4,))
    path = tmp_path / "out.csv"
    with path.open("w") as stream:
        shell.registry.reports["csv"].write((swept,), stream)
    rows = list(csv.reader(path.read_text().splitlines()))
    assert [float(row[1]) for row in rows[1:]] == [1, 1, 2, 2, 3, 3]
