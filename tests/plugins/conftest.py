"""Fixtures of the plugins' tests: the spec that the text of an imported model binds to."""

from __future__ import annotations

import pytest

from accelscope.core.bind.binder import Binder


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
