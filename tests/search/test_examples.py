"""The examples of searches run, and the gallery's sentences hold."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from accelscope.core.analysis.deployments.request import Asked, precisions_of, wish_of
from accelscope.core.analysis.deployments.run import Deployments, deployments, systems_of
from accelscope.core.analysis.optimize.figures import of_deployments, of_study
from accelscope.core.analysis.optimize.report import as_csv, as_json, distinct, table
from accelscope.core.analysis.optimize.run import search
from accelscope.core.analysis.optimize.space import space_of
from accelscope.core.analysis.optimize.summary import told
from accelscope.core.render.plot_pages import page, svg
from accelscope.core.session import Session

EXAMPLES = Path(__file__).parents[2] / "examples" / "search"


def deployed(
    session: Session, name: str, systems: tuple[str, ...], slo: tuple[str, ...] = (), *, curves: bool = False
) -> Deployments:
    """Return the best deployments that an example asks for."""
    asked = Asked(
        file=str(EXAMPLES / f"{name}.accel"), model=None, deployment=None, workload=None, load={}, slo=slo
    )
    wish = wish_of(session, asked)
    types = precisions_of(session, asked, wish, None)
    return deployments(session, wish, systems_of(session, systems, None, types), curves=curves, workers=1)


def cheapest(found: Deployments) -> str:
    """Return the system that wins on cost."""
    return found.places[0].offers[0].variant.system.name


@pytest.mark.parametrize(
    ("slo", "winner"), [("tpot <= 5 ms/tok", "CS3x4"), ("tpot <= 15 ms/tok", "GB200_NVL72")]
)
def test_a_wafer_beats_a_rack_where_tokens_must_come_fast(opened: Session, slo: str, winner: str) -> None:
    assert cheapest(deployed(opened, "wafer_or_rack", ("CS3x4", "GB200_NVL72"), (slo,))) == winner


def test_the_cheapest_chat_meets_its_targets_and_draws_a_line_for_each_system(opened: Session) -> None:
    systems = ("DGX_H200", "MI300X_platform")
    found = deployed(opened, "cheapest_chat", systems, curves=True)
    cost, energy = of_deployments(found)

    assert all(offer.metrics["tpot"] <= 0.03 for place in found.places for offer in place.offers)
    assert {item.name for item in cost.series} == set(systems)
    for picture in (cost, energy):
        for item in picture.series:
            assert list(item.x) == sorted(item.x)
            assert list(item.y) == sorted(item.y, reverse=True)
    assert svg(cost) == svg(cost)
    assert "Plotly.newPlot" in page("Deployments", ["two"], (cost, energy), "a < b")


def test_the_memory_of_the_next_chip(opened: Session) -> None:
    program = opened.checked(str(EXAMPLES / "next_memory.accel"))
    found = search(space_of(program, opened.registry, "study memory"), evaluations=5_000)
    shown = told(found)
    tokens = np.array([row["goals"]["tokens"] for row in shown["front"]])
    bandwidth = np.array([row["goals"]["bandwidth"] for row in shown["front"]])

    slow, fast, most = (tokens[bandwidth <= top].max() for top in (6e12, 12e12, 24e12))
    assert fast > 1.2 * slow
    assert most < 1.01 * fast
    assert json.loads(as_json(shown))["front"] == shown["front"]
    assert len(as_csv(shown).splitlines()) == 1 + len(shown["front"])
    assert 0 < len(distinct(shown)) <= len(shown["front"])
    assert table(shown).startswith("memory: 295,680 points, ")
    assert len(of_study(found, shown)) == 3


def test_a_front_point_as_sets_gives_the_same_metrics(opened: Session) -> None:
    from accelscope.core.numeric.axes import setting
    from accelscope.core.query.run import answer

    program = opened.checked(str(EXAMPLES / "next_memory.accel"))
    space = space_of(program, opened.registry, "study memory")
    row = told(search(space, evaluations=300))["front"][0]
    units = {item.axis.name: item.axis.unit for item in space.axes}
    sets = tuple(setting(name, value, units[name]) for name, value in row["point"].items())
    result = answer(program, opened.registry, "scenario served", sets, bars=False)

    assert result.feasible
    for name, entry in row["metrics"].items():
        assert entry["value"] == pytest.approx(float(result.metrics[name].value), rel=1e-9)  # type: ignore[arg-type]
