"""The README shows what the program prints."""

from __future__ import annotations

import subprocess
import sys

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.smoke

COMMAND = "$ accelscope eval examples/llama3_70b_on_dgx_h100.accel"


def test_the_printed_output_is_that_of_the_command():
    after = (ROOT / "README.md").read_text().split(COMMAND + "\n")[1]
    shown = []
    for line in after.splitlines():
        if line and not line.startswith("    "):
            break
        shown.append(line.removeprefix("    "))
    printed = subprocess.run(
        [sys.executable, "-m", "accelscope", *COMMAND.split()[2:]],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "\n".join(shown).strip() == printed.stdout.strip()
