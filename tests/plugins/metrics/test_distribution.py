"""Metrics of latency distributions as a user meets them, and the ratio of parameters to those that a token uses."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.support.paths import EXAMPLES

EXAMPLE = str(EXAMPLES / "variability.accel")
MIXTRAL = str(EXAMPLE.replace("variability", "moe_mixtral_on_mi300x"))
DENSE = str(EXAMPLE.replace("variability", "llama3_70b_on_dgx_h100"))


@pytest.fixture(scope="module")
def metrics(shell):
    return {result.scenario: result.metrics for result in shell.evaluate(EXAMPLE, bars=False)}


def number(metrics, name: str) -> float:
    return float(metrics[name].value)


@pytest.mark.parametrize("latency", ("tpot", "ttft"))
def test_variation_is_deviation_over_mean(metrics, latency):
    found = metrics["popular"]
    cv = number(found, f"{latency}_std") / number(found, f"{latency}_mean")
    assert number(found, f"{latency}_cv") == pytest.approx(cv)


def test_popular_experts_vary_more_and_take_longer(metrics):
    for name in ("tpot_mean", "tpot_std", "tpot_p99"):
        assert number(metrics["popular"], name) > number(metrics["experts"], name)


def test_units_are_those_of_the_latency(metrics):
    found = metrics["tensor"]
    assert (found["tpot_std"].unit, found["ttft_p50"].unit, found["tpot_cv"].unit) == ("s/tok", "s", "")


@pytest.mark.parametrize(
    "metric, words",
    (
        (
            "tpot_std",
            ("deviation by expert routing", "visits of the fullest rank", "deviation by stragglers"),
        ),
        ("tpot_mean", ("what popular experts add", "what the slowest device adds")),
        ("ttft_p99", ("mean time", "P99 above the mean", "deviation by link jitter")),
    ),
)
def test_an_explanation_names_what_varies(shell, metric, words):
    text = shell.explain(EXAMPLE, metric, "popular")
    for word in words:
        assert word in text


def test_a_requirement_may_name_a_percentile(shell, tmp_path):
    file = tmp_path / "strict.accel"
    text = Path(EXAMPLE).read_text().partition("## From few")[0]
    file.write_text(text.replace("  variability {", "  require tpot_p99 <= 1 ms/tok\n  variability {", 1))
    result = shell.evaluate(str(file), "experts", bars=False)[0]
    assert [bool(row.met) for row in result.requirements] == [False]


def test_parameter_to_compute_is_that_of_experts_and_what_all_tokens_use(shell):
    """a + (1 - a) E/k, where a is the share of the active parameters that every token uses (here all but experts)."""
    found = shell.evaluate(MIXTRAL, bars=False)[0].metrics
    active = 46_702_792_704 / number(found, "parameter_to_compute")
    routed = 2 * 3 * 4096 * 14336 * 32
    share = 1.0 - routed / active
    assert number(found, "parameter_to_compute") == pytest.approx(share + (1.0 - share) * 8 / 2, rel=0.01)


def test_a_dense_model_has_no_ratio(shell):
    assert "parameter_to_compute" not in shell.evaluate(DENSE, bars=False)[0].metrics


def test_variants_without_a_metric_have_no_value(shell, tmp_path):
    file = tmp_path / "both.accel"
    text = Path(MIXTRAL).read_text().replace("{ mixtral_8x7b }", "{ mixtral_8x7b, llama3_8b }")
    file.write_text(text)
    sets = ["mixtral.model=[llama3_8b, mixtral_8x7b]"]
    found = shell.evaluate(str(file), sets=sets, bars=False)[0].metrics["parameter_to_compute"].value
    assert found[0] != found[0]  # nan
    assert found[1] == pytest.approx(3.63, abs=0.01)


@pytest.mark.parametrize("part", ("mean", "p50", "p95", "p99"))
def test_a_requirement_on_a_percentile_of_a_metric_is_one_on_its_distribution(shell, tmp_path, part, metrics):
    file = tmp_path / "strict.accel"
    text = Path(EXAMPLE).read_text().partition("## From few")[0]
    limit = number(metrics["experts"], f"tpot_{part}") * 1e3
    both = f"  require {part}(tpot) <= {limit * 1.0001} ms/tok\n  require {part}(tpot) <= {limit * 0.9999} ms/tok\n"
    file.write_text(text.replace("  variability {", f"{both}  variability {{", 1))
    result = shell.evaluate(str(file), "experts", bars=False)[0]
    assert [bool(row.met) for row in result.requirements] == [True, False]
