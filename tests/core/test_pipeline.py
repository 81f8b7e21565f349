"""The stages of an evaluation run in order, and their times are printed if somebody asks."""

from __future__ import annotations

import pytest

from tests.support.paths import ROOT

pytestmark = pytest.mark.smoke

JOB = str(ROOT / "examples" / "llama3_70b_on_dgx_h100.accel")


def test_the_stages_are_printed_in_order(accel):
    done = accel("eval", JOB, "--timings")
    stages = [line.split()[0] for line in done.err.splitlines()]
    assert stages == [
        "syntax", "values", "query", "probe", "design", "cost", "operations", "plan", "metrics", "result", "output",
    ]  # fmt: skip


def test_timings_change_nothing_on_stdout(accel):
    assert accel("eval", JOB, "--timings").out == accel("eval", JOB).out


def test_without_the_option_nothing_is_measured(accel):
    assert accel("eval", JOB).err == ""
