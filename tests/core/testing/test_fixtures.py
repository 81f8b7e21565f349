from __future__ import annotations

import pytest

from accelscope.core.testing.builders import accel

TEXT = """
use std.nvidia { DGX_H100 }
use std.models { llama3_8b }
workload w { batch = 1, prompt = 512 tok, output = 64 tok }
deployment d { system = DGX_H100, model = llama3_8b }
scenario s { deployment = d, workload = w }
"""

__all__ = ["accel"]


def test_a_good_text_evaluates_and_explains(accel):
    found = accel(TEXT)
    found.assert_ok()
    assert found.evaluate("batch=[1, 2]").shape == (2,)
    assert found.explain("tpot").startswith("tpot = ")


def test_a_finding_is_found_by_code_and_place(accel):
    found = accel(TEXT.replace("prompt", "promt"))
    assert "prompt" in (found.assert_error("A101", at="promt").help or "")
    with pytest.raises(AssertionError, match="A101"):
        found.assert_error("A999")
    with pytest.raises(AssertionError):
        found.assert_ok()
