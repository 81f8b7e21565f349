"""The steady state under a load: closed loops, pools, speculative decoding."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from accelscope.core.errors import DescriptionError
from accelscope.core.session import Session
from tests.support.paths import EXAMPLES

TEXT = """
use std.nvidia {{ DGX_H100 }}
use std.models {{ llama3_1_8b, mixtral_8x7b }}
workload w {{ {load}, prompt = {prompt} tok, output = {output} tok }}
scenario s {{ deployment = d, workload = w }}
deployment d {{
  system = DGX_H100
  model = {model}
  {more}
}}
"""


def text(load: str = "concurrency = 32", **given: Any) -> str:
    values = {"prompt": 1024, "output": 256, "model": "llama3_1_8b", "more": ""} | given
    return TEXT.format(load=load, **values)


@pytest.fixture
def served(shell: Session, tmp_path: Path) -> Any:
    """Return a function from a description to its point, or to the columns of a swept one."""

    def ask(load: str = "concurrency = 32", sets: tuple[str, ...] = (), **given: Any) -> dict[str, Any]:
        path = tmp_path / "served.accel"
        path.write_text(text(load, **given))
        result = shell.evaluate(str(path), sets=sets, bars=False)[0]
        found: dict[str, Any] = {name: column.value for name, column in result.metrics.items()}
        found["limits"] = {row.name: (row.used, row.available) for row in result.limits}
        found["feasible"] = result.feasible
        return found

    return ask


def test_a_single_client_waits_for_its_own_prompt_only(served: Any) -> None:
    alone, static = served("concurrency = 1"), served("batch = 1")
    assert alone["ttft"] == pytest.approx(static["ttft"])
    assert alone["tpot"] == pytest.approx(static["tpot"])
    assert alone["throughput"] == pytest.approx(static["throughput"])


def test_requests_in_the_system_are_throughput_times_latency(served: Any) -> None:
    found = served("concurrency = 48", output=300)
    assert found["throughput"] / 300 * found["e2e_latency"] == pytest.approx(48)


def test_more_clients_give_more_throughput_and_longer_waits(served: Any) -> None:
    found = served("concurrency = 1", sets=("concurrency = 1 .. 249 step 31",))
    for name in ("ttft", "tpot", "throughput"):
        assert np.all(np.diff(found[name]) > 0), name


def test_a_sweep_equals_its_points(served: Any) -> None:
    swept = served(sets=("concurrency = [1, 7, 64, 4096]",))
    for place, clients in enumerate((1, 7, 64, 4096)):
        point = served(f"concurrency = {clients}")
        for name in ("ttft", "tpot", "throughput", "e2e_latency", "power"):
            assert swept[name][place] == pytest.approx(float(point[name])), (name, clients)


def test_prompts_of_others_lengthen_every_token(served: Any) -> None:
    short, long = served(prompt=64), served(prompt=8192)
    static = served("batch = 32", prompt=8192)
    assert short["tpot"] < long["tpot"]
    assert long["tpot"] > 1.2 * static["tpot"]


def test_tokens_of_prompts_bound_what_is_served(served: Any) -> None:
    """With answers of a few tokens every step works on prompts: requests a second are those of prefill alone."""
    found = served("concurrency = 256", prompt=8000, output=4)
    prefill = served("batch = 1", prompt=8000)
    rate = found["throughput"] / 4
    assert rate * prefill["ttft"] == pytest.approx(1.0, rel=0.1)


def test_clients_without_room_wait_outside(served: Any) -> None:
    roomy, full = served("concurrency = 64", prompt=16000), served("concurrency = 640", prompt=16000)
    assert bool(full["feasible"])
    used, available = full["limits"]["memory"]
    assert used <= available * (1 + 1e-9)
    assert used > 0.9 * available
    assert full["ttft"] > 5 * roomy["ttft"]


def test_the_largest_batch_of_a_scheduler_holds(served: Any) -> None:
    free = served("concurrency = 64")
    held = served("concurrency = 64", more="scheduler { max_batch = 8 }")
    assert held["tpot"] < free["tpot"]
    assert held["ttft"] > 4 * free["ttft"]
    assert held["throughput"] < free["throughput"]


def test_prompts_that_go_first_are_waited_for(served: Any) -> None:
    mixed = served("concurrency = 64")
    first = served("concurrency = 64", more="scheduler { policy = prefill_first }")
    assert first["ttft"] > 1.3 * mixed["ttft"]
    assert first["tpot"] < mixed["tpot"]
    assert first["throughput"] == pytest.approx(float(mixed["throughput"]), rel=0.25)


def test_a_latency_of_requests_is_added_once(served: Any) -> None:
    plain = served("concurrency = 1")
    slow = served("concurrency = 1", more="scheduler { frontend_latency = 50 ms }")
    assert slow["ttft"] - plain["ttft"] == pytest.approx(0.05)
    assert slow["tpot"] == pytest.approx(plain["tpot"])


def test_bunching_moves_waiting_from_after_the_first_token_to_before_it(served: Any) -> None:
    spread, bunched = (
        served("concurrency = 64", prompt=4096, more=f"scheduler {{ arrival_correlation = {share} }}")
        for share in (0, 1)
    )
    assert bunched["ttft"] > 5 * spread["ttft"]
    assert bunched["tpot"] < spread["tpot"]


def test_replicas_share_the_clients(served: Any) -> None:
    one = served("concurrency = 16")
    four = served("concurrency = 64", more="parallel { dp = 4 }")
    assert four["tpot"] == pytest.approx(one["tpot"])
    assert four["throughput"] == pytest.approx(4 * one["throughput"])


def test_expected_tokens_of_a_step_follow_the_acceptance(served: Any) -> None:
    """One sequence: a step of depth k checks k + 1 tokens, which costs as good as no more than one."""
    plain = served("concurrency = 1")
    for depth, chance in ((1, 0.8), (3, 0.6)):
        more = f"speculative {{ method = ngram, depth = {depth}, acceptance = {chance} }}"
        gain = sum(chance**power for power in range(depth + 1))
        found = served("concurrency = 1", more=more)
        assert plain["tpot"] / found["tpot"] == pytest.approx(gain, rel=0.05)


def test_a_draft_costs_its_share_of_a_step(served: Any) -> None:
    more = "speculative {{ method = draft_model, depth = 2, acceptance = 0.7, draft_time_fraction = {} }}"
    free, dear = (served("concurrency = 1", more=more.format(share)) for share in (0, "10%"))
    assert dear["tpot"] == pytest.approx(1.2 * free["tpot"])


def test_guesses_that_are_never_right_only_cost(served: Any) -> None:
    plain = served("concurrency = 512")
    wrong = served("concurrency = 512", more="speculative { method = ngram, depth = 4, acceptance = 1% }")
    assert wrong["tpot"] > plain["tpot"]


@pytest.mark.parametrize("more", ["", "pool prefill { }\n  pool decode { }"])
def test_an_answer_of_one_token_is_done_with_its_prompt(served: Any, more: str) -> None:
    one = served(output=1, more=more)
    assert float(one["tpot"]) == 0.0
    assert one["e2e_latency"] == pytest.approx(one["ttft"])
    assert np.isfinite(one["throughput"]).all()


def test_a_pool_of_its_own_keeps_prompts_away_from_decoding(served: Any) -> None:
    mixed = served("concurrency = 64", prompt=4096, more="parallel { dp = 2 }")
    apart = served("concurrency = 64", prompt=4096, more="pool prefill { }\n  pool decode { }")
    assert apart["tpot"] < 0.8 * mixed["tpot"]


def test_the_slower_pool_bounds_the_rate(served: Any) -> None:
    more = "pool prefill {{ parallel {{ dp = {} }} }}\n  pool decode {{ parallel {{ dp = 4 }} }}"
    load = {"load": "concurrency = 256", "prompt": 8000, "output": 32}
    one, two = (served(**load, more=more.format(count)) for count in (1, 2))
    assert two["throughput"] == pytest.approx(2 * one["throughput"], rel=0.05)
    assert one["ttft"] > 1.9 * two["ttft"]


def test_devices_and_power_are_those_of_both_pools(served: Any) -> None:
    more = "pool prefill { parallel { tp = 2 } }\n  pool decode { parallel { tp = 4 } }"
    found = served("concurrency = 64", more=more)
    assert found["limits"]["devices"][0] == 6
    assert found["throughput"] / found["throughput_per_device"] == pytest.approx(6)
    assert 6 * 0.1 * 700 < found["power"] < 6 * 700


def test_a_pool_needs_the_nodes_that_it_is_given(served: Any) -> None:
    more = "pool prefill { nodes = 1, parallel { tp = 8, dp = 2 } }\n  pool decode { }"
    assert not bool(served("concurrency = 8", more=more)["feasible"])


def test_the_cache_that_goes_over_takes_its_time(served: Any) -> None:
    whole, layers = (
        served(
            "concurrency = 1",
            prompt=32000,
            more=f"pool prefill {{ }}\n  pool decode {{ }}\n  kv_transfer {{ overlap = {name} }}",
        )
        for name in ("none", "layerwise")
    )
    cache = 32000 * 131_072  # 32 layers, 8 KV heads of 128 numbers, keys and values, 2 B
    assert whole["ttft"] - layers["ttft"] == pytest.approx(cache * (1 - 1 / 32) / 450e9, rel=0.5)


def test_experts_are_hit_by_decoding_and_prompts_alike(served: Any) -> None:
    found = served("concurrency = 32", model="mixtral_8x7b", more="parallel { tp = 4 }")
    static = served("batch = 32", model="mixtral_8x7b", more="parallel { tp = 4 }")
    assert float(static["tpot"]) < found["tpot"] < 3 * static["tpot"]


@pytest.mark.parametrize(
    ("load", "more", "code", "words"),
    [
        ("batch = 8, concurrency = 8", "", "A106", "both `batch` and `concurrency`"),
        ("prefix_sharing = 10%", "", "A106", "neither `batch` nor `concurrency`"),
        ("batch = 8", "speculative { depth = 2 }", "A211", "under a `concurrency` only"),
        ("batch = 8", "pool prefill { }\n  pool decode { }", "A211", "under a `concurrency` only"),
        ("concurrency = 8", "pool decode { }", "A211", "one called `prefill` and one called `decode`"),
    ],
)
def test_what_has_no_steady_state_is_refused(
    shell: Session, tmp_path: Path, load: str, more: str, code: str, words: str
) -> None:
    path = tmp_path / "refused.accel"
    path.write_text(text(load, more=more))
    with pytest.raises(DescriptionError) as caught:
        shell.evaluate(str(path))
    found = [
        (item.code, words in item.message) for item in caught.value.diagnostics if item.severity == "error"
    ]
    assert found == [(code, True)]


def test_the_example_shows_three_ways_to_serve(shell: Session) -> None:
    example = EXAMPLES / "serving.accel"
    mixed, pools, ahead = (
        {name: float(column.value) for name, column in result.metrics.items() if column.value is not None}
        for result in shell.evaluate(str(example), bars=False)
    )
    assert pools["tpot"] < mixed["tpot"] and pools["ttft"] > mixed["ttft"]
    assert ahead["tpot"] < mixed["tpot"]


def test_the_words_of_a_deployment_are_all_evaluated(shell: Session) -> None:
    """DeepSeek-V3 as its report serves it: 320 ranks share 256 experts and 64 copies."""
    example = EXAMPLES / "scenario.accel"
    result = shell.evaluate(str(example), "dsv3_code", bars=False)[0]
    assert bool(result.feasible)
    used = {row.name: float(row.used) for row in result.limits}
    assert used["devices of the prefill pool"] == 32
    assert used["devices of the decode pool"] == 320


RUNTIME = """
runtime mine {{ {fields} }}
"""


def paced(shell: Session, tmp_path: Path, fields: str, **given: Any) -> dict[str, float]:
    path = tmp_path / "paced.accel"
    more = given.pop("more", "") + "\n  runtime = mine"
    path.write_text(RUNTIME.format(fields=fields) + text(more=more, **given))
    result = shell.evaluate(str(path), bars=False)[0]
    return {name: float(column.value) for name, column in result.metrics.items() if column.value is not None}


def test_a_runtime_says_its_policy_and_the_latency_of_requests(shell: Session, tmp_path: Path) -> None:
    mixed, first = (
        paced(shell, tmp_path, f"policy = {name}, bunching = 0.5", load="concurrency = 64", prompt=4096)
        for name in ("continuous", "prefill_first")
    )
    assert mixed["ttft"] != first["ttft"]
    plain, slow = (paced(shell, tmp_path, f"latency = {time} ms", load="concurrency = 1") for time in (0, 30))
    assert slow["ttft"] - plain["ttft"] == pytest.approx(0.03)


def test_kernels_of_prompts_are_launched_before_the_first_token(shell: Session, tmp_path: Path) -> None:
    few, many = (
        paced(shell, tmp_path, "launch = 50 us", load="concurrency = 1", model=model)["ttft"]
        - paced(shell, tmp_path, "launch = 0 us", load="concurrency = 1", model=model)["ttft"]
        for model in ("llama3_1_8b", "mixtral_8x7b")
    )
    assert many > few > 32 * 6 * 50e-6  # 32 layers of at least six kernels, and more with experts


def test_prompts_are_held_back_where_replicas_share_experts(shell: Session, tmp_path: Path) -> None:
    alone, shared = (
        [
            paced(
                shell, tmp_path, f"hold = {steps}", load="concurrency = 64", model="mixtral_8x7b",
                more=f"parallel {{ dp = 4, ep = {ep} }}",
            )
            for steps in (1, 40)
        ]
        for ep in (1, 4)
    )  # fmt: skip
    assert alone[0]["ttft"] == pytest.approx(alone[1]["ttft"])
    assert shared[1]["ttft"] > 2 * shared[0]["ttft"]
