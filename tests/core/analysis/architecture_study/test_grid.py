"""The grid: natural systems, best splits, and results that an ordinary evaluation gives too."""

from __future__ import annotations

import pytest

from accelscope.core.analysis.architecture_study.cells import NO_BOTTLENECK, evaluate_cells
from accelscope.core.analysis.architecture_study.entries import collect_participants, list_grid_entries
from accelscope.core.analysis.architecture_study.folder import StudyFolder
from accelscope.core.analysis.architecture_study.spread import NORMALISATIONS
from accelscope.core.analysis.architecture_study.systems import enumerate_split_axes, read_study_model
from accelscope.core.analysis.jobs.jobs import JobRunner
from accelscope.core.library.definitions import list_definitions


def result(small, device: str, model: str, batch: int, prompt: int) -> dict[str, str]:
    return next(
        row
        for row in small.rows("cells_results")
        if (row["device"], row["model"]) == (device, model)
        and (float(row["batch"]), float(row["prompt"])) == (batch, prompt)
    )


def sets_of(row: dict[str, str]) -> tuple[str, ...]:
    parts = [] if row["split"] == "one device" else [part.split() for part in row["split"].split(", ")]
    return tuple(f"deployment.parallel.{name} = {degree}" for name, degree in parts)


def asked(desk, folder, row: dict[str, str], *sets: str):
    module = {"H100_SXM": "nvidia", "DGX_H100": "nvidia", "TPU7x": "google"}[row["system"]]
    text = (
        f"use std.{module} {{ {row['system']} }}\nuse std.models {{ {row['model']} }}\n"
        f"deployment d {{ system = {row['system']}, model = {row['model']}, precision {{ weights = fp8, activations = fp8 }} }}\n"
        f"workload w {{ batch = {float(row['batch']):.0f}, prompt = {float(row['prompt']):.0f} tok, output = 256 tok }}\n"
        "scenario s { deployment = d, workload = w }\n"
    )
    path = folder / "asked.txt"
    path.write_text(text)
    return desk.session.evaluate(str(path), sets=sets, bars=False)[0]


@pytest.mark.parametrize(
    ("device", "model", "batch", "prompt"),
    [
        ("H100_SXM", "llama3_1_8b", 1, 1024),
        ("H100_SXM", "llama3_1_70b", 64, 8192),
        ("TPU7x", "llama3_1_70b", 1, 8192),
    ],
)
def test_a_cell_is_what_an_ordinary_evaluation_gives(desk, small, tmp_path, device, model, batch, prompt):
    row = result(small, device, model, batch, prompt)
    found = asked(desk, tmp_path, row, *sets_of(row))
    assert float(row["throughput"]) == pytest.approx(float(found.metrics["throughput"].value), rel=1e-9)
    assert float(row["decode_throughput"]) == pytest.approx(float(found.metrics["decode_throughput"].value))
    assert float(row["power [W]"]) == pytest.approx(float(found.metrics["power"].value), rel=1e-9)


def test_the_split_is_the_best_of_all_legal_ones(desk, small, tmp_path):
    row = result(small, "H100_SXM", "llama3_1_70b", 64, 8192)
    found = asked(
        desk, tmp_path, row, "deployment.parallel.tp = [1, 2, 4, 8]", "deployment.parallel.pp = [1, 2, 4, 8]"
    )
    best = found.metrics["throughput"].value[found.feasible].max()
    assert row["system"] == "DGX_H100"
    assert float(row["throughput"]) >= best * (1 - 1e-9)


def test_the_system_is_the_smallest_that_holds_the_model(desk, small, tmp_path):
    alone = result(small, "H100_SXM", "llama3_1_70b", 1, 1024)
    assert alone["system"] == "H100_SXM"
    many = result(small, "H100_SXM", "llama3_1_70b", 64, 8192)
    assert many["system"] == "DGX_H100"
    assert not asked(desk, tmp_path, many | {"system": "H100_SXM"}).feasible


def test_devices_that_hold_a_model_nowhere_say_why(small):
    rows = small.rows("cells_results")
    held = {(row["device"], row["model"]) for row in rows}
    without = {(row["device"], row["model"]): row["why"] for row in small.rows("cells_without")}
    assert held.isdisjoint(without)
    assert len(held) + len(without) == 4 * 2
    assert all(without.values())


def test_best_and_worst_are_those_of_the_results(small):
    rows = small.rows("cells_results")
    for row in small.rows("cells_best"):
        if row["normalisation"] != NORMALISATIONS["device"]:
            continue
        cell = {
            other["device"]: float(other["throughput"]) / float(other["devices"])
            for other in rows
            if all(other[name] == row[name] for name in ("model", "batch", "prompt"))
        }
        assert row["best"] == max(cell, key=lambda name: cell[name])
        assert row["worst"] == min(cell, key=lambda name: cell[name])
        assert float(row["best over worst"] or 1) == pytest.approx(max(cell.values()) / min(cell.values()))


def test_wins_of_all_architectures_are_all_cells(small):
    rows = small.rows("cells_wins")
    for per in ("device", "watt", "system"):
        assert sum(int(row[NORMALISATIONS[per]]) for row in rows) == 2 * 2 * 2


def test_leads_by_axis_add_up_to_those_of_all_cells(small):
    rows = small.rows("cells_where")
    wins = {row["architecture"]: int(row[NORMALISATIONS["device"]]) for row in small.rows("cells_wins")}
    for axis in ("model", "batch", "prompt"):
        texts = [row[NORMALISATIONS["device"]] for row in rows if row["cells of"].startswith(axis + " ")]
        assert len(texts) == 2
        pairs = [part.rsplit(" ", 1) for text in texts for part in text.split(", ")]
        found = {title: sum(int(count) for name, count in pairs if name == title) for title in wins}
        assert found == wins


def test_every_cell_says_what_decides(small):
    kinds = {"compute", "memory", "network", "kernel starts", "on-chip network", "host"}
    for row in small.rows("cells_results"):
        phase, _, resource = row["bound by"].partition(": ")
        assert phase in ("prefill", "decode")
        assert resource in kinds


def test_splits_too_many_for_one_breakdown_say_what_decides_too(desk, small, monkeypatch):
    folder = StudyFolder.open(desk, small.folder)
    scenario = next(item for item in folder.components("scenario") if item.name == "cell")
    model = next(
        item.component for item in list_definitions(desk.session) if item.component.name == "deepseek_v3"
    )
    subject = read_study_model(model, desk.session.registry)
    everyone = list_grid_entries(
        folder, collect_participants(folder), scenario, [subject], measures=("throughput",)
    )
    entry = next(item for item in everyone if item.device == "H100_SXM")
    at_once = evaluate_cells(desk, entry)
    for module in (
        "accelscope.core.query.columns.MAX_BREAKDOWN_POINTS",
        "accelscope.core.analysis.architecture_study.cells.MAX_BREAKDOWN_POINTS",
    ):
        monkeypatch.setattr(module, 8)
    in_parts = evaluate_cells(desk, entry)
    assert NO_BOTTLENECK not in set(at_once.bound.ravel())
    assert in_parts.bound.tolist() == at_once.bound.tolist()


def test_workers_change_nothing(desk, small):
    folder = StudyFolder.open(desk, small.folder)
    scenario = next(item for item in folder.components("scenario") if item.name == "once")
    model = scenario.get("deployment").value.get("model").value
    subject = read_study_model(model, desk.session.registry)
    entries = list(
        list_grid_entries(folder, collect_participants(folder), scenario, [subject], measures=("throughput",))
    )
    one = JobRunner(evaluator=desk, jobs=1).map(evaluate_cells, entries)
    two = JobRunner(evaluator=desk, jobs=2).map(evaluate_cells, entries)
    assert [item.values["throughput"].tolist() for item in one] == [
        item.values["throughput"].tolist() for item in two
    ]


def test_systems_of_a_device_go_from_small_to_large(desk, small):
    kin = collect_participants(StudyFolder.open(desk, small.folder)).of("H100_SXM")
    sizes = [system.facts.devices for system in kin.systems]
    assert [system.component.name for system in kin.systems][:2] == ["H100_SXM", "DGX_H100"]
    assert sizes == sorted(set(sizes))


def test_pipeline_degrees_are_the_fewest_for_their_largest_stage(desk, small):
    folder = StudyFolder.open(desk, small.folder)
    kin = collect_participants(folder).of("LPU_v1")
    grid = next(folder.components("grid"))
    subject = read_study_model(grid.attributes()["models"].value.items[0], desk.session.registry)
    ((_, stages),) = enumerate_split_axes(kin.systems[-1], subject)
    degrees = [int(text) for text in stages.partition("[")[2].rstrip("]").split(",")]
    assert degrees == [1, 2, 3, 4, 5, 6, 7, 8, 11, 16, 32]
