"""Which file of a store holds what.

DIR/manifest.json                the question: what the same input gives the same bytes for
DIR/parts/000012/000012345.parquet   the points of chunk 12345
DIR/failures/000012345.json      why chunk 12345 has no part
DIR/log.jsonl                    when what was done and how long it took; the only file with times
DIR/lock                         held by the process that writes
"""

from __future__ import annotations

from pathlib import Path

MANIFEST_FILE = "manifest.json"
PARTS_FOLDER = "parts"
FAILURES_FOLDER = "failures"
LOG_FILE = "log.jsonl"
LOCK_FILE = "lock"
_PARTS_PER_FOLDER = 1_000
"""Parts of one folder: folders of millions of files are slow on many file systems."""
PART_SUFFIX = ".parquet"


def part_path(folder: Path, number: int) -> Path:
    """Return the file of a chunk's points; files sorted by name are in the order of chunks."""
    return folder / PARTS_FOLDER / f"{number // _PARTS_PER_FOLDER:06d}" / f"{number:09d}{PART_SUFFIX}"


def failure_path(folder: Path, number: int) -> Path:
    """Return the file that says why a chunk has no part."""
    return folder / FAILURES_FOLDER / f"{number:09d}.json"
