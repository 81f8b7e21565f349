"""Files that use files: reading, parsing when first needed, and names that come from elsewhere."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Protocol, TypeAlias

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND, POISON, EvaluationFailed, PoisonedValue
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.layers import ComponentLayer
from accelscope.dsl.interpret.members import ScopedStatement
from accelscope.dsl.syntax.nodes import File, UseStatement
from accelscope.dsl.syntax.parser import parse

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Interpreter

ParsedFile: TypeAlias = tuple[File, tuple[Diagnostic, ...]]


class SourceReader(Protocol):
    """Where texts come from; a source's name is unique for each text of one evaluation."""

    def library(self, name: str) -> SourceText | None:
        """Return the text of a library module such as `std.nvidia`, or None."""

    def modules(self) -> Iterable[str]:
        """Return the names of all library modules."""

    def file(self, path: str, relative_to: SourceText) -> SourceText | Diagnostic:
        """Return the text of a file named in another, or what is wrong with it (without a place)."""


class FileComponent(Component):
    """The top level of a file: its definitions are children, and it knows what the file uses."""

    __slots__ = ("module",)

    def __init__(self, session: Interpreter, module: Module, layer: ComponentLayer) -> None:
        super().__init__(session, layer.source.name, "file", None, [layer])
        self.module = module

    @property
    def path(self) -> str:
        """Nothing: paths begin with the name of a definition."""
        return ""

    def value(self, name: str) -> object:
        """Return a definition or `let`, or what the file uses under this name."""
        found = super().value(name)
        return self.module.import_name(name) if found is NOT_FOUND else found

    def has(self, name: str) -> bool:
        """Say whether the file defines or uses a name."""
        return super().has(name) or name in self.module.imports()

    def names(self) -> list[str]:
        """Return what the file defines and uses."""
        return [*super().names(), *self.module.imports()]


class Module:
    """A parsed file and its names."""

    __slots__ = ("_imports", "_values", "name", "root", "session", "source", "targets")

    def __init__(self, session: Interpreter, name: str, file: File) -> None:
        self.session, self.name, self.source = session, name, file.source
        layer = ComponentLayer(file.source, None, statements=file.statements, title=name)
        self.root = FileComponent(session, self, layer)
        self.targets: set[Module] = set()
        self._imports: dict[str, ScopedStatement] | None = None
        self._values: dict[str, object] = {}

    def imports(self) -> dict[str, ScopedStatement]:
        """Return the `use` statement behind every name from elsewhere."""
        if self._imports is None:
            self._imports = {}
            for item in self.root.index().uses:
                for name in list_imported_names(item.statement):
                    self._imports[name] = item
        return self._imports

    def member(self, name: str) -> object:
        """Return what the file itself defines under a name.

        Raises:
            Problem: it does not define it.
        """
        found = Component.value(self.root, name)
        if found is NOT_FOUND:
            known = Component.names(self.root)
            raise EvaluationFailed(
                "A202", f"`{self.name}` defines no `{name}`", help=did_you_mean(name, known)
            )
        return found

    def import_name(self, name: str) -> object:
        """Return what the file uses under a name, or MISSING.

        Raises:
            Poisoned: it is not to be had, which has been reported.
        """
        item = self.imports().get(name)
        if item is None:
            return NOT_FOUND
        if name not in self._values:
            self._values[name] = self.session.run_guarded(
                self.root, name, lambda: self._import(name, item), lambda: _place_of(name, item)
            )
        if self._values[name] is POISON:
            raise PoisonedValue
        return self._values[name]

    def _import(self, name: str, item: ScopedStatement) -> object:
        use = item.statement
        assert isinstance(use, UseStatement)
        module = self.session.modules.used(self, use, item.span)
        return module.member(name) if use.names else module


def list_imported_names(use: object) -> tuple[str, ...]:
    """Return the names that a `use` brings into a file."""
    if not isinstance(use, UseStatement):
        return ()
    if use.names:
        return tuple(name.id for name in use.names)
    stem = PurePosixPath(use.path).stem if use.is_file else use.path.rpartition(".")[2]
    return (use.alias or stem,)


def _place_of(name: str, item: ScopedStatement) -> Span:
    use = item.statement
    for node in use.names if isinstance(use, UseStatement) else ():
        if node.id == name:
            return node.span(item.layer.source)
    return item.span


class ModuleTable:
    """The modules of one evaluation, each read and parsed once."""

    __slots__ = ("_modules", "parsed", "reader", "session")

    def __init__(self, session: Interpreter, reader: SourceReader) -> None:
        self.session, self.reader = session, reader
        self._modules: dict[tuple[str, str], Module] = {}
        self.parsed: dict[tuple[str, str], ParsedFile] = {}

    def of(self, source: SourceText, name: str | None = None) -> Module:
        """Return the module of a text; what is wrong with its grammar is reported when first read."""
        key = (source.name, source.text)
        module = self._modules.get(key)
        if module is None:
            if key not in self.parsed:
                self.parsed[key] = parse(source)
            file, findings = self.parsed[key]
            module = self._modules[key] = Module(self.session, name or source.name, file)
            for finding in findings:
                self.session.report(finding)
        return module

    def used(self, module: Module, use: UseStatement, span: Span) -> Module:
        """Return the module that a `use` names.

        Raises:
            Problem: there is none, or it uses the file that uses it.
            Poisoned: it cannot be read, which has been reported.
        """
        target = self.of(self.source_of(module, use, span), None if use.is_file else use.path)
        way = _way(target, module)
        if way:
            chain = " -> ".join(f"`{step.name}`" for step in (module, *way))
            message = f"`{use.path}` uses the file that uses it"
            raise EvaluationFailed("A203", message, span, notes=(f"the way round: {chain}",))
        module.targets.add(target)
        return target

    def source_of(self, module: Module, use: UseStatement, span: Span) -> SourceText:
        """Return the text that a `use` names, without parsing it.

        Raises:
            Problem: there is none.
        """
        if use.is_file:
            found = self.reader.file(use.path, module.source)
            if isinstance(found, Diagnostic):
                raise EvaluationFailed(found.code, found.message, span, notes=found.notes, help=found.help)
            return found
        source = self.reader.library(use.path)
        if source is None:
            known = list(self.reader.modules())
            raise EvaluationFailed(
                "A204",
                f"no library module is called `{use.path}`",
                span,
                notes=(f"the modules are {', '.join(f'`{name}`' for name in sorted(known))}",)
                if known
                else (),
                help=did_you_mean(use.path, known),
            )
        return source


def _way(start: Module, goal: Module) -> tuple[Module, ...]:
    """Return the modules from one to another along what they use, or nothing."""
    ways: dict[Module, tuple[Module, ...]] = {start: (start,)}
    queue = [start]
    for module in queue:
        if module is goal:
            return ways[module]
        for target in module.targets:
            if target not in ways:
                ways[target] = (*ways[module], target)
                queue.append(target)
    return ()
