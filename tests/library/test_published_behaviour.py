"""What is published of whole classes of architecture holds in the library, with the factor that each model is good for."""

from __future__ import annotations

from functools import cache

import pytest

from accelscope.core.session import Session

TEXT = """
use {module} {{ {system} }}
use std.models {{ {model} }}
deployment d {{ system = {system}, model = {model}, parallel {{ {split} }}, precision {{ {precision} }} }}
workload w {{ batch = {batch}, prompt = {prompt} tok, output = 200 tok }}
scenario s {{ deployment = d, workload = w }}
"""
WIDE = "weights = fp16, activations = fp16, kv = fp16"
GROQ = "weights = int8, activations = fp16, kv = fp16"
SPEEDS = (
    "Artificial Analysis, quoted in sambanova.ai/blog/sn40l-chip-best-inference-solution, table 1, 2024-09-10"
)


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    shell = Session.open()
    path = tmp_path_factory.mktemp("behaviour") / "case.accel"

    @cache
    def evaluate(module, system, *, model="llama3_1_8b", split="tp = 1", precision=WIDE, batch=1, prompt=100):
        path.write_text(
            TEXT.format(
                module=module,
                system=system,
                model=model,
                split=split,
                precision=precision,
                batch=batch,
                prompt=prompt,
            )
        )
        return shell.evaluate(str(path), bars=False)[0]

    return evaluate


def value(result, name):
    assert result.feasible
    return float(result.metrics[name].value)


def speed(result):
    """Tokens a second of one user."""
    return 1 / value(result, "tpot")


@pytest.mark.parametrize(
    ("system", "model", "split", "published"),
    [("CS3", "llama3_1_8b", "pp = 1", 1837), ("CS3x4", "llama3_1_70b", "pp = 4", 445)],
)
def test_a_wafer_decodes_as_fast_as_published_within_a_factor_of_two(run, system, model, split, published):
    found = speed(run("std.cerebras", system, model=model, split=split))
    assert published / 2 < found < published * 2, SPEEDS


def test_a_wafer_and_a_groq_rack_decode_far_faster_for_one_user_than_a_gpu(run):
    gpu = speed(run("std.nvidia", "DGX_H100"))
    assert speed(run("std.cerebras", "CS3")) > 8 * gpu
    assert speed(run("std.groq", "GroqRack", split="tp = 8, pp = 8", precision=GROQ)) > 4 * gpu


def test_a_wafer_loses_its_lead_for_each_watt_and_dollar_at_large_batch(run):
    """Whole systems, each as full as is usual: a CS-3 and the eight GPUs of a DGX, one model copy on each."""

    wafer = run("std.cerebras", "CS3", batch=64)
    gpus = run("std.nvidia", "DGX_H100", split="dp = 8", batch=8 * 64)
    wafer_rate, gpu_rate = (value(item, "decode_throughput") / value(item, "power") for item in (wafer, gpus))
    assert wafer_rate < gpu_rate
    assert value(wafer, "cost_per_mtok") > value(gpus, "cost_per_mtok")


def test_mi300x_beats_h100_where_bandwidth_decides(run):
    mi300x, h100 = (
        run(module, system, batch=16, prompt=2000)
        for module, system in (("std.amd", "MI300X_platform"), ("std.nvidia", "DGX_H100"))
    )
    gain = value(h100, "tpot") / value(mi300x, "tpot")
    assert 1.1 < gain < 5.3 / 3.35 * 1.1


def test_prefill_of_a_tpu_pays_for_shapes_that_do_not_fill_its_array(run):
    """256 x 256 arrays: heads of 128 fill half of one, so padding shows in attention; whole tiles do not pay."""
    from accelscope.core.testing import make_device, make_op, make_part
    from accelscope.plugins.compute.systolic import SYSTOLIC

    array = {"kind": "systolic", "shape": [256, 256], "ops": {"bf16": "65536 MAC/cycle"}}
    part = make_part(SYSTOLIC, array, count="2", cores="1", clock="1.75 GHz", level="core")
    whole, odd = (
        float(SYSTOLIC.run(part, make_op(m=8192.0, n=size, k=4096.0), make_device()).time.value) / size
        for size in (4096.0, 4096.0 + 128.0)
    )
    assert 1.02 < odd / whole < 1.10
