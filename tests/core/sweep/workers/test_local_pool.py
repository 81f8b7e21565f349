"""Processes that evaluate chunks: any number of them gives the same store, and what fails costs its chunk only."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelscope.core.errors import PluginError, UsageError
from accelscope.core.sweep.workers.dispatch import DispatchResult
from tests.support.made_up import held, swept

pytestmark = pytest.mark.smoke


def test_any_number_of_processes_gives_the_same_bytes(tmp_path: Path) -> None:
    for jobs in (1, 3):
        assert swept(tmp_path / f"{jobs}", jobs=jobs, chunks=7) == DispatchResult(
            before=0, chunks_added=7, failures=()
        )
    one, three = held(tmp_path / "1"), held(tmp_path / "3")
    assert one == three
    assert sorted(one) == ["manifest.json", *(f"parts/000000/{at:09d}.parquet" for at in range(7))]


def test_what_raises_costs_its_chunk_and_is_tried_again(tmp_path: Path) -> None:
    found = swept(tmp_path / "s", chunks=5, moods=((2, "raises"),))
    assert [(item.chunk, item.first, item.points) for item in found.failures] == [(2, 128, 64)]
    assert "out of order" in found.failures[0].reason
    again = swept(tmp_path / "s", chunks=5, resume=True)
    assert again == DispatchResult(before=4, chunks_added=1, failures=())
    swept(tmp_path / "undisturbed", chunks=5)
    assert held(tmp_path / "s") == held(tmp_path / "undisturbed")


def test_the_first_failure_can_stop_the_run(tmp_path: Path) -> None:
    with pytest.raises(PluginError, match="out of order"):
        swept(tmp_path / "s", jobs=1, stop=True, chunks=9, moods=((1, "raises"),))
    assert swept(tmp_path / "s", resume=True, chunks=9).before < 8


def test_time_that_is_over_ends_the_run_and_keeps_what_is_done(tmp_path: Path) -> None:
    found = swept(tmp_path / "s", jobs=1, chunks=40, pause=0.05, time=0.5)
    assert found.stopped == "the 0.5 s of `limits { time }` are over"
    assert 0 < found.chunks_added < 40
    assert swept(tmp_path / "s", resume=True, chunks=40).before >= found.chunks_added


def test_what_hangs_is_ended_and_costs_its_chunk(tmp_path: Path) -> None:
    found = swept(tmp_path / "s", seconds=2.0, chunks=4, moods=((0, "hangs"),))
    assert found.chunks_added == 3
    assert [item.reason for item in found.failures] == ["took longer than 2 s"]


def test_a_process_that_dies_is_replaced(tmp_path: Path) -> None:
    moods = ((1, "dies once"), (3, "dies"))
    found = swept(tmp_path / "s", chunks=5, moods=moods, place=str(tmp_path))
    assert found.chunks_added == 4
    assert [(item.chunk, item.reason) for item in found.failures] == [
        (3, "the process that evaluated it ended 3 times: exit code 9")
    ]


def test_a_process_that_cannot_answer_ends_the_sweep(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="other programs"):
        swept(tmp_path / "s", chunks=2, moods=(("desk", "wrong"),))
