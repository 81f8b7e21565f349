"""One engine step over decoding sequences and prompts: what is shared and what is not."""

from __future__ import annotations

import pytest

from accelscope.core.evaluate.serving.mixed_step import merge_passes
from accelscope.core.ir.operation import Op, Precision, Step
from accelscope.core.ir.plan import Workload
from accelscope.core.numeric.term import term
from accelscope.core.session import Session


def work(shell: Session, model: str, phase: str, sequences: float, tokens: float) -> Workload:
    from accelscope.core.analysis.validate.library_names import LibraryNames

    published, reason = LibraryNames(shell).model(model)
    assert published is not None, reason
    step = Step(phase=phase, sequences=term(sequences), tokens=term(tokens), context=term(100.0))
    precision = Precision(weights="bf16", activations="bf16", kv="bf16")
    return published.model.record.build(published.model.spec, step, precision)


def by_name(found: Workload) -> dict[str, Op]:
    return {op.name: op for op in found.ops}


@pytest.fixture(params=["llama-3.1-8b", "mixtral-8x7b", "deepseek-v3"])
def parts(request: pytest.FixtureRequest, shell: Session) -> tuple[Workload, Workload]:
    return work(shell, request.param, "decode", 32, 1), work(shell, request.param, "prefill", 2, 512)


def test_arithmetic_adds_up(parts: tuple[Workload, Workload]) -> None:
    both = merge_passes(*parts)
    for name in ("flops", "reads", "writes", "kv_read", "kv_write"):
        apart = sum(float((getattr(op, name) * op.repeat).value) for part in parts for op in part.ops)
        together = sum(float((getattr(op, name) * op.repeat).value) for op in both.ops)
        assert together == pytest.approx(apart), name


def test_weights_are_read_once(parts: tuple[Workload, Workload]) -> None:
    both = by_name(merge_passes(*parts))
    for name, op in by_name(parts[0]).items():
        if op.kind == "gemm":
            assert float(both[name].weights.value) == pytest.approx(float(op.weights.value)), name


def test_attention_stays_apart(parts: tuple[Workload, Workload]) -> None:
    decode, prefill = (by_name(part)["attention"] for part in parts)
    both = by_name(merge_passes(*parts))
    assert both["attention"] == decode
    assert both["prompt_attention"].kernel == prefill.kernel != decode.kernel


def test_experts_hit_are_at_most_all_and_at_least_those_of_either(shell: Session) -> None:
    decode = work(shell, "deepseek-v3", "decode", 8, 1)
    prefill = work(shell, "deepseek-v3", "prefill", 1, 16)
    hit = [
        float(by_name(part)["experts_up"].groups.value)
        for part in (decode, prefill, merge_passes(decode, prefill))
    ]
    assert max(hit[:2]) < hit[2] < min(sum(hit[:2]), 256)
    same = work(shell, "deepseek-v3", "decode", 24, 1)
    assert hit[2] == pytest.approx(float(by_name(same)["experts_up"].groups.value), rel=0.1)
