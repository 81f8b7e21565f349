"""The shell around the pure functions: plugins are loaded and files are read here, once for a session."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from attrs import define

from accelscope.core.files import STDIN, read_stdin
from accelscope.core.library import Library
from accelscope.core.registry import Registry
from accelscope.dsl.diagnostics import Diagnostic, Source
from accelscope.dsl.operations import ScalarOperations
from accelscope.dsl.program import Program, load
from accelscope.dsl.session import Session as Evaluation


@define(eq=False, slots=False)
class Session:
    """Plugins and the files that may be read.

    Attributes:
        registry: the plugins.
        roots: folders that descriptions may read besides their own.
    """

    registry: Registry
    roots: tuple[Path, ...] = ()

    @classmethod
    def open(cls, disabled: Iterable[str] = (), roots: Iterable[str | Path] = ()) -> Session:
        """Load the installed plugins.

        Args:
            disabled: names of plugins to leave out.
            roots: folders that descriptions may read besides their own.

        Raises:
            PluginError: plugins conflict or implement hooks that do not exist.
            UsageError: a disabled name is no plugin.
        """
        return cls(Registry.load(disabled), tuple(Path(root) for root in roots))

    @cached_property
    def library(self) -> Library:
        """What descriptions can use."""
        return Library.of(self.registry.libraries.values(), self.roots)

    def read(self, path: str) -> Source | Diagnostic:
        """Return the text of a file, or of standard input for "-"."""
        if path != STDIN:
            return self.library.open(path)
        found = read_stdin()
        if isinstance(found, Source):
            self.library.adopt(found, Path())
        return found

    def language(self) -> Evaluation:
        """Return a new evaluation of the language with the plugins' units and schemas."""
        return Evaluation(self.library, self.registry.units, self.registry.schemas(), ScalarOperations())

    def load(self, path: str) -> tuple[Program | None, tuple[Diagnostic, ...]]:
        """Return the program of a file and what is wrong with its grammar; None where it cannot be read."""
        source = self.read(path)
        if isinstance(source, Diagnostic):
            return None, (source,)
        program = load(source, self.language())
        return program, program.diagnostics

    def check(self, path: str, lint: bool = False) -> tuple[Diagnostic, ...]:
        """Return everything that is wrong with a file, and warnings of style where asked for."""
        program, found = self.load(path)
        return found if program is None else program.check(lint)
