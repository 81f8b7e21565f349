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
from accelscope.core.sweep.store.failures import ChunkFailure

_MOST_DIFFERENCES = 5
"""That a message shows."""


@define(eq=False)
class SweepStore:
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
        return list_complete_parts(self.folder)

    def failures(self) -> tuple[ChunkFailure, ...]:
        """Return why chunks have no part, in their order."""
        return tuple(
            failures.read_failure(path)
            for path in list_numbered_files(self.folder / layout.FAILURES_FOLDER, ".json")
        )

    def add(self, number: int, data: bytes) -> None:
        """Keep the part of a chunk."""
        with _writing(self.folder):
            add_part(self.folder, number, data)

    def add_failure(self, failure: ChunkFailure) -> None:
        """Keep why a chunk has no part."""
        with _writing(self.folder):
            atomic.write_atomically(
                layout.failure_path(self.folder, failure.chunk), failures.encode_failure(failure)
            )

    def remove_failure(self, number: int) -> None:
        """Forget that a chunk failed, once it has a part."""
        with _writing(self.folder):
            layout.failure_path(self.folder, number).unlink(missing_ok=True)

    def mark(self) -> str:
        """Return the name of a new file by which another machine knows whether it sees this folder; it goes at the end."""
        name = f".seen-{secrets.token_hex(8)}{atomic.TEMPORARY_SUFFIX}"
        with _writing(self.folder):
            (self.folder / name).touch()
        return name

    def log(self, **event: object) -> None:
        """Append an event with the time to the log, which nothing reads back."""
        line = json.dumps({"time": round(time.time(), 3), **event}, ensure_ascii=False)
        with _writing(self.folder), (self.folder / layout.LOG_FILE).open("a", encoding="utf-8") as stream:
            stream.write(line + "\n")


def add_part(folder: Path, number: int, data: bytes) -> None:
    """Keep the part of a chunk; any process that sees the folder may do so, for a part has one content only."""
    atomic.write_atomically(layout.part_path(folder, number), data)


@contextmanager
def open_writable_store(
    name: str | Path, question: Mapping[str, Any], *, resume: bool = False
) -> Iterator[SweepStore]:
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
        lock = (folder / layout.LOCK_FILE).open("w")
    with lock:
        _hold(lock, folder)
        wanted = manifest.seal_manifest(question)
        with _writing(folder):
            _refuse_foreign(folder, wanted, resume)
            atomic.remove_temporary_files(folder)
            if not (folder / layout.MANIFEST_FILE).exists():
                atomic.write_atomically(folder / layout.MANIFEST_FILE, manifest.encode_manifest(wanted))
        try:
            yield SweepStore(folder, wanted)
        finally:
            with _writing(folder):
                atomic.remove_temporary_files(folder)  # of processes that died, here or on another machine


def read_manifest(folder: Path) -> dict[str, Any]:
    """Return the manifest of a store.

    Raises:
        UsageError: the folder is no store.
    """
    path = folder / layout.MANIFEST_FILE
    try:
        found: dict[str, Any] = json.loads(path.read_bytes())
    except FileNotFoundError:
        raise UsageError(f"`{folder}` is no store of a sweep: it has no {layout.MANIFEST_FILE}") from None
    except (OSError, ValueError) as error:
        raise UsageError(f"cannot read `{path}`: {error}") from error
    if not isinstance(found, dict) or found.get("store") != manifest.STORE_FORMAT:
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
    if (folder / layout.MANIFEST_FILE).exists():
        return
    for name in sorted(item.name for item in folder.iterdir()):
        if name not in (layout.LOCK_FILE, layout.LOG_FILE) and not name.endswith(atomic.TEMPORARY_SUFFIX):
            raise UsageError(f"`{folder}` holds `{name}` and no store; a sweep needs a folder of its own")


def _refuse_foreign(folder: Path, wanted: Mapping[str, Any], resume: bool) -> None:
    """Refuse a store of another question, or one that is not to be continued."""
    if not (folder / layout.MANIFEST_FILE).exists():
        return
    there = read_manifest(folder)
    found = list(manifest.find_manifest_differences(there, dict(wanted)))
    if found:
        more = f"\n  ... and {len(found) - _MOST_DIFFERENCES} more" if len(found) > _MOST_DIFFERENCES else ""
        lines = "".join(f"\n  {line}" for line in found[:_MOST_DIFFERENCES])
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


def list_complete_parts(folder: Path) -> Iterator[Path]:
    """Yield the whole parts of a store, in the order of their points."""
    return (
        path
        for path in list_numbered_files(folder / layout.PARTS_FOLDER, layout.PART_SUFFIX)
        if parts.is_complete_part(path)
    )


def list_numbered_files(folder: Path, suffix: str) -> Iterator[Path]:
    """Yield the files of a number below a folder, in their order; what is not complete has another suffix."""
    for path in sorted(folder.rglob(f"*{suffix}")):
        if path.stem.isdecimal():
            yield path


@contextmanager
def _writing(folder: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise unwritable_store_error(folder, error.strerror or str(error)) from error


def unwritable_store_error(folder: Path, why: str) -> UsageError:
    """Return what to tell where a store cannot be written, such as on a full disk."""
    return UsageError(
        f"cannot write to `{folder}`: {why.lower()}; what is done stays, and --resume continues it"
    )
