"""Searching a study: close to the true front of a space that can be enumerated, reproducible on one that cannot."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest

from accelscope.core.analysis.optimize.front import (
    hypervolume,
    reference_point,
    require_search_extra,
    select_nondominated,
)
from accelscope.core.analysis.optimize.run import OptimizationResult, optimize_study
from accelscope.core.analysis.optimize.scores import PointScorer
from accelscope.core.analysis.optimize.space import SearchSpace, build_search_space
from accelscope.core.errors import UsageError
from accelscope.core.session import Session
from accelscope.dsl.check.program import load_program
from accelscope.dsl.diagnostics.diagnostics import SourceText

ENUMERATED = Path(__file__).parent / "enumerated.accel"

BASE = """
use std.nvidia { DGX_H100, DGX_H200 }
use std.models { llama3_8b }
workload chat { batch = 16, prompt = 1_024 tok, output = 256 tok }
deployment layout { system = DGX_H100, model = llama3_8b, precision { weights = fp8 }, parallel { tp = 1, pp = 1, dp = 1 } }
scenario chatting { deployment = layout, workload = chat }
"""

WIDE = """
study wide {
  base = chatting
  sweep deployment.system in [DGX_H100, DGX_H200]
  sweep batch in 1..1024 step 1
  sweep workload.prompt in 64 tok .. 8_192 tok step 64 tok
  tune tp in [1, 2, 4, 8]
  tune pp in [1, 2, 4]
  tune dp in [1, 2, 4, 8]
  sweep gpu.hbm.bandwidth in 2 TB/s .. 9 TB/s points 100 lin
  sweep gpu.hbm.capacity in 60 GB .. 300 GB points 100 lin
  sweep gpu.tdp in 400 W .. 1_000 W points 40 lin
"""
"""2 x 1024 x 128 x 48 x 100 x 100 x 40 points: 5e12."""

TWO = "maximize throughput_per_device as each\nminimize tpot\n}"


def space(session: Session, text: str, name: str = "wide", sets: tuple[str, ...] = ()) -> SearchSpace:
    """Return the space of a study in a text."""
    source = SourceText("test.accel", BASE + text)
    session.library.adopt(source, Path())
    return build_search_space(
        load_program(source, session.language()), session.registry, f"study {name}", sets
    )


def every_point(asked: SearchSpace) -> PointScorer:
    """Return a judge that has seen a whole space."""
    judge = PointScorer(space=asked)
    shape = tuple(int(size) for size in asked.sizes)
    judge.scores(np.stack(np.unravel_index(np.arange(asked.points), shape), axis=1))
    return judge


def test_the_front_of_a_large_space_is_found_with_few_evaluations(session: Session) -> None:
    program = session.checked(str(ENUMERATED))
    asked = build_search_space(program, session.registry, "study layouts")
    _, scores = every_point(asked).everything()
    allowed = scores.goals[scores.allowed]
    true = allowed[select_nondominated(allowed)]
    reference, ideal = reference_point(true), true.min(axis=0)
    whole = hypervolume(true, reference, ideal)

    assert asked.points >= 200_000
    for seed in (0, 1, 2):
        found = optimize_study(asked, seed=seed, evaluations=8_000)
        goals = found.scores.goals[found.front]
        assert found.evaluations < 0.02 * asked.points
        assert hypervolume(goals, reference, ideal) > 0.99 * whole


def test_a_space_of_more_than_a_billion_points_gives_the_same_front_for_the_same_seed(
    session: Session,
) -> None:
    asked = space(session, WIDE + TWO)

    one, same, other = (optimize_study(asked, seed=seed, evaluations=400) for seed in (3, 3, 4))

    assert asked.points > 1e12
    assert (one.rows[one.front] == same.rows[same.front]).all()
    assert (one.scores.goals == same.scores.goals).all()
    assert one.rows.shape != other.rows.shape or (one.rows != other.rows).any()


def test_a_small_space_is_evaluated_whole(session: Session) -> None:
    text = "study small { base = chatting\n sweep batch in 1..64 step x2\n tune tp in [1, 2, 4, 8]\n" + TWO
    found = optimize_study(space(session, text, "small"), evaluations=100)

    assert found.whole
    assert found.evaluations == 28
    assert sorted(map(tuple, found.rows[found.front])) == sorted(map(tuple, true_front(found)))


def true_front(found: OptimizationResult) -> list[tuple[int, ...]]:
    """Return the rows that no allowed one dominates, found pair by pair."""
    goals = found.scores.goals[found.scores.allowed]
    rows = found.rows[found.scores.allowed]
    return [
        tuple(row)
        for row, own in zip(rows, goals, strict=True)
        if not any((goal <= own).all() and (goal < own).any() for goal in goals)
    ]


def test_points_are_those_of_a_sweep(session: Session) -> None:
    text = (
        "study same { base = chatting\n sweep deployment.system in [DGX_H100, DGX_H200]\n"
        " sweep batch in 1..64 step x4\n sweep tp in [1, 2, 4]\nminimize tpot\n}"
    )
    from accelscope.core.sweep.run_query import run_query

    asked = space(session, text, "same")
    swept = run_query(asked.asked.program, session.registry, "study same", bars=False)
    rows, scores = every_point(asked).everything()

    column = swept.metrics["tpot"].value
    assert column is not None
    assert scores.goals[:, 0] == pytest.approx(column[tuple(rows.T)], rel=1e-12)
    assert (scores.allowed == swept.feasible[tuple(rows.T)]).all()


def test_requirements_and_when_leave_points_out(session: Session) -> None:
    text = (
        "study kept { base = chatting\n sweep batch in 1..1024 step x2\n tune tp in [1, 2, 4, 8] when tp <= 4\n"
        "require tpot <= 8 ms/tok\n" + TWO
    )
    found = optimize_study(space(session, text, "kept"), evaluations=100)
    best = [found.space.where(row) for row in found.rows[found.front]]

    assert best
    assert all(point["tp"] <= 4 for point in best)  # type: ignore[operator]
    assert (found.scores.goals[found.front, 1] <= 8e-3).all()
    assert not found.scores.allowed.all()


def test_four_goals_are_searched_by_reference_points(session: Session) -> None:
    goals = "minimize ttft\nminimize power\nminimize gpu.hbm.bandwidth as memory\n" + TWO
    found = optimize_study(space(session, WIDE + goals), evaluations=400)

    assert len(found.judge.names) == 5
    assert found.judge.names[2] == "memory"
    assert len(found.front) > 5


def test_a_goal_that_is_not_computed_is_named(session: Session) -> None:
    with pytest.raises(UsageError, match="no metric is called `throughputs`"):
        optimize_study(space(session, WIDE + "maximize throughputs\n}"), evaluations=50)


def test_a_study_without_goals_says_what_to_write(session: Session) -> None:
    with pytest.raises(UsageError, match="write for example `minimize cost_per_mtok`"):
        optimize_study(space(session, WIDE + "}"), evaluations=50)


def test_a_missing_library_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymoo", None)

    with pytest.raises(UsageError, match=r"pip install 'accelscope\[search\]'"):
        require_search_extra()
