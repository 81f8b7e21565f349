"""A question whose chunks are made up, so that processes start at once; importable by the processes that answer it."""

from __future__ import annotations

import os
import sys
import time
from functools import partial
from pathlib import Path

import numpy as np
from attrs import define, frozen

from accelscope.core.sweep.store.folder import open_writable_store
from accelscope.core.sweep.store.parts import StoreColumn
from accelscope.core.sweep.workers.dispatch import DispatchLimits, dispatch_into_store
from accelscope.core.sweep.workers.local_pool import evaluate_in_pool

POINTS = 64
"""Of a chunk."""


@frozen
class MadeUpChunk:
    number: int
    first: int
    size: int = POINTS


@define
class Feasible:
    count: int

    def merge(self, other: Feasible) -> None:
        self.count += other.count


@frozen
class MadeUpDesk:
    pause: float
    moods: dict[int, str]
    place: str

    columns = (
        StoreColumn(name="batch", axis=True),
        StoreColumn(name="feasible", type="yes or no"),
        StoreColumn(name="tpot", unit="s/tok"),
    )

    def evaluated(self, chunk: MadeUpChunk) -> dict[str, np.ndarray]:
        self._be_in(self.moods.get(chunk.number, ""), chunk.number)
        time.sleep(self.pause)
        batch = np.arange(chunk.first, chunk.first + chunk.size, dtype=float)
        return {"batch": batch, "feasible": batch % 2 == 0, "tpot": np.sqrt(batch) / 1000}

    def digest(self, table: dict[str, np.ndarray], chunk: MadeUpChunk) -> Feasible:
        return Feasible(int(table["feasible"].sum()))

    def grid(self, chunk: MadeUpChunk) -> tuple[int, ...]:
        return (chunk.size,)

    def _be_in(self, mood: str, number: int) -> None:
        if mood == "raises":
            raise RuntimeError("out of order")
        if mood == "dies":
            os._exit(9)
        if mood == "hangs":
            time.sleep(1e6)
        if mood == "dies once":
            mark = Path(self.place) / f"died-{number}"
            if not mark.exists():
                mark.touch()
                os._exit(9)


@frozen
class MadeUp:
    """Implements what `accelscope.core.sweep.workers` asks."""

    chunks: int
    pause: float = 0.0
    moods: tuple[tuple[int, str], ...] = ()
    place: str = ""
    fingerprint: str = "made up"

    def desk(self) -> MadeUpDesk:
        if ("desk", "wrong") in self.moods:
            raise RuntimeError("other programs")
        return MadeUpDesk(self.pause, dict(self.moods), self.place)

    def pieces(self):
        return (MadeUpChunk(number, number * POINTS) for number in range(self.chunks))

    def manifest(self) -> dict[str, object]:
        columns = [
            {"name": item.name, "unit": item.unit, "type": item.type, "axis": item.axis}
            for item in MadeUpDesk.columns
        ]
        return {
            "asked": "study made_up",
            "points": self.chunks * POINTS,
            "chunks": self.chunks,
            "axes": [
                {"name": "batch", "unit": "", "values": [float(at) for at in range(self.chunks * POINTS)]}
            ],
            "columns": columns,
        }


def swept(
    folder, *, jobs=2, resume=False, seconds=30.0, stop=False, time=None, runner=None, told=None, **asked
):
    """Answer a made-up question into a store, with a pool of processes unless there is another runner."""
    made = MadeUp(**asked)
    with open_writable_store(folder, made.manifest(), resume=resume) as store:
        work = partial(runner, made) if runner else partial(evaluate_in_pool, made, jobs=jobs)
        return dispatch_into_store(
            store, made.pieces(), work, DispatchLimits(seconds=seconds, time=time, stop=stop), told=told
        )


def held(folder: Path) -> dict[str, bytes]:
    """Everything in a store that has to be the same."""
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name not in ("log.jsonl", "lock")
    }


def main() -> None:
    """Be a process that a test kills."""
    folder, chunks, pause = sys.argv[1:]
    swept(Path(folder), resume=True, chunks=int(chunks), pause=float(pause))
