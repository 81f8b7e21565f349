"""Sobol indices: a linear function in closed form, a scenario against its elasticities, and what cannot be sampled."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.analysis.sensitivity.elasticity import compute_elasticities
from accelscope.core.analysis.sensitivity.sobol import (
    analyze_sobol_sample,
    compute_sobol_indices,
    draw_saltelli_sample,
)
from accelscope.core.errors import UsageError

pytest.importorskip("SALib")

CHIP = """
package chip {
  clock = 1 GHz
  kernel_launch = 5 us ± 30%
  fusion = layer
  price = 10_000 USD ± 20%
  tdp = 500 W
  engine mac[16] { kind = matrix, ops { bf16 = 4096 MAC/cycle } }
  engine vec[16] { kind = vector, ops { fp32 = 4096 MAC/cycle, bf16 = 4096 MAC/cycle } }
  memory hbm {
    class = hbm3
    capacity = 80 GB
    bandwidth = 2 TB/s ± 6%
    latency = 1 us ± 50%
    efficiency = 50% ± 3%
  }
}
use std.models { llama3_8b }
workload w { batch = 1, prompt = 128 tok, output = 32 tok }
deployment d { system = chip, model = llama3_8b }
scenario s { deployment = d, workload = w }
"""


@pytest.fixture
def program(shell, tmp_path):
    path = tmp_path / "t.accel"
    path.write_text(CHIP)
    return shell.checked(str(path))


def test_a_linear_function_has_the_indices_of_its_squared_coefficients():
    weights = np.array([1.0, 2.0, 3.0, 0.0])
    points = draw_saltelli_sample(4, 4096, 7)
    found = analyze_sobol_sample(points @ weights + 10.0, 4, 7)
    share = weights**2 / np.sum(weights**2)
    assert points.shape == (4096 * 6, 4)
    assert np.abs(found.first - share).max() < 0.01
    assert np.abs(found.total - share).max() < 0.01
    assert found.mean == pytest.approx(10.0, abs=0.01)


def test_a_product_has_total_indices_above_those_of_first_order():
    """Of x1 x2 with mean 0 all variance is of the pair."""
    points = draw_saltelli_sample(2, 4096, 7)
    found = analyze_sobol_sample(points[:, 0] * points[:, 1], 2, 7)
    assert np.abs(found.first).max() < 0.05
    assert np.abs(found.total - 1.0).max() < 0.05


def test_where_a_metric_is_nearly_linear_the_indices_follow_elasticity_times_tolerance(shell, program):
    found = compute_sobol_indices(program, shell.registry, "scenario s", ("tpot",), samples=1024, seed=3)
    table = compute_elasticities(program, shell.registry, "scenario s", ("tpot",))
    slopes = {
        item.path: float(table.effects["tpot"].central[row]) for row, item in enumerate(table.parameters)
    }
    parts = np.array([(slopes.get(item.path, 0.0) * item.tolerance) ** 2 for item in found.inputs])
    index = found.metrics["tpot"]
    assert np.abs(index.first - parts / parts.sum()).max() < 0.02
    assert index.deviation / index.mean == pytest.approx(np.sqrt(parts.sum()) / 1.96, rel=0.05)


def test_inputs_are_called_after_their_parameters(shell, program):
    found = compute_sobol_indices(program, shell.registry, "scenario s", ("tpot",), samples=8)
    assert {item.path: round(item.tolerance, 6) for item in found.inputs} == {
        "kernel_launch": 0.3,
        "price": 0.2,
        "hbm.bandwidth": 0.06,
        "hbm.latency": 0.5,
        "hbm.efficiency": 0.03,
    }
    assert found.points == 8 * (5 + 2)


def test_what_an_input_does_not_touch_has_no_index(shell, program):
    found = compute_sobol_indices(program, shell.registry, "scenario s", ("tpot", "memory_used"), samples=64)
    price = next(at for at, item in enumerate(found.inputs) if item.path == "price")
    assert found.metrics["tpot"].total[price] == 0.0
    assert np.all(found.metrics["memory_used"].total == 0.0)


def test_a_seed_gives_the_same_again(shell, program):
    one, same, other = (
        compute_sobol_indices(
            program, shell.registry, "scenario s", ("tpot",), samples=64, seed=seed
        ).metrics["tpot"]
        for seed in (1, 1, 2)
    )
    assert np.array_equal(one.first, same.first)
    assert np.array_equal(one.total_error, same.total_error)
    assert not np.array_equal(one.first, other.first)


def test_a_value_above_zero_stays_there(shell, tmp_path):
    path = tmp_path / "t.accel"
    path.write_text(CHIP.replace("latency = 1 us ± 50%", "latency = 1 us ± 300%"))
    found = compute_sobol_indices(
        shell.checked(str(path)), shell.registry, "scenario s", ("tpot",), samples=256
    )
    assert found.metrics["tpot"].mean > 0
    assert np.isfinite(found.metrics["tpot"].deviation)


@pytest.mark.parametrize(
    ("samples", "text", "message"),
    [
        (100, CHIP, "--sobol takes a power of two, such as 64 or 128, not 100"),
        (2**20, CHIP, "at most 2,000,000 are evaluated"),
        (64, CHIP.replace("±", "#"), "has a tolerance"),
    ],
)
def test_what_cannot_be_sampled(shell, tmp_path, samples, text, message):
    path = tmp_path / "t.accel"
    path.write_text(text)
    program = shell.checked(str(path))
    with pytest.raises(UsageError, match=message):
        compute_sobol_indices(program, shell.registry, "scenario s", ("tpot",), samples=samples)
