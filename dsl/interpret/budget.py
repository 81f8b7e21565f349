"""The budget of one evaluation: steps and blocks, refilled when a text is loaded or a component derived."""

from __future__ import annotations

from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue

MAX_EVALUATION_STEPS = 300_000
MAX_COMPONENTS = 20_000


class Budget:
    """The steps and components that an evaluation may still use.

    Attributes:
        steps: steps that are left.
        components: components that are left.
        exhausted: whether the budget was used up, which has been reported.
    """

    def __init__(self) -> None:
        self.refill()

    def refill(self) -> None:
        """Restore the full budget, at the start of each file that is loaded and each scenario that is derived."""
        self.steps, self.components, self.exhausted = MAX_EVALUATION_STEPS, MAX_COMPONENTS, False

    def spend_steps(self, n: int) -> None:
        """Take steps from the budget.

        Raises:
            EvaluationFailed: there are none left.
            PoisonedValue: there are none left, which has been reported.
        """
        self.steps -= n
        if self.steps < 0:
            raise self._budget_error("steps", MAX_EVALUATION_STEPS)

    def spend_component(self) -> None:
        """Take one component from the budget.

        Raises:
            EvaluationFailed: there is none left.
            PoisonedValue: there is none left, which has been reported.
        """
        self.components -= 1
        if self.components < 0:
            raise self._budget_error("blocks within blocks", MAX_COMPONENTS)

    def _budget_error(self, what: str, limit: int) -> Exception:
        """Return the exception for a budget that is used up: the error once, then one that is not reported."""
        if self.exhausted:
            return PoisonedValue()
        self.stop()
        return EvaluationFailed("A209", f"evaluating this takes more than {limit:,} {what}")

    def stop(self) -> None:
        """Evaluate nothing more, without another diagnostic."""
        self.exhausted = True
        self.steps = self.components = -1
