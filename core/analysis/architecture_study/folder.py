"""The folder of a study: its files, its blocks by kind, and where a text gets each definition from."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from attrs import frozen

from accelscope.core.analysis.jobs.jobs import JobEvaluator
from accelscope.core.analysis.scenario_text import UsedDefinition
from accelscope.core.bind.binder import Binder
from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.io.files import ACCEL_SUFFIX
from accelscope.core.spec.spec import read_spec_info
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, has_errors
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.values.values import ListValue, Symbol

if TYPE_CHECKING:
    from accelscope.core.workspace import Workspace
    from accelscope.dsl.check.program import Program

_S = TypeVar("_S")


@frozen(kw_only=True, eq=False)
class StudyFolder:
    """The files of a study, checked."""

    path: Path
    desk: JobEvaluator
    programs: tuple[Program, ...]

    @classmethod
    def open(cls, desk: JobEvaluator, path: Path) -> StudyFolder:
        """Read and check the files of a folder.

        Raises:
            UsageError: it is no folder, or holds no `.accel` file.
            DescriptionError: a file has errors.
        """
        if not path.is_dir():
            raise UsageError(f"`{path}` is no folder; `study` reads the `{ACCEL_SUFFIX}` files of one")
        files = sorted(item for item in path.iterdir() if item.suffix == ACCEL_SUFFIX and item.is_file())
        if not files:
            raise UsageError(f"`{path}` holds no `{ACCEL_SUFFIX}` file")
        return cls(path=path, desk=desk, programs=tuple(_checked(desk, file) for file in files))

    @property
    def session(self) -> Workspace:
        """Plugins and files."""
        return self.desk.session

    def components(self, kind: str) -> Iterator[Component]:
        """Yield the blocks of a kind, file by file."""
        for program in self.programs:
            yield from program.definitions(kind)

    def blocks(self, cls: type[_S]) -> Iterator[tuple[str, _S]]:
        """Yield the label and the values of each block that a spec reads.

        Raises:
            DescriptionError: a block lacks a field.
        """
        for component in self.components(read_spec_info(cls).kind):
            binder = Binder(self.session.registry)
            bound = binder.bind_as(component, cls)
            if bound is None:
                raise DescriptionError(tuple(binder.problems))
            yield component.name, bound

    def used(self, component: Component) -> UsedDefinition:
        """Return where a text gets a definition from: a module of the library, or a file."""
        span = component.span
        assert span is not None  # definitions of texts have places
        name = span.source.name
        module = name.removesuffix(ACCEL_SUFFIX).replace("/", ".")
        if name.endswith(ACCEL_SUFFIX) and module.partition(".")[0] in self.session.library.folders:
            return UsedDefinition(name=component.name, module=module)
        near = Path(name).name
        return UsedDefinition(name=component.name, file=near if (self.path / near).is_file() else name)


def _checked(desk: JobEvaluator, path: Path) -> Program:
    source = desk.session.read(str(path))
    if isinstance(source, Diagnostic):
        raise DescriptionError((source,))
    program = desk.read(source)
    found = program.check()
    if has_errors(found):
        raise DescriptionError(found)
    return program


def read_component_list(value: Any, what: str, *kinds: str) -> tuple[Component, ...]:
    """Return the definitions of a list, each once.

    Args:
        value: of a field that was declared as a listing.
        what: the field, for messages.
        kinds: that they may have.

    Raises:
        DescriptionError: an entry is something else.
    """
    found: dict[str, Component] = {}
    for item in _entries(value):
        if not isinstance(item, Component) or item.kind not in kinds:
            said = item.kind if isinstance(item, Component) else str(getattr(item, "name", item))
            message = f"`{what}` lists definitions of kind {' or '.join(kinds)}, not `{said}`"
            raise DescriptionError((Diagnostic(code="A111", message=message),))
        found.setdefault(item.name, item)
    return tuple(found.values())


def read_word_list(value: Any) -> tuple[str, ...]:
    """Return the symbols or strings of a list."""
    return tuple(item.name if isinstance(item, Symbol) else str(item) for item in _entries(value))


def _entries(value: Any) -> tuple[Any, ...]:
    if isinstance(value, ListValue):
        return tuple(value.items)
    return tuple(value or ())
