"""Syntax trees of library modules, kept for the user between runs: parsing the library takes longer than an evaluation.

A tree is found by the hash of its text and of the parser's own code, so a changed text or parser makes a new one. The
file is a pickle in the directory of the grammar's tables, which only the user can write; without such a directory, or if
a file cannot be read, the text is parsed.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import pickle
import sys
from functools import lru_cache
from pathlib import Path
from typing import Any

from accelscope.dsl.diagnostics.diagnostics import SourceText
from accelscope.dsl.interpret.modules import ParsedFile
from accelscope.dsl.syntax.grammar import GRAMMAR_FILE, find_grammar_cache

_FOLDER = "syntax"
_SOURCE = "source"


def load_syntax(source: SourceText) -> ParsedFile | None:
    """Return the kept syntax tree of a text with what is wrong with it, or None if there is none.

    Args:
        source: the text; nodes of the tree refer to this object.
    """
    path = _path_of(source)
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            parsed: ParsedFile = _Reader(file, source).load()
    except Exception:  # noqa: BLE001 - a damaged file raises anything; the text is parsed instead
        return None
    return parsed


def store_syntax(source: SourceText, parsed: ParsedFile) -> None:
    """Keep the syntax tree of a text, if there is a place for it.

    Args:
        source: the text.
        parsed: its syntax tree and findings.
    """
    path = _path_of(source)
    if path is None:
        return
    partial = path.with_name(f"{path.name}.{os.getpid()}")
    with contextlib.suppress(OSError):
        path.parent.mkdir(mode=0o700, exist_ok=True)
        with partial.open("wb") as file:
            _Writer(file, source).dump(parsed)
        partial.replace(path)


class _Writer(pickle.Pickler):
    """Writes the source of a tree as a reference."""

    def __init__(self, file: Any, source: SourceText) -> None:
        super().__init__(file, protocol=pickle.HIGHEST_PROTOCOL)
        self.source = source

    def persistent_id(self, item: Any) -> str | None:
        return _SOURCE if item is self.source else None


class _Reader(pickle.Unpickler):
    """Puts the source in the place of the reference."""

    def __init__(self, file: Any, source: SourceText) -> None:
        super().__init__(file)
        self.source = source

    def persistent_load(self, reference: Any) -> SourceText:
        if reference != _SOURCE:
            raise pickle.UnpicklingError(f"unknown reference {reference!r}")
        return self.source


def _path_of(source: SourceText) -> Path | None:
    folder = find_grammar_cache()
    if folder is None:
        return None
    digest = hashlib.sha256(_parser_key().encode())
    digest.update(f"\0{source.name}\0".encode())
    digest.update(source.text.encode(errors="surrogatepass"))
    return folder / _FOLDER / f"{digest.hexdigest()}.pickle"


@lru_cache(maxsize=1)
def _parser_key() -> str:
    """Return what a tree depends on besides its text: Python, and the files of the parser by size and time."""
    folders = (GRAMMAR_FILE.parent, GRAMMAR_FILE.parent.parent / "diagnostics")
    files = sorted(path for folder in folders for path in folder.iterdir() if path.is_file())
    stats = [(path.name, path.stat()) for path in files]
    return repr([sys.implementation.cache_tag, *((name, at.st_size, at.st_mtime_ns) for name, at in stats)])
