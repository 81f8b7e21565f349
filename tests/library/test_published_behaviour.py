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
    from accelscope.core.testing.builders import make_device, make_op, make_part
    from accelscope.plugins.compute.systolic import SYSTOLIC

    array = {"kind": "systolic", "shape": [256, 256], "ops": {"bf16": "65536 MAC/cycle"}}
    part = make_part(SYSTOLIC, array, count="2", cores="1", clock="1.75 GHz", level="core")
    whole, odd = (
        float(SYSTOLIC.run(part, make_op(m=8192.0, n=size, k=4096.0), make_device()).time.value) / size
        for size in (4096.0, 4096.0 + 128.0)
    )
    assert 1.02 < odd / whole < 1.10


# jax-ml/scaling-book, tpus.md @0819a7d (Google authors): sizes are padded to the sides of the array, 128 x 128 and, from
# v6e on, 256 x 256. So an array loses no more than the padded over the useful work. A pass also moves memory, computes
# norms and communicates, none of which is padded: 40 to 100 % of what the shape loses has to show in a prefill.
SHOWS = (0.4, 1.0)
SYNTHETIC = """
use std.google {{ {system} }}
use std.models {{ transformer }}
model m extends transformer {{
  layers = 32, vocab = 32_768, hidden = {hidden}, ffn = {ffn}, heads = {heads}, kv_heads = {kv_heads}, head_dim = {head_dim}
}}
deployment d {{ system = {system}, model = m, parallel {{ {split} }}, precision {{ weights = bf16, activations = bf16, kv = bf16 }} }}
workload w {{ batch = {batch}, prompt = {prompt} tok, output = 2 tok }}
scenario s {{ deployment = d, workload = w }}
"""
SLICES = [
    pytest.param("TPUv5p_host", "dp", 4, 128, id="v5p, replicas"),
    pytest.param("TPUv5p_host", "tp", 4, 128, id="v5p, tensor parallel"),
    pytest.param("TPUv6e_8", "dp", 8, 256, id="v6e, replicas"),
]


@pytest.fixture(scope="module")
def prefill(tmp_path_factory):
    """Return the time to first token, in seconds, of a dense model on a whole TPU system of the library."""
    shell = Session.open()
    path = tmp_path_factory.mktemp("prefill") / "case.accel"

    def evaluate(system, split, *, head_dim=128, hidden=4096, ffn=14_336, batch, prompt=2048):
        heads = 4096 // head_dim
        path.write_text(
            SYNTHETIC.format(
                system=system,
                split=split,
                hidden=hidden,
                ffn=ffn,
                head_dim=head_dim,
                heads=heads,
                kv_heads=heads // 4,
                batch=batch,
                prompt=prompt,
            )
        )
        return value(shell.evaluate(str(path), bars=False)[0], "ttft")

    return evaluate


def products(hidden, ffn, *, shards=1, array=1):
    """Multiply-accumulates of a token in a layer on one of the shards, sizes rounded up to the array.

    Queries and the output have 32 heads of 128, keys and values 8.
    """
    hidden, ffn = (-(-size // array) * array for size in (hidden, ffn // shards))
    return hidden * (2 * 4096 + 2 * 1024) / shards + 3 * hidden * ffn


@pytest.mark.parametrize(("system", "split", "devices", "array"), SLICES)
def test_prefill_of_a_tpu_system_falls_where_sizes_are_one_more_than_its_arrays_hold(
    prefill, system, split, devices, array
):
    shards = devices if split == "tp" else 1

    def time_and_work(extra):
        sizes = {"hidden": 2048 + extra, "ffn": 8192 + shards * extra}
        time = prefill(system, f"{split} = {devices}", batch=8 * devices // shards, **sizes)
        return time, *(products(**sizes, shards=shards, array=side) for side in (1, array))

    (whole, whole_work, _), (odd, work, padded), (more, more_work, _) = map(time_and_work, (0, 1, array))
    loss = (odd / work) / (whole / whole_work) - 1
    assert SHOWS[0] < loss / (padded / work - 1) < SHOWS[1]
    assert more / more_work <= whole / whole_work, "the next multiple wastes nothing"
    assert work / more_work + 0.02 < odd / more <= 1, "one more costs nearly what the next multiple costs"


@pytest.mark.parametrize(
    ("system", "devices", "head_dim"), [("TPUv5p_host", 4, 128), ("TPUv6e_8", 8, 256)], ids=["v5p", "v6e"]
)
def test_heads_of_half_an_array_slow_the_prefill_of_a_tpu_system(prefill, system, devices, head_dim):
    """The same FLOPs, weights and KV cache, in twice as many heads: attention fills half of each array."""
    full, half = (
        prefill(system, f"dp = {devices}", head_dim=size, batch=devices, prompt=16_384)
        for size in (head_dim, head_dim // 2)
    )
    attention = 2 * 4096 * 16_384 / 2  # scores and their sums, each token with half of the prompt on average
    padding = attention / (attention + products(4096, 14_336))
    assert SHOWS[0] < (half / full - 1) / padding < SHOWS[1]
