"""How much one evaluation may do: steps and blocks, refilled when a text is loaded or a component derived."""

from __future__ import annotations

from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue

MAX_EVALUATION_STEPS = 300_000
MAX_COMPONENTS = 20_000


class Budget:
    """What is left of the steps and components of an evaluation."""

    def __init__(self) -> None:
        self.refill()

    def refill(self) -> None:
        """Give the full budget again: whoever derives a component or loads a file starts afresh."""
        self.steps, self.components, self.spent = MAX_EVALUATION_STEPS, MAX_COMPONENTS, False

    def spend_steps(self, n: int) -> None:
        """Take some steps from the budget, for work that is not the evaluation of an expression.

        Raises:
            Problem: there are none left; Poisoned, once that has been said.
        """
        self.steps -= n
        if self.steps < 0:
            raise self.budget_error("steps", MAX_EVALUATION_STEPS)

    def spend_component(self) -> None:
        """Take one component from the budget.

        Raises:
            Problem: there is none left; Poisoned, once that has been said.
        """
        self.components -= 1
        if self.components < 0:
            raise self.budget_error("blocks within blocks", MAX_COMPONENTS)

    def budget_error(self, what: str, most: int) -> Exception:
        """Return what to raise when a budget is used up: the problem once, then silence."""
        if self.spent:
            return PoisonedValue()
        self.stop()
        return EvaluationFailed("A209", f"evaluating this takes more than {most:,} {what}")

    def stop(self) -> None:
        """Let nothing more be evaluated, without another word."""
        self.spent = True
        self.steps = self.components = -1
