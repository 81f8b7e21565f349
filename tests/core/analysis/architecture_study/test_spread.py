"""Winners and spreads on plain arrays."""

from __future__ import annotations

import numpy as np
import pytest

from accelscope.core.analysis.architecture_study.claims import find_closest_number
from accelscope.core.analysis.architecture_study.spread import (
    find_architecture_best,
    find_best_and_worst,
    find_close_cells,
    summarize_spread,
)
from accelscope.core.analysis.jobs.phrases import (
    format_axis_number,
    format_axis_point,
    format_ratio,
    format_short_number,
    join_phrases,
)

NAN = np.nan
VALUES = np.array([[4.0, NAN, NAN], [1.0, 6.0, NAN], [2.0, 3.0, NAN]])
"""Three devices in three cells: all work, two work, none works."""


def test_best_worst_and_spread():
    found = find_best_and_worst(VALUES)
    assert found.best.tolist() == [0, 1, -1]
    assert found.worst.tolist() == [1, 2, -1]
    assert found.spread[:2].tolist() == [4.0, 2.0]
    assert np.isnan(found.spread[2])


def test_a_spread_needs_two_that_work():
    found = find_best_and_worst(VALUES, (0, 1))
    assert found.spread[0] == 4.0
    assert np.isnan(found.spread[1])
    assert found.best_value[1] == 6.0


def test_champions_are_the_best_of_each_architecture():
    names, best = find_architecture_best(VALUES, ("a", "b", "b"))
    assert names == ("a", "b")
    assert best[1, :2].tolist() == [2.0, 6.0]
    assert find_best_and_worst(best).spread[0] == 2.0


def test_a_lead_within_the_error_is_contested():
    best = np.array([[4.0, 4.0, NAN, 1.0], [3.2, 2.0, NAN, NAN]])
    assert find_close_cells(best, 1.35).tolist() == [True, False, False, False]
    assert find_close_cells(best[:1], 1.35).tolist() == [False] * 4


def test_quartiles_leave_out_cells_without_a_spread():
    assert summarize_spread(np.array([NAN, 2.0, 8.0, 4.0])) == (2.0, 4.0, 8.0)
    assert summarize_spread(np.array([NAN])) is None


def test_the_closest_number_is_so_by_ratio():
    assert find_closest_number({"a": 1.0, "b": 5.0, "c": 0.0}, 2.0) == "1 at a"
    assert find_closest_number({"a": 1.0, "b": 3.9}, 2.0) == "3.9 at b"


@pytest.mark.parametrize(
    ("value", "text"),
    [(3.7123, "3.71"), (1234.5, "1,230"), (0.00001234, "1.23e-05"), (NAN, "-"), (100.4, "100")],
)
def test_few_digits(value, text):
    assert format_short_number(value) == text


def test_words():
    assert format_ratio(3.72) == "3.7x"
    assert format_ratio(3e-5) == "<0.001x"
    assert join_phrases(["a", "b", "c"]) == "a, b and c"
    assert format_axis_number(1024.0) == "1,024"
    assert (
        format_axis_point([("workload.prompt", "tok", 1024.0), ("batch", "", 8.0)])
        == "prompt 1,024 tok, batch 8"
    )
