"""The examples of searches run, and the gallery's sentences hold."""

from __future__ import annotations

import json

import numpy as np
import pytest

from accelscope.core.analysis.deployments.figures import plot_deployments
from accelscope.core.analysis.deployments.request import (
    DeploymentRequest,
    build_deployment_problem,
    choose_precisions,
)
from accelscope.core.analysis.deployments.run import (
    DeploymentSearchResult,
    search_deployments,
    select_candidate_systems,
)
from accelscope.core.analysis.optimize.figures import plot_study_front
from accelscope.core.analysis.optimize.report import (
    drop_similar_points,
    format_search_csv,
    format_search_json,
    format_search_table,
)
from accelscope.core.analysis.optimize.run import optimize_study
from accelscope.core.analysis.optimize.space import build_search_space
from accelscope.core.analysis.optimize.summary import search_to_dict
from accelscope.core.render.plot_pages import render_plot_page, render_plot_svg
from accelscope.core.session import Session
from tests.support.paths import EXAMPLES

SEARCHES = EXAMPLES / "search"


def deployed(
    session: Session, name: str, systems: tuple[str, ...], slo: tuple[str, ...] = (), *, curves: bool = False
) -> DeploymentSearchResult:
    """Return the best deployments that an example asks for."""
    asked = DeploymentRequest(
        file=str(SEARCHES / f"{name}.accel"), model=None, deployment=None, workload=None, load={}, slo=slo
    )
    wish = build_deployment_problem(session, asked)
    types = choose_precisions(session, asked, wish, None)
    return search_deployments(
        session, wish, select_candidate_systems(session, systems, None, types), curves=curves, workers=1
    )


def cheapest(found: DeploymentSearchResult) -> str:
    """Return the system that wins on cost."""
    return found.places[0].deployments[0].variant.system.name


@pytest.mark.parametrize(
    ("slo", "winner"), [("tpot <= 5 ms/tok", "CS3x4"), ("tpot <= 15 ms/tok", "GB200_NVL72")]
)
def test_a_wafer_beats_a_rack_where_tokens_must_come_fast(session: Session, slo: str, winner: str) -> None:
    assert cheapest(deployed(session, "wafer_or_rack", ("CS3x4", "GB200_NVL72"), (slo,))) == winner


def test_the_cheapest_chat_meets_its_targets_and_draws_a_line_for_each_system(session: Session) -> None:
    systems = ("DGX_H200", "MI300X_platform")
    found = deployed(session, "cheapest_chat", systems, curves=True)
    cost, energy = plot_deployments(found)

    assert all(offer.metrics["tpot"] <= 0.03 for place in found.places for offer in place.deployments)
    assert {item.name for item in cost.series} == set(systems)
    for picture in (cost, energy):
        for item in picture.series:
            assert list(item.x) == sorted(item.x)
            assert list(item.y) == sorted(item.y, reverse=True)
    assert render_plot_svg(cost) == render_plot_svg(cost)
    assert "Plotly.newPlot" in render_plot_page("Deployments", (cost, energy), ["two", "a < b"])


def test_the_memory_of_the_next_chip(session: Session) -> None:
    program = session.checked(str(SEARCHES / "next_memory.accel"))
    found = optimize_study(build_search_space(program, session.registry, "study memory"), evaluations=5_000)
    shown = search_to_dict(found)
    tokens = np.array([row["goals"]["tokens"] for row in shown["front"]])
    bandwidth = np.array([row["goals"]["bandwidth"] for row in shown["front"]])

    slow, fast, most = (tokens[bandwidth <= top].max() for top in (6e12, 12e12, 24e12))
    assert fast > 1.2 * slow
    assert most < 1.01 * fast
    assert json.loads(format_search_json(shown))["front"] == shown["front"]
    assert len(format_search_csv(shown).splitlines()) == 1 + len(shown["front"])
    assert 0 < len(drop_similar_points(shown)) <= len(shown["front"])
    best, searched, *_ = format_search_table(shown).splitlines()
    assert best.startswith("memory: highest tokens ")
    assert searched.startswith("memory: 295,680 points, ")
    assert len(plot_study_front(found, shown)) == 3


def test_a_front_point_as_sets_gives_the_same_metrics(session: Session) -> None:
    from accelscope.core.numeric.axes import format_setting
    from accelscope.core.sweep.run_query import run_query

    program = session.checked(str(SEARCHES / "next_memory.accel"))
    space = build_search_space(program, session.registry, "study memory")
    row = search_to_dict(optimize_study(space, evaluations=300))["front"][0]
    units = {item.axis.name: item.axis.unit for item in space.axes}
    sets = tuple(format_setting(name, value, units[name]) for name, value in row["point"].items())
    result = run_query(program, session.registry, "scenario served", sets, bars=False)

    assert result.feasible
    for name, entry in row["metrics"].items():
        assert entry["value"] == pytest.approx(float(result.metrics[name].value), rel=1e-9)  # type: ignore[arg-type]
