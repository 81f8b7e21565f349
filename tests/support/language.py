"""Helpers that evaluate a snippet and look at one value or at the findings."""

from __future__ import annotations

from pathlib import PurePosixPath

from accelscope.dsl.check.program import load_program
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText
from accelscope.dsl.interpret.context import Probe
from accelscope.dsl.interpret.interpreter import Interpreter
from accelscope.dsl.syntax.parser import parse
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.operations import ScalarOperations
from accelscope.dsl.values.units import built_in_unit_table
from accelscope.dsl.values.values import Attribute, Quantity
from tests.support.schemas import SCHEMAS


class Texts:
    """A reader of texts in memory: names with a slash or `.accel` are files, others library modules."""

    def __init__(self, texts=None):
        self.texts = {name: SourceText(name, text) for name, text in (texts or {}).items()}
        self.read = []

    def parse(self, source):
        return parse(source)

    def library(self, name):
        self.read.append(name)
        return None if name.endswith(".accel") else self.texts.get(name)

    def modules(self):
        return [name for name in self.texts if not name.endswith(".accel")]

    def file(self, path, relative_to):
        found = self.texts.get(str(PurePosixPath(path)))
        return found or Diagnostic(code="A501", message=f"there is no file `{path}`")


def session(texts=None, *, schemas=None, operations=None, uncertain=None):
    reader, units = Texts(texts), built_in_unit_table()
    return Interpreter(reader, units, schemas or {}, operations or ScalarOperations(), Probe(uncertain))


def program(text, texts=None, **more):
    source = SourceText("main.accel", text)
    return load_program(source, session({**(texts or {}), "main.accel": text}, **more))


def find(component, path):
    for name in path.split("."):
        component = component.get(name)
        if isinstance(component, Attribute) and hasattr(component.value, "kind"):
            component = component.value
    return component


def value(text, path, texts=None, **more):
    """Return the value at a path such as `X.hbm.bandwidth`; a quantity as people write it."""
    made = program(text, texts, **more)
    found = find(made.module.root, path)
    assert found is not None, [item.message for item in made.diagnostics]
    got = found.value if isinstance(found, Attribute) else found
    return show_quantity(got) if isinstance(got, Quantity) else got


def findings(text, texts=None, *, schemas=None, lint=False, **more):
    """Return all findings of a check."""
    return program(text, texts, schemas=schemas, **more).check(lint=lint)


def checked(text, texts=None, *, lint=False):
    """Return all findings of a check against the schemas of the tests."""
    return findings(text, texts, schemas=SCHEMAS, lint=lint)


def codes(items):
    return [item.code for item in items]


def only(items):
    """Return the one finding."""
    assert len(items) == 1, [(item.code, str(item.span), item.message) for item in items]
    return items[0]
