"""Every example parses, binds and satisfies its own checks with the plugins that ship."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import pytest

from accelscope.core.session import Session

EXAMPLES = sorted((Path(__file__).resolve().parents[2] / "examples").glob("*.accel"))


@cache
def session():
    return Session.open()


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_is_clean(path):
    assert [f"{item.code} {item.message}" for item in session().check(str(path))] == []


def test_the_first_example_is_one_question():
    program, _ = session().load(str(next(path for path in EXAMPLES if path.stem == "llama3_70b_on_dgx_h100")))
    assert program is not None
    assert [item.name for item in program.definitions("scenario")] == ["one_person_on_dgx"]
