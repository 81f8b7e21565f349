"""Files that use other files: read and parsed at their first use; the names that they import."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import Protocol, TypeAlias

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND, POISON, EvaluationFailed, PoisonedValue
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.guard import cycle_note
from accelscope.dsl.interpret.layers import ComponentLayer, ScopedStatement
from accelscope.dsl.syntax.nodes import File, UseStatement

ParsedFile: TypeAlias = tuple[File, tuple[Diagnostic, ...]]


class SourceReader(Protocol):
    """Where texts are read from; each text of one evaluation has a name of its own."""

    def library(self, name: str) -> SourceText | None:
        """Return the text of a library module such as `std.nvidia`, or None."""

    def modules(self) -> Iterable[str]:
        """Return the names of all library modules."""

    def file(self, path: str, relative_to: SourceText) -> SourceText | Diagnostic:
        """Return the text of a file, or why it cannot be read.

        Args:
            path: the path as written.
            relative_to: the text that names it.
        """

    def parse(self, source: SourceText) -> ParsedFile:
        """Return the syntax tree and the findings of a text; trees never change, so a reader may keep them."""


class FileComponent(Component):
    """The top level of a file: its definitions are children, and imported names are members too."""

    __slots__ = ("module",)

    is_file = True

    def __init__(self, context: EvaluationContext, module: Module, layer: ComponentLayer) -> None:
        super().__init__(context, layer.source.name, "file", None, [layer])
        self.module = module

    @property
    def path(self) -> str:
        """Empty: paths begin with the name of a definition."""
        return ""

    def value(self, name: str) -> object:
        """Return a definition, a `let` or an imported value."""
        value = super().value(name)
        return self.module.import_name(name) if value is NOT_FOUND else value

    def has(self, name: str) -> bool:
        """Return whether the file defines or imports a name."""
        return super().has(name) or name in self.module.imports()

    def names(self) -> list[str]:
        """Return the names that the file defines or imports."""
        return [*super().names(), *self.module.imports()]


class Module:
    """A parsed file and its names.

    Attributes:
        table: the modules of the evaluation.
        name: its name in a `use`.
        source: its text.
        root: its top level.
        targets: the modules that it uses.
    """

    __slots__ = ("_imports", "_values", "name", "root", "source", "table", "targets")

    def __init__(self, table: ModuleTable, name: str, file: File) -> None:
        self.table, self.name, self.source = table, name, file.source
        layer = ComponentLayer(file.source, None, statements=file.statements, title=name)
        self.root = FileComponent(table.context, self, layer)
        self.targets: set[Module] = set()
        self._imports: dict[str, ScopedStatement] | None = None
        self._values: dict[str, object] = {}

    def imports(self) -> dict[str, ScopedStatement]:
        """Return the `use` statement of every imported name."""
        if self._imports is None:
            self._imports = {}
            for item in self.root.index().uses:
                for name in list_imported_names(item.statement):
                    self._imports[name] = item
        return self._imports

    def member(self, name: str) -> object:
        """Return a definition or `let` of the file itself.

        Raises:
            EvaluationFailed: the file does not define the name.
        """
        value = Component.value(self.root, name)
        if value is NOT_FOUND:
            help = did_you_mean(name, Component.names(self.root))
            raise EvaluationFailed("A202", f"`{self.name}` does not define `{name}`", help=help)
        return value

    def import_name(self, name: str) -> object:
        """Return the value of an imported name, or NOT_FOUND.

        Raises:
            PoisonedValue: it cannot be imported, which has been reported.
        """
        item = self.imports().get(name)
        if item is None:
            return NOT_FOUND
        if name not in self._values:
            self._values[name] = self.table.context.run_guarded(
                self.root, name, lambda: self._import(name, item), lambda: _name_span(name, item)
            )
        if self._values[name] is POISON:
            raise PoisonedValue
        return self._values[name]

    def _import(self, name: str, item: ScopedStatement) -> object:
        use = item.statement
        assert isinstance(use, UseStatement)
        module = self.table.load(self, use, item.span)
        return module.member(name) if use.names else module


def list_imported_names(use: object) -> tuple[str, ...]:
    """Return the names that a `use` statement imports."""
    if not isinstance(use, UseStatement):
        return ()
    if use.names:
        return tuple(name.id for name in use.names)
    stem = PurePosixPath(use.path).stem if use.is_file else use.path.rpartition(".")[2]
    return (use.alias or stem,)


def _name_span(name: str, item: ScopedStatement) -> Span:
    use = item.statement
    for node in use.names if isinstance(use, UseStatement) else ():
        if node.id == name:
            return node.span(item.layer.source)
    return item.span


class ModuleTable:
    """The modules of one evaluation, each read and parsed once.

    Attributes:
        context: what evaluates them.
        reader: where texts are read from.
        parsed: the syntax of each text that was read, by name and text.
    """

    __slots__ = ("_modules", "context", "parsed", "reader")

    def __init__(self, context: EvaluationContext, reader: SourceReader) -> None:
        self.context, self.reader = context, reader
        self._modules: dict[tuple[str, str], Module] = {}
        self.parsed: dict[tuple[str, str], ParsedFile] = {}

    def of(self, source: SourceText, name: str | None = None) -> Module:
        """Return the module of a text; its syntax errors are reported when it is first read.

        Args:
            source: the text.
            name: its name in a `use`; the name of the text if None.
        """
        key = (source.name, source.text)
        module = self._modules.get(key)
        if module is None:
            if key not in self.parsed:
                self.parsed[key] = self.reader.parse(source)
            file, findings = self.parsed[key]
            module = self._modules[key] = Module(self, name or source.name, file)
            for finding in findings:
                self.context.report(finding)
        return module

    def load(self, module: Module, use: UseStatement, span: Span) -> Module:
        """Return the module that a `use` names.

        Args:
            module: the module that has the statement.
            use: the statement.
            span: its place.

        Raises:
            EvaluationFailed: there is no such module, or it uses the file that uses it.
        """
        target = self.of(self.source_of(module, use, span), None if use.is_file else use.path)
        back = _find_use_chain(target, module)
        if back:
            note = cycle_note(step.name for step in (module, *back))
            raise EvaluationFailed("A203", f"`{use.path}` uses the file that uses it", span, notes=(note,))
        module.targets.add(target)
        return target

    def source_of(self, module: Module, use: UseStatement, span: Span) -> SourceText:
        """Return the text that a `use` names, without parsing it.

        Args:
            module: the module that has the statement.
            use: the statement.
            span: its place.

        Raises:
            EvaluationFailed: there is no such file or module.
        """
        if use.is_file:
            text = self.reader.file(use.path, module.source)
            if isinstance(text, Diagnostic):
                raise EvaluationFailed(text.code, text.message, span, notes=text.notes, help=text.help)
            return text
        source = self.reader.library(use.path)
        if source is None:
            known = list(self.reader.modules())
            raise EvaluationFailed(
                "A204",
                f"there is no library module `{use.path}`",
                span,
                notes=(f"the library modules are {', '.join(f'`{name}`' for name in sorted(known))}",)
                if known
                else (),
                help=did_you_mean(use.path, known),
            )
        return source


def _find_use_chain(start: Module, goal: Module) -> tuple[Module, ...]:
    """Return the modules on the way from one to another along `use` statements, or nothing."""
    chains: dict[Module, tuple[Module, ...]] = {start: (start,)}
    queue = [start]
    for module in queue:
        if module is goal:
            return chains[module]
        for target in module.targets:
            if target not in chains:
                chains[target] = (*chains[module], target)
                queue.append(target)
    return ()
