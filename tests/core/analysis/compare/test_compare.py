"""`compare`: the split that is chosen, the rows, the text, and what goes wrong."""

from __future__ import annotations

import json

import numpy as np
import pytest

from accelscope.core.analysis.compare.rows import (
    COMPARED_METRICS,
    ComparisonRow,
    check_sort_metric,
    sort_comparison_rows,
)
from accelscope.core.analysis.compare.run import (
    ComparisonRequest,
    build_comparison_cases,
    compare_files,
    evaluate_comparison,
)
from accelscope.core.analysis.compare.scenario_text import (
    ComparisonCase,
    ComparisonLoad,
    format_comparison_text,
)
from accelscope.core.analysis.compare.splits import PP, TP, choose_split
from accelscope.core.analysis.compare.tables import (
    COMPARISON_COLUMNS,
    format_comparison_csv,
    format_comparison_json,
    format_comparison_markdown,
    format_comparison_table,
    format_parallel_degrees,
    format_row_dtypes,
)
from accelscope.core.analysis.jobs.candidates import (
    DEFAULT_SYSTEMS,
    resolve_model_argument,
    resolve_system_arguments,
)
from accelscope.core.analysis.scenario_text import UsedDefinition
from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.numeric.axes import Axis
from accelscope.core.query.result import LimitRow, MetricColumn, Result
from accelscope.core.render.text_style import TextStyle
from accelscope.core.session import Session


def question(shell, *systems, model="llama-3-8b", batches=(1,), dtype="bf16"):
    return ComparisonRequest(
        subject=resolve_model_argument(shell, model),
        systems=resolve_system_arguments(shell, systems, dtype),
        loads=tuple(ComparisonLoad(batch=batch, prompt=1024, output=256) for batch in batches),
        dtype=dtype,
    )


def rows(shell, *systems, **more):
    asked = question(shell, *systems, **more)
    return evaluate_comparison(shell, asked, build_comparison_cases(shell, asked))


def grid(feasible, steps=None, memory=None, tp=(1, 2, 4), pp=(1, 2, 3)):
    """A result over tp and pp with these feasible points, steps in seconds, and bytes used of 10."""
    shape = (len(tp), len(pp))
    axes = tuple(
        Axis(name=name, unit="", values=tuple(map(float, values)), numeric=True)
        for name, values in ((TP, tp), (PP, pp))
    )
    value = np.ones(shape) if steps is None else np.array(steps, float)
    tpot = MetricColumn(name="tpot", unit="s/tok", doc="", headline=True, better="low", value=value)
    used = np.where(feasible, 5.0, 20.0) if memory is None else np.array(memory, float)
    limit = LimitRow(name="memory", unit="B", reason="", used=used, available=np.full(shape, 10.0))
    return Result(
        scenario="s", axes=axes, feasible=np.array(feasible, bool), metrics={"tpot": tpot}, limits=(limit,)
    )


# ---- the split


def test_one_device_is_enough_where_it_holds_the_model():
    assert choose_split(grid(np.ones((3, 3))), nearest=4).split == (("tp", 1), ("pp", 1))


def test_tensor_parallelism_alone_goes_before_fewer_devices_in_stages():
    feasible = [[0, 0, 1], [0, 1, 1], [1, 1, 1]]
    steps = [[9, 9, 1], [9, 3, 9], [2, 9, 9]]
    assert choose_split(grid(feasible, steps), nearest=4).split == (("tp", 4), ("pp", 1))


def test_of_as_many_devices_the_quickest_split_is_taken():
    feasible = [[0, 0, 1], [0, 1, 1], [1, 1, 1]]
    steps = [[9, 9, 9], [9, 2, 9], [3, 9, 9]]
    assert choose_split(grid(feasible, steps), nearest=4).split == (("tp", 2), ("pp", 2))


def test_stages_are_added_before_tensor_parallelism_crosses_networks():
    feasible = [[0, 0, 0], [0, 0, 1], [1, 1, 1]]
    assert choose_split(grid(feasible), nearest=2).split == (("tp", 2), ("pp", 3))


def test_tensor_parallelism_crosses_networks_where_nothing_else_holds_the_model():
    feasible = [[0, 0, 0], [0, 0, 0], [0, 1, 1]]
    assert choose_split(grid(feasible), nearest=2).split == (("tp", 4), ("pp", 2))


def test_what_is_lacking_is_told_of_the_split_that_comes_closest():
    memory = [[90, 60, 50], [50, 40, 30], [40, 30, 12]]
    found = choose_split(grid(np.zeros((3, 3)), memory=memory), nearest=4)
    assert found.split == (("tp", 4), ("pp", 3))
    assert found.why == "needs 12 B on each of 12, has 10 B"


# ---- rows


def test_a_package_is_one_device(shell):
    (row,) = rows(shell, "H100_SXM")
    assert (row.system, row.devices, row.available, row.weights) == ("H100_SXM", 1, 1, "bf16")
    assert set(row.metrics) == set(COMPARED_METRICS)
    assert row.bound[0] == "hbm"


def test_a_row_is_what_eval_says_of_the_same_text(shell, tmp_path):
    asked = question(shell, "DGX_H100:tp=4", batches=(8,))
    cases = build_comparison_cases(shell, asked)
    (row,) = evaluate_comparison(shell, asked, cases)
    path = tmp_path / "shown.accel"
    path.write_text(format_comparison_text(asked.title, asked.subject.used, cases))
    point = shell.evaluate(str(path))[0].point()
    for name in ("ttft", "tpot", "throughput", "cost_per_mtok"):
        entry = point["metrics"][name]
        assert row.metrics[name] == (entry["value"], entry["low"], entry["high"])
    power = point["metrics"]["power"]["value"]
    assert row.metrics["tokens_per_joule"][0] == pytest.approx(row.metrics["throughput"][0] / power)
    assert row.metrics["tokens_per_user"][0] == pytest.approx(1 / row.metrics["tpot"][0])


def test_the_low_of_tokens_per_user_is_the_high_of_the_time_per_token(shell):
    (row,) = rows(shell, "H100_SXM")
    value, low, high = row.metrics["tokens_per_user"]
    assert low < value < high
    assert low == pytest.approx(1 / row.metrics["tpot"][2])


def test_a_model_that_does_not_fit_leaves_an_empty_row_with_its_reason(shell):
    (row,) = rows(shell, "L4", model="llama-3-70b")
    assert not row.feasible
    assert row.metrics == {}
    assert row.why.startswith("needs 14")  # 141 GB of weights and what comes with them
    assert row.why.endswith(", has 25.8 GB")


def test_a_system_uses_as_many_devices_as_hold_the_model(shell):
    small, large = (rows(shell, "DGX_H100", model=name)[0] for name in ("llama-3-8b", "llama-3-70b"))
    assert (small.devices, large.devices) == (1, 2)
    assert format_parallel_degrees(large) == "tp2"
    assert large.available == 8


def test_a_split_that_breaks_a_rule_says_which(shell):
    (row,) = rows(shell, "DGX_H100:tp=3")
    assert row.why.startswith("tp = 3 does not divide 32 heads; ")
    assert format_parallel_degrees(row) == "tp3"


def test_a_split_of_more_devices_than_there_are_says_so(shell):
    (row,) = rows(shell, "DGX_H100:tp=8,pp=2")
    assert "the split needs more devices" in row.why


def test_an_unknown_field_of_a_split_is_an_error(shell):
    with pytest.raises(DescriptionError) as error:
        rows(shell, "DGX_H100:pt=8")
    assert error.value.diagnostics[0].code == "A101"


def test_weights_that_no_engine_multiplies_are_widened(shell):
    (row,) = rows(shell, "A100_SXM_80GB", dtype="int4")
    assert (row.weights, row.products) == ("int4", "bf16")
    assert format_row_dtypes(row) == "int4 in bf16"
    assert "int4 weights, products in bf16" in format_comparison_table([row], "int4")


def test_a_device_without_the_type_uses_the_widest_that_it_has(shell, tmp_path):
    path = tmp_path / "chip.accel"
    path.write_text(CHIP)
    (row,) = rows(Session(shell.registry, (tmp_path,)), f"{path}:Narrow")
    assert (row.weights, row.products) == ("int8", "int8")
    assert row.feasible


CHIP = """\
package Narrow {
  die d {
    clock = 1 GHz
    engine mac { kind = matrix, ops { int8 = 65_536 MAC/cycle, int4 = 131_072 MAC/cycle } }
    engine alu { kind = vector, ops { fp32 = 4096 op/cycle } }
  }
  memory dram { class = hbm3, capacity = 64 GB, bandwidth = 1 TB/s }
}
"""


def test_the_default_systems_are_twelve_and_known(shell):
    found = resolve_system_arguments(shell, DEFAULT_SYSTEMS, "bf16")
    assert len(found) == 12
    engines = {entrant.facts.engine for entrant in found}
    assert {"matrix", "systolic", "vector"} <= engines


def test_the_same_system_twice_is_one(shell):
    assert len(resolve_system_arguments(shell, ("H100_SXM", "std.nvidia.h100_sxm", "h100-sxm"), "bf16")) == 1


def test_a_system_with_the_split_that_is_found_for_it_takes_part_once(shell):
    found = rows(shell, "DGX_H100:tp=1", "DGX_H100", "DGX_H100:tp=2")
    assert [(row.system, format_parallel_degrees(row)) for row in found] == [
        ("DGX_H100", "-"),
        ("DGX_H100", "tp2"),
    ]


# ---- order and formats


def made(system, batch=1, tpot=None):
    metrics = {} if tpot is None else {"tpot": (tpot, tpot, tpot), "tokens_per_user": (1 / tpot,) * 3}
    return ComparisonRow(
        system=system, scenario=f"{system}_batch", batch=batch, devices=1, available=1, split=(("tp", 1),),
        weights="bf16", products="bf16", metrics=metrics, why="" if metrics else "too small", generated=True,
    )  # fmt: skip


@pytest.mark.parametrize("metric", ["tpot", "tokens_per_user"])
def test_the_best_of_a_metric_comes_first_and_empty_rows_last(metric):
    given = [made("empty"), made("slow", tpot=2.0), made("quick", tpot=1.0)]
    assert [row.system for row in sort_comparison_rows(given, metric)] == ["quick", "slow", "empty"]


def test_batches_stay_apart_when_sorted():
    given = [made("a", batch=64, tpot=1.0), made("b", batch=1, tpot=2.0)]
    assert [row.batch for row in sort_comparison_rows(given, "tpot")] == [1, 64]


def test_an_unknown_metric_is_refused_with_the_right_one():
    with pytest.raises(UsageError, match="did you mean `tpot`"):
        check_sort_metric("tpott")


def test_tables_have_a_cell_for_each_head():
    given = [made("quick", tpot=1e-3), made("empty")]
    for line in format_comparison_markdown(given).splitlines():
        assert line.count(" | ") == len(COMPARISON_COLUMNS)  # and the batch
    lines = format_comparison_csv(given).splitlines()
    assert {line.count(",") for line in lines} == {lines[0].count(",")}
    assert [item["feasible"] for item in json.loads(format_comparison_json(given))] == [True, False]
    assert "empty because:\n  empty: too small" in format_comparison_table(given, "bf16")


def test_a_narrow_terminal_goes_without_some_columns():
    given = [made("quick", tpot=1e-3), made("empty")]
    whole = format_comparison_table(given, "bf16")
    assert format_comparison_table(given, "bf16", TextStyle(width=200)) == whole
    assert "hidden" not in whole
    for width in (80, 100):
        text = format_comparison_table(given, "bf16", TextStyle(width=width))
        assert max(map(len, text.splitlines())) <= width
        head = next(line for line in text.splitlines() if line.startswith("SYSTEM"))
        note = " ".join(text.split("hidden for lack of room: ")[1].split()).split(";")[0]
        assert all((f"  {name}" in head) != (name in note) for name in ("TOK/S USER", "TPOT"))
        assert "DECODE BOUND BY" in head


def test_a_file_gets_all_columns(accel):
    done = accel("compare", "H100_SXM", "--batch", "1", COLUMNS="60")
    head = next(line for line in done.out.splitlines() if line.startswith("SYSTEM"))
    assert all(column.heading in head for column in COMPARISON_COLUMNS)


def test_idle_devices_of_a_priced_node_are_mentioned_with_its_cost(shell):
    node, all_of_it, alone = (rows(shell, name)[0] for name in ("DGX_H100", "DGX_H100:tp=8", "H100_SXM"))
    assert node.metrics["cost_per_mtok"][0] > 5 * alone.metrics["cost_per_mtok"][0]
    assert "idle devices of a node are paid for" in format_comparison_table([node, alone], "bf16")
    assert "idle" not in format_comparison_table([all_of_it, alone], "bf16")


# ---- the text


def test_the_text_is_canonical_and_checks_clean(shell, tmp_path):
    asked = question(shell, "H100_SXM", "MI300X_platform:tp=8", batches=(1, 64))
    path = tmp_path / "shown.accel"
    path.write_text(
        format_comparison_text(asked.title, asked.subject.used, build_comparison_cases(shell, asked))
    )
    assert shell.check(str(path)) == ()
    assert [row.batch for row in compare_files(shell, [str(path)], ())] == [1, 1, 64, 64]


def test_two_files_of_one_name_are_refused():
    load = ComparisonLoad(batch=1, prompt=8, output=8)
    given = [
        ComparisonCase(system=used, split=(("tp", 1),), weights="bf16", products="bf16", load=load)
        for used in (UsedDefinition(name="A", file="x/a.accel"), UsedDefinition(name="A", file="y/a.accel"))
    ]
    with pytest.raises(UsageError, match="`a` is of both `x/a"):
        format_comparison_text("t", UsedDefinition(name="m", module="std.models"), given)


# ---- files


def test_scenarios_of_files_are_compared_as_they_are(shell, main_job):
    (row,) = compare_files(shell, [main_job], ())
    assert (row.system, row.scenario, row.batch) == ("DGX_H100", "one_person_on_dgx", 1)
    assert (row.devices, row.split) == (8, (("tp", 8),))
    assert row.weights == "bf16"


def test_a_scenario_that_no_file_has_is_refused(shell, main_job):
    with pytest.raises(UsageError, match="no scenario is called `x`"):
        compare_files(shell, [main_job], ["x"])


# ---- the command line


def test_the_verb_prints_a_table_and_says_what_is_empty(accel):
    done = accel("compare", "H100_SXM", "L4", "--model", "llama-3-70b", "--batch", "1")
    assert done.code == 3
    assert "L4: needs 14" in done.out
    done = accel("compare", "H100_SXM", "L4", "--batch", "1", "--sort", "tpot", "--format", "json")
    assert done.code == 0
    assert [item["system"] for item in json.loads(done.out)] == ["H100_SXM", "L4"]


def test_the_text_can_be_compared_again(accel, tmp_path):
    assert accel("compare", "H100_SXM", "--show-text", "-o", "mine.accel").code == 0
    done = accel("compare", "mine.accel", "--scenario", "H100_SXM_batch_64", "--format", "csv")
    assert len(done.out.splitlines()) == 2


def test_a_chip_of_a_file_is_compared_with_the_library(accel, tmp_path):
    folder = tmp_path / "chips"
    folder.mkdir()
    (folder / "chip.accel").write_text(CHIP)
    done = accel("compare", "chips/chip.accel:Narrow", "H100_SXM", "--batch", "1", "--format", "json")
    assert [item["system"] for item in json.loads(done.out)] == ["Narrow", "H100_SXM"]


def test_a_file_of_hardware_alone_says_how_its_systems_are_compared(accel, tmp_path):
    (tmp_path / "chip.accel").write_text(CHIP)
    done = accel("compare", "chip.accel")
    assert (done.code, done.out) == (2, "")
    assert "as `chip.accel:Narrow`" in done.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("H100_SXN",), "did you mean"),
        (("H100",), "it is part of `H100_"),
        (("llama-3-8b",), "it is a model: `--model llama-3-8b`"),
        (("H100_SXM:tp",), "NAME:tp=8,pp=2"),
        (("H100_SXM", "--model", "lama3-8b"), "did you mean"),
        (("H100_SXM", "--batch", "one"), "--batch takes numbers"),
        (("H100_SXM", "--precision", "bf15"), "did you mean `bf16`"),
        (("H100_SXM", "--scenario", "x"), "no file is given"),
        (("missing.accel",), "cannot read"),
    ],
)
def test_what_cannot_be_compared_is_a_usage_error(accel, arguments, said):
    done = accel("compare", *arguments)
    assert (done.code, done.out) == (2, "")
    assert said in done.err


# ---- errors of a file

WHOLE = """use std.nvidia {{ H200_SXM }}
use std.models {{ llama3_8b }}
package Own extends H200_SXM {{ {0} }}
workload w {{ batch = 1, prompt = 128 tok, output = 8 tok }}
deployment d {{ system = Own, model = llama3_8b }}
scenario s {{ deployment = d, workload = w }}
"""


@pytest.mark.parametrize(
    ("line", "code"),
    [
        ("check hbm.bandwidth == 5 TB/s", "A301"),
        ("hbn { bandwidth = 5 TB/s }", "A102"),
        ("gh100.l2.clas = cache", "A202"),
        ("tdp = 700 quux", "A110"),
    ],
)
def test_errors_of_a_file_are_told_as_eval_tells_them(accel, tmp_path, line, code):
    (tmp_path / "own.accel").write_text(WHOLE.format(line))
    evaluated = accel("eval", "own.accel")
    done = accel("compare", "own.accel:Own", "H200_SXM")
    assert f"error[{code}]" in done.err
    assert (done.code, done.out, done.err) == (2, "", evaluated.err)
    assert evaluated.code == 2


def test_errors_of_the_file_of_a_model_are_told_too(accel, tmp_path):
    (tmp_path / "own.accel").write_text(
        "use std.models { llama3_8b }\nmodel m extends llama3_8b { check layers == 1 }\n"
    )
    done = accel("compare", "H200_SXM", "--model", "own.accel:m")
    assert done.code == 2
    assert "error[A301]" in done.err
