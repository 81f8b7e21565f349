"""Texts from disk and standard input: sizes are known before bytes are read, and what is wrong is a diagnostic."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText
from accelscope.dsl.diagnostics.limits import MAX_FILE_BYTES
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.syntax.decode import decode_source

ACCEL_SUFFIX = ".accel"
STDIN = "-"
STDIN_NAME = "<stdin>"


def read_text_file(path: Path, name: str, *, only_regular: bool = False) -> SourceText | Diagnostic:
    """Return the text of a file.

    Args:
        path: of the file.
        name: how messages call it.
        only_regular: refuse pipes and devices.
    """
    try:
        status = path.stat()
        if stat.S_ISDIR(status.st_mode):
            return diagnose_unreadable(name, "it is a directory", _inside(path))
        if only_regular and not stat.S_ISREG(status.st_mode):
            return diagnose_unreadable(name, "it is not an ordinary file")
        if status.st_size > MAX_FILE_BYTES:
            return _text(name, b"\n" * (MAX_FILE_BYTES + 1))
        with path.open("rb") as stream:
            data = stream.read(MAX_FILE_BYTES + 1)
    except FileNotFoundError:
        return diagnose_unreadable(name, "there is no such file", _sibling(path))
    except (OSError, ValueError) as error:
        return diagnose_unreadable(name, getattr(error, "strerror", None) or str(error))
    return _text(name, data)


def read_stdin() -> SourceText | Diagnostic:
    """Return the text of standard input."""
    return _text(STDIN_NAME, sys.stdin.buffer.read(MAX_FILE_BYTES + 1))


def diagnose_unreadable(name: str, why: str, help: str | None = None) -> Diagnostic:
    """Return the diagnostic of a text that cannot be read."""
    return Diagnostic(code="A501", message=f"cannot read `{name}`: {why[:1].lower()}{why[1:]}", help=help)


def split_file_argument(argument: str) -> tuple[str, str]:
    """Return the file of `FILE.accel:NAME`, empty for a name of the library, and the rest."""
    file, suffix, rest = argument.partition(ACCEL_SUFFIX + ":")
    return (file + ACCEL_SUFFIX, rest) if suffix else ("", argument)


def _text(name: str, data: bytes) -> SourceText | Diagnostic:
    source, problems = decode_source(name, data)
    return problems[0] if source is None else source


def _sibling(path: Path) -> str | None:
    try:
        names = [item.name for item in path.parent.iterdir() if item.is_file()]
    except (OSError, ValueError):
        return None
    return did_you_mean(path.name, names)


def _inside(path: Path) -> str | None:
    names = sorted(item.name for item in path.glob("*" + ACCEL_SUFFIX))[:3]
    return f"it holds {', '.join(f'`{name}`' for name in names)}" if names else None
