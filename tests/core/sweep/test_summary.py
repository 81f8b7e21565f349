"""The summary of a sweep: counts, the front and the best points, the same in whatever order chunks come."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from accelscope.core.errors import PluginError, UsageError
from accelscope.core.query.pareto import drop_dominated, find_pareto_front
from accelscope.core.session import Session
from accelscope.core.sweep.plan import SweepPlan
from accelscope.core.sweep.planner import plan_sweep
from accelscope.core.sweep.run import run_sweep
from accelscope.core.sweep.summary import create_sweep_summary
from tests.core.sweep.test_chunks import STUDY, joined

BODY = """
  sweep deployment.system in [DGX_H100, DGX_H200]
  sweep batch in 1..64 step x2
  sweep prompt in 256 tok .. 8_192 tok step x2
  tune tp in [1, 2, 3, 8]
  require ttft <= 0.3 s
  minimize cost_per_mtok as usd
  maximize throughput
  report { pareto = [usd, tpot], group_by = [deployment.system] }
"""

costs = st.lists(st.tuples(*[st.integers(0, 6)] * 3), max_size=40)


def dominated(row: Any, others: Any) -> bool:
    return any(np.all(other <= row) and np.any(other < row) for other in others)


@given(costs, st.integers(1, 3))
def test_a_front_holds_what_no_other_point_dominates(rows: list[tuple[int, ...]], width: int) -> None:
    table = np.array(rows, dtype=float).reshape(-1, 3)[:, :width]
    found = find_pareto_front(table)
    expected = {tuple(row) for row in table if not dominated(row, table)}
    assert [tuple(table[at]) for at in found] == sorted(expected)
    for at in found:  # of equal rows the first
        assert not np.any(np.all(table[:at] == table[at], axis=1))


@given(costs, costs, st.integers(2, 3))
def test_what_is_dropped_early_is_dominated(
    rows: list[tuple[int, ...]], known: list[tuple[int, ...]], width: int
) -> None:
    table = np.array(rows, dtype=float).reshape(-1, 3)[:, :width]
    there = np.array(known or [(3, 3, 3)], dtype=float)[:, :width]
    there = there[find_pareto_front(there)]
    dropped = set(range(len(table))) - set(drop_dominated(table, there).tolist())
    assert all(dominated(table[at], there) for at in dropped)


@pytest.fixture
def plan(shell: Session, tmp_path: Any) -> SweepPlan:
    path = tmp_path / "study.accel"
    path.write_text(STUDY.replace("BODY", BODY))
    return plan_sweep(shell, str(path), None, chunk_points=64)


def summarized(plan: SweepPlan, order: Any = list) -> Any:
    summary = create_sweep_summary(plan)
    for chunk in order(list(plan.chunks())):
        summary.add(plan.evaluate(chunk), chunk.first)
    return summary


def test_a_summary_is_that_of_all_points(plan: SweepPlan) -> None:
    found, points = summarized(plan), joined(plan)
    allowed = points["allowed"]
    assert (found.points, found.feasible, found.allowed) == (84, points["feasible"].sum(), allowed.sum())
    assert 0 < found.allowed < found.points
    assert sum(found.reasons.values()) == found.points - found.allowed
    table = np.stack([points["usd"], points["tpot"]], axis=1)[allowed]
    expected = sorted(tuple(row) for row in table if not dominated(row, table))
    front = [tuple(row["metrics"][name]["value"] for name in ("usd", "tpot")) for row in found.pareto()]
    assert front == expected
    assert len(front) > 2
    best = found.best()
    assert best["usd"]["metrics"]["usd"]["value"] == points["usd"][allowed].min()
    assert best["throughput"]["metrics"]["throughput"]["value"] == points["throughput"][allowed].max()
    assert set(best["usd"]["tuned"]) == {"tp"}


def test_the_order_of_chunks_does_not_matter(plan: SweepPlan) -> None:
    one = summarized(plan)
    for order in (reversed, lambda chunks: sorted(chunks, key=lambda chunk: chunk.number * 7 % 5)):
        other = summarized(plan, order)
        assert other.pareto() == one.pareto()
        assert other.best() == one.best()
        assert other.reasons == one.reasons


def test_groups_are_summaries_of_their_points(plan: SweepPlan) -> None:
    found = summarized(plan)
    assert list(found.groups) == [("DGX_H100",), ("DGX_H200",)]
    for (name,), group in found.groups.items():
        assert group.points == 42
        assert {row["point"]["deployment.system"] for row in group.pareto()} == {name}
    assert sum(group.allowed for group in found.groups.values()) == found.allowed


def test_a_goal_that_is_a_metric_has_its_unit(plan: SweepPlan) -> None:
    units = {column.name: column.unit for column in plan.columns}
    assert units["usd"] == units["cost_per_mtok"] == "USD/Mtok"
    points = joined(plan)
    assert np.array_equal(points["usd"], points["cost_per_mtok"])


@pytest.mark.parametrize(
    ("report", "words"),
    [
        ("report { pareto = [usd, tpt] }", "no `tpt` to trade off; did you mean `tpot`"),
        ("report { group_by = [output] }", "`group_by` names `output`, which is not swept"),
    ],
)
def test_what_a_report_names_has_to_be_there(shell: Session, tmp_path: Any, report: str, words: str) -> None:
    path = tmp_path / "study.accel"
    path.write_text(STUDY.replace("BODY", BODY.replace(BODY.splitlines()[8], report)))
    plan = plan_sweep(shell, str(path), None)
    with pytest.raises(UsageError, match=words):
        create_sweep_summary(plan)


# ---- what goes wrong on the way


def pieces(plan: SweepPlan, bad: int, error: BaseException) -> Any:
    for chunk in plan.chunks():
        if chunk.number == bad and not isinstance(error, Exception):
            raise error
        yield chunk, error if chunk.number == bad else plan.evaluate(chunk)


def done(plan: SweepPlan, bad: int, error: BaseException) -> Any:
    written = []
    summary = create_sweep_summary(plan)
    found = run_sweep(
        plan, summary, lambda table: written.append(table["batch"].size), done=pieces(plan, bad, error)
    )
    assert sum(written) == summary.points
    return found


def test_a_chunk_that_fails_costs_that_chunk(plan: SweepPlan) -> None:
    found = done(plan, 1, PluginError("plugin `x`: broken"))
    sizes = [chunk.size for chunk in plan.chunks()]
    assert [(item.chunk, item.first, item.reason) for item in found.chunk_failures] == [
        (1, sizes[0], "plugin `x`: broken")
    ]
    assert found.summary.points == sum(sizes) - sizes[1]
    assert found.stopped is None


def test_a_study_may_stop_at_the_first_failure(shell: Session, tmp_path: Any) -> None:
    path = tmp_path / "study.accel"
    path.write_text(STUDY.replace("BODY", BODY + "  limits { on_error = stop }\n"))
    plan = plan_sweep(shell, str(path), None, chunk_points=64)
    with pytest.raises(PluginError, match="broken"):
        done(plan, 1, PluginError("broken"))


def test_an_interruption_keeps_what_is_done(plan: SweepPlan) -> None:
    found = done(plan, 2, KeyboardInterrupt())
    assert found.interrupted
    assert found.summary.points == sum(chunk.size for chunk in itertools.islice(plan.chunks(), 2))


def test_a_sweep_stops_when_its_time_is_over(shell: Session, tmp_path: Any) -> None:
    path = tmp_path / "study.accel"
    path.write_text(STUDY.replace("BODY", BODY + "  limits { time = 1 us }\n"))
    plan = plan_sweep(shell, str(path), None, chunk_points=64)
    found = run_sweep(plan, create_sweep_summary(plan), lambda table: None)
    assert found.summary.points == next(iter(plan.chunks())).size
    assert "limits { time }" in (found.stopped or "")
