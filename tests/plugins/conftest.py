"""Fixtures of the plugins' tests: the spec that the text of an imported model binds to; and their helper, `planning`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from accelscope.core.bind.binder import Binder
from accelscope.core.session import Session

sys.path.insert(0, str(Path(__file__).parent))


@pytest.fixture(scope="session")
def session() -> Session:
    return Session.open()


@pytest.fixture
def bound(session, tmp_path):
    """Bind the only model of a text that has to check without findings."""

    def bind(text):
        file = tmp_path / "model.accel"
        file.write_text(text)
        assert session.check(str(file)) == ()
        program, _ = session.load(str(file))
        assert program is not None
        return Binder(session.registry).bind(program.definitions("model")[0])[0]

    return bind
