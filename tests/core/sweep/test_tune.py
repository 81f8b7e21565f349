"""`tune`: the best combination at each point, by brute force over a sweep of the same axes."""

from __future__ import annotations

import itertools
import math
from typing import Any

import numpy as np
import pytest

from accelscope.core.session import Session
from accelscope.core.sweep.planner import plan_sweep
from tests.core.sweep.test_chunks import STUDY, joined

AXES = (
    "sweep batch in [1, 8, 64]\nsweep prompt in [256 tok, 4_096 tok]\n"
    "WORD tp in [1, 2, 3, 8]\nWORD deployment.precision.weights in [bf16, fp8]\n"
    "WORD deployment.system in [DGX_H100, DGX_H200] when tp >= 2 or batch <= 8\nWORD pp in [1, 2]\n"
)
AIMS = {
    "cost": "require ttft <= 0.4 s\nminimize cost_per_mtok as usd\nmaximize throughput",
    "two goals": "minimize memory_used\nmaximize throughput as tput",
    "ties": "maximize min(tpot, 1 us/tok)\nminimize ttft",
    "preferred": "prefer tpot <= 3 ms/tok\nprefer ttft <= 30 ms\nminimize energy_per_token",
    "expression": "require tpot <= 20 ms/tok\nminimize ttft + 100 tok * tpot as wait",
}


@pytest.fixture
def both(shell: Session, tmp_path: Any) -> Any:
    """A function from aims to the tuned points and every combination."""

    def tables(aims: str) -> tuple[dict[str, Any], dict[str, Any]]:
        found = []
        for word in ("tune", "sweep"):
            path = tmp_path / f"{word}.accel"
            path.write_text(STUDY.replace("BODY", AXES.replace("WORD", word) + aims))
            found.append(joined(plan_sweep(shell, str(path), None, chunk_points=40)))
        return found[0], found[1]

    return tables


def rank(every: dict[str, Any], row: int, aims: str) -> tuple[float, ...]:
    """What the best combination has the least of, from the columns of a sweep."""
    keys = []
    preferences = {"tpot <= 3 ms/tok": ("tpot", 3e-3), "ttft <= 30 ms": ("ttft", 30e-3)}
    if "prefer" in aims:
        keys.append(sum(every[name][row] > most for name, most in preferences.values()))
    for line in aims.splitlines():
        word, _, rest = line.partition(" ")
        if word in ("minimize", "maximize"):
            name = rest.rpartition(" as ")[2]
            keys.append(every[name][row] * (1 if word == "minimize" else -1))
    return tuple(keys)


def unknown(value: Any) -> bool:
    return isinstance(value, float) and math.isnan(value)


@pytest.mark.parametrize("name", AIMS)
def test_tune_equals_brute_force(both: Any, name: str) -> None:
    tuned, every = both(AIMS[name])
    names = ("deployment.precision.weights", "deployment.system", "tp", "pp")
    seen = set()
    for point in range(tuned["batch"].size):
        same = (every["batch"] == tuned["batch"][point]) & (every["prompt"] == tuned["prompt"][point])
        rows = np.flatnonzero(same & every["allowed"])
        chosen = tuple(tuned[item][point] for item in names)
        seen.add(chosen)
        assert tuned["allowed"][point] == bool(rows.size)
        [at] = [row for row in np.flatnonzero(same) if tuple(every[item][row] for item in names) == chosen]
        for column in set(tuned) - {"batch", "prompt"}:
            one, other = tuned[column][point], every[column][at]
            assert one == other or (unknown(one) and unknown(other)), column
        if rows.size:
            best = min(rank(every, row, AIMS[name]) for row in rows)
            assert rank(every, at, AIMS[name]) == best
    assert len(seen) > 1 or name in ("two goals", "ties")


def test_of_equal_combinations_the_first_counts(shell: Session, tmp_path: Any) -> None:
    path = tmp_path / "ties.accel"
    path.write_text(
        STUDY.replace(
            "BODY",
            "sweep batch in [1, 2]\ntune output in [8 tok, 4 tok, 2 tok]\nminimize ttft\nmaximize mfu * 0",
        )
    )
    plan = plan_sweep(shell, str(path), None)
    assert joined(plan)["output"].tolist() == [8.0, 8.0]


def test_a_point_without_an_allowed_combination_shows_the_one_that_breaks_least(
    shell: Session, tmp_path: Any
) -> None:
    path = tmp_path / "none.accel"
    path.write_text(
        STUDY.replace(
            "BODY",
            "sweep batch in [1, 4]\ntune tp in [3, 8]\nrequire ttft <= 1 us\nrequire tpot <= 1 us/tok\nminimize tpot",
        )
    )
    found = joined(plan_sweep(shell, str(path), None))
    assert not found["allowed"].any()
    assert found["tp"].tolist() == [8.0, 8.0]  # 3 does not divide the heads, on top of what both break
    assert set(found["reason"]) == {"require ttft <= 1 us"}


def test_left_out_combinations_are_never_chosen(shell: Session, tmp_path: Any) -> None:
    path = tmp_path / "when.accel"
    path.write_text(
        STUDY.replace(
            "BODY",
            "sweep batch in 1..8 step x2\ntune tp in [1, 2, 4, 8] when tp <= batch\nminimize tpot",
        )
    )
    found = joined(plan_sweep(shell, str(path), None))
    assert found["tp"].tolist() == [1.0, 2.0, 4.0, 8.0]
    assert found["allowed"].all()


def test_when_leaves_points_out_and_says_so(shell: Session, tmp_path: Any) -> None:
    path = tmp_path / "when.accel"
    path.write_text(
        STUDY.replace("BODY", "sweep tp in [1, 2, 4, 8]\nsweep batch in [1, 2] when tp > batch\n")
    )
    found = joined(plan_sweep(shell, str(path), None))
    for tp, batch, feasible, reason in zip(
        found["tp"], found["batch"], found["feasible"], found["reason"], strict=True
    ):
        assert feasible == (tp > batch)
        assert reason == (None if feasible else "the sweep leaves points out where not tp > batch")


def test_set_takes_a_tuned_axis_away(shell: Session, tmp_path: Any) -> None:
    path = tmp_path / "set.accel"
    path.write_text(STUDY.replace("BODY", "sweep batch in [1, 2]\ntune tp in [1, 2, 4, 8]\nminimize tpot"))
    fixed = plan_sweep(shell, str(path), None, ["tp = 2"])
    assert [axis.name for axis in (*fixed.axes, *fixed.tuned)] == ["batch"]
    swept = plan_sweep(shell, str(path), None, ["tp = [1, 2]"])
    assert [axis.name for axis in swept.axes] == ["tp", "batch"]
    assert not swept.tuned


def test_combinations_are_those_of_all_tuned_axes(shell: Session, tmp_path: Any) -> None:
    path = tmp_path / "count.accel"
    path.write_text(STUDY.replace("BODY", AXES.replace("WORD", "tune") + "minimize tpot"))
    plan = plan_sweep(shell, str(path), None)
    assert plan.points == 6
    assert plan.combinations == len(list(itertools.product(range(4), range(2), range(2), range(2))))
