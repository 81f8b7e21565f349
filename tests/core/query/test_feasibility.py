"""Which limits count, and what becomes of points that break them."""

from __future__ import annotations

import numpy as np

from accelscope.core.ir.usage import Limit, condition
from accelscope.core.numeric.term import Term, term
from accelscope.core.query.feasibility import (
    ALL_LIMITS,
    ENGINES_PAD,
    ONLY_MEMORY,
    TRAINING_HEADROOM,
    check_limits,
    judge_limits,
    sum_excess,
    worst_check,
)

SHAPE = (4,)
MEMORY = Limit(
    "memory", used=Term(np.array([50.0, 97.0, 100.0, 200.0])), available=term(100.0), reason="too full"
)
DEVICES = Limit("devices", used=Term(np.array([1.0, 9.0, 8.0, 9.0])), available=term(8.0))
HEADS = condition("heads", np.array([True, True, False, False]), "heads are not divided")


def kept(policy: object, *limits: Limit) -> list[list[bool]]:
    return [check.kept.tolist() for check in check_limits(limits, policy)]


def test_every_limit_counts_and_rounding_breaks_none() -> None:
    full = Limit("memory", used=term(100.0 * (1 + 1e-12)), available=term(100.0))
    assert kept(ALL_LIMITS, full) == [True]
    assert len(check_limits((MEMORY, DEVICES, HEADS))) == 3


def test_conditions_do_not_count_where_engines_pad() -> None:
    assert kept(ENGINES_PAD, MEMORY, HEADS) == [[True, True, True, False]]


def test_only_memory_counts_of_measured_serving() -> None:
    assert kept(ONLY_MEMORY, DEVICES, MEMORY, HEADS) == [[True, True, True, False]]


def test_training_keeps_a_part_of_the_memory_free() -> None:
    assert kept(TRAINING_HEADROOM, MEMORY) == [[True, False, False, False]]


def test_a_number_that_is_not_known_keeps_no_limit() -> None:
    assert kept(ALL_LIMITS, Limit("memory", used=term(np.nan), available=term(1.0))) == [False]


def test_the_first_limit_that_is_broken_is_the_reason() -> None:
    met = np.array([False, True, True, True])
    verdict = judge_limits(check_limits((MEMORY, DEVICES, HEADS)), [("too slow", met)], SHAPE)
    assert verdict.feasible.tolist() == [True, False, False, False]
    assert verdict.allowed.tolist() == [False, False, False, False]
    assert verdict.broken.tolist() == [1.0, 1.0, 1.0, 3.0]
    assert verdict.reason.tolist() == ["too slow", "devices", "heads are not divided", "too full"]


def test_nothing_is_worse_than_a_point_that_a_when_leaves_out() -> None:
    left_out = condition("when tp < 8", np.array([True, True, True, False]), "left out", prunes=True)
    verdict = judge_limits(check_limits((DEVICES, left_out)), (), SHAPE)
    assert verdict.broken.tolist() == [0.0, 1.0, 0.0, np.inf]
    assert verdict.reason.tolist() == [None, "devices", None, "devices"]


def test_the_excess_is_the_logarithm_of_used_over_available() -> None:
    excess = sum_excess(check_limits((MEMORY, HEADS)), SHAPE)
    assert np.allclose(excess, [0.0, 0.0, 1.0, np.log(2.0) + 1.0])


def test_of_limits_with_one_name_the_fullest_is_shown() -> None:
    checks = check_limits((MEMORY, Limit("memory", used=term(8.0), available=term(10.0))))
    used, available = worst_check(checks)
    assert used.tolist() == [8.0, 97.0, 100.0, 200.0]
    assert available.tolist() == [10.0, 100.0, 100.0, 100.0]
