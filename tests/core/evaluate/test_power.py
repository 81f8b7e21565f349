"""Power: a cap costs time, and no error bar leaves what physics allows."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.query.result import Result
from accelscope.core.session import Session


def ask(shell: Session, main_job: str, *sets: str) -> Result:
    return shell.evaluate(main_job, sets=sets)[0]


def value(result: Result, metric: str) -> np.ndarray:
    found = result.metrics[metric].value
    assert found is not None
    return found


def test_a_lower_cap_is_slower_and_draws_no_more_than_it_allows(shell: Session, main_job: str) -> None:
    result = ask(shell, main_job, "batch=64", "tdp=[100 W, 200 W, 300 W, 500 W, 700 W]")
    assert np.all(np.diff(value(result, "ttft")) <= 1e-12)
    assert value(result, "ttft")[0] > 2 * value(result, "ttft")[-1]
    high = result.metrics["power"].high
    assert high is not None
    assert np.all(high <= 8 * np.array([100, 200, 300, 500, 700]) * (1 + 1e-9))


def test_a_cap_leaves_alone_what_draws_less(shell: Session, main_job: str) -> None:
    result = ask(shell, main_job, "tdp=[500 W, 700 W]")
    assert value(result, "tpot")[0] == pytest.approx(value(result, "tpot")[1])


def test_energy_is_power_times_time(shell: Session, main_job: str) -> None:
    result = ask(shell, main_job, "batch=[1, 16, 128]")
    tokens = np.array([1, 16, 128]) * 256
    energy = value(result, "power") * value(result, "e2e_latency") / tokens
    assert value(result, "energy_per_token") == pytest.approx(energy)


def test_error_bars_stay_within_peaks(shell: Session, main_job: str) -> None:
    result = ask(shell, main_job, "batch=[1, 8, 64, 256]", "tp=[1, 2, 4, 8]")
    for name in ("mfu", "mbu"):
        high = result.metrics[name].high
        assert high is not None
        assert np.all(high <= 1)
    weights = 2 * (70_553_706_496 - 128_256 * 8192)
    floor = weights / (np.array([1, 2, 4, 8]) * 3.3524e12)
    low = result.metrics["tpot"].low
    assert low is not None
    assert np.all(low >= floor * (1 - 1e-3))
