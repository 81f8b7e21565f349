"""The best deployments of a model: what wins is what `eval` says of it, and nothing that can run is thrown out early."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.analysis.deployments.designs import build_candidate_designs
from accelscope.core.analysis.deployments.evaluate import DEPLOYMENT_GOALS, _base, evaluate_deployment_variant
from accelscope.core.analysis.deployments.feasible_layouts import (
    apply_layouts,
    count_layouts,
    find_broken_limits,
)
from accelscope.core.analysis.deployments.layouts import TRIED_CHUNKS, LayoutSizes, list_layouts
from accelscope.core.analysis.deployments.run import (
    DeploymentSearchResult,
    search_deployments,
    select_candidate_systems,
)
from accelscope.core.analysis.deployments.task import (
    DEPLOYMENT_SCENARIO,
    DeploymentProblem,
    DeploymentTask,
    DeploymentVariant,
    format_deployment_text,
)
from accelscope.core.analysis.jobs.jobs import JobEvaluator, SharedEvaluator
from accelscope.core.analysis.jobs.parallel_map import parallel_map
from accelscope.core.analysis.scenario_text import UsedDefinition
from accelscope.core.query.feasibility import find_first_broken
from accelscope.core.query.points import evaluate_points
from accelscope.core.session import Session
from accelscope.core.sweep.run_query import run_query
from accelscope.dsl.check.program import load_program
from accelscope.dsl.diagnostics.diagnostics import SourceText

LLAMA = UsedDefinition(name="llama3_1_70b", module="std.models")
DEEPSEEK = UsedDefinition(name="deepseek_v3", module="std.models")
H100 = UsedDefinition(name="DGX_H100", module="std.nvidia")
H200 = UsedDefinition(name="DGX_H200", module="std.nvidia")
LOAD = {"prompt": "2_048 tok", "output": "256 tok"}


def wish(model: UsedDefinition = LLAMA, *, free: str = "concurrency", **load: str) -> DeploymentProblem:
    """Return a wish with two targets."""
    return DeploymentProblem(
        model=model, load=LOAD | load, free=free, requirements=("ttft <= 2 s", "tpot <= 40 ms/tok")
    )


def find(
    session: Session, asked: DeploymentProblem, names: tuple[str, ...], precision: str, *, pools: bool
) -> DeploymentSearchResult:
    """Return the best deployments on some systems, in this process."""
    systems = select_candidate_systems(session, names, None, (precision,))
    return search_deployments(session, asked, systems, pools=pools, workers=1)


def evaluated(session: Session, text: str) -> dict[str, float]:
    """Return the metrics of a text that a search printed, as `eval` computes them."""
    source = SourceText("printed.accel", text)
    session.library.adopt(source, Path())
    result = run_query(
        load_program(source, session.language()),
        session.registry,
        f"scenario {DEPLOYMENT_SCENARIO}",
        bars=False,
    )
    assert result.feasible
    return {name: float(column.value) for name, column in result.metrics.items() if column.value is not None}


@pytest.mark.parametrize(
    ("asked", "system", "precision"),
    [
        (wish(), "DGX_H100", "fp8"),
        (wish(free="", concurrency="96"), "DGX_H200", "bf16"),
        (wish(free="", batch="24"), "DGX_H100", "fp8"),
        (wish(DEEPSEEK), "DGX_H200", "fp8"),
    ],
)
def test_the_winners_are_what_eval_says_of_their_text(
    session: Session, asked: DeploymentProblem, system: str, precision: str
) -> None:
    found = find(session, asked, (system,), precision, pools="batch" not in asked.load)

    assert {place.goal for place in found.places} == set(DEPLOYMENT_GOALS)
    for place in found.places:
        winner = place.deployments[0]
        metrics = evaluated(session, format_deployment_text(asked, winner.variant, winner.layout))
        for name, value in winner.metrics.items():
            assert value == pytest.approx(metrics[name], rel=1e-9), (place.goal, name)
        assert winner.metrics["ttft"] <= 2.0
        assert winner.metrics["tpot"] <= 0.04


def test_no_layout_that_can_run_is_thrown_out_before_it_is_evaluated(session: Session) -> None:
    desk = JobEvaluator.of(session)
    task = DeploymentTask(
        wish=wish(free="", concurrency="8"),
        variant=DeploymentVariant(system=H100, precision=(("weights", "bf16"), ("activations", "bf16"))),
        folder=".",
        most=8,
    )
    design, _ = _base(desk, task)
    layouts = list_layouts(LayoutSizes(devices=8, group=8, heads=64, layers=80, experts=0), (1, 2, 4, 8))
    size = count_layouts(layouts)
    over = (
        (limit.name, where)
        for limit, where in find_broken_limits(apply_layouts(design, layouts), size, tokens=min(TRIED_CHUNKS))
    )
    left = np.broadcast_to(find_first_broken(over)[1] < 0, (size,))

    runs = evaluate_points(build_candidate_designs(design, layouts, task), shape=(size,)).feasible

    assert runs.any()
    assert (~runs).any()
    assert not (runs & ~left).any()


def test_the_best_of_all_layouts_is_found(session: Session) -> None:
    """A grid of the same splits, loads and chunks by `sweep`, with what `search` calls legal."""
    asked = wish(free="", concurrency="64")
    found = find(session, asked, ("DGX_H100",), "fp8", pools=False)
    variant = found.places[0].deployments[0].variant
    source = SourceText("grid.accel", format_deployment_text(asked, variant))
    session.library.adopt(source, Path())
    sets = (
        "deployment.parallel.tp = [1, 2, 4, 8]",
        "deployment.parallel.pp = [1, 2, 3, 4, 5, 6, 7, 8]",
        "deployment.parallel.dp = [1, 2, 3, 4, 8]",
        "deployment.parallel.cp = [1, 2, 4, 8]",
        "deployment.scheduler.chunked_prefill = [512 tok, 2048 tok, 8192 tok]",
    )
    grid = run_query(
        load_program(source, session.language()),
        session.registry,
        f"scenario {DEPLOYMENT_SCENARIO}",
        sets,
        bars=False,
    )
    fine = grid.feasible & (grid.metrics["ttft"].value <= 2.0) & (grid.metrics["tpot"].value <= 0.04)  # type: ignore[operator]

    for place in found.places:
        column = grid.metrics[place.metric].value
        assert column is not None
        assert place.deployments[0].metrics[place.metric] == pytest.approx(
            float(np.where(fine, column, np.inf).min()), rel=1e-9
        )


def test_the_count_of_candidates_adds_up(session: Session) -> None:
    found = find(session, wish(), ("DGX_H100", "DGX_H200"), "bf16", pools=True)

    assert found.candidates == found.allowed + sum(found.out().values())
    assert found.allowed > 0


def test_the_runner_up_is_another_system_and_says_why_it_lost(session: Session) -> None:
    from accelscope.core.analysis.deployments.report import format_deployments_json

    found = find(session, wish(), ("DGX_H100", "DGX_H200"), "fp8", pools=False)
    told = json.loads(format_deployments_json(found))["goals"]["cheapest"]
    first, second = (told[name]["metrics"]["cost_per_mtok"]["value"] for name in ("winner", "runner_up"))

    assert told["winner"]["system"] != told["runner_up"]["system"]
    assert first < second
    assert f"{second / first - 1:.0%} more for a token" in told["runner_up"]["why_it_lost"]
    assert "USD/h for" in told["runner_up"]["why_it_lost"]


def test_a_system_that_cannot_hold_the_model_says_so(session: Session) -> None:
    found = find(session, wish(DEEPSEEK), ("DGX_H100",), "fp8", pools=False)

    assert found.allowed == 0
    assert found.empty() == {"memory": ["DGX_H100"]}


def test_a_variant_that_cannot_be_described_is_reported_with_the_reason(session: Session) -> None:
    variant = DeploymentVariant(
        system=UsedDefinition(name="CS3", module="std.cerebras"),
        precision=(("weights", "fp8"), ("activations", "fp8")),
    )
    found = evaluate_deployment_variant(
        JobEvaluator.of(session), DeploymentTask(wish=wish(), variant=variant, folder=".", most=8)
    )

    assert "no engine that computes in fp8" in found.why


def test_processes_find_what_one_finds(session: Session) -> None:
    asked = wish(free="", concurrency="16")
    tasks = [
        DeploymentTask(wish=asked, variant=DeploymentVariant(system=system, pools=pools), folder=".", most=8)
        for system in (H100, H200)
        for pools in (False, True)
    ]

    shared = SharedEvaluator.of(JobEvaluator.of(session))

    assert parallel_map(evaluate_deployment_variant, tasks, jobs=2, initializer=shared) == parallel_map(
        evaluate_deployment_variant, tasks, jobs=1, initializer=shared
    )


def test_more_devices_than_asked_for_are_never_used(session: Session) -> None:
    systems = select_candidate_systems(session, ("TPUv4_pod",), None, ("bf16",))
    few = search_deployments(session, evolve(wish(), requirements=()), systems, most=12, workers=1)

    assert few.allowed > 0
    assert all(offer.devices <= 12 for place in few.places for offer in place.deployments)


def test_a_file_without_a_system_is_searched(accel, tmp_path) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "asked.accel").write_text(
        "use std.models { llama3_8b }\n"
        "workload chat { concurrency = 32, prompt = 512 tok, output = 128 tok }\n"
        "slo quick { require tpot <= 30 ms/tok }\n"
        "deployment wanted { model = llama3_8b, scheduler { max_batch = 64 }, parallel { dp = 4 } }\n"
    )
    done = accel(
        "search", "asked.accel", "--systems", "DGX_H100,L4", "--precision", "bf16", "--format", "json"
    )
    told = json.loads(done.out)

    assert done.code == 0, done.err
    assert told["goals"]["cheapest"]["winner"]["system"] in ("DGX_H100", "L4")
    assert "extends asked.wanted" in told["goals"]["cheapest"]["text"]
    assert told["manifest"]["accelscope"]

    winner = told["goals"]["cheapest"]["winner"]
    (tmp_path / "found.accel").write_text(told["goals"]["cheapest"]["text"])
    again = json.loads(accel("eval", "found.accel", "--format", "json").out)
    for name, entry in winner["metrics"].items():
        assert again["metrics"][name]["value"] == pytest.approx(entry["value"], rel=1e-9)


def test_targets_that_nothing_meets_exit_with_three(accel) -> None:  # type: ignore[no-untyped-def]
    done = accel(
        "search", "--model", "llama3_8b", "--systems", "L4", "--slo", "tpot <= 1 us/tok", "--no-pools"
    )

    assert done.code == 3
    assert "misses tpot <= 1 us/tok" in done.out


def test_a_search_for_nothing_says_what_it_needs(accel) -> None:  # type: ignore[no-untyped-def]
    done = accel("search")

    assert done.code == 2
    assert "needs a FILE with a study, or --model" in done.err


def test_a_pod_that_comes_to_what_its_cube_does_is_not_the_runner_up(session: Session) -> None:
    found = find(session, wish(), ("TPU7x_cube", "TPU7x_pod", "DGX_H200"), "fp8", pools=False)
    frugal = found.places[2]

    assert frugal.equivalent_systems == 1
    assert frugal.runner_up is not None
    assert frugal.runner_up.device != frugal.deployments[0].device


def test_the_target_that_holds_the_cheapest_back_is_named(session: Session) -> None:
    found = find(session, wish(), ("DGX_H100",), "fp8", pools=False)
    winner = found.places[0].deployments[0]
    twice = dict(winner.layout) | {"concurrency": 2 * winner.layout["concurrency"]}
    metrics = evaluated(session, format_deployment_text(wish(), winner.variant, twice))

    assert winner.held in ("misses ttft <= 2 s", "misses tpot <= 40 ms/tok")
    assert metrics["ttft"] > 2.0 if "ttft" in winner.held else metrics["tpot"] > 0.04


@pytest.mark.parametrize(
    ("condition", "told"),
    [("tpott <= 2 s", "tpott"), ("ttft <= 2", "s"), ("ttft <=", "is no condition such as `ttft <= 2 s`")],
)
def test_a_condition_that_cannot_be_evaluated_is_refused(accel, condition, told) -> None:  # type: ignore[no-untyped-def]
    done = accel("search", "--model", "llama3_8b", "--systems", "L4", "--slo", condition)

    assert done.code == 2
    assert told in done.err
    assert f"{condition}" in done.err
