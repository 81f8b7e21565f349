"""Programs: load a text, look up its definitions, check them."""

from __future__ import annotations

from accelscope.dsl.check.file import check_file
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.interpreter import Interpreter
from accelscope.dsl.interpret.modules import Module


class Program:
    """A loaded text; its definitions are evaluated when they are read.

    Attributes:
        interpreter: what evaluates it.
        module: the file.
    """

    __slots__ = ("interpreter", "module")

    def __init__(self, interpreter: Interpreter, module: Module) -> None:
        self.interpreter, self.module = interpreter, module

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every diagnostic so far, in the order of the text."""
        return self.interpreter.diagnostics

    def definitions(self, kind: str | None = None) -> tuple[Component, ...]:
        """Return the blocks at the top of the file, of one kind or all, in the order of the text."""
        return self.module.root.children(kind)

    def lookup(self, name: str) -> Component | None:
        """Return a definition by `name` or `kind name`, including an imported one."""
        kind, _, label = name.strip().rpartition(" ")
        try:
            value = self.module.root.value(label.strip('"'))
        except (EvaluationFailed, PoisonedValue):
            return None
        if isinstance(value, Component) and kind.strip() in ("", value.kind):
            return value
        return None

    def check(self, lint: bool = False) -> tuple[Diagnostic, ...]:
        """Evaluate and check everything in the file against the schemas; return all diagnostics.

        Args:
            lint: whether numbers without a source are reported too.
        """
        check_file(self.interpreter, self.module, lint=lint)
        return self.interpreter.diagnostics


def load_program(source: SourceText, interpreter: Interpreter) -> Program:
    """Parse a text and return it as a program; the files that it uses are read when they are needed."""
    interpreter.refill()
    return Program(interpreter, interpreter.modules.of(source))
