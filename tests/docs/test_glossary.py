"""Every term of the glossary is used, is listed once, and stands in order."""

from __future__ import annotations

import re

import pytest

from tests.support.paths import ROOT

GLOSSARY = ROOT / "docs" / "reference" / "glossary.md"
ENTRY = re.compile(r"^\| \*\*(.+?)\*\* \| (.+?) \| (.+?) \|$", re.MULTILINE)
ENTRIES = ENTRY.findall(GLOSSARY.read_text())
CODE_NAME = re.compile(r"`([A-Za-z_][\w]*)`")


@pytest.fixture(scope="module")
def text() -> str:
    """Return all pages but the glossary, and all code, in lower case with single spaces."""
    pages = [ROOT / "README.md", *(page for page in (ROOT / "docs").rglob("*.md") if page != GLOSSARY)]
    code = [path for top in ("core", "dsl", "plugins") for path in (ROOT / top).rglob("*.py")]
    return " ".join(" ".join(path.read_text().split()) for path in (*pages, *code)).lower()


def test_every_row_is_an_entry() -> None:
    rows = [line for line in GLOSSARY.read_text().splitlines() if line.startswith("| **")]
    assert len(rows) == len(ENTRIES) > 80


def test_terms_are_listed_once() -> None:
    terms = [term.lower() for term, _, _ in ENTRIES]
    assert sorted(terms) == sorted(set(terms))


def test_terms_of_a_section_are_in_order() -> None:
    for section in GLOSSARY.read_text().split("\n## ")[1:]:
        terms = [term.lower() for term, _, _ in ENTRY.findall(section)]
        assert terms == sorted(terms)


@pytest.mark.parametrize("term", [term for term, _, _ in ENTRIES])
def test_a_term_is_used_in_docs_or_code(term: str, text: str) -> None:
    assert re.search(rf"\b{re.escape(term.lower())}", text)


@pytest.mark.parametrize(
    "name", sorted({name for _, _, where in ENTRIES for name in CODE_NAME.findall(where)})
)
def test_a_name_of_the_last_column_exists(name: str, text: str) -> None:
    assert re.search(rf"\b{name.lower()}\b", text)
