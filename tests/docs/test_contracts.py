"""Code and reference pages say the same; every record is documented."""

from __future__ import annotations

import importlib.util

import pytest

from accelscope.core.plugin import hookspecs
from accelscope.core.plugin.commands import list_built_in_commands
from accelscope.core.plugin.registry import Registry
from accelscope.core.render.model_docs import find_model_docs, list_model_docs
from accelscope.dsl.diagnostics.codes import CODES
from tests.support.paths import DOCS

pytestmark = pytest.mark.smoke

REFERENCE = DOCS / "reference"


@pytest.fixture(scope="module")
def generate():
    """The script docs/generate.py as a module."""
    spec = importlib.util.spec_from_file_location("generate", DOCS / "generate.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


HOOKS = sorted(name for name in vars(hookspecs) if name.startswith("accelscope_"))


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_has_a_heading_with_its_exact_signature(generate, name):
    assert f"## `{generate.signatures()[name]}`\n" in (REFERENCE / "hooks.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", HOOKS)
def test_every_hook_is_documented_with_an_example(name):
    text = getattr(hookspecs, name).__doc__
    assert "Example:" in text
    assert f"def {name}(" in text


@pytest.mark.parametrize("code", sorted(CODES))
def test_every_code_is_documented(code):
    assert f"### {code} {CODES[code].title}" in (REFERENCE / "diagnostics.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("page", ["hooks.md", "diagnostics.md", "models.md"])
def test_the_committed_pages_are_up_to_date(generate, page):
    committed = (REFERENCE / page).read_text(encoding="utf-8")
    assert committed == generate.pages()[page], "run `python docs/generate.py`"


def test_every_model_and_kind_can_be_described():
    registry = Registry.built_in()
    for item in list_model_docs(registry):
        found = find_model_docs(registry, item["name"])
        assert found, item
        for entry in found:
            assert entry["doc"], entry["name"]
            for field in entry.get("fields", ()):
                assert field["doc"], (entry["name"], field["name"])
                if field["default"] not in ("", "required"):
                    assert field["source"], (entry["name"], field["name"])


def test_every_verb_imports():
    import click

    from accelscope.core.cli.main import CommandGroup

    context = click.Context(click.Command("accelscope"))
    for name, verb in list_built_in_commands().verbs.items():
        module, _, attribute = verb.target.partition(":")
        command = getattr(importlib.import_module(module), attribute)
        assert command.name == name
        assert CommandGroup().get_command(context, name).verb == verb
