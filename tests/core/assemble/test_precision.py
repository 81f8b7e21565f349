"""What experts compute in: the runtime's choice on devices that multiply the block format, the user's before it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from accelscope.core.session import Session

TEXT = """
use std.nvidia {{ {system} }}
use std.models {{ {model} }}
runtime ours {{ mxfp4_compute_dtype = mxfp8 @"test" }}
runtime bare {{ aliases = ["none"] }}
workload w {{ batch = 64, prompt = 512 tok, output = 16 tok }}
deployment d {{ system = {system}, model = {model}, runtime = {runtime}, parallel {{ tp = 8 }}, precision {{ {words} }} }}
scenario s {{ deployment = d, workload = w }}
"""


@pytest.fixture
def products(shell: Session, tmp_path: Path) -> Any:
    """Return a function that says whether tokens are narrowed for experts, and how long a token takes."""

    def asked(
        system: str = "DGX_B200", model: str = "gpt_oss_120b", runtime: str = "ours", words: str = ""
    ) -> tuple[bool, float]:
        path = tmp_path / "case.accel"
        path.write_text(TEXT.format(system=system, model=model, runtime=runtime, words=words))
        point = shell.evaluate(str(path), bars=False)[0].point()
        narrowed = any(row["op"] == "quantize_tokens" for row in point["breakdown"])
        return narrowed, point["metrics"]["tpot"]["value"]

    return asked


def test_experts_compute_in_what_the_runtime_narrows_to(products):
    narrow, fast = products()
    wide, slow = products(runtime="bare")
    assert (narrow, wide) == (True, False)
    assert fast < slow


def test_devices_that_widen_the_weights_leave_activations_wide(products):
    assert not products(system="DGX_H100")[0]


def test_other_models_stay_as_they_are(products):
    assert not products(model="mixtral_8x7b")[0]


def test_the_description_goes_before_the_runtime(products):
    assert not products(words="experts = bf16")[0]
