"""A sweep on a real Dask cluster of four workers survives the loss of workers and of the scheduler."""

from __future__ import annotations

import os
import random
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from accelscope.core.errors import UsageError
from accelscope.core.session import Session
from accelscope.core.sweep.workers import dask_cluster as cluster
from accelscope.core.sweep.workers import dask_worker as remote
from accelscope.core.sweep.workers.dask_cluster import DaskCluster
from accelscope.core.sweep.workers.protocol import ChunkOutcome
from tests.support import made_up
from tests.support.budgets import Budget
from tests.support.paths import ROOT

pytest.importorskip("distributed", reason="dask[distributed] is not installed")
pytestmark = [
    pytest.mark.skipif(os.name == "nt", reason="signals are of Unix"),
    pytest.mark.filterwarnings("ignore"),  # of Dask's own threads, when connections break
]
SCHEDULER = "from distributed.cli.dask_scheduler import main; main()"
WORKER = "from distributed.cli.dask_worker import main; main()"
CHUNKS = 150
JOB = """\
use std.nvidia { DGX_H100 }
use std.models { llama3_8b, llama3_70b }
workload w { batch = 1, prompt = 512 tok, output = 64 tok }
deployment d { system = DGX_H100, model = llama3_8b, parallel { tp = 8 } }
scenario s { deployment = d, workload = w
  sweep deployment.model in [llama3_8b, llama3_70b] }
"""


class Machines:
    """A scheduler and workers, each a process; they may be killed and started anew."""

    def __init__(self, folder: Path) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self.address = f"tcp://127.0.0.1:{self.port}"
        self.folder = folder
        self.scheduler = self.start_scheduler()
        self.workers = [self.start_worker() for _ in range(4)]

    def start_scheduler(self) -> subprocess.Popen[bytes]:
        return self._start(SCHEDULER, "--host", "127.0.0.1", "--port", str(self.port), "--no-dashboard")

    def start_worker(self) -> subprocess.Popen[bytes]:
        return self._start(
            WORKER, self.address, "--no-nanny", "--nthreads", "1", "--no-dashboard", "--death-timeout", "60"
        )

    def kill_worker(self, which: int) -> None:
        self.workers[which].kill()
        self.workers[which].wait()
        self.workers[which] = self.start_worker()

    def restart_scheduler(self) -> None:
        self.scheduler.kill()
        self.scheduler.wait()
        self.scheduler = self.start_scheduler()
        for which in range(4):
            self.kill_worker(which)

    def close(self) -> None:
        for process in (self.scheduler, *self.workers):
            process.kill()
            process.wait()

    def _start(self, code: str, *arguments: str) -> subprocess.Popen[bytes]:
        paths = os.pathsep.join(filter(None, (str(ROOT), *sys.path)))
        with (self.folder / "dask.log").open("a") as log:
            return subprocess.Popen(
                [sys.executable, "-c", code, *arguments],
                env=os.environ | {"PYTHONPATH": paths},
                cwd=self.folder,
                stdout=log,
                stderr=log,
            )


@pytest.fixture
def machines(tmp_path: Path) -> Iterator[Machines]:
    found = Machines(tmp_path)
    yield found
    found.close()


def on(machines: Machines, said: list[str], mark: str = "manifest.json", each_try: float = 30.0):
    def runner(made, orders):
        return DaskCluster(
            made,
            machines.address,
            mark,
            made.chunks,
            said.append,
            reconnect_timeout=60.0,
            connect_timeout=each_try,
        ).evaluated(orders)

    return runner


def test_killed_workers_and_a_restarted_scheduler_change_nothing(
    machines: Machines, tmp_path: Path, budget: Budget
) -> None:
    said: list[str] = []
    told: list[ChunkOutcome] = []
    over = threading.Event()

    def disturb() -> None:
        chosen = random.Random(4)
        parts = tmp_path / "s" / "parts"
        for count in (10, 25, 40, 55, 70, 85) if budget.full else (25, 55):
            while len(list(parts.rglob("*.parquet"))) < count and not over.is_set():
                time.sleep(0.01)
            if count == 55:
                machines.restart_scheduler()
            else:
                machines.kill_worker(chosen.randrange(4))

    thread = threading.Thread(target=disturb)
    thread.start()
    try:
        found = made_up.swept(
            tmp_path / "s", runner=on(machines, said), chunks=CHUNKS, pause=0.05, told=told.append
        )
    finally:
        over.set()
        thread.join()
    assert (found.chunks_added, found.failures) == (CHUNKS, ())
    assert sorted(item.chunk for item in told) == list(range(CHUNKS))
    assert sum(item.digest.count for item in told if item.digest) == CHUNKS * made_up.POINTS // 2
    assert any("lost the scheduler" in line for line in said), said
    made_up.swept(tmp_path / "undisturbed", chunks=CHUNKS)
    assert made_up.held(tmp_path / "s") == made_up.held(tmp_path / "undisturbed")


def test_parts_come_back_where_the_folder_is_not_shared_and_faults_cost_their_chunk(
    machines: Machines, tmp_path: Path
) -> None:
    moods = ((1, "raises"), (3, "dies"), (4, "hangs"))
    runner = on(machines, [], mark="a file that workers do not see")
    found = made_up.swept(tmp_path / "s", runner=runner, chunks=6, moods=moods, seconds=3.0)
    assert [(item.chunk, item.reason.split(": ")[-1]) for item in found.failures] == [
        (1, "out of order"),
        (3, "exit code 9"),
        (4, "took longer than 3 s"),
    ]
    told: list[ChunkOutcome] = []
    again = made_up.swept(tmp_path / "s", runner=runner, chunks=6, resume=True, told=told.append)
    assert again.chunks_added == 3
    assert sorted(item.chunk for item in told if item.must_read_part) == [0, 2, 5]
    made_up.swept(tmp_path / "here", chunks=6)
    assert made_up.held(tmp_path / "s") == made_up.held(tmp_path / "here")


def test_a_real_sweep_has_the_bytes_of_one_on_this_machine(machines: Machines, tmp_path: Path) -> None:
    file, sets = str(tmp_path / "small.accel"), ["batch = 1..8 step 1"]
    Path(file).write_text(JOB)
    session = Session.open()
    there = session.sweep_into(file, str(tmp_path / "there"), sets=sets, cluster=machines.address)
    session.sweep_into(file, str(tmp_path / "here"), sets=sets, jobs=1)
    assert there.to_arrow().num_rows == 16
    assert made_up.held(tmp_path / "there") == made_up.held(tmp_path / "here")


def test_what_does_not_fit_into_a_message_is_handed_out_again(tmp_path: Path, monkeypatch) -> None:
    calls: list[int] = []

    class Future:
        status = "finished"

        def __init__(self, outcomes: object) -> None:
            self.outcomes = outcomes

        def result(self, timeout: float) -> object:
            return self.outcomes

    class Client:
        status = "running"

        def __init__(self, address: str, **_: object) -> None: ...

        def submit(self, function, made, orders, mark, **_: object) -> Future:
            calls.append(len(orders))
            return Future(function(made, orders, mark))

        def nthreads(self) -> dict[str, int]:
            return {"one": 1}

        def run(self, function, **_: object) -> None:
            function()

        def close(self, **_: object) -> None: ...

    monkeypatch.setattr(cluster, "_distributed", lambda: SimpleNamespace(Client=Client))
    monkeypatch.setattr(cluster, "TASK_SECONDS", 100.0)
    monkeypatch.setattr(remote, "_MAX_MESSAGE_BYTES", 1)

    def runner(made, orders):
        return DaskCluster(made, "tcp://one:1", "no such file", 20, print).evaluated(orders)

    found = made_up.swept(tmp_path / "s", runner=runner, chunks=20)
    assert found.chunks_added == 20
    assert max(calls) > 1
    made_up.swept(tmp_path / "here", chunks=20)
    assert made_up.held(tmp_path / "s") == made_up.held(tmp_path / "here")


def test_an_address_without_a_scheduler_says_so(tmp_path: Path) -> None:
    class Nowhere:
        address = "tcp://127.0.0.1:1"

    with pytest.raises(UsageError, match=r"no Dask scheduler answers at tcp://127\.0\.0\.1:1"):
        made_up.swept(tmp_path / "s", runner=on(Nowhere, [], each_try=1.0), chunks=1)
