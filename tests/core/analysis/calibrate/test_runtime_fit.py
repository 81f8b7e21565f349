"""Paces of runtimes fitted to static batches: they are found again, told as text, and judged on what was left out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from attrs import evolve

from accelscope.core.analysis.calibrate.runtime_fit import (
    PROFILE_FIELD_PRIORS,
    ProfileFit,
    apply_profile_values,
    compute_profile_errors,
    fit_profiles,
)
from accelscope.core.analysis.calibrate.runtime_groups import group_runtime_rows
from accelscope.core.analysis.calibrate.runtime_run import cross_validate_runtimes, label_runtime_folds
from accelscope.core.analysis.calibrate.runtime_text import rewrite_runtimes
from accelscope.core.analysis.validate.library_names import LibraryNames
from accelscope.core.analysis.validate.static_batch import evaluate_row_design
from accelscope.core.analysis.validate.table import MeasurementTable, read_tables
from tests.support.paths import MEASURED

ROWS = str(MEASURED / "e2e.csv")
TRUE = {"step_overhead": 4e-3, "per_sequence_overhead": 2e-4, "bandwidth": 0.9}
TEXT = """source fitted { kind = measured, title = "a test" }

## The one that is fitted.
runtime tensorrt_llm_python {
  aliases = ["trt"]
  step = 1 us @fitted
  port AMD { step = 2 us @fitted }
}

runtime other {
  step_overhead = 7 us @fitted
}
"""


@pytest.fixture(scope="module")
def names(shell: Any) -> LibraryNames:
    return LibraryNames(shell)


@pytest.fixture(scope="module")
def table() -> MeasurementTable:
    """Return rows of one configuration at many batches."""
    whole = read_tables([ROWS])[0]
    chosen = (whole.text("hw") == "H100-SXM") & (whole.text("engine") == "tensorrt-llm")
    row = np.flatnonzero(chosen & (whole.text("tier") == "A"))[0]
    many = whole.take(np.full(8, row))
    batches = np.array([1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 48.0, 64.0])
    return evolve(many, columns={**many.columns, "batch_or_concurrency": batches})


@pytest.fixture(scope="module")
def found(table, names):
    """Return the groups of rows as if they were measured under a known pace."""
    values = np.array([[TRUE.get(name, width.start) for name, width in PROFILE_FIELD_PRIORS.items()]])
    return [
        evolve(
            group,
            measured=evaluate_row_design(
                apply_profile_values(group.design, values), group.table, names.registry
            )[1][0],
        )
        for group in group_runtime_rows(table, names)
    ]


@pytest.fixture(scope="module")
def fit(found, names) -> ProfileFit:
    return fit_profiles(found, names.registry)


def of(fit: ProfileFit, group: Any, name: str) -> float:
    return fit.of(group.runtime, group.names, name)


def test_what_was_measured_is_predicted(found, fit, names):
    for group in found:
        logs = np.log([of(fit, group, name) for name in PROFILE_FIELD_PRIORS])
        assert np.max(np.abs(compute_profile_errors(group, logs, names.registry)[0])) < 0.02


def test_a_pace_is_found_again(found, fit):
    assert of(fit, found[0], "step_overhead") == pytest.approx(TRUE["step_overhead"], rel=0.3)
    assert of(fit, found[0], "per_sequence_overhead") == pytest.approx(TRUE["per_sequence_overhead"], rel=0.1)


def test_what_rows_say_nothing_of_stays_where_it_starts(found, fit):
    assert of(fit, found[0], "send_recv_overhead") == pytest.approx(
        PROFILE_FIELD_PRIORS["send_recv_overhead"].start
    )
    place = ("runtime", found[0].runtime, "send_recv_overhead")
    assert fit.deviations[place] == pytest.approx(PROFILE_FIELD_PRIORS["send_recv_overhead"].own)


def test_what_was_fitted_is_told_and_the_rest_of_a_text_stays(found, fit, shell, tmp_path):
    text = rewrite_runtimes(TEXT, fit, found, {"tensorrt_llm_python": 0.2}, "fitted")
    assert all(part in text for part in ('["trt"]', "log_error_std", "7 us", "## The one that is fitted."))
    assert "1 us" not in text and "device_override AMD" not in text and "send_recv_overhead" not in text
    path = tmp_path / "runtimes.accel"
    path.write_text(text)
    assert not [item for item in shell.check(str(path)) if item.severity == "error"]
    assert rewrite_runtimes(text, fit, found, {"tensorrt_llm_python": 0.2}, "fitted") == text


def test_what_is_left_out_is_predicted_by_a_fit_without_it(table, names):
    errors = cross_validate_runtimes(table, "device", names, {}, lambda text: None)
    start = group_runtime_rows(table, names, {})[0]
    logs = np.log([width.start for width in PROFILE_FIELD_PRIORS.values()])
    assert errors == pytest.approx(compute_profile_errors(start, logs, names.registry)[0])


def test_rows_of_one_configuration_model_or_device_are_left_out_together():
    table = read_tables([ROWS])[0]
    for kind, name in (("device", "hw"), ("model", "model")):
        labels = label_runtime_folds(table, kind)
        assert len(set(labels)) > 1
        for (_,), places in table.groups(name):
            assert len(set(labels[places])) == 1
