"""Where descriptions come from: modules of the plugins' library folders, and files below the evaluated one."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping
from pathlib import Path

from attrs import define, field

from accelscope.core.errors import PluginError
from accelscope.core.io.files import ACCEL_SUFFIX, diagnose_unreadable, read_text_file
from accelscope.core.library.syntax_cache import load_syntax, store_syntax
from accelscope.core.plugin.records import LibraryFolder
from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText
from accelscope.dsl.interpret.modules import ParsedFile
from accelscope.dsl.syntax.parser import parse

CALIBRATION_FOLDER = "calibration"
"""Folder of a library for shipped calibrations, which are found by device and not by name."""


@define(eq=False)
class Library:
    """Reads what a description uses; every text is read once.

    Attributes:
        folders: namespace to folder of the modules.
        roots: folders below which a `use "file"` may read, besides that of the evaluated file.
        parsed: syntax trees of the modules that were used. Trees never change, so libraries may share them.
    """

    folders: dict[str, Path]
    roots: tuple[Path, ...] = ()
    parsed: dict[SourceText, ParsedFile | None] = field(factory=dict)
    _sources: dict[Path, SourceText | Diagnostic] = field(factory=dict)
    _supplied: dict[str, SourceText] = field(factory=dict)
    _own: dict[str, SourceText] = field(factory=dict)
    _places: dict[SourceText, tuple[Path, tuple[Path, ...]]] = field(factory=dict)

    @classmethod
    def of(cls, folders: Iterable[LibraryFolder], roots: Iterable[Path] = ()) -> Library:
        """Return the library of some folders."""
        return cls({folder.name: folder.path for folder in folders}, tuple(root.resolve() for root in roots))

    def open(self, name: str) -> SourceText | Diagnostic:
        """Read a file that a person named; its folder becomes a root of what it uses."""
        path = Path(name)
        found = self._supplied.get(name) or read_text_file(path, name)
        if isinstance(found, SourceText):
            self._own[name] = found
            folder = path.parent.resolve()
            self._places[found] = (path.parent, (folder, *self.roots))
            self._sources.setdefault(folder / path.name, found)
        return found

    def adopt(self, source: SourceText, folder: Path) -> None:
        """Let a text that comes from no file, such as standard input, use files of a folder."""
        self._own[source.name] = source
        self._places[source] = (folder, (folder.resolve(), *self.roots))

    def texts(self) -> dict[str, str]:
        """Return the texts that were read and are no modules of plugins, by name: what another machine needs."""
        return {name: source.text for name, source in sorted(self._own.items())}

    def supply(self, texts: Mapping[str, str]) -> None:
        """Use texts in the place of files of their names, which need not exist here."""
        self._supplied |= {name: SourceText(name, text) for name, text in texts.items()}

    def find_supplied_text(self, name: str) -> SourceText | None:
        """Return the text that was given in the place of a file, if any."""
        return self._supplied.get(name)

    def library(self, name: str) -> SourceText | None:
        """Return the module of a dotted name such as `std.nvidia`, or None where there is none.

        Raises:
            PluginError: the plugin that ships it made it unreadable.
        """
        namespace, _, rest = name.partition(".")
        folder = self.folders.get(namespace)
        parts = rest.split(".")
        if folder is None or not all(part.isidentifier() for part in parts):
            return None
        path = folder.joinpath(*parts[:-1], parts[-1] + ACCEL_SUFFIX)
        if not path.is_file():
            return None
        found = self._cached(path.resolve(), name.replace(".", "/") + ACCEL_SUFFIX)
        if isinstance(found, Diagnostic):
            raise PluginError(f"the library module `{name}` cannot be read: {found.message}")
        self._places.setdefault(found, (path.parent, (folder.resolve(),)))
        self.parsed.setdefault(found)
        return found

    def parse(self, source: SourceText) -> ParsedFile:
        """Return the syntax tree and the findings of a text; modules of plugins are parsed once for all evaluations."""
        if source not in self.parsed:
            return parse(source)
        parsed = self.parsed[source]
        if parsed is None:
            parsed = load_syntax(source)
            if parsed is None:
                parsed = parse(source)
                store_syntax(source, parsed)
            self.parsed[source] = parsed
        return parsed

    def modules(self) -> tuple[str, ...]:
        """Return the dotted names of all modules, sorted."""
        return tuple(
            sorted(
                ".".join((namespace, *path.relative_to(folder).with_suffix("").parts))
                for namespace, folder in self.folders.items()
                for path in folder.rglob("*" + ACCEL_SUFFIX)
            )
        )

    def file(self, path: str, relative_to: SourceText) -> SourceText | Diagnostic:
        """Return the text of a file that another one uses.

        Args:
            path: as written behind `use`.
            relative_to: the text that uses it.
        """
        folder, roots = self._places.get(relative_to, (Path("."), (Path.cwd(), *self.roots)))
        try:
            real = (folder / path).resolve()
        except (OSError, ValueError) as error:
            return diagnose_unreadable(path, str(error))
        if not any(real.is_relative_to(root) for root in roots):
            return Diagnostic(
                code="A504",
                message=f"`{path}` is outside of the folder of the evaluated file",
                notes=(
                    "a description reads files of its own folder and below, so that what it uses travels with it",
                ),
                help="move the file there, or allow its folder with `--root DIR`",
            )
        name = os.path.normpath(folder / path)
        if name in self._supplied:
            self._sources.setdefault(real, self._supplied[name])
        found = self._cached(real, name)
        if isinstance(found, SourceText):
            self._own[found.name] = found
            self._places.setdefault(found, ((folder / path).parent, roots))
        return found

    def _cached(self, real: Path, name: str) -> SourceText | Diagnostic:
        if real not in self._sources:
            self._sources[real] = read_text_file(real, name, only_regular=True)
        return self._sources[real]
