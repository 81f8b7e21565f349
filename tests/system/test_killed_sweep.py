"""A sweep that is killed again and again ends with the bytes of one that nobody disturbed."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from collections import Counter
from pathlib import Path

import pytest

from accelscope.core.sweep.store.folder import read_manifest
from accelscope.core.sweep.store.reader import open_store
from tests.support import made_up
from tests.support.budgets import Budget
from tests.support.paths import ROOT, prepend_python_path

PAUSE = 0.02


@pytest.mark.skipif(os.name == "nt", reason="there is no kill -9")
def test_kills_lose_nothing_and_count_nothing_twice(tmp_path: Path, budget: Budget) -> None:
    kills = budget.choose(normal=5, full=50)
    chunks = 12 * kills
    chosen, folder = random.Random(6), tmp_path / "s"
    done: set[str] = set()
    grew = 0
    for _ in range(kills):
        process = started(folder, chunks)
        wait_for(folder, len(done) + chosen.randrange(6))
        time.sleep(chosen.uniform(0.0, 2 * PAUSE))
        process.kill()
        process.wait()
        now = parts(folder)
        assert now >= done
        grew += now > done
        done = now
    assert grew > kills // 2
    assert len(done) < chunks
    assert started(folder, chunks, pause=0.0).wait() == 0
    made_up.swept(tmp_path / "undisturbed", chunks=chunks)
    assert made_up.held(folder) == made_up.held(tmp_path / "undisturbed")
    assert open_store(folder).to_arrow().num_rows == read_manifest(folder)["points"]
    assert max(logged(folder).values()) == 1


def started(folder: Path, chunks: int, pause: float = PAUSE) -> subprocess.Popen[bytes]:
    code = "from tests.support import made_up; made_up.main()"
    command = [sys.executable, "-c", code, str(folder), str(chunks), str(pause)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONPATH": prepend_python_path(ROOT)})


def parts(folder: Path) -> set[str]:
    return {path.name for path in (folder / "parts").rglob("*.parquet")}


def wait_for(folder: Path, count: int) -> None:
    """Wait until a store has so many parts; a process that starts on it may be killed before it has any."""
    until = time.monotonic() + 30
    while len(parts(folder)) < count:
        assert time.monotonic() < until
        time.sleep(0.005)


def logged(folder: Path) -> Counter[int]:
    """How often each chunk was evaluated, as far as the process lived to say so; a last line may be cut off."""
    found: Counter[int] = Counter()
    for line in (folder / "log.jsonl").read_text().splitlines():
        try:
            event = json.loads(line)
        except ValueError:
            continue
        if "chunk" in event:
            found[event["chunk"]] += 1
    return found
