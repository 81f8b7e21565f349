"""How much the long tests do: a small budget in an ordinary run, the full one with `pytest -m full`.

A test with a budget takes the fixture `budget`, or is decorated with `examples`; both mark it `full`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from attrs import define
from hypothesis import HealthCheck, settings

_F = TypeVar("_F", bound=Callable[..., Any])
NORMAL_EXAMPLES = 20
"""Of a test with generated input in an ordinary run."""


@define
class Budget:
    """Chooses between the two sizes of a test.

    Attributes:
        full: whether the run is one of full budgets.
    """

    full: bool = False

    def choose(self, *, normal: int, full: int) -> int:
        """Return the size for this run."""
        return full if self.full else normal


BUDGET = Budget()
"""Of this run; `pytest_configure` sets it before test modules are imported."""


def use_budget(config: pytest.Config) -> None:
    """Take the full budgets if only tests with budgets were selected."""
    BUDGET.full = config.getoption("markexpr") == "full"


def examples(count: int = 100) -> Callable[[_F], _F]:
    """Decorate a test with generated input.

    Args:
        count: examples of the full budget.
    """
    most = BUDGET.choose(normal=min(count, NORMAL_EXAMPLES), full=count)
    limits = settings(deadline=None, max_examples=most, suppress_health_check=list(HealthCheck))

    def decorate(function: _F) -> _F:
        return pytest.mark.full(limits(function))

    return decorate


def mark_tests_with_budget(items: list[pytest.Item]) -> None:
    """Mark the tests that take the fixture `budget`."""
    for item in items:
        if "budget" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.full)
