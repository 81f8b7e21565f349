"""Fixtures of the core's tests: a session with the built-in plugins, and the main job."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelscope.core.plugin.registry import Registry
from accelscope.core.session import Session

EXAMPLES = Path(__file__).parents[2] / "examples"


@pytest.fixture(scope="session")
def shell() -> Session:
    """A session with the built-in plugins, whatever else is installed."""
    return Session(Registry.built_in())


@pytest.fixture(scope="session")
def main_job() -> str:
    """Llama-3-70B on a DGX H100."""
    return str(EXAMPLES / "llama3_70b_on_dgx_h100.accel")
