"""Models of the library against counts that `models.csv` holds apart from the files, and names that people use."""

from __future__ import annotations

import csv
from functools import cache
from pathlib import Path

import pytest

from accelscope.core.bind.binder import Binder
from accelscope.core.session import Session
from accelscope.plugins.workload.decoder.parameters import (
    count_active_parameters,
    count_parameters,
    kv_bytes_per_token,
)
from accelscope.plugins.workload.decoder.spec import Decoder

HERE = Path(__file__).parent
ROWS = {row["model"]: row for row in csv.DictReader((HERE / "models.csv").read_text().splitlines())}
NAMES = (HERE / "model_names.txt").read_text().split()  # as published measurements call their models
LOOSE = {
    "glm-4.5": 0.03,  # cards of two digits, one of which is rounded down
    "glm-4.6": 0.03,
    "minimax-m2": 0.05,
    "deepseek-v3.2": 0.04,  # the report does not count the indexer
}
EVALUATED = (
    "mamba2_2_7b",
    "jamba_v0_1",
    "zamba2_2_7b",
    "evo2_7b_8k",
    "nemotron_3_nano",
    "qwen3_next_80b_a3b",
    "llama4_scout",
    "deepseek_v3_2",
    "glm_5",
)
TEXT = """
use std.nvidia {{ DGX_H100 }}
use std.models {{ {model} }}
workload w {{ batch = 8, prompt = 4_096 tok, output = 64 tok }}
deployment d {{
  system = DGX_H100, model = {model}, parallel {{ tp = {tp} }}
  precision {{ weights = nvfp4, activations = bf16, kv = fp8 }}
}}
scenario s {{ deployment = d, workload = w }}
"""


@cache
def models() -> dict[str, Decoder]:
    """Return every model of the library by its name and its aliases."""
    session = Session.open()
    program, _ = session.load(str(session.registry.libraries["std"].path / "models.accel"))
    assert program is not None
    found: dict[str, Decoder] = {}
    for component in program.definitions("model"):
        spec, _ = Binder(session.registry).bind(component)
        if spec is not None:
            found |= dict.fromkeys((component.name, *(str(item) for item in spec.aliases or ())), spec)
    return found


def test_the_table_has_all_models():
    assert len(ROWS) == 54


@pytest.mark.parametrize("name", ROWS)
def test_parameters_are_exact(name):
    assert int(ROWS[name]["parameters"]) == int(count_parameters(models()[name]).value)


@pytest.mark.parametrize("name", ROWS)
def test_kv_cache_of_a_token_is_exact(name):
    assert float(ROWS[name]["kv_bytes_per_token"]) == float(kv_bytes_per_token(models()[name]).to("B"))


@pytest.mark.parametrize("name", ROWS)
def test_active_parameters_are_exact_under_the_convention_of_the_publisher(name):
    assert int(ROWS[name]["active"]) == int(count_active_parameters(models()[name]).value)


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if row["published_active"]])
def test_active_parameters_agree_with_the_card(name):
    published = float(ROWS[name]["published_active"])
    counted = float(count_active_parameters(models()[name]).value)
    assert counted == pytest.approx(published, rel=LOOSE.get(name, 0.02))


@pytest.mark.parametrize("name", NAMES)
def test_names_of_published_measurements_resolve(name):
    assert name in models()


@pytest.mark.parametrize("model", EVALUATED)
def test_models_evaluate_on_a_system(model, tmp_path):
    path = tmp_path / "case.accel"
    path.write_text(TEXT.format(model=model, tp=1 if model == "mamba2_2_7b" else 8))
    result = Session.open().evaluate(str(path), bars=False)[0]
    weights = float(count_parameters(models()[model]).value) / 2  # bytes, were all of 4 bit
    floor = weights * 0.02 / (8 * 3.35e12)  # experts that one token visits are 2 % of the weights or more
    assert floor < float(result.metrics["tpot"].value) < 0.2
    assert float(result.metrics["ttft"].value) > float(result.metrics["tpot"].value)
