"""Chunks that have no points, and who is at fault."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from attrs import asdict, frozen

from accelscope.core.errors import UsageError


@frozen(kw_only=True)
class Failure:
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


def to_bytes(found: Failure) -> bytes:
    """Return what a store keeps of a failure; it has no times, so the same failure gives the same bytes."""
    return (json.dumps(asdict(found), indent=2, ensure_ascii=False) + "\n").encode()


def read(path: Path) -> Failure:
    """Return a failure of a store."""
    try:
        fields: dict[str, Any] = json.loads(path.read_bytes())
        return Failure(**fields)
    except (ValueError, TypeError) as error:
        raise UsageError(f"`{path}` is no record of a failure: {error}") from error


def told(failures: Iterable[Failure], most: int = 8) -> tuple[str, ...]:
    """Return one line for each reason, the most frequent first: how many chunks and points it cost."""
    chunks: Counter[str] = Counter()
    points: Counter[str] = Counter()
    for item in failures:
        chunks[item.reason] += 1
        points[item.reason] += item.points
    lines = [
        f"{count:,} {'chunk' if count == 1 else 'chunks'} ({points[reason]:,} points): {reason}"
        for reason, count in sorted(chunks.items(), key=lambda item: (-item[1], item[0]))
    ]
    more = [f"... and {len(lines) - most} other reasons"] if len(lines) > most else []
    return (*lines[:most], *more)
