"""The program as a process: what it imports, pipes, signals, colours of a terminal, and the same answers as within a process."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from accelscope import __version__
from accelscope.core.plugin.commands import list_built_in_commands
from tests.support.paths import EXAMPLES, MAIN_JOB

pytestmark = pytest.mark.smoke

VERBS = tuple(list_built_in_commands().verbs)
MILLION = str(EXAMPLES / "sweeps" / "million.accel")
BROKEN = "package X {\n  tdpp = 700 W\n}\n"


def test_the_version_is_printed(accel_process):
    done = accel_process("--version").assert_success()
    assert __version__ in done.out


@pytest.mark.parametrize(
    "arguments",
    [
        ("eval", MAIN_JOB, "--format", "json"),
        ("explain", "tpot", MAIN_JOB),
        ("models", "dram"),
        ("check", "-"),
    ],
    ids=lambda arguments: arguments[0],
)
def test_a_process_says_what_a_call_says(accel, accel_process, arguments):
    called, started = (run(*arguments, text=BROKEN) for run in (accel, accel_process))
    if arguments[0] == "eval":
        called, started = (json.loads(run.out)["metrics"] for run in (called, started))
        assert called == started
    else:
        assert (called.code, called.out, called.err) == (started.code, started.out, started.err)


def test_codes_of_findings_mistakes_and_infeasible_points(accel_process):
    assert accel_process("check", "-", text=BROKEN).code == 1
    assert accel_process("check", "nope.accel").code == 2
    assert accel_process("eval", MAIN_JOB, "--set", "tp=1").code == 3


def test_a_small_sweep_takes_less_than_a_gigabyte(accel_process):
    done = accel_process("sweep", str(EXAMPLES / "first_sweep.accel"), "--format", "json")
    assert done.code == 0, done.describe()
    peak = json.loads(done.out)["peak_memory"]
    assert peak is None or 10**7 < peak < 10**9


def test_colour_is_for_terminals_or_on_demand(accel_process):
    assert "\x1b[" not in accel_process("check", "-", text=BROKEN).out
    assert "\x1b[" in accel_process("check", "-", text=BROKEN, FORCE_COLOR="1").out


def test_help_of_all_verbs_does_not_import_what_is_heavy():
    code = (
        "import sys\nfrom accelscope.core.cli.main import run_cli\nrun_cli(['--help'])\n"
        f"for verb in {VERBS}:\n"
        "    run_cli([verb, '--help'])\n"
        "print(sorted({'numpy', 'lark', 'scipy'} & set(sys.modules)), file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr == "[]\n"


def test_a_closed_pipe_is_quiet(tmp_path):
    command = f'"{sys.executable}" -m accelscope library list | head -n 1'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.stderr == ""


def test_a_full_output_is_an_error(tmp_path):
    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full")
    command = f'"{sys.executable}" -m accelscope models > /dev/full'
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert "write standard output: No space left" in done.stderr


@pytest.mark.skipif(sys.platform == "win32", reason="signals of a terminal")
def test_ctrl_c_keeps_what_is_done(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "accelscope", "sweep", MILLION, "--format", "json", "-o", "points.csv"]
    process = subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, cwd=tmp_path
    )
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline:
        if any(path.stat().st_size > 100_000 for path in tmp_path.iterdir()):
            break
        time.sleep(0.02)
    os.kill(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    found = json.loads(out)
    assert found["stopped"] == "interrupted"
    assert 0 < found["points"] < 1_048_576
    assert f"{found['points']:,} of 1,048,576 points are done" in err
    with (tmp_path / "points.csv").open() as file:
        assert sum(1 for _ in file) == found["points"] + 1
