"""Sessions that the tests of one process share: plugins and the library are read once."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from pathlib import Path

import pytest

from accelscope.core.library.sources import Library
from accelscope.core.plugin.records import LibraryFolder
from accelscope.core.plugin.registry import Registry
from accelscope.core.session import Session
from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.interpret.modules import ParsedFile


@cache
def open_session() -> Session:
    """Return a session with all plugins that are installed."""
    return Session.open()


@cache
def built_in_session() -> Session:
    """Return a session with the built-in plugins, whatever else is installed."""
    return Session(Registry.built_in())


def share_syntax_trees(patch: pytest.MonkeyPatch) -> None:
    """Let all libraries share the syntax trees of modules, which every session would parse anew."""
    trees: dict[SourceText, ParsedFile | None] = {}
    create = Library.of

    def create_sharing(folders: Iterable[LibraryFolder], roots: Iterable[Path] = ()) -> Library:
        library = create(folders, roots)
        library.parsed = trees
        return library

    patch.setattr(Library, "of", create_sharing)
