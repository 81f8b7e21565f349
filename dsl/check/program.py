"""The way in: load a text, look up its definitions, check them."""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.interpreter import Interpreter
from accelscope.dsl.interpret.modules import Module


class Program:
    """A loaded text with its definitions, evaluated when asked."""

    __slots__ = ("module", "session")

    def __init__(self, session: Interpreter, module: Module) -> None:
        self.session, self.module = session, module

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Everything found so far, in the order of the text."""
        return self.session.diagnostics

    def definitions(self, kind: str | None = None) -> tuple[Component, ...]:
        """Return the blocks at the top of the file, of one kind or all, in the order of the text."""
        return self.module.root.children(kind)

    def lookup(self, name: str) -> Component | None:
        """Return a definition by `name` or `kind name`, also one that the file uses from elsewhere."""
        kind, _, label = name.strip().rpartition(" ")
        try:
            found = self.module.root.value(label.strip('"'))
        except (EvaluationFailed, PoisonedValue):
            return None
        if isinstance(found, Component) and kind.strip() in ("", found.kind):
            return found
        return None

    def check(self, lint: bool = False) -> tuple[Diagnostic, ...]:
        """Evaluate and check everything in the file against the schemas; return all findings."""
        from accelscope.dsl.check.file import check_file

        check_file(self.session, self.module, lint=lint)
        return self.session.diagnostics


def load_program(source: SourceText, session: Interpreter) -> Program:
    """Parse a text and return it as a program; what it uses is read when needed."""
    session.refill()
    return Program(session, session.modules.of(source))
