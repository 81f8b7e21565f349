"""Every point of a grid equals the point evaluated alone."""

from __future__ import annotations

import random

import numpy as np
import pytest

from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.session import Session

AXES = {
    "batch": ("batch=[1, 3, 8, 64]", "batch={}"),
    "prompt": ("prompt=[128 tok, 1000 tok, 8192 tok]", "prompt={} tok"),
    "bandwidth": ("gpu.hbm.bandwidth=2 TB/s .. 4 TB/s step 1 TB/s", "gpu.hbm.bandwidth={} TB/s"),
    "tp": ("tp=[1, 2, 3, 4, 8, 16]", "tp={}"),
    "pp": ("pp=[1, 2, 5]", "pp={}"),
}


def test_every_point_of_a_grid_equals_the_point_alone(shell: Session, main_job: str) -> None:
    grid = shell.evaluate(main_job, sets=[text for text, _ in AXES.values()])[0]
    assert grid.shape == (4, 3, 3, 6, 3)
    chosen = random.Random(7)
    for _ in range(25):
        index = tuple(chosen.randrange(size) for size in grid.shape)
        values = [axis.values[at] for axis, at in zip(grid.axes, index, strict=True)]
        sets = [text.format(value) for (_, text), value in zip(AXES.values(), values, strict=True)]
        alone = shell.evaluate(main_job, sets=sets)[0]
        assert bool(grid.feasible[index]) == bool(alone.feasible)
        for name, column in alone.metrics.items():
            for field in ("value", "low", "high"):
                expected, actual = getattr(column, field), getattr(grid.metrics[name], field)
                assert (expected is None) == (actual is None)
                if expected is not None:
                    assert actual[index] == pytest.approx(float(expected), rel=1e-12), (name, field, sets)


def test_a_large_grid_in_blocks_equals_a_small_one(shell: Session, main_job: str) -> None:
    large = shell.sweep(main_job, sets=["batch=1..200 step 1", "prompt=64 tok .. 25600 tok step 64 tok"])
    small = shell.sweep(main_job, sets=["batch=[7, 150]", "prompt=[64 tok, 6400 tok]"])
    for name, column in small.metrics.items():
        if column.value is not None:
            whole = large.metrics[name].value
            assert whole is not None
            assert whole[np.ix_([6, 149], [0, 99])] == pytest.approx(column.value, rel=1e-12), name


def test_a_sweep_of_hardware_moves_what_depends_on_it(shell: Session, main_job: str) -> None:
    result = shell.evaluate(main_job, sets=["gpu.hbm.bandwidth=2 TB/s .. 6 TB/s step 1 TB/s"])[0]
    assert [axis.values for axis in result.axes] == [(2.0, 3.0, 4.0, 5.0, 6.0)]
    assert result.axes[0].unit == "TB/s"
    tpot = result.metrics["tpot"].value
    assert tpot is not None
    assert np.all(np.diff(tpot) < 0)


def test_a_sweep_over_models_is_a_variant(shell: Session, tmp_path: object) -> None:
    path = f"{tmp_path}/two.accel"
    with open(path, "w") as file:
        file.write(
            "use std.nvidia { DGX_H100 }\n"
            "use std.models { llama3_8b, llama3_70b }\n"
            "workload w { batch = 1, prompt = 512 tok, output = 64 tok }\n"
            "deployment d { system = DGX_H100, model = llama3_8b, parallel { tp = 8 } }\n"
            "scenario s { deployment = d, workload = w\n"
            "  sweep deployment.model in [llama3_8b, llama3_70b]\n"
            "  sweep batch in 1..4 step x2 }\n"
        )
    result = shell.evaluate(path)[0]
    assert result.shape == (2, 3)
    assert result.axes[0].values == ("llama3_8b", "llama3_70b")
    parameters = result.metrics["parameters"].value
    assert parameters is not None
    assert parameters[:, 0] == pytest.approx([8_030_261_248, 70_553_706_496])


def test_infeasible_points_are_masked(shell: Session, main_job: str) -> None:
    result = shell.evaluate(main_job, sets=["tp=[1, 2, 8]"])[0]
    assert result.feasible.tolist() == [False, True, True]


def test_a_range_without_steps_says_how_to_divide_it(shell: Session, main_job: str) -> None:
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(main_job, sets=["batch=1..8"])
    assert "step" in (caught.value.diagnostics[0].help or "")


def test_too_many_points_are_refused(shell: Session, main_job: str) -> None:
    with pytest.raises(UsageError, match="points are more than"):
        shell.sweep(main_job, sets=["batch=1..1000 step 1", "prompt=1 tok..500000 tok step 1 tok"])


def test_points_that_when_excludes_are_left_out(shell: Session, tmp_path: object) -> None:
    path = f"{tmp_path}/when.accel"
    with open(path, "w") as file:
        file.write(
            "use std.nvidia { DGX_H100 }\n"
            "use std.models { llama3_8b }\n"
            "workload w { batch = 1, prompt = 512 tok, output = 64 tok }\n"
            "deployment d { system = DGX_H100, model = llama3_8b }\n"
            "scenario s { deployment = d, workload = w\n"
            "  sweep tp in [1, 2, 4, 8]\n"
            "  sweep batch in [1, 2] when tp > batch\n"
            "}\n"
        )
    result = shell.evaluate(path)[0]
    assert result.feasible.tolist() == [[False, False], [True, False], [True, True], [True, True]]
