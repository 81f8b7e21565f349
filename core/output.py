"""Where results go: standard output, or a file that appears only once it is complete."""

from __future__ import annotations

import os
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TextIO

from accelscope.core.errors import UsageError

STDOUT = "-"


@contextmanager
def opened(name: str | None) -> Iterator[TextIO]:
    """Give a stream to write to; a file is renamed into place at the end, and untouched if anything fails.

    Args:
        name: of the file; None or "-" is standard output.

    Raises:
        UsageError: the file cannot be written. It is raised before the body runs, but for a full disk.
    """
    if name is None or name == STDOUT:
        yield sys.stdout
        return
    path = Path(os.path.realpath(name))
    _refuse_unwritable(name, path)
    if path.exists() and not path.is_file():  # a pipe or a device: nothing to rename
        with path.open("w", encoding="utf-8") as stream:
            yield stream
        return
    temporary = _temporary(name, path)
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
        _finish(name, temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def write_text(name: str, text: str) -> None:
    """Replace a file by a text, completely or not at all; raise UsageError where it cannot be written."""
    with opened(name) as stream:
        stream.write(text)


def _refuse_unwritable(name: str, path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"cannot write `{name}`: it is a directory")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write `{name}`: there is no folder `{os.path.dirname(name)}`")
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError(f"cannot write `{name}`: permission denied")


def _temporary(name: str, path: Path) -> Path:
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise UsageError(f"cannot write `{name}`: {(error.strerror or str(error)).lower()}") from error
    os.close(descriptor)
    return Path(temporary)


def _finish(name: str, temporary: Path, path: Path) -> None:
    """Give the file the mode that it would have had, and its name."""
    if path.exists():
        mode = stat.S_IMODE(path.stat().st_mode)
    else:
        mask = os.umask(0)
        os.umask(mask)
        mode = 0o666 & ~mask
    try:
        temporary.chmod(mode)
        temporary.replace(path)
    except OSError as error:
        raise UsageError(f"cannot write `{name}`: {(error.strerror or str(error)).lower()}") from error
