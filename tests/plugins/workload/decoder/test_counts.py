"""Parameters and KV cache of the shipped models against published numbers."""

from __future__ import annotations

from functools import cache

import pytest

from accelscope.core.bind.binder import Binder
from accelscope.core.numeric.term import term
from accelscope.core.session import Session
from accelscope.plugins.workload.decoder.parameters import (
    count_active_parameters,
    count_parameters,
    kv_bytes_per_token,
)
from accelscope.plugins.workload.decoder.spec import Decoder

# Hugging Face safetensors.total of the checkpoint.
EXACT = {
    "llama3_8b": 8_030_261_248,
    "llama3_70b": 70_553_706_496,
    "llama3_1_405b": 405_853_388_800,
    "llama3_2_1b": 1_235_814_400,
    "llama3_2_3b": 3_212_749_824,
    "mistral_7b": 7_241_732_096,
    "mixtral_8x7b": 46_702_792_704,
    "mixtral_8x22b": 140_620_634_112,
    "qwen2_5_7b": 7_615_616_512,
    "qwen2_5_32b": 32_763_876_352,
    "qwen2_5_72b": 72_706_203_648,
    "qwen3_8b": 8_190_735_360,
    "qwen3_32b": 32_762_123_264,
    "qwen3_30b_a3b": 30_532_122_624,
    "qwen3_235b_a22b": 235_093_634_560,
    "deepseek_v2": 235_741_434_880,
    "gpt_oss_20b": 20_914_757_184,
    "gpt_oss_120b": 116_829_156_672,
    "gemma2_27b": 27_227_128_320,
    "gpt2_small": 124_439_808,
    "gpt2_xl": 1_557_611_200,
    "falcon_180b": 179_522_565_120,
}

# 16-bit bytes that a token takes, all layers seeing everything.
KV = {
    "llama3_70b": 327_680,
    "llama3_1_405b": 516_096,
    "deepseek_v3": 70_272,
    "gpt3_175b": 4_718_592,
    "gpt_oss_120b": 73_728,
}

# Active parameters of the model cards, in 1e9, and how far their rounding reaches.
ACTIVE = {"mixtral_8x7b": (12.9, 0.01), "qwen3_235b_a22b": (22, 0.02), "deepseek_v3": (37, 0.02)}


@cache
def models() -> dict[str, Decoder]:
    session = Session.open()
    found = {}
    program, _ = session.load(str(session.registry.libraries["std"].path / "models.accel"))
    assert program is not None
    for component in program.definitions("model"):
        spec, _ = Binder(session.registry).bind(component)
        if spec is not None:
            found[component.name] = spec
    return found


@pytest.mark.parametrize("name", EXACT)
def test_parameters_are_exact_where_the_checkpoint_total_is_published(name):
    assert EXACT[name] == int(count_parameters(models()[name]).value)


def test_every_model_of_the_library_is_within_one_percent_of_its_published_total():
    off = {
        name: float((count_parameters(spec) / spec.params).value) - 1
        for name, spec in models().items()
        if spec.params
    }
    assert {name: error for name, error in off.items() if abs(error) > 0.01} == {}
    assert len(off) > 50


@pytest.mark.parametrize("name", KV)
def test_kv_cache_of_a_token(name):
    assert KV[name] == float(kv_bytes_per_token(models()[name]).to("B"))


def test_fp8_halves_the_kv_cache():
    assert float(kv_bytes_per_token(models()["llama3_70b"], "fp8").to("B")) == 163_840


@pytest.mark.parametrize("name", ACTIVE)
def test_active_parameters_agree_with_the_model_card(name):
    published, tolerance = ACTIVE[name]
    assert float(count_active_parameters(models()[name]).value) == pytest.approx(
        published * 1e9, rel=tolerance
    )


def test_dense_models_use_all_parameters_for_each_token():
    spec = models()["llama3_8b"]
    assert float(count_active_parameters(spec).value) == float(count_parameters(spec).value)


def test_sizes_may_be_swept():
    from attrs import evolve

    spec = evolve(models()["llama3_70b"], layers=term([40.0, 80.0]))
    half, whole = count_parameters(spec).value
    assert whole == 70_553_706_496
    assert half < whole


def test_aliases_name_one_model_only():
    seen: dict[str, str] = {}
    for name, spec in models().items():
        for alias in spec.aliases or ():
            assert seen.setdefault(alias, name) == name


def test_declared_parameters_that_do_not_fit_are_reported():
    from types import SimpleNamespace

    from attrs import evolve

    from accelscope.plugins.workload.decoder.checks import check_declared_parameters

    right = models()["llama3_70b"]
    wrong = evolve(right, params=term(65e9), kv_per_token=term(160e3, "B"))
    assert list(check_declared_parameters(SimpleNamespace(model=SimpleNamespace(spec=right, name="m")))) == []
    found = list(check_declared_parameters(SimpleNamespace(model=SimpleNamespace(spec=wrong, name="m"))))
    assert [item.code for item in found] == ["A404", "A404"]
    assert found[0].message == "`m.params` says 65 billion parameters, but the sizes give 70.554"


def test_library_text_uses_only_known_fields():
    session = Session.open()
    assert session.check(str(session.registry.libraries["std"].path / "models.accel")) == ()
