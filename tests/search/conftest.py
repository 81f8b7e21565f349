"""One session for all tests of searches: plugins and the library are read once."""

from __future__ import annotations

import pytest

from accelscope.core.session import Session


@pytest.fixture(scope="session")
def opened() -> Session:
    """Return a session with all plugins."""
    return Session.open()
