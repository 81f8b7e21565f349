"""A step as a distribution: parts of the block `variability`, how layers add up, and what stays as it is without one."""

from __future__ import annotations

from math import sqrt

import numpy as np
import pytest

from accelscope.core.errors import DescriptionError, UsageError
from accelscope.core.evaluate.variability.normal import integrate_normal_maximum
from accelscope.core.sweep.run_query import run_query

HEAD = """
use std.nvidia { GB200_NVL72, DGX_H100 }
use std.models { deepseek_v3, mixtral_8x7b, llama3_8b }

workload chat { batch = 64, prompt = 256 tok, output = 64 tok }
deployment spread {
  system = GB200_NVL72, model = deepseek_v3
  precision { weights = fp8 }
  parallel { dp_attention = 32, ep = 32 }
}
workload loop { concurrency = 32, prompt = 256 tok, output = 64 tok }
deployment drafted {
  system = GB200_NVL72, model = deepseek_v3
  precision { weights = fp8 }
  parallel { dp_attention = 32, ep = 32 }
  speculative { depth = 3, draft_time_fraction = 10% }
}
deployment pools {
  system = DGX_H100, model = llama3_8b
  pool prefill { parallel { tp = 4 } }
  pool decode { parallel { tp = 4 } }
}
deployment divided {
  system = DGX_H100, model = llama3_8b
  parallel { tp = 4, dp = 2 }
}
"""
LAYERS = 58  # with experts, of DeepSeek-V3
DISTRIBUTION = ("mean", "std", "cv", "p50", "p90", "p99")


@pytest.fixture
def results(shell, tmp_path):
    """Evaluate a deployment with some variability; return its metrics by name."""

    def run(words: str, *sets: str, deployment: str = "spread", workload: str = "chat", bars: bool = False):
        block = f"variability {{ {words} }}" if words else ""
        file = tmp_path / "question.accel"
        file.write_text(
            f"{HEAD}\nscenario s {{ deployment = {deployment}, workload = {workload}\n{block} }}\n"
        )
        return run_query(shell.checked(str(file)), shell.registry, "scenario s", sets, bars=bars).metrics

    return run


def number(metrics, name: str) -> float:
    return float(metrics[name].value)


def test_without_a_block_no_result_changes_and_no_metric_appears(results):
    plain, varied = results(""), results("collective_time_cv = 10%, device_time_cv = 2%")
    assert not [name for name in plain if name.startswith(("tpot_", "ttft_"))]
    assert [name for name in varied if name in plain] == list(plain)
    for name in plain:
        assert np.array_equal(plain[name].value, varied[name].value), name


def test_a_block_brings_all_metrics_of_both_latencies(results):
    found = results("device_time_cv = 2%")
    added = {f"{latency}_{part}" for latency in ("tpot", "ttft") for part in DISTRIBUTION}
    assert added <= set(found)


def test_mean_of_uniform_routing_is_the_time_that_is_shown_anyway(results):
    found = results("layer_load_correlation = 0.5")
    assert number(found, "tpot_mean") == number(found, "tpot")
    assert number(found, "tpot_std") > 0.0


def test_layers_that_go_together_add_up_and_others_do_not(results):
    one, all_together = (number(results(f"layer_load_correlation = {value}"), "tpot_std") for value in (0, 1))
    assert all_together == pytest.approx(sqrt(LAYERS) * one, rel=1e-9)
    a_layer = one / sqrt(LAYERS)  # independent layers: sqrt(58) times one's
    assert all_together == pytest.approx(LAYERS * a_layer, rel=1e-9)


def test_correlation_of_layers_is_between(results):
    alone, half, whole = (
        number(results(f"layer_load_correlation = {value}"), "tpot_std") for value in (0, 0.5, 1)
    )
    assert half**2 == pytest.approx((alone**2 + whole**2) / 2.0, rel=1e-9)


def test_experts_that_are_visited_alike_vary_nothing(results):
    assert number(results("routing = balanced"), "tpot_std") == 0.0


def test_a_model_without_experts_has_no_routing(results):
    assert number(results("layer_load_correlation = 1", deployment="divided"), "tpot_std") == 0.0


def test_popular_experts_make_the_mean_longer(results):
    alike, popular = (results(f"routing = zipf, zipf_exponent = {skew}") for skew in (0, 1))
    assert number(alike, "ttft_mean") == pytest.approx(number(alike, "ttft"), rel=5e-3)
    assert number(popular, "ttft_mean") > 1.2 * number(popular, "ttft")


def test_uniform_routing_varies_less_the_more_tokens_there_are(results):
    found = results("layer_load_correlation = 1", "prompt=[1_024 tok, 16_384 tok, 262_144 tok]")[
        "ttft_cv"
    ].value
    assert np.all(np.diff(found) < 0.0)
    assert found[-1] < found[0] / 20.0


def test_stragglers_are_the_largest_of_normals(results):
    largest = integrate_normal_maximum(np.array(4.0))
    one, two = (results(f"device_time_cv = {share} %", deployment="divided") for share in (1, 2))
    shift = number(two, "tpot_mean") - number(two, "tpot")
    assert shift == pytest.approx(2.0 * (number(one, "tpot_mean") - number(one, "tpot")), rel=1e-9)
    assert number(two, "tpot_std") / shift == pytest.approx(float(largest.deviation / largest.mean), rel=1e-9)


def test_a_single_device_does_not_wait_for_slower_ones(results):
    found = results("device_time_cv = 2%", "parallel.tp=1", deployment="divided")
    assert number(found, "tpot_mean") == pytest.approx(number(found, "tpot"), rel=1e-9)
    assert number(found, "tpot_std") == pytest.approx(0.02 * number(found, "tpot"), rel=0.05)


def test_jitter_of_many_collectives_averages_out(results):
    found = results("collective_time_cv = 10%", deployment="divided")
    share = number(found, "communication_share")
    whole = 0.1 * share * number(found, "tpot")
    assert whole / sqrt(2 * 32 + 2) < number(found, "tpot_std") < whole / sqrt(32)


def test_parts_are_independent(results):
    jitter, slow = "collective_time_cv = 20%", "device_time_cv = 2%"
    alone = [
        number(results(words), "tpot_std")
        for words in (f"routing = balanced, {jitter}", f"routing = balanced, {slow}")
    ]
    both = number(results(f"routing = balanced, {jitter}, {slow}"), "tpot_std")
    assert both**2 == pytest.approx(sum(item**2 for item in alone), rel=1e-9)


def test_unlike_lengths_matter_less_in_a_larger_batch(results):
    sets = ("batch=[32, 128, 512]", "prompt=2_048 tok")
    found = results("length_cv = 50%", *sets, deployment="divided")["ttft_cv"].value
    assert found[0] / found[1] == pytest.approx(2.0, rel=0.15)
    assert found[1] / found[2] == pytest.approx(2.0, rel=0.15)


def test_percentiles_are_in_order_around_the_mean(results):
    found = results("layer_load_correlation = 0.5, device_time_cv = 3%, collective_time_cv = 10%")
    p50, p90, p99 = (number(found, f"tpot_p{part}") for part in (50, 90, 99))
    assert number(found, "tpot") < p50 < number(found, "tpot_mean") < p90 < p99


def test_samples_agree_with_formulas(results):
    words = "layer_load_correlation = 0.3, device_time_cv = 1%, collective_time_cv = 10%"
    formula, samples = results(words), results(f"{words}, monte_carlo_steps = 8_000")
    assert number(samples, "tpot_mean") == pytest.approx(number(formula, "tpot_mean"), rel=1e-3)
    assert number(samples, "tpot_std") == pytest.approx(number(formula, "tpot_std"), rel=0.02)
    for part in ("p50", "p90", "p99"):
        above = [number(item, f"tpot_{part}") - number(item, "tpot") for item in (formula, samples)]
        assert above[1] == pytest.approx(above[0], rel=0.04), part


def test_seeds_reproduce(results):
    def p99(seed):
        return number(
            results(f"layer_load_correlation = 0.3, monte_carlo_steps = 500, seed = {seed}"), "tpot_p99"
        )

    assert p99(1) == p99(1)
    assert p99(1) != p99(2)


@pytest.mark.parametrize(
    "words",
    (
        "layer_load_correlation = 0.2, device_time_cv = 2%",
        "routing = zipf, zipf_exponent = 0.7, length_cv = 30%",
    ),
)
def test_a_sweep_is_its_points(results, words):
    axes = ("batch=[64, 128]", "ep=[16, 32]", "variability.correlation=[0, 0.5]")
    swept = results(words, *axes)
    for place, (batch, ep) in enumerate(((64, 16), (128, 32))):
        point = results(words, f"batch={batch}", f"ep={ep}", "variability.correlation=0.5")
        for name in ("tpot_std", "ttft_p99", "tpot_mean"):
            assert swept[name].value[place, place, 1] == pytest.approx(number(point, name), rel=1e-6)


def test_samples_see_a_sweep(results):
    words = "monte_carlo_steps = 400, layer_load_correlation = 0.5"
    swept = results(words, "batch=[32, 64]")["tpot_std"].value
    assert swept[1] == pytest.approx(number(results(words, "batch=64"), "tpot_std"), rel=1e-6)


def test_under_a_closed_loop_latencies_vary_as_the_passes_do(results):
    found = results("device_time_cv = 2%", deployment="divided", workload="loop")
    static = results("device_time_cv = 2%", "batch=32", deployment="divided")
    assert number(found, "tpot_mean") > number(found, "tpot")
    assert number(found, "tpot_cv") == pytest.approx(number(static, "tpot_cv"), rel=0.05)
    assert number(found, "tpot_std") == pytest.approx(number(found, "tpot_cv") * number(found, "tpot_mean"))


def test_a_draft_counts_in_both_passes_that_are_compared(results):
    found = results("routing = zipf, zipf_exponent = 0", deployment="drafted", workload="loop")
    assert number(found, "tpot_mean") == pytest.approx(number(found, "tpot"), rel=0.01)


def test_both_pools_vary(results):
    found = results("device_time_cv = 2%", deployment="pools", workload="loop")
    assert number(found, "ttft_std") > 0.0
    assert number(found, "tpot_std") > 0.0


def test_error_bars_include_those_of_the_distribution(results):
    found = results("device_time_cv = 2%", bars=True)["tpot_p99"]
    assert float(found.low) < float(found.value) < float(found.high)


def test_zipf_needs_an_exponent(results):
    with pytest.raises(DescriptionError) as caught:
        results("routing = zipf")
    assert "needs `zipf_exponent`" in caught.value.diagnostics[0].message


def test_more_draws_than_memory_holds_are_refused(results):
    with pytest.raises(UsageError, match="held at once"):
        results("routing = balanced, device_time_cv = 1%, monte_carlo_steps = 30_000_000")
