"""One import name, and a wheel with everything in it."""

from __future__ import annotations

import importlib.util
import subprocess
import sys

import pytest

import accelscope
from tests.support.paths import ROOT


def check_wheel():
    spec = importlib.util.spec_from_file_location("check_wheel", ROOT / ".ci" / "check_wheel.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_the_wheel_holds_one_name_and_everything_that_is_needed(tmp_path):
    pytest.importorskip("hatchling")
    command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    [wheel] = tmp_path.glob("*.whl")
    assert check_wheel().problems(str(wheel)) == []


def test_core_dsl_and_plugins_are_no_names_of_their_own():
    code = (
        "import sys\nfrom accelscope.core.session import Session\nSession.open().registry.schemas()\n"
        "print({'core', 'dsl', 'plugins'} & set(sys.modules))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, check=True, capture_output=True, text=True)
    assert done.stdout == "set()\n"


def test_the_module_runs():
    command = [sys.executable, "-m", "accelscope", "--version"]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    assert accelscope.__version__ in done.stdout


def test_both_commands_start_the_same_program():
    from importlib.metadata import entry_points

    scripts = {
        point.name: point.value
        for point in entry_points(group="console_scripts")
        if point.dist.name == "accelscope"
    }
    assert scripts == {
        "accelscope": "accelscope.core.cli.main:main",
        "accel": "accelscope.core.cli.main:main",
    }
