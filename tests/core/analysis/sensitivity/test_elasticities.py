"""Elasticities: closed forms, sums that must hold, and the same numbers as one `--set` after the other."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.analysis.sensitivity.effects import (
    accounted_time_share,
    find_best_parameter,
    rank_parameters,
)
from accelscope.core.analysis.sensitivity.elasticity import compute_elasticities
from accelscope.core.analysis.sensitivity.trials import ELASTICITY_STEP, LARGE_STEP
from accelscope.core.errors import UsageError
from accelscope.core.sweep.run_query import run_query
from tests.support.paths import EXAMPLES

PLAIN = """
package chip {
  clock = 1 GHz
  tdp = 500 W
  idle = 50 W
  price = 10_000 USD
  kernel_launch = 0 s
  fusion = layer
  reserve = 1 GB
  engine mac[16] { kind = matrix, ops { bf16 = 4096 MAC/cycle }, efficiency = 100% }
  engine vec[16] { kind = vector, ops { fp32 = 4096 MAC/cycle, bf16 = 4096 MAC/cycle } }
  memory hbm {
    class = hbm3
    capacity = 80 GB
    bandwidth = 2 TB/s
    latency = 0 s
    efficiency = 50%
  }
}
use std.models { llama3_8b }
workload w { batch = 1, prompt = 128 tok, output = 32 tok }
deployment d { system = chip, model = llama3_8b }
scenario s { deployment = d, workload = w }
"""


@pytest.fixture
def table(shell, tmp_path):
    """Return a function from a text, or the name of a file, and what is asked to elasticities."""

    def run(text, *metrics, scenario="s", **more):
        path = tmp_path / "t.accel"
        if text.endswith(".accel"):
            path = text
        else:
            path.write_text(text)
        program = shell.checked(str(path))
        return compute_elasticities(program, shell.registry, f"scenario {scenario}", metrics, **more), program

    return run


def row_of(found, path):
    return next(at for at, item in enumerate(found.parameters) if item.path == path)


def central(found, metric, path):
    return float(found.effects[metric].central[row_of(found, path)])


def test_decoding_that_memory_bounds_goes_with_its_bandwidth(table):
    found, _ = table(PLAIN, "tpot")
    assert central(found, "tpot", "hbm.bandwidth") == pytest.approx(-1.0, abs=0.03)
    assert central(found, "tpot", "hbm.efficiency") == pytest.approx(
        central(found, "tpot", "hbm.bandwidth"), abs=1e-9
    )


def test_elasticity_of_a_product_of_powers_is_its_exponent(table):
    found, _ = table(PLAIN, "tpot", "throughput")
    up, down = (central(found, name, "hbm.bandwidth") for name in ("throughput", "tpot"))
    assert 0.9 < up < 1.0
    assert -1.0 <= down < -0.9
    cost = "cost { price = 3 USD/h }\n"
    priced, _ = table(PLAIN.replace("  clock = 1 GHz", "  clock = 1 GHz\n  " + cost), "cost_per_mtok")
    assert central(priced, "cost_per_mtok", "cost.price") == pytest.approx(1.0, abs=1e-9)


@pytest.mark.parametrize("metric", ["tpot", "ttft", "e2e_latency"])
def test_elasticities_weighted_with_powers_of_seconds_sum_to_those_of_the_metric(table, main_job, metric):
    found, _ = table(main_job, metric, scenario="one_person_on_dgx", fitted=True)
    assert accounted_time_share(found, metric) == pytest.approx(1.0, abs=2e-3)
    hardware, _ = table(main_job, metric, scenario="one_person_on_dgx")
    assert 0.3 < accounted_time_share(hardware, metric) < 0.98


def test_a_description_without_fitted_times_accounts_for_all_of_them(table):
    found, _ = table(PLAIN, "tpot", "ttft", "throughput")
    for metric in found.effects:
        assert accounted_time_share(found, metric) == pytest.approx(1.0, abs=1e-3)


@pytest.mark.parametrize(
    "path",
    [
        "gpu.hbm.bandwidth",
        "gpu.hbm.latency",
        "gpu.gh100.clock",
        "NVLink4.bandwidth",
        "gpu.gh100.sm.tensor.ops.bf16",
    ],
)
def test_the_same_as_one_set_after_the_other(table, shell, main_job, path):
    name = "one_person_on_dgx"
    found, program = table(main_job, scenario=name)
    row = row_of(found, path)
    parameter = found.parameters[row]
    ratios = [1.0, 1.0 / (1.0 + ELASTICITY_STEP), 1.0 + ELASTICITY_STEP, 1.0 - LARGE_STEP, 1.0 + LARGE_STEP]
    points = [
        run_query(
            program,
            shell.registry,
            f"scenario {name}",
            (f"{path}={parameter.value * ratio!r} {parameter.dimension}",),
            bars=False,
        )
        for ratio in ratios
    ]
    for metric, item in found.effects.items():
        plain, down, up, less, more = (float(point.metrics[metric].value) for point in points)
        assert float(item.nominal) == pytest.approx(plain, rel=1e-12)
        slope = (np.log(up) - np.log(down)) / (2 * np.log(1.0 + ELASTICITY_STEP))
        assert float(item.central[row]) == pytest.approx(slope, abs=1e-7)
        assert float(item.less[row]) == pytest.approx(less / plain - 1, abs=1e-9)
        assert float(item.more[row]) == pytest.approx(more / plain - 1, abs=1e-9)


def test_what_is_computed_from_a_value_follows_it(table):
    text = PLAIN.replace("bandwidth = 2 TB/s", "stacks = 4\n    bandwidth = stacks * 0.5 TB/s")
    found, _ = table(text, "tpot")
    assert central(found, "tpot", "hbm.stacks") == pytest.approx(
        central(found, "tpot", "hbm.bandwidth"), abs=1e-9
    )
    first = found.parameters[rank_parameters(found, "tpot")[0]]
    assert first.path == "hbm.bandwidth"


def test_the_source_is_the_line_of_the_value(table):
    found, _ = table(PLAIN, "tpot")
    item = found.parameters[row_of(found, "hbm.bandwidth")]
    line = next(at for at, text in enumerate(PLAIN.splitlines(), 1) if "bandwidth" in text)
    assert item.source.endswith(f"t.accel:{line}:17")
    assert (item.sort, item.settable, item.block) == ("given", True, "hbm")


def test_a_knee_has_two_elasticities(table):
    """Where arithmetic of an operation takes as long as its memory, less bandwidth hurts more than further helps."""
    axis = "hbm.bandwidth=0.2 TB/s .. 8 TB/s step 0.01 TB/s"
    found, _ = table(PLAIN, "ttft", sets=("batch=8", axis), paths=("hbm.bandwidth",))
    item = found.effects["ttft"]
    knees = item.has_kink[0] & ~item.jump[0]
    assert 0 < knees.sum() < knees.size / 4
    assert np.all(item.left[0][knees] < item.right[0][knees])
    assert np.all((item.left[0] <= item.central[0] + 1e-9) & (item.central[0] <= item.right[0] + 1e-9))


def test_an_infeasible_neighbour_leaves_one_side(table):
    used = float(table(PLAIN, "memory_used")[0].effects["memory_used"].nominal)
    tight = PLAIN.replace("capacity = 80 GB", f"capacity = {used * 1.0001 / 1e9!r} GB")
    found, _ = table(tight, "memory_used")
    item, row = found.effects["memory_used"], row_of(found, "reserve")
    assert list(found.bounds[row]) == [True, False]
    assert np.isnan(item.more[row])
    assert np.isnan(item.right[row])
    assert item.central[row] == item.left[row] > 0


def test_a_share_is_not_raised_above_one(table):
    found, _ = table(PLAIN, "ttft", sets=("batch=64",))
    row = row_of(found, "mac.efficiency")
    item = found.effects["ttft"]
    assert np.isnan(item.right[row])
    assert np.isnan(item.more[row])
    assert item.central[row] == item.left[row] < -0.5


def test_a_jump_is_told_over_a_tenth(table):
    """A prompt of 128 rows fits one block of 128, and needs a second one of 127."""
    found, _ = table(PLAIN, "ttft")
    item, row = found.effects["ttft"], row_of(found, "mac.prefill_rows_per_block")
    assert item.jump[row]
    assert -5 < item.left[row] < -0.5
    assert not item.jump[row_of(found, "hbm.bandwidth")]


def test_a_count_that_a_model_rounds_is_moved_by_one(table, shell):
    file, name, path = str(EXAMPLES / "compare_llama3_8b.accel"), "TPUv5p_batch_1", "core_die.tc.mxu.count"
    found, program = table(file, "tpot", scenario=name)
    row = row_of(found, path)
    item, count = found.effects["tpot"], found.parameters[row].value
    assert item.by_one[row]
    low, high = (
        float(
            run_query(program, shell.registry, f"scenario {name}", (f"{path}={n}",), bars=False)
            .metrics["tpot"]
            .value
        )
        for n in (count - 1, count + 1)
    )
    slope = np.log(high / low) / np.log((count + 1) / (count - 1))
    assert float(item.central[row]) == pytest.approx(slope, abs=1e-9)


def test_parameters_without_effect_are_counted(table):
    found, _ = table(PLAIN, "tpot")
    paths = {item.path for item in found.parameters}
    assert not {"price", "tdp", "idle"} & paths
    everything, _ = table(PLAIN, "tpot", "power")
    assert "tdp" in {item.path for item in everything.parameters}
    assert len(found.parameters) + found.without == len(everything.parameters) + everything.without


def test_only_some_paths(table):
    found, _ = table(PLAIN, "tpot", paths=("bandwidth",))
    assert [item.path for item in found.parameters] == ["hbm.bandwidth"]
    assert found.without == 0
    with pytest.raises(
        UsageError, match=r"no parameter is called `hbm\.bandwith`; did you mean `hbm\.bandwidth`"
    ):
        table(PLAIN, "tpot", paths=("hbm.bandwith",))


def test_a_grid_is_each_of_its_points(table):
    grid, _ = table(PLAIN, "tpot", sets=("batch=[1, 64, 256]",))
    row = row_of(grid, "hbm.bandwidth")
    assert grid.effects["tpot"].central.shape[1:] == (3,)
    for at, batch in enumerate((1, 64, 256)):
        point, _ = table(PLAIN, "tpot", sets=(f"batch={batch}",))
        assert grid.effects["tpot"].central[row, at] == pytest.approx(
            central(point, "tpot", "hbm.bandwidth"), abs=1e-9
        )


def test_the_first_change_helps_most(table):
    found, _ = table(PLAIN, "tpot", "ttft")
    row = find_best_parameter(found, "tpot")
    assert found.parameters[row].path == "hbm.bandwidth"
    assert found.effects["tpot"].gain[row] == found.effects["tpot"].gain.max()


def test_a_connection_and_its_link_are_parameters(table, main_job):
    found, _ = table(main_job, "ttft", scenario="one_person_on_dgx")
    item = found.parameters[row_of(found, "connect.NVLink4.links_per_source")]
    assert not item.settable
    assert central(found, "ttft", item.path) == pytest.approx(
        central(found, "ttft", "NVLink4.bandwidth"), abs=1e-6
    )


def test_kernels_and_runtimes_are_varied_where_asked(table):
    file, name = str(EXAMPLES / "serving.accel"), "mixed"
    plain, _ = table(file, "tpot", scenario=name)
    found, _ = table(file, "tpot", scenario=name, fitted=True)
    assert {item.sort for item in plain.parameters} <= {"given", "default"}
    fitted = {item.path for item in found.parameters if item.sort == "fitted"}
    assert any(path.startswith("calibration.") for path in fitted)
    again, _ = table(file, "tpot", scenario=name)
    assert float(again.effects["tpot"].nominal) == float(plain.effects["tpot"].nominal)
    for path in ("gpu.hbm.bandwidth", "gpu.gh100.clock"):
        assert central(found, "tpot", path) == pytest.approx(central(plain, "tpot", path), abs=1e-9)


@pytest.mark.parametrize(
    ("metrics", "sets", "message"),
    [
        (("tpo",), (), "no metric is called `tpo`; did you mean `tpot`?"),
        (("step_time",), (), "the description gives too little for `step_time`"),
        (("tpot",), ("deployment.precision.weights=[bf16, fp8]",), "names variants"),
    ],
)
def test_what_cannot_be_asked(table, metrics, sets, message):
    with pytest.raises(UsageError, match=message.replace("?", r"\?")):
        table(PLAIN, *metrics, sets=sets)


def test_a_curve_is_a_parameter_as_a_whole(table):
    found, _ = table(PLAIN.replace("efficiency = 50%", "efficiency = [1 MB -> 40%, 1 GB -> 60%]"), "tpot")
    bandwidth, curve = (central(found, "tpot", f"hbm.{name}") for name in ("bandwidth", "efficiency"))
    assert curve == pytest.approx(bandwidth, abs=1e-9)
    assert found.parameters[row_of(found, "hbm.efficiency")].value == pytest.approx(0.6)


def test_dims_of_a_block_are_parameters_each(table):
    text = PLAIN.replace("engine mac[16]", "engine mac[4, 4]")
    found, _ = table(text, "ttft", sets=("batch=64",))
    whole, _ = table(PLAIN, "ttft", sets=("batch=64",))
    for name in ("mac.shape[0]", "mac.shape[1]"):
        assert central(found, "ttft", name) == pytest.approx(central(whole, "ttft", "mac.count"), abs=1e-9)
        assert not found.parameters[row_of(found, name)].settable


def test_what_a_name_stands_for_is_varied_where_it_is_used(table):
    text = PLAIN.replace("bandwidth = 2 TB/s", "bandwidth = fast").replace(
        "package chip {", "let fast = 2 TB/s\npackage chip {"
    )
    found, _ = table(text, "tpot")
    assert central(found, "tpot", "hbm.bandwidth") < -0.9
    assert not any(item.path == "fast" for item in found.parameters)
