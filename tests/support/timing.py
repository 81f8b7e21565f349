"""How long hostile input may take: CPU seconds, with an allowance where coverage traces every line."""

from __future__ import annotations

import sys

TRACED = 6 if sys.gettrace() is not None else 1


def seconds(limit: float) -> float:
    """Return a limit of CPU seconds as it applies to this run."""
    return limit * TRACED
