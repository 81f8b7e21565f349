"""Keys and values of a training step are activations: the type of a model's KV cache does not narrow them."""

from __future__ import annotations

from pathlib import Path

import pytest

from accelscope.core.query.scenario_design import assemble_single_point
from accelscope.core.session import Session

TEXT = """
use std.nvidia {{ DGX_H100 }}
use std.models {{ llama3_1_8b }}
model narrow extends llama3_1_8b {{ precision {{ kv = fp8 }} }}
workload w {{ {load} }}
deployment d {{ system = DGX_H100, model = narrow, precision {{ weights = bf16 }} }}
scenario s {{ deployment = d, workload = w }}
"""


@pytest.mark.parametrize(
    ("load", "kv"),
    [
        ("kind = training, batch = 8, sequence = 4096 tok", "bf16"),
        ("batch = 8, prompt = 512 tok, output = 64 tok", "fp8"),
    ],
)
def test_only_serving_has_a_narrow_cache(shell: Session, tmp_path: Path, load: str, kv: str) -> None:
    file = tmp_path / "t.accel"
    file.write_text(TEXT.format(load=load))
    design = assemble_single_point(shell.checked(str(file)), shell.registry, "scenario s")
    assert design.precision.kv == kv
