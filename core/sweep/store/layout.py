"""Which file of a store holds what.

DIR/manifest.json                the question: what the same input gives the same bytes for
DIR/parts/000012/000012345.parquet   the points of chunk 12345
DIR/failures/000012345.json      why chunk 12345 has no part
DIR/log.jsonl                    when what was done and how long it took; the only file with times
DIR/lock                         held by the process that writes
"""

from __future__ import annotations

from pathlib import Path

MANIFEST = "manifest.json"
PARTS = "parts"
FAILURES = "failures"
LOG = "log.jsonl"
LOCK = "lock"
GROUP = 1_000
"""Parts of one folder: folders of millions of files are slow on many file systems."""
SUFFIX = ".parquet"


def part(folder: Path, number: int) -> Path:
    """Return the file of a chunk's points; files sorted by name are in the order of chunks."""
    return folder / PARTS / f"{number // GROUP:06d}" / f"{number:09d}{SUFFIX}"


def failure(folder: Path, number: int) -> Path:
    """Return the file that says why a chunk has no part."""
    return folder / FAILURES / f"{number:09d}.json"
