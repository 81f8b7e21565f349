"""Rows of kernels to predictions: every operation, the same number as a description gives, reasons to skip."""

from __future__ import annotations

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.analysis.validate.kernel_rows import (
    COLLECTIVES,
    EXPERT_EXCHANGES,
    KERNEL_ROW_MAPPINGS,
    MEASURED_DTYPES,
    collective_kernel_class,
    implementation_of,
    infer_expert_visits,
    infer_kernel_options,
)
from accelscope.core.analysis.validate.kernels import group_kernel_rows, predict_kernel_rows
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.predict import Prediction
from accelscope.core.analysis.validate.table import MeasurementTable, read_tables
from tests.support.paths import MEASURED

KERNELS = str(MEASURED / "ops.csv")


@pytest.fixture(scope="module")
def names(shell) -> LibraryNames:
    return LibraryNames(shell)


@pytest.fixture(scope="module")
def table() -> MeasurementTable:
    return read_tables([KERNELS])[0]


@pytest.fixture(scope="module")
def prediction(table, names):
    return predict_kernel_rows(table, names)


def with_column(table: MeasurementTable, name: str, value: object) -> MeasurementTable:
    values = np.full(len(table), value, dtype=table.columns[name].dtype)
    return evolve(table, columns={**table.columns, name: values})


def of_op(table: MeasurementTable, op: str) -> MeasurementTable:
    return table.take(np.flatnonzero(table.text("op") == op))


def test_the_table_has_every_kind_of_operation_but_grouped_products(table):
    known = {*KERNEL_ROW_MAPPINGS, *COLLECTIVES, *EXPERT_EXCHANGES}
    assert known - {*table.text("op")} == {"grouped_gemm", "reducescatter", "broadcast"}


def test_every_row_whose_system_the_library_has_is_predicted(table, prediction):
    skipped = {str(reason) for reason in prediction.reasons if reason}
    assert all(reason.startswith("the library has no system") for reason in skipped)
    done = prediction.reasons == ""
    assert done.sum() >= len(table) - 1
    assert np.all((prediction.low < prediction.value) & (prediction.value < prediction.high), where=done)


def test_products_are_near_what_was_measured(table, prediction):
    """Not an accuracy test: a wrong unit, size or data type is off by far more."""
    rows = np.flatnonzero(np.isin(table.text("op"), ["gemm", "attn_prefill", "moe"]))
    ratio = prediction.value[rows] / table.number("latency_us")[rows]
    assert np.median(np.abs(np.log(ratio))) < np.log(2.0)
    assert np.all((ratio > 0.05) & (ratio < 20.0))


def test_a_row_alone_is_predicted_like_among_others(table, names, prediction):
    for row in range(0, len(table), 5):
        alone = predict_kernel_rows(table.take(np.array([row])), names)
        assert alone.value[0] == pytest.approx(prediction.value[row], nan_ok=True)
        assert alone.reasons[0] == prediction.reasons[row]


@pytest.mark.parametrize("op", ["attn_decode", "rmsnorm", "silu_mul", "quantize_fp8"])
def test_a_kernel_costs_what_its_description_costs(op, table, names, shell, tmp_path):
    """The text has no runtime, so the row has no engine."""
    row = with_column(of_op(table, op).take(np.array([0])), "engine", "")
    form = KERNEL_ROW_MAPPINGS[op]
    sizes = {name: f"{row.number(column)[0]:g}" for name, column in form.columns.items()}
    words = {name: str(value).lower() for name, value in infer_kernel_options(op, "", "", "").items()}
    fields = ", ".join(f"{name} = {value}" for name, value in (sizes | words).items())
    weights, activations = MEASURED_DTYPES[row.text("dtype")[0]]
    package = names.device(row.text("hw")[0])[0]
    file = tmp_path / "kernel.accel"
    file.write_text(
        f"use {package.module} {{ {package.component.name} }}\n"
        f"model kernel {{ family = {form.family}, {fields} }}\n"
        "workload once { batch = 1, prompt = 1 tok, output = 1 tok }\n"
        f"deployment here {{ system = {package.component.name}, model = kernel\n"
        f"  precision {{ weights = {weights}, activations = {activations}, kv = bf16 }} }}\n"
        "scenario row { deployment = here, workload = once }\n"
    )
    (result,) = shell.evaluate(str(file), bars=False)
    seconds = float(np.asarray(result.metrics["tpot"].value).flat[0])
    assert seconds * 1e6 == pytest.approx(
        predict_kernel_rows(with_column(row, "kv_dtype", "bf16"), names).value[0]
    )


def test_more_work_takes_no_less_time(table, names):
    """But for a tenth: four times a size may divide better into tiles and splits."""
    for op, form in KERNEL_ROW_MAPPINGS.items():
        rows = of_op(table, op)
        before = predict_kernel_rows(rows, names).value
        for column in form.columns.values():
            if column in ("kv_heads", "experts", "seq_q"):
                continue  # fewer query rows a KV head, fewer tokens an expert, and causal rows may be faster
            more = evolve(rows, columns={**rows.columns, column: rows.columns[column] * 4})
            assert np.all(predict_kernel_rows(more, names).value >= before * 0.9), (op, column)


def test_a_window_shortens_attention(table, names):
    rows = with_column(of_op(table, "attn_decode"), "kv_len", 65536.0)
    whole, part = (
        predict_kernel_rows(with_column(rows, "window", value), names).value for value in (0.0, 1024.0)
    )
    assert np.all(part < whole / 2)


def test_dynamic_quantisation_is_part_of_what_engines_measure(table, names):
    """Told by the operations: calibrations differ between engines, so their times say nothing of it."""
    rows = with_column(of_op(table, "gemm"), "dtype", "fp8").take(np.array([4]))
    for engine, dtype, expected in (("vllm", "fp8", True), ("", "fp8", False), ("vllm", "fp8_static", False)):
        asked = with_column(with_column(rows, "engine", engine), "dtype", dtype)
        (group,) = group_kernel_rows(asked, names, Prediction.empty(1))
        assert any(op.kernel == "quantize" for op in group.plan.ops) == expected


def test_weights_that_a_device_does_not_multiply_are_widened(table, names):
    rows = with_column(of_op(table, "gemm"), "hw", "A100-SXM-80GB").take(np.array([0]))
    few = with_column(with_column(with_column(rows, "m", 1.0), "n", 16384.0), "k", 16384.0)
    narrow, wide = (
        predict_kernel_rows(with_column(few, "dtype", dtype), names).value for dtype in ("fp8", "bf16")
    )
    assert narrow[0] < wide[0]


def test_ranks_share_the_experts(table, names):
    rows = of_op(table, "moe")
    alone = with_column(with_column(rows, "tp", 1.0), "ep", 1.0)
    few, many = (predict_kernel_rows(with_column(alone, "ep", ep), names).value for ep in (1.0, 8.0))
    assert np.all(many < few)


def test_an_exchange_sends_the_bytes_of_its_type(table, names):
    rows = with_column(of_op(table, "alltoall_dispatch"), "tokens", 65536.0)
    narrow, wide = (
        predict_kernel_rows(with_column(rows, "dtype", dtype), names).value for dtype in ("fp8", "bf16")
    )
    assert wide[0] / narrow[0] == pytest.approx(2.0, rel=0.1)
    rows = with_column(of_op(table, "alltoall_combine"), "tokens", 65536.0)
    narrow, wide = (
        predict_kernel_rows(with_column(rows, "dtype", dtype), names).value for dtype in ("nvfp4", "bf16")
    )
    assert wide[0] == narrow[0]


@pytest.mark.parametrize(
    ("column", "value", "reason"),
    [
        ("hw", "NPU-9", "the library has no device NPU-9"),
        ("op", "fft", "no model of op fft"),
        ("dtype", "int3", "no data type int3"),
        ("dtype", "", "no data type"),
        ("m", np.nan, "op gemm without all of m, n, k"),
        ("n", 0.0, "op gemm without all of m, n, k"),
    ],
)
def test_what_the_library_lacks_is_skipped_with_the_reason(table, names, column, value, reason):
    found = predict_kernel_rows(with_column(of_op(table, "gemm"), column, value), names)
    assert {*found.reasons} == {reason}
    assert np.all(np.isnan(found.value))


def test_collectives_without_sizes_or_a_system_are_skipped(table, names):
    rows = of_op(table, "allgather")
    reasons = [
        predict_kernel_rows(with_column(rows, column, value), names).reasons[0]
        for column, value in (("bytes", np.nan), ("devices", 100_000.0))
    ]
    assert reasons == [
        "op allgather without all of bytes, devices",
        "the library has no system of 100000 H100-SXM",
    ]


def test_a_collective_over_nodes_is_slower_than_within_one(table, names):
    rows = with_column(with_column(of_op(table, "allreduce"), "hw", "H100-SXM"), "devices", 8.0)
    rows = with_column(rows, "bytes", 1e8)
    one, two = (predict_kernel_rows(with_column(rows, "nodes", nodes), names).value for nodes in (1.0, 2.0))
    assert np.all(two > one)


def test_skewed_visits_hit_fewer_experts_and_load_one_rank_more(table, names):
    rows = with_column(of_op(table, "moe"), "dist", "balanced")
    alone = with_column(with_column(with_column(rows, "tp", 1.0), "ep", 1.0), "tokens", 16.0)
    spread = with_column(with_column(rows, "ep", 8.0), "tokens", 65536.0)

    def times(table, dist):
        return predict_kernel_rows(with_column(table, "dist", dist), names).value

    assert np.all(times(alone, "power_law_1.2") < times(alone, "balanced"))
    assert np.all(times(spread, "power_law_1.2") > times(spread, "balanced"))
    assert np.all(times(spread, "power_law_1.2_eplb") < times(spread, "power_law_1.2"))


@pytest.mark.parametrize(
    ("op", "engine", "kernel", "name"),
    [
        ("allreduce", "nccl", "nccl", "all_reduce"),
        ("allreduce", "nccl", "nccl a100_dgx", "eager_all_reduce"),
        ("allreduce_custom", "vllm", "vllm_custom_graph:vllm_graph", "custom_all_reduce"),
        ("allreduce_custom", "vllm", "vllm_custom_eager:vllm_eager", "eager_custom_all_reduce"),
        ("allgather", "oneccl", "oneccl", "all_gather"),
        ("alltoall_dispatch", "sglang", "deepep_ll_dispatch", "experts_dispatch"),
    ],
)
def test_a_collective_is_a_library_s_or_an_engine_s_in_a_graph_or_not(op, engine, kernel, name):
    assert collective_kernel_class(op, engine, kernel) == name


def test_exchanges_are_the_same_implementation_on_any_number_of_cores():
    assert implementation_of("deepep_normal_dispatch_sms20") == implementation_of(
        "deepep_normal_combine_sms24"
    )
    assert implementation_of("deepep_ll_combine") == "deepep_ll"


def test_kernels_differ_in_what_they_do_of_visits_to_other_ranks():
    named = {"vllm_fused_moe": "vllm", "sglang_marlin_moe": "sglang", "moe_torch_flow_cutlass": "trtllm"}
    assert [infer_expert_visits(engine, kernel) for kernel, engine in named.items()] == [
        "padded",
        "computed",
        "skipped",
    ]


def test_a_balancer_leaves_chance_and_even_visits_do_not():
    routings = [
        infer_kernel_options("moe", "", "bf16", "trtllm", dist)["routing"]
        for dist in ("power_law_1.2_eplb", "balanced")
    ]
    assert routings == ["uniform_random", "balanced"]


def test_an_engine_without_a_kernel_for_it_normalises_step_by_step():
    native = infer_kernel_options("rmsnorm", "Llama-3.1-8B:input_layernorm", "bf16", "vllm/torch")
    assert native == {"kind": "rmsnorm", "fused_residual_add": False, "unfused": True}
    phi = infer_kernel_options("rmsnorm", "Phi-mini-MoE-instruct:input_layernorm", "bf16", "vllm/torch")
    assert phi == {"kind": "layernorm", "fused_residual_add": False}
    assert infer_kernel_options("rmsnorm", "", "bf16", "vllm") == {
        "kind": "rmsnorm",
        "fused_residual_add": True,
        "unfused": False,
    }
