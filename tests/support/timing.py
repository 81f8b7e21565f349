"""How long hostile input may take, in processor time of this process, whatever the speed of the machine."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable

TRACED = 6 if sys.gettrace() is not None else 1
"""Allowance if coverage traces every line."""
_LOOPS = 1_000_000
_LOOP_SECONDS = 0.02
"""Of the loop below on the machine on which limits were set."""
_SLACK = 3
"""For what else the cores do, and for machines that are slower in other ways than the loop; what explodes takes hours."""
_SHORTEST = 0.05
"""Seconds below which times are too short to be compared."""
_FACTOR = 4
_GROWTH = 9.0
"""Largest growth of the time of a text that is longer by the factor: 4 if linear, 16 if quadratic."""


def seconds(limit: float) -> float:
    """Return a limit of processor time as it applies to this run: to coverage, and to how fast the machine is now.

    Args:
        limit: seconds on the machine on which limits were set.
    """
    return limit * TRACED * _SLACK * max(1.0, measure(_count) / _LOOP_SECONDS)


def measure(run: Callable[[], object]) -> float:
    """Return the processor time in seconds of a function."""
    before = time.process_time()
    run()
    return time.process_time() - before


def assert_linear(run: Callable[[int], object], size: int) -> None:
    """Check that the processor time of a function grows no faster than its input.

    Args:
        run: takes the size of its input.
        size: of the largest input; a quarter of it is what it is compared with.
    """
    small = max(_SHORTEST, measure(lambda: run(size // _FACTOR)))
    large = measure(lambda: run(size))
    if large > _GROWTH * small:  # something else may have disturbed one of them
        small = max(_SHORTEST, measure(lambda: run(size // _FACTOR)))
        large = min(large, measure(lambda: run(size)))
    assert large <= _GROWTH * small, f"{large:.2f} s, and {small:.2f} s with a quarter of the input"


def _count() -> None:
    for _ in range(_LOOPS):
        pass
