"""Errors while members are evaluated: each is reported once, and a member that needs itself is a cycle."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from itertools import islice
from typing import Protocol

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span
from accelscope.dsl.diagnostics.findings import Findings
from accelscope.dsl.diagnostics.problems import POISON, EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.budget import Budget

_MAX_CYCLE_NAMES = 12
"""Names of a cycle that a message shows."""


class HasPath(Protocol):
    """Anything with a dotted path, such as a component."""

    @property
    def path(self) -> str:
        """The names from the top of the file, with dots."""


class EvaluationGuard(Budget):
    """Collects the diagnostics of an evaluation and knows which members are being evaluated."""

    def __init__(self) -> None:
        super().__init__()
        self._findings = Findings()
        self._active: list[tuple[HasPath, str]] = []

    @property
    def diagnostics(self) -> tuple[Diagnostic, ...]:
        """Every diagnostic so far, in the order of the text."""
        return self._findings.sorted_diagnostics()

    @property
    def has_too_many_errors(self) -> bool:
        """Whether there are more errors than are kept."""
        return self._findings.has_too_many_errors

    def report(self, problem: EvaluationFailed | Diagnostic, span: Span | None = None) -> None:
        """Keep a diagnostic unless its place already has one; stop evaluating once there are too many errors.

        Args:
            problem: the diagnostic, or the exception that carries it.
            span: its place if the exception has none.
        """
        self._findings.add(problem.diagnostic(span) if isinstance(problem, EvaluationFailed) else problem)
        if self.has_too_many_errors:
            self.stop()

    def run_guarded(
        self, owner: HasPath, name: str, work: Callable[[], object], find_span: Callable[[], Span | None]
    ) -> object:
        """Return the result of evaluating a member, or POISON after reporting why there is none.

        Args:
            owner: the component that has the member.
            name: the name of the member.
            work: computes the value.
            find_span: gives the place for a diagnostic that has none; called only if needed.
        """
        self._active.append((owner, name))
        try:
            return work()
        except EvaluationFailed as problem:
            self.report(problem, find_span())
        except PoisonedValue:
            pass
        except RecursionError:
            self.report(EvaluationFailed("A209", f"`{name}` is nested too deeply"), find_span())
        finally:
            self._active.pop()
        return POISON

    def cycle_error(self, owner: HasPath, name: str) -> EvaluationFailed:
        """Return the error for a member whose value needs the member itself, with the cycle as a note."""
        start = next((i for i, (c, n) in enumerate(self._active) if c is owner and n == name), 0)
        chain = [*self._active[start:], (owner, name)]
        note = cycle_note(_member_path(component, member) for component, member in chain)
        return EvaluationFailed("A203", f"`{name}` is defined through itself", notes=(note,))


def cycle_note(names: Iterable[str]) -> str:
    """Return the note that lists the names of a cycle, the first one repeated at the end."""
    return "cycle: " + " -> ".join(f"`{name}`" for name in islice(names, _MAX_CYCLE_NAMES))


def _member_path(owner: HasPath, name: str) -> str:
    return f"{owner.path}.{name}" if owner.path else name
