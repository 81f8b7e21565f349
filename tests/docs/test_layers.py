"""The page of the stages names folders and functions that exist."""

from __future__ import annotations

import re
from importlib import import_module
from pathlib import Path

import pytest

from accelscope.core import pipeline

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "explanation" / "layers.md").read_text()
STAGES = PAGE.split("## The pipeline")[1].split("\n\n")[2].splitlines()[2:]
FUNCTIONS = sorted(set(re.findall(r"`((?:core|dsl|plugins)(?:\.\w+){2,})`", PAGE)))
FOLDERS = sorted(set(re.findall(r"`((?:core|dsl|plugins)/\w+)`", PAGE)))


def test_the_stages_are_those_of_the_pipeline_function() -> None:
    sequence = next(line for line in (pipeline.__doc__ or "").splitlines() if "->" in line)
    assert [row.split("|")[1].strip() for row in STAGES] == [name.strip() for name in sequence.split("->")]


def test_every_stage_has_one_entry_function() -> None:
    assert [len(re.findall(r"`\w+(?:\.\w+){2,}` \|$", row)) for row in STAGES] == [1] * len(STAGES)


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_entry_function_exists(name: str) -> None:
    module, _, attribute = f"accelscope.{name}".rpartition(".")
    assert callable(getattr(import_module(module), attribute))


@pytest.mark.parametrize("name", FOLDERS)
def test_a_folder_exists(name: str) -> None:
    assert (ROOT / name / "__init__.py").exists()


def test_every_folder_of_the_core_is_on_the_page() -> None:
    folders = {f"core/{path.parent.name}" for path in (ROOT / "core").glob("*/__init__.py")}
    assert folders <= set(FOLDERS)
