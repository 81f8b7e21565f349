"""Fixtures of all tests: budgets, sessions, fake distributions, and the command line in this process or one of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from accelscope.core.session import Session
from tests.support.budgets import BUDGET, Budget, mark_tests_with_budget, use_budget
from tests.support.cli import RunOutcome, run_cli
from tests.support.paths import MAIN_JOB, prepend_python_path
from tests.support.sessions import built_in_session, open_session, share_syntax_trees


def pytest_configure(config: pytest.Config) -> None:
    """Choose the budgets of long tests before test modules are imported."""
    use_budget(config)


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests with a budget before `-m` selects."""
    mark_tests_with_budget(items)


@pytest.fixture(scope="session")
def budget() -> Budget:
    """Return the budget of this run: small, or full with `pytest -m full`."""
    return BUDGET


@pytest.fixture(scope="session")
def session() -> Session:
    """Return a session with all plugins that are installed."""
    return open_session()


@pytest.fixture(scope="session")
def shell() -> Session:
    """Return a session with the built-in plugins, whatever else is installed."""
    return built_in_session()


@pytest.fixture(scope="session")
def main_job() -> str:
    """Return the path of Llama-3-70B on a DGX H100."""
    return MAIN_JOB


@pytest.fixture(scope="session", autouse=True)
def shared_trees():
    """Parse each module of a library once for all sessions of the tests; trees never change."""
    with pytest.MonkeyPatch.context() as patch:
        share_syntax_trees(patch)
        yield


@pytest.fixture(autouse=True)
def plain_environment(monkeypatch):
    """Keep what a developer's shell sets from reaching the tests."""
    for name in ("ACCELSCOPE_DISABLE", "ACCELSCOPE_TRACEBACK", "NO_COLOR", "FORCE_COLOR"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def distribution(tmp_path, monkeypatch):
    """Return a function that installs a distribution with one plugin module for this test."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(name: str, plugin: str, code: str, module: str | None = None, version: str = "1.0") -> Path:
        module = module or name.replace("-", "_")
        (site / f"{module}.py").write_text(HEADER + code)
        info = site / f"{module}-{version}.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
        (info / "entry_points.txt").write_text(f"[accelscope]\n{plugin} = {module}\n")
        monkeypatch.delitem(sys.modules, module, raising=False)
        return site

    yield install
    for path in site.glob("*.py"):
        sys.modules.pop(path.stem, None)


@pytest.fixture
def accel(tmp_path, monkeypatch):
    """Return a function that runs the command line in this process, in a folder of the test's own."""
    monkeypatch.chdir(tmp_path)

    def run(*arguments: str, text: str | None = None, **environment: str) -> RunOutcome:
        with monkeypatch.context() as patch:
            for name, value in ({"COLUMNS": "100"} | environment).items():
                patch.setenv(name, value)
            return run_cli(arguments, text)

    return run


@pytest.fixture
def accel_process(tmp_path):
    """Return a function that runs the command line in a process of its own, for what imports, signals or streams do."""

    def run(*arguments: str, text: str | None = None, **environment: str) -> RunOutcome:
        extra = {"PYTHONPATH": prepend_python_path(tmp_path / "site"), "COLUMNS": "100"} | environment
        done = subprocess.run(
            [sys.executable, "-m", "accelscope", *arguments],
            check=False,
            input=text,
            capture_output=True,
            encoding="utf-8",
            env=os.environ | extra,
            cwd=tmp_path,
            timeout=120,
        )
        return RunOutcome(arguments, done.returncode, done.stdout, done.stderr)

    return run


HEADER = """\
from accelscope.core.plugin.hookspecs import hookimpl
from accelscope.core.plugin.records import Metric, Report, LibraryFolder, MemoryModel, KindRecord, Unit


def metric(name, **more):
    return Metric(name=name, doc="of a test", unit="s", compute=lambda evaluation: None, **more)


"""
