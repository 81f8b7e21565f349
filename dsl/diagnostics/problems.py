"""How an evaluation fails: with an error to report, or silently because the error has been reported."""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Label, Span


class EvaluationFailed(Exception):
    """An evaluation failed; carries the diagnostic to report."""

    def __init__(
        self,
        code: str,
        message: str,
        span: Span | None = None,
        *,
        label: str = "",
        labels: tuple[Label, ...] = (),
        notes: tuple[str, ...] = (),
        help: str | None = None,
    ) -> None:
        super().__init__(message)
        self.code, self.message, self.span, self.label = code, message, span, label
        self.labels, self.notes, self.help = labels, notes, help

    def diagnostic(self, span: Span | None = None) -> Diagnostic:
        """Return the diagnostic, at `span` if it has no place of its own."""
        return Diagnostic(
            code=self.code,
            message=self.message,
            span=self.span or span,
            label=self.label,
            labels=self.labels,
            notes=self.notes,
            help=self.help,
        )


class PoisonedValue(Exception):
    """An evaluation needs a value whose error has been reported."""


class _Mark:
    __slots__ = ("_name",)

    def __init__(self, name: str) -> None:
        self._name = name

    def __repr__(self) -> str:
        return self._name


NOT_FOUND = _Mark("NOT_FOUND")
"""There is no such member or name; distinct from the value `none`."""

IN_PROGRESS = _Mark("IN_PROGRESS")
"""The value is being computed: reading it means that there is a cycle."""

POISON = _Mark("POISON")
"""The value had an error, which has been reported."""
