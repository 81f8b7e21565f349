"""A store that is written: made, continued, locked; parts and failures are only ever added."""

from __future__ import annotations

import json
import os
import secrets
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TextIO

from attrs import define

from accelscope.core.errors import UsageError
from accelscope.core.sweep.store import atomic, failures, layout, manifest, parts
from accelscope.core.sweep.store.failures import Failure

DIFFERENCES = 5
"""That a message shows."""


@define(eq=False)
class Store:
    """A folder with the parts of one question.

    Attributes:
        folder: that holds everything.
        manifest: of the question.
    """

    folder: Path
    manifest: Mapping[str, Any]

    @property
    def chunks(self) -> int:
        """How many parts it has once everything is done."""
        return int(self.manifest["chunks"])

    def done(self) -> bytearray:
        """Return a one for each chunk that has a whole part."""
        found = bytearray(self.chunks)
        for path in self.parts():
            number = int(path.stem)
            if number < self.chunks:
                found[number] = 1
        return found

    def parts(self) -> Iterator[Path]:
        """Yield the files of the chunks that are done, in the order of their points."""
        return whole_parts(self.folder)

    def failures(self) -> tuple[Failure, ...]:
        """Return why chunks have no part, in their order."""
        return tuple(failures.read(path) for path in files(self.folder / layout.FAILURES, ".json"))

    def add(self, number: int, data: bytes) -> None:
        """Keep the part of a chunk."""
        with _writing(self.folder):
            add_part(self.folder, number, data)

    def fail(self, failure: Failure) -> None:
        """Keep why a chunk has no part."""
        with _writing(self.folder):
            atomic.write(layout.failure(self.folder, failure.chunk), failures.to_bytes(failure))

    def forget(self, number: int) -> None:
        """Forget that a chunk failed, once it has a part."""
        with _writing(self.folder):
            layout.failure(self.folder, number).unlink(missing_ok=True)

    def mark(self) -> str:
        """Return the name of a new file by which another machine knows whether it sees this folder; it goes at the end."""
        name = f".seen-{secrets.token_hex(8)}{atomic.TEMPORARY}"
        with _writing(self.folder):
            (self.folder / name).touch()
        return name

    def log(self, **event: object) -> None:
        """Append an event with the time to the log, which nothing reads back."""
        line = json.dumps({"time": round(time.time(), 3), **event}, ensure_ascii=False)
        with _writing(self.folder), (self.folder / layout.LOG).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def add_part(folder: Path, number: int, data: bytes) -> None:
    """Keep the part of a chunk; any process that sees the folder may do so, for a part has one content only."""
    atomic.write(layout.part(folder, number), data)


@contextmanager
def opened(name: str | Path, question: Mapping[str, Any], *, resume: bool = False) -> Iterator[Store]:
    """Give the store of a question, alone: no other process writes to it meanwhile.

    Args:
        name: of the folder; it is made, but not the one around it.
        question: what the parts are of.
        resume: continue what the folder holds, if anything.

    Raises:
        UsageError: the folder holds something else, or another process writes to it.
    """
    folder = Path(name)
    with _writing(folder):
        _make(folder)
        _refuse_occupied(folder)
        lock = (folder / layout.LOCK).open("w")
    with lock:
        _hold(lock, folder)
        wanted = manifest.sealed(question)
        with _writing(folder):
            _refuse_foreign(folder, wanted, resume)
            atomic.sweep_up(folder)
            if not (folder / layout.MANIFEST).exists():
                atomic.write(folder / layout.MANIFEST, manifest.to_bytes(wanted))
        try:
            yield Store(folder, wanted)
        finally:
            with _writing(folder):
                atomic.sweep_up(folder)  # of processes that died, here or on another machine


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a store.

    Raises:
        UsageError: the folder is no store.
    """
    path = folder / layout.MANIFEST
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"`{folder}` is no store of a sweep: it has no {layout.MANIFEST}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read `{path}`: {error}") from error
    if not isinstance(found, dict) or found.get("store") != manifest.FORMAT:
        raise UsageError(f"`{folder}` is no store that this version of accelscope reads")
    return found


def _make(folder: Path) -> None:
    if folder.exists() and not folder.is_dir():
        raise UsageError(f"cannot write `{folder}`: it is a file, not a folder")
    if not folder.absolute().parent.is_dir():
        raise UsageError(f"cannot write `{folder}`: there is no folder `{folder.absolute().parent}`")
    folder.mkdir(exist_ok=True)


def _refuse_occupied(folder: Path) -> None:
    """Refuse a folder that holds other things than a store."""
    if (folder / layout.MANIFEST).exists():
        return
    for name in sorted(item.name for item in folder.iterdir()):
        if name not in (layout.LOCK, layout.LOG) and not name.endswith(atomic.TEMPORARY):
            raise UsageError(f"`{folder}` holds `{name}` and no store; a sweep needs a folder of its own")


def _refuse_foreign(folder: Path, wanted: Mapping[str, Any], resume: bool) -> None:
    """Refuse a store of another question, or one that is not to be continued."""
    if not (folder / layout.MANIFEST).exists():
        return
    there = read_manifest(folder)
    found = list(manifest.differences(there, dict(wanted)))
    if found:
        more = f"\n  ... and {len(found) - DIFFERENCES} more" if len(found) > DIFFERENCES else ""
        lines = "".join(f"\n  {line}" for line in found[:DIFFERENCES])
        raise UsageError(f"`{folder}` is the store of another question; what differs:{lines}{more}")
    if not resume:
        raise UsageError(f"`{folder}` holds this sweep already, or a part of it; continue it with --resume")


def _hold(lock: TextIO, folder: Path) -> None:
    """Hold the lock of a store until its file is closed, which the end of the process does as well."""
    if os.name != "posix":
        return  # without this call, two processes only do the same work twice: parts have one content
    import fcntl

    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        raise UsageError(f"another process is writing to `{folder}`") from None


def whole_parts(folder: Path) -> Iterator[Path]:
    """Yield the whole parts of a store, in the order of their points."""
    return (path for path in files(folder / layout.PARTS, layout.SUFFIX) if parts.whole(path))


def files(folder: Path, suffix: str) -> Iterator[Path]:
    """Yield the files of a number below a folder, in their order; what is not complete has another suffix."""
    for path in sorted(folder.rglob(f"*{suffix}")):
        if path.stem.isdecimal():
            yield path


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable(folder, error.strerror or str(error)) from error


def unwritable(folder: Path, why: str) -> UsageError:
    """Return what to tell where a store cannot be written, such as on a full disk."""
    return UsageError(
        f"cannot write to `{folder}`: {why.lower()}; what is done stays, and --resume continues it"
    )
