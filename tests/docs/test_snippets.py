"""Every snippet of the documentation does what the page says.

`accel` snippets are whole files and check clean; `accel-fragment` snippets parse; `python` snippets of a page run one
after the other; commands that start with `accelscope` name verbs and files that exist, and no page uses its short name.
"""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from accelscope.core.plugin.commands import list_built_in_commands
from accelscope.core.plugin.hookspecs import hookimpl
from accelscope.core.plugin.registry import Registry
from accelscope.core.session import Session
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.syntax.parser import parse
from tests.support.paths import ROOT

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *sorted((ROOT / "docs").rglob("*.md")),
    ROOT / "examples" / "plugin" / "README.md",
]
FENCE = re.compile(r"^```([\w-]+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")
COMMAND = re.compile(r"^ {4}accelscope ([a-z]+)(.*)$", re.MULTILINE)


def snippets(language: str) -> list[object]:
    return [
        pytest.param(text, id=f"{page.relative_to(ROOT)}-{number}")
        for page in PAGES
        for number, (found, text) in enumerate(FENCE.findall(page.read_text()))
        if found == language
    ]


@pytest.mark.parametrize("text", snippets("accel"))
def test_a_whole_file_checks_clean(text: str, tmp_path: Path) -> None:
    path = tmp_path / "snippet.accel"
    path.write_text(text)
    found = Session.open().check(str(path))
    assert [(item.code, item.message, str(item.span)) for item in found if item.severity == "error"] == []


def test_chips_to_start_from_are_free_of_warnings(tmp_path: Path) -> None:
    page = (ROOT / "docs" / "how-to" / "add-a-chip.md").read_text()
    for number, text in enumerate(text for language, text in FENCE.findall(page) if language == "accel"):
        path = tmp_path / f"chip{number}.accel"
        path.write_text(text)
        assert [(item.code, item.message) for item in Session.open().check(str(path), lint=True)] == []


@pytest.mark.parametrize("text", snippets("accel-fragment"))
def test_a_fragment_parses(text: str) -> None:
    assert parse(SourceText("fragment", text))[1] == ()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_python_of_a_page_runs(page: Path) -> None:
    space: dict[str, object] = {"__file__": str(page), "__name__": "snippet", "hookimpl": hookimpl}
    for language, text in FENCE.findall(page.read_text()):
        if language == "python":
            exec(compile(text, str(page), "exec"), space)  # noqa: S102


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    missing = [link for link in LINK.findall(page.read_text()) if not (page.parent / link).exists()]
    assert missing == []


def list_verbs() -> set[str]:
    commands = list_built_in_commands()
    Registry.load().add_commands(commands)
    return set(commands.verbs)


def test_commands_name_verbs_and_examples_that_exist() -> None:
    verbs = list_verbs()
    for page in PAGES:
        for verb, rest in COMMAND.findall(page.read_text()):
            assert verb in verbs, (page.name, verb)
            for name in re.findall(r"examples/[\w/.]+\.accel", rest):
                assert (ROOT / name).exists(), (page.name, name)


def test_pages_use_one_name_of_the_tool() -> None:
    short = re.compile(rf"(?:^ {{4}}(?:\$ )?|`)accel (?:{'|'.join(sorted(list_verbs()))})\b", re.MULTILINE)
    assert [page.name for page in PAGES if short.search(page.read_text())] == []
