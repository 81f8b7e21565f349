"""Where weights and KV cache lie, and how a device works whose layers lie side by side."""

from __future__ import annotations

import pytest

SERVER = """
use std.nvidia { H100_SXM }
use std.links { PCIe5x16 }
use std.models { llama3_70b }
node server {
  package gpu[4] : H100_SXM
  host cpu { memory ddr { class = ddr5, capacity = 1 TB, bandwidth = 400 GB/s } }
  connect gpu[*] <-> cpu via PCIe5x16
}
deployment d { system = server, model = llama3_70b, memory { %s } }
workload w { batch = %s, prompt = %s tok, output = 16 tok }
scenario s { deployment = d, workload = w }
"""
WAFER = """
link Hop { bandwidth = 4000 B/cycle/dir, latency = 1 cycle, efficiency = 100%% }
use std.models { llama3_8b }
package wafer {
  layer_mapping = %s, kernel_launch = 0 s, reserve = 0 B, tdp = 20 kW
  die d {
    clock = 1 GHz
    core pe[100, 100] {
      engine simd { kind = vector, ops { fp16 = 800 MAC/cycle, bf16 = 800 MAC/cycle }, efficiency = 100%% }
      memory sram { class = scratchpad, capacity = 4 MB, bandwidth = 1600 B/cycle, efficiency = 100%% }
    }
  }
}
node one { package w : wafer }
deployment d { system = one, model = llama3_8b }
workload w { batch = %s, prompt = 64 tok, output = 2 tok }
scenario s { deployment = d, workload = w }
"""


@pytest.fixture
def evaluate(shell, tmp_path):
    def run(text: str):
        path = tmp_path / "case.accel"
        path.write_text(text)
        return shell.evaluate(str(path), bars=False)[0]

    return run


def value(result, name: str) -> float:
    return float(result.metrics[name].value)


def limit(result, name: str):
    return next(row for row in result.limits if row.name == name)


def test_nothing_is_spilled_unless_asked_for(evaluate):
    result = evaluate(SERVER % ("reserve = 1 GB", 1, 1000))
    assert not result.feasible
    assert all(row.name != "tier" for row in result.limits)


def test_what_does_not_fit_comes_over_the_bus(evaluate):
    result = evaluate(SERVER % ("weights = partial_offload, reserve = 0 B", 1, 1))
    away = float(limit(result, "tier").used)
    assert result.feasible
    assert away == pytest.approx(2 * 70_553_706_496 - 80 * 2**30, rel=0.01)
    bus = 64e9 * 0.8
    assert value(result, "tpot") > away / bus * 0.8
    assert value(result, "tpot") < away / bus * 1.5


def test_the_host_memory_is_shared_by_the_devices_around_it(evaluate):
    result = evaluate(SERVER % ("weights = full_offload, reserve = 0 B", 1, 1))
    assert float(limit(result, "tier").available) == pytest.approx(1e12 / 4)


def test_streamed_weights_leave_the_device_free(evaluate):
    result = evaluate(SERVER % ("weights = full_offload, reserve = 0 B", 1, 1))
    assert float(limit(result, "memory").used) < 1e9
    assert float(limit(result, "tier").used) == pytest.approx(2 * 70_553_706_496, rel=0.001)


def test_kv_cache_goes_before_weights(evaluate):
    both = evaluate(SERVER % ("weights = partial_offload, kv = partial_offload, reserve = 0 B", 8, 4000))
    cache = 8 * 4015 * 327_680
    excess = float(limit(both, "tier").used)
    assert excess > cache  # all of the cache, and some weights
    assert both.feasible


def test_a_policy_without_a_tier_is_refused(shell, tmp_path):
    from accelscope.core.errors import DescriptionError

    path = tmp_path / "case.accel"
    path.write_text(
        (SERVER % ("kv = partial_offload", 1, 1)).replace("connect gpu[*] <-> cpu via PCIe5x16", "")
    )
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(str(path))
    assert "nothing stands behind the memory" in str(caught.value.diagnostics[0].message)


def test_one_sequence_waits_for_its_trip_and_many_share_the_cores(evaluate):
    alone, few, many = (evaluate(WAFER % ("spatial_pipeline", batch)) for batch in (1, 8, 4096))
    assert value(alone, "tpot") == pytest.approx(value(few, "tpot"), rel=0.01)
    assert value(many, "tpot") > 2 * value(alone, "tpot")


def test_a_product_takes_as_long_as_reading_all_weights(evaluate):
    result = evaluate(WAFER % ("spatial_pipeline", 1))
    whole = 2 * 8_030_261_248 / (100 * 100 * 1600 * 1e9)
    row = next(row for row in result.breakdown if (row.phase, row.op) == ("decode", "o_proj"))
    assert float(row.seconds) == pytest.approx(32 * whole, rel=0.05)


def test_full_cores_decode_as_fast_as_if_every_layer_were_spread(evaluate):
    stream, spread = (evaluate(WAFER % (placement, 4096)) for placement in ("spatial_pipeline", "all_cores"))
    assert value(stream, "tpot") == pytest.approx(value(spread, "tpot"), rel=0.35)


def test_prefill_is_one_trip_and_the_work_of_the_other_tokens(evaluate):
    short, long = (
        evaluate((WAFER % ("spatial_pipeline", 1)).replace("prompt = 64 tok", f"prompt = {tokens} tok"))
        for tokens in (1, 2001)
    )
    trip = value(short, "ttft")
    work = 2 * 8_030_261_248 / (100 * 100 * 1600 * 1e9)
    assert value(long, "ttft") - trip == pytest.approx(2000 * work, rel=0.35)


def test_a_start_may_cover_a_layer_or_a_pass(evaluate):
    text = (WAFER % ("all_cores", 1)).replace(
        "kernel_launch = 0 s", "kernel_launch = 1 ms, launch_granularity = {}"
    )
    none = value(evaluate(WAFER % ("all_cores", 1)), "tpot")
    over = {
        word: (value(evaluate(text.replace("{}", word)), "tpot") - none) / 1e-3
        for word in ("op", "layer", "pass")
    }
    assert over["pass"] == pytest.approx(1)
    assert 32 <= over["layer"] <= 38
    assert over["op"] > 200


def test_the_way_over_the_cores_adds_hops(evaluate):
    mesh = "connect pe[*, *] as mesh(100, 100) via Hop"
    text = (WAFER % ("all_cores", 1)).replace("    }\n  }\n}\nnode", f"    }}\n    {mesh}\n  }}\n}}\nnode")
    assert mesh in text
    plain, joined = evaluate(WAFER % ("all_cores", 1)), evaluate(text)
    products = 32 * 5 + 1
    assert value(joined, "tpot") - value(plain, "tpot") == pytest.approx(products * 200e-9, rel=0.3)


def test_host_memory_without_a_class_is_no_home_of_weights(evaluate):
    text = (SERVER % ("reserve = 1 GB", 1, 1000)).replace("class = ddr5, ", "")
    assert float(limit(evaluate(text), "memory").available) == 80 * 2**30
