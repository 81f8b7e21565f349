"""The shell around the pure functions: plugins are loaded and files are read here, once for a workspace."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path
from typing import Self

from attrs import define

from accelscope.core.errors import DescriptionError
from accelscope.core.io.files import STDIN, STDIN_NAME, read_stdin
from accelscope.core.library.sources import Library
from accelscope.core.plugin.registry import Registry
from accelscope.dsl.check.program import Program, load_program
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, has_errors
from accelscope.dsl.interpret.interpreter import Interpreter
from accelscope.dsl.values.operations import ScalarOperations


@define(eq=False, slots=False)
class Workspace:
    """Plugins and the files that may be read.

    Attributes:
        registry: the plugins.
        roots: folders that descriptions may read besides their own.
    """

    registry: Registry
    roots: tuple[Path, ...] = ()

    @classmethod
    def open(cls, disabled: Iterable[str] = (), roots: Iterable[str | Path] = ()) -> Self:
        """Load the installed plugins.

        Args:
            disabled: names of plugins to leave out.
            roots: folders that descriptions may read besides their own.

        Raises:
            PluginError: plugins conflict or implement hooks that do not exist.
            UsageError: a disabled name is not a plugin.
        """
        return cls(Registry.load(disabled), tuple(Path(root) for root in roots))

    @cached_property
    def library(self) -> Library:
        """What descriptions can use."""
        return Library.of(self.registry.libraries.values(), self.roots)

    def read(self, path: str) -> SourceText | Diagnostic:
        """Return the text of a file, or of standard input for "-"."""
        if path != STDIN:
            return self.library.open(path)
        source = self.library.find_supplied_text(STDIN_NAME) or read_stdin()
        if isinstance(source, SourceText):
            self.library.adopt(source, Path())
        return source

    def language(self) -> Interpreter:
        """Return a new interpreter of the language with the plugins' units and schemas."""
        return Interpreter(self.library, self.registry.units, self.registry.schemas(), ScalarOperations())

    def load(self, path: str) -> tuple[Program | None, tuple[Diagnostic, ...]]:
        """Return the program of a file and what is wrong with its grammar; None if it cannot be read."""
        source = self.read(path)
        if isinstance(source, Diagnostic):
            return None, (source,)
        program = load_program(source, self.language())
        return program, program.diagnostics

    def check(self, path: str, lint: bool = False) -> tuple[Diagnostic, ...]:
        """Return everything that is wrong with a file.

        Args:
            path: the file, or "-" for standard input.
            lint: whether to add warnings of style.
        """
        program, problems = self.load(path)
        return problems if program is None else program.check(lint)

    def checked(self, path: str) -> Program:
        """Return the program of a file that has no errors.

        Raises:
            DescriptionError: it cannot be read or has errors.
        """
        program, problems = self.load(path)
        problems = problems if program is None else program.check()
        if program is None or has_errors(problems):
            raise DescriptionError(problems)
        return program
