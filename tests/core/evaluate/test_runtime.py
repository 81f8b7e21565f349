"""What a runtime adds to the kernels: times of the host, rates, launches, chunks, rounds, and ports to devices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accelscope.core.session import Session

HEAD = """
use std.nvidia {{ DGX_H100 }}
use std.amd {{ MI300X_platform }}
use std.models {{ llama3_8b }}
runtime bare {{ aliases = ["none"] }}
runtime ours {{ {fields} }}
workload w {{ batch = {batch}, prompt = {prompt} tok, output = {output} tok }}
scenario s {{ deployment = d, workload = w }}
deployment d {{ system = {system}, model = llama3_8b, runtime = {runtime}, parallel {{ tp = {tp}, pp = {pp} }} }}
"""
USUAL = {"batch": 4, "prompt": 512, "output": 64, "system": "DGX_H100", "tp": 1, "pp": 1, "runtime": "ours"}


PORTS = {"AMD": {"step": "3 ms"}, "MI300X": {"sequence": "1 ms"}}


@pytest.fixture
def ask(shell: Session, tmp_path: Path) -> Any:
    """Return a function that evaluates a deployment with the fields of a runtime, and gives its metrics."""

    def asked(fields: str, **given: object) -> dict[str, float]:
        path = tmp_path / "case.accel"
        path.write_text(HEAD.format(fields=fields, **(USUAL | given)))
        point = shell.evaluate(str(path), bars=False)[0].point()
        return {name: item["value"] for name, item in point["metrics"].items()}

    return asked


def cited(**fields: str) -> str:
    return "\n".join(f'{name} = {value} @"test"' for name, value in fields.items())


def test_a_runtime_without_fields_adds_nothing(shell, tmp_path, ask):
    plain = HEAD.format(fields="", **USUAL).replace(", runtime = ours", "")
    path = tmp_path / "plain.accel"
    path.write_text(plain)
    alone = shell.evaluate(str(path), bars=False)[0].point()["metrics"]["e2e_latency"]["value"]
    assert ask("", runtime="bare")["e2e_latency"] == pytest.approx(alone)


def test_the_host_takes_its_time_between_steps(ask):
    bare = ask("")
    step = ask(cited(step="1 ms", sequence="0.1 ms"))
    assert step["tpot"] - bare["tpot"] == pytest.approx(1e-3 + 4 * 1e-4)
    assert step["ttft"] - bare["ttft"] == pytest.approx(1e-3)


def test_requests_delay_first_tokens_only(ask):
    bare, slow = ask(""), ask(cited(request="2 ms"))
    assert slow["ttft"] - bare["ttft"] == pytest.approx(4 * 2e-3)
    assert slow["tpot"] == pytest.approx(bare["tpot"])


def test_workers_cost_where_layers_are_divided(ask):
    fields = cited(workers="1 ms")
    assert ask(fields)["tpot"] == pytest.approx(ask("")["tpot"])
    assert ask(fields, tp=2)["tpot"] - ask("", tp=2)["tpot"] == pytest.approx(1e-3)


def test_launching_bounds_a_step_but_adds_nothing_to_longer_work(ask):
    bare, eager = ask(""), ask(cited(layer="1 ms"))
    assert eager["tpot"] == pytest.approx(32 * 1e-3, rel=0.01)
    assert eager["ttft"] == pytest.approx(bare["ttft"], rel=0.1)


def test_sums_over_devices_take_what_the_runtime_adds(ask):
    fields = cited(collective="10 us")
    added = ask(fields, tp=4)["tpot"] - ask("", tp=4)["tpot"]
    assert added == pytest.approx((2 * 32 + 1) * 10e-6)


def test_half_of_the_bandwidth_takes_twice_as_long(ask):
    bare, slow = ask(""), ask(cited(bandwidth="0.5", cache="0.5"))
    assert 1.7 < slow["tpot"] / bare["tpot"] < 2.0


def test_half_of_the_compute_rate_slows_prompts_only(ask):
    bare, slow = ask("", prompt=2048), ask(cited(compute="0.5"), prompt=2048)
    assert 1.5 < slow["ttft"] / bare["ttft"] < 2.0
    assert 1.0 <= slow["tpot"] / bare["tpot"] < 1.1


def test_a_port_holds_for_its_vendor_family_or_device(ask):
    ports = (f"port {name} {{ {cited(**own)} }}" for name, own in PORTS.items())
    fields = "\n".join((cited(step="1 ms"), *ports))
    nvidia = ask(fields)["tpot"] - ask("")["tpot"]
    amd = ask(fields, system="MI300X_platform")["tpot"] - ask("", system="MI300X_platform")["tpot"]
    assert nvidia == pytest.approx(1e-3)
    assert amd == pytest.approx(3e-3 + 4 * 1e-3)


def test_a_batch_that_does_not_fit_is_served_in_rounds(ask):
    fitting = ask("", batch=64, prompt=4096, output=512)
    thrice = ask("", batch=192, prompt=4096, output=512)
    assert thrice["e2e_latency"] == pytest.approx(2 * fitting["e2e_latency"] * 96 / 64, rel=0.2)
    assert thrice["memory_used"] < 80 * 2**30


def test_without_micro_batches_a_step_takes_all_stages(ask):
    many, one = ask("", pp=2, batch=8), ask("pipeline = serial", pp=2, batch=8)
    single = ask("", batch=8)
    assert one["tpot"] == pytest.approx(single["tpot"], rel=0.05)
    assert one["ttft"] > 1.2 * many["ttft"]


def test_chunks_of_a_prompt_follow_each_other_through_stages(ask):
    fields = "pipeline = serial, chunk = 128 tok"
    alone, staged = (ask(fields, batch=1, prompt=2048, pp=pp)["ttft"] for pp in (1, 4))
    assert staged == pytest.approx(alone * (16 + 3) / 16 / 4, rel=0.1)
    assert alone > ask("", batch=1, prompt=2048)["ttft"]
