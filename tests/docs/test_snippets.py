"""Every `accel` block of the documentation is a valid text; `accel-fragment` marks what is only a piece of one."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pytest

from accelscope.core.session import Session

ROOT = Path(__file__).resolve().parents[2]
PAGES = (ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md")))
BLOCK = re.compile(r"^```accel\n(.*?)^```", re.MULTILINE | re.DOTALL)
SNIPPETS = tuple(
    pytest.param(
        found[1], id=f"{page.stem}-{page.read_text(encoding='utf-8')[: found.start()].count(chr(10)) + 1}"
    )
    for page in PAGES
    for found in BLOCK.finditer(page.read_text(encoding="utf-8"))
)


@cache
def session():
    return Session.open()


@pytest.mark.parametrize("text", SNIPPETS)
def test_a_snippet_is_clean(text, tmp_path):
    path = tmp_path / "snippet.accel"
    path.write_text(text, encoding="utf-8")
    assert [f"{item.code} {item.message}" for item in session().check(str(path))] == []
