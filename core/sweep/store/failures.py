"""Chunks that have no points, and who is at fault."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Protocol

from attrs import asdict, frozen

from accelscope.core.errors import AccelscopeError, DescriptionError, PluginError, UsageError


@frozen(kw_only=True)
class ChunkFailure:
    """Why a chunk was not evaluated.

    Attributes:
        first, points: its place among the points of the sweep, and how many are missing.
        reason: a sentence.
        plugin, distribution: that are at fault; None where it is not known, or no plugin is.
    """

    chunk: int
    first: int
    points: int
    reason: str
    plugin: str | None = None
    distribution: str | None = None


class ChunkLike(Protocol):
    """A chunk, as far as a failure tells of it."""

    @property
    def number(self) -> int:
        """Its place in the plan."""

    @property
    def first(self) -> int:
        """Number of its first point in the whole sweep."""

    @property
    def size(self) -> int:
        """Points."""


def make_chunk_failure(
    chunk: ChunkLike, reason: str, plugin: str | None = None, distribution: str | None = None
) -> ChunkFailure:
    """Return why a chunk was not evaluated."""
    return ChunkFailure(
        chunk=chunk.number,
        first=chunk.first,
        points=chunk.size,
        reason=reason,
        plugin=plugin,
        distribution=distribution,
    )


def make_failure_from_error(chunk: ChunkLike, error: BaseException) -> ChunkFailure:
    """Return why a chunk was not evaluated that raised an error."""
    if isinstance(error, PluginError):
        return make_chunk_failure(chunk, str(error), error.plugin, error.distribution)
    if isinstance(error, DescriptionError):
        return make_chunk_failure(chunk, "; ".join(item.message for item in error.diagnostics))
    if isinstance(error, AccelscopeError | MemoryError):
        return make_chunk_failure(chunk, str(error) or type(error).__name__)
    return make_chunk_failure(chunk, f"internal error: {type(error).__name__}: {error}")


def encode_failure(found: ChunkFailure) -> bytes:
    """Return what a store keeps of a failure; it has no times, so the same failure gives the same bytes."""
    return (json.dumps(asdict(found), indent=2, ensure_ascii=False) + "\n").encode()


def read_failure(path: Path) -> ChunkFailure:
    """Return a failure of a store."""
    try:
        fields: dict[str, Any] = json.loads(path.read_bytes())
        return ChunkFailure(**fields)
    except (ValueError, TypeError) as error:
        raise UsageError(f"`{path}` is no record of a failure: {error}") from error


def summarize_failures(failures: Iterable[ChunkFailure], most: int = 8) -> tuple[str, ...]:
    """Return one line for each reason, the most frequent first: how many chunks and points it cost."""
    chunks: Counter[str] = Counter()
    points: Counter[str] = Counter()
    for item in failures:
        chunks[item.reason] += 1
        points[item.reason] += item.points
    lines = [
        f"{count:,} {'chunk' if count == 1 else 'chunks'} ({points[reason]:,} points) failed: {reason}"
        for reason, count in sorted(chunks.items(), key=lambda item: (-item[1], item[0]))
    ]
    more = [f"chunks failed for {len(lines) - most} other reasons"] if len(lines) > most else []
    return (*lines[:most], *more)
