"""What a person reads where a plugin is switched off, and how one is."""

from __future__ import annotations

import pytest

from tests.support.paths import MAIN_JOB

JOB = MAIN_JOB


@pytest.mark.parametrize(
    ("plugin", "words"),
    [
        ("workload", "no installed plugin serves `model` blocks"),
        ("memory", "no installed plugin serves `memory` blocks"),
        ("compute", "no installed plugin serves `engine` blocks"),
        ("interconnect", "no installed plugin serves the connection pattern `switch` or any other"),
        ("reports", "no installed plugin writes results"),
    ],
)
def test_a_missing_family_is_2_and_says_which_plugin_is_off(accel, plugin, words):
    done = accel("--no-plugin", plugin, "eval", JOB)
    assert (done.code, done.out) == (2, "")
    assert f"{words}; plugin `{plugin}` is switched off (--no-plugin {plugin})" in done.err


def test_missing_metrics_are_a_warning(accel):
    done = accel("--no-plugin", "metrics", "eval", JOB)
    assert done.code == 0
    assert done.err.startswith("warning: no installed plugin computes metrics; plugin `metrics` is")


def test_the_variable_is_named_where_it_is_the_reason(accel):
    done = accel("eval", JOB, ACCELSCOPE_DISABLE="workload")
    assert "plugin `workload` is switched off (ACCELSCOPE_DISABLE=workload)" in done.err


def test_an_unknown_name_in_the_variable_is_a_warning(accel):
    done = accel("models", ACCELSCOPE_DISABLE="memry")
    assert done.code == 0
    assert done.err == (
        "warning: ACCELSCOPE_DISABLE names `memry`, which is no plugin; did you mean `memory`?\n"
    )


@pytest.mark.parametrize(
    "arguments",
    [
        ("models", "--no-plugin", "memory"),
        ("models", "--no-plugin=memory"),
        ("--no-plugin", "memory", "models"),
    ],
)
def test_a_plugin_can_be_left_out_anywhere(accel, arguments):
    done = accel(*arguments)
    assert done.code == 0, done.err
    assert "scratchpad" not in done.out


def test_a_plugin_to_leave_out_needs_a_name(accel):
    done = accel("models", "--no-plugin")
    assert done.code == 2
    assert "--no-plugin needs the name of a plugin" in done.err


def test_what_follows_two_dashes_is_no_flag(accel):
    done = accel("check", "--", "--no-plugin", "memory")
    assert "--no-plugin" in done.out
