"""Where results go: standard output, or a file that appears only once it is complete."""

from __future__ import annotations

import os
import select
import stat
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from accelscope.core.errors import UsageError

STDOUT = "-"


@contextmanager
def open_output(name: str | None) -> Iterator[TextIO]:
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
    try:
        if path.exists() and not path.is_file():  # a pipe or a device: nothing to rename
            with path.open("w", encoding="utf-8") as stream:
                yield stream
        else:
            with _replacing(name, path) as stream:
                yield stream
    except OSError as error:  # of writing: whatever else fails in the body has a name of its own
        if error.filename is not None and Path(error.filename) != path:
            raise
        raise _unwritable(name, error) from error


@contextmanager
def _replacing(name: str, path: Path) -> Iterator[TextIO]:
    temporary = _temporary(name, path)
    try:
        with temporary.open("w", encoding="utf-8", newline="\n") as stream:
            yield stream
        _finish(name, temporary, path)
    except BaseException:
        temporary.unlink(missing_ok=True)
        raise


def is_write_error(stream: object, error: OSError) -> bool:
    """Say whether an error is of writing to a stream, and not of the code that writes."""
    if not hasattr(stream, "write") or error.filename is not None:
        return False
    return not isinstance(error, BrokenPipeError) or is_pipe_closed(stream)


def is_pipe_closed(stream: Any) -> bool:
    """Say whether a stream is a pipe or a socket that nobody reads any more."""
    if not hasattr(select, "poll"):  # Windows tells it by the error alone
        return True
    watch = select.poll()
    try:
        watch.register(stream.fileno(), 0)
    except (OSError, ValueError):
        return False
    return any(event & (select.POLLERR | select.POLLHUP) for _, event in watch.poll(0))


def write_text(name: str, text: str) -> None:
    """Replace a file by a text, completely or not at all; raise UsageError where it cannot be written."""
    with open_output(name) as stream:
        stream.write(text)


def _refuse_unwritable(name: str, path: Path) -> None:
    if path.is_dir():
        raise UsageError(f"cannot write `{name}`: it is a directory")
    if not path.parent.is_dir():
        raise UsageError(f"cannot write `{name}`: there is no folder `{os.path.dirname(name)}`")
    if path.exists() and not os.access(path, os.W_OK):
        raise UsageError(f"cannot write `{name}`: permission denied")


def _unwritable(name: str, error: OSError) -> UsageError:
    return UsageError(f"cannot write `{name}`: {(error.strerror or str(error)).lower()}")


def _temporary(name: str, path: Path) -> Path:
    try:
        descriptor, temporary = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    except OSError as error:
        raise _unwritable(name, error) from error
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
        raise _unwritable(name, error) from error
