"""What travels to a process that evaluates chunks, and what comes back: the question and small records, no data."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Literal, Protocol

from attrs import frozen

from accelscope.core.numeric.term import Array
from accelscope.core.sweep.evaluator import ChunkDigest, ChunkEvaluator
from accelscope.core.sweep.store.failures import ChunkFailure, ChunkLike

DEFAULT_CHUNK_SECONDS = 600.0
"""Time for a chunk unless told otherwise; ours take seconds, so that what takes this long does not end."""


class WorkerJob(Protocol):
    """A question that can be pickled, and answered by any process that has the same programs."""

    @property
    def fingerprint(self) -> str:
        """What tells it from other questions."""

    def desk(self) -> ChunkEvaluator:
        """Return where its chunks are evaluated; whatever it raises ends the sweep."""


@frozen(kw_only=True, eq=False)
class ChunkOrder:
    """A chunk to evaluate.

    Attributes:
        keep: what becomes of its points: written to the folder as a part, sent back as a `part` or as a `table`, or
            `nothing` beyond the digest.
        folder: of the store.
        known: whether the store has its part already, so that only its digest is wanted.
        seconds: it may take.
    """

    chunk: ChunkLike
    keep: Literal["folder", "part", "table", "nothing"] = "nothing"
    folder: Path = Path()
    known: bool = False
    seconds: float = DEFAULT_CHUNK_SECONDS


@frozen(kw_only=True, eq=False)
class ChunkOutcome:
    """What became of a chunk: it was evaluated or read, or failed, or could not be written.

    Attributes:
        chunk, first, points: number of the chunk, and of its first point; how many it has.
        seconds: that it took.
        digest: what the desk tells of it, or of it and others that have none of their own.
        failure: why it was not evaluated.
        part, table: its points, where they are sent back.
        known: whether it was in the store before.
        must_read_part: whether it was, and could not be read where it was ordered.
        write_error: why the folder could not be written, which is nobody's fault here.
    """

    chunk: int
    first: int
    points: int
    seconds: float = 0.0
    digest: ChunkDigest | None = None
    failure: ChunkFailure | None = None
    part: bytes | None = None
    table: Mapping[str, Array] | None = None
    known: bool = False
    must_read_part: bool = False
    write_error: str | None = None

    @classmethod
    def of(cls, chunk: ChunkLike) -> ChunkOutcome:
        """Return the outcome of a chunk of which nothing else is known."""
        return cls(chunk=chunk.number, first=chunk.first, points=chunk.size)
