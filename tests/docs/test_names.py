"""Names that modules make public: each is one thing within its package, and a noun or a verb.

These are read from the code's syntax, so that a new name is checked without being listed anywhere.
"""

from __future__ import annotations

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.paths import ROOT

PACKAGES = ("core", "dsl", "plugins")
VERBS = ROOT / "core" / "cli"
"""Commands are called as users call them, such as `explain`; they are not imported by name."""
PARTICIPLES = frozenset(
    [
        "added",
        "asked",
        "bound",
        "brought",
        "built",
        "called",
        "changed",
        "checked",
        "chosen",
        "computed",
        "counted",
        "described",
        "divided",
        "done",
        "drawn",
        "evaluated",
        "expected",
        "fitted",
        "found",
        "given",
        "held",
        "joined",
        "judged",
        "kept",
        "known",
        "left",
        "lent",
        "listed",
        "loaded",
        "lost",
        "made",
        "marked",
        "meant",
        "measured",
        "merged",
        "moved",
        "named",
        "needed",
        "offered",
        "ordered",
        "parsed",
        "placed",
        "planned",
        "printed",
        "put",
        "read",
        "resolved",
        "returned",
        "run",
        "said",
        "seen",
        "sent",
        "served",
        "set",
        "shared",
        "shown",
        "shut",
        "solved",
        "sorted",
        "split",
        "stacked",
        "started",
        "stored",
        "summed",
        "swept",
        "taken",
        "timed",
        "told",
        "tried",
        "used",
        "wanted",
        "written",
    ]
) - {"read", "run", "split", "put", "set", "shut"}
"""Past participles that are neither nouns nor verbs by themselves."""


def public_names(path: Path) -> Iterator[str]:
    """Yield what a module defines at its top level without an underscore; overloads of a function once."""
    seen = set()
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        match node:
            case ast.FunctionDef(name=name) | ast.ClassDef(name=name):
                names = [name]
            case ast.Assign(targets=targets):
                names = [target.id for target in targets if isinstance(target, ast.Name)]
            case ast.AnnAssign(target=ast.Name(id=name)):
                names = [name]
            case _:
                names = []
        for name in names:
            if not name.startswith("_") and name not in seen:
                seen.add(name)
                yield name


def modules(package: str) -> list[Path]:
    return sorted(path for path in (ROOT / package).rglob("*.py") if path.name != "__init__.py")


@pytest.mark.parametrize("package", ["core", "dsl"])
def test_a_public_name_is_one_thing_within_its_package(package):
    places = defaultdict(list)
    for path in modules(package):
        if VERBS not in path.parents:
            for name in public_names(path):
                places[name].append(str(path.relative_to(ROOT)))
    assert len(places) > 200
    assert {name: found for name, found in places.items() if len(found) > 1} == {}


@pytest.mark.parametrize("package", PACKAGES)
def test_no_public_name_is_a_lone_participle(package):
    names = [(name, str(path.relative_to(ROOT))) for path in modules(package) for name in public_names(path)]
    assert len(names) > 200
    assert [item for item in names if item[0].lower() in PARTICIPLES] == []
