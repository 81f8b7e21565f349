"""Predictions of static batches against published measurements of a whole engine.

The rows are among those that the runtime and the kernels were calibrated with, so this is no judgement of accuracy: it
notices when a model or a calibration no longer does what it did.
"""

from __future__ import annotations

import csv
import statistics
from pathlib import Path

import pytest

from accelscope.core.plugin.registry import Registry
from accelscope.core.session import Session

TABLE = Path(__file__).with_name("static_batch.csv")
SYSTEMS = {"H100-SXM": "DGX_H100", "A100-SXM-40GB": "DGX_A100_40GB"}
MODELS = {
    "llama-3-8b": "llama3_8b",
    "llama-3-70b": "llama3_70b",
    "llama-2-7b": "llama2_7b",
    "mistral-7b": "mistral_7b",
}
TEXT = """
use std.nvidia {{ {system} }}
use std.models {{ {model} }}
use std.runtimes {{ tensorrt_llm_python }}
workload w {{ batch = {batch}, prompt = {prompt} tok, output = {output} tok }}
deployment d {{ system = {system}, model = {model}, runtime = tensorrt_llm_python, parallel {{ tp = {tp} }} }}
scenario s {{ deployment = d, workload = w }}
"""


def rows() -> list[dict[str, str]]:
    with TABLE.open() as file:
        return list(csv.DictReader(line for line in file if not line.startswith("#")))


@pytest.fixture(scope="module")
def ratios(tmp_path_factory) -> list[float]:
    """Predicted over measured, one a row."""
    shell = Session(Registry.built_in())
    path = tmp_path_factory.mktemp("validation") / "case.accel"
    found = []
    for row in rows():
        system, model = SYSTEMS[row["device"]], MODELS[row["model"]]
        given = {key: row[key] for key in ("batch", "prompt", "output", "tp")}
        path.write_text(TEXT.format(system=system, model=model, **given))
        result = shell.evaluate(str(path), bars=False)[0]
        found.append(float(result.metrics["e2e_latency"].value) / float(row["seconds"]))
    return found


def test_the_median_prediction_is_within_a_tenth(ratios):
    assert 0.9 < statistics.median(ratios) < 1.1


def test_no_prediction_is_far_off(ratios):
    assert all(0.6 < ratio < 1.6 for ratio in ratios), sorted(ratios)
