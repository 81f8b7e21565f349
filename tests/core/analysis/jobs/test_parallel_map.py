"""The parallel map: results in order, whatever the number of processes; errors and lost processes are reported."""

from __future__ import annotations

import os
import time

import pytest

from accelscope.core.analysis.jobs.parallel_map import WorkerError, parallel_map
from accelscope.core.errors import UsageError


def add(state: list[int], item: int) -> int:
    time.sleep(0.02 * (item % 3))
    return state[0] + item


def refuse(state: list[int], item: int) -> int:
    if item == 3:
        raise UsageError(f"{item} is not allowed")
    return item


def leave(state: list[int], item: int) -> int:
    os._exit(9)


@pytest.mark.parametrize("jobs", [1, 2, 5, None])
def test_results_are_in_the_order_of_the_items(jobs: int | None) -> None:
    seen: list[tuple[int, int]] = []
    found = parallel_map(
        add, range(7), jobs=jobs, initializer=lambda: [10], progress=lambda done, of: seen.append((done, of))
    )
    assert found == list(range(10, 17))
    assert seen == [(done, 7) for done in range(1, 8)]


def test_no_items_need_no_process() -> None:
    assert parallel_map(add, (), jobs=4, initializer=lambda: [1]) == []


@pytest.mark.parametrize("jobs", [1, 2])
def test_an_exception_of_an_item_is_raised(jobs: int) -> None:
    with pytest.raises(UsageError, match="3 is not allowed"):
        parallel_map(refuse, range(8), jobs=jobs, initializer=lambda: [0])


def test_a_process_that_ends_is_an_error() -> None:
    with pytest.raises(WorkerError, match="ended without a result"):
        parallel_map(leave, range(4), jobs=2, initializer=lambda: [0])
