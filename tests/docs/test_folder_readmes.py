"""The README of a folder names every module in it and no other, and pages name paths that exist."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("core", "dsl", "plugins")
READMES = sorted(path for top in PACKAGES for path in (ROOT / top).rglob("README.md"))
LISTED_MODULE = re.compile(r"^\| `(\w+\.py)` \|", re.MULTILINE)
LINK = re.compile(r"\]\((?!https?:)([^)#]+)")


def relative(path: Path) -> str:
    return str(path.relative_to(ROOT))


@pytest.mark.parametrize("readme", READMES, ids=relative)
def test_a_readme_lists_exactly_the_modules_of_its_folder(readme: Path) -> None:
    modules = {path.name for path in readme.parent.glob("*.py")} - {"__init__.py"}
    rows = set(LISTED_MODULE.findall(readme.read_text()))
    assert (sorted(modules - rows), sorted(rows - modules)) == ([], []), "rows to add and rows to remove"


@pytest.mark.parametrize("readme", READMES, ids=relative)
def test_links_of_a_readme_lead_somewhere(readme: Path) -> None:
    missing = [link for link in LINK.findall(readme.read_text()) if not (readme.parent / link).exists()]
    assert missing == []


def test_every_folder_with_modules_has_a_readme() -> None:
    folders = {path.parent for top in PACKAGES for path in (ROOT / top).rglob("__init__.py")}
    lacking = {relative(folder) for folder in folders if not (folder / "README.md").exists()}
    assert lacking == set()


PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md")), *READMES]
REPOSITORY_PATH = re.compile(r"(?<![\w/.])(?:tests|examples|core|dsl|plugins)/[\w./-]*[\w/]")


@pytest.mark.parametrize("page", PAGES, ids=relative)
def test_paths_of_the_repository_exist(page: Path) -> None:
    names = set(REPOSITORY_PATH.findall(page.read_text()))
    assert [name for name in sorted(names) if not (ROOT / name).exists()] == []
