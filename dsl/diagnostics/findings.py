"""The diagnostics of one evaluation: one for each place, and no more than a reader can use."""

from __future__ import annotations

from attrs import evolve

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, sort_diagnostics
from accelscope.dsl.diagnostics.limits import MAX_DIAGNOSTICS

_NEVER_CUT = "A401"
"""Numbers without a source are a list to work through that the user asked for: it is always complete."""


class Findings:
    """Collects diagnostics; if there are too many, errors take precedence over warnings.

    Attributes:
        has_too_many_errors: whether errors have been left out.
    """

    __slots__ = ("_errors", "_places", "_uncited", "_warnings", "has_too_many_errors")

    def __init__(self) -> None:
        self._errors: list[Diagnostic] = []
        self._warnings: list[Diagnostic] = []
        self._uncited: list[Diagnostic] = []
        self._places: set[tuple[SourceText, int, int]] = set()
        self.has_too_many_errors = False

    def add(self, diagnostic: Diagnostic) -> None:
        """Keep a diagnostic unless its place already has one, or there are too many."""
        if diagnostic.span is not None:
            place = (diagnostic.span.source, diagnostic.span.start, diagnostic.span.end)
            if place in self._places:
                return
            self._places.add(place)
        if diagnostic.code == _NEVER_CUT:
            self._uncited.append(diagnostic)
        elif diagnostic.severity != "error":
            if len(self._warnings) <= MAX_DIAGNOSTICS:
                self._warnings.append(diagnostic)
        elif len(self._errors) < MAX_DIAGNOSTICS:
            self._errors.append(diagnostic)
        else:
            self.has_too_many_errors = True

    def sorted_diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return the diagnostics in the order of the text; if there are more, the last one has a note."""
        warnings = self._warnings[: MAX_DIAGNOSTICS - len(self._errors)]
        kept = sort_diagnostics([*self._errors, *warnings, *self._uncited])
        if not self.has_too_many_errors and len(warnings) == len(self._warnings):
            return kept
        notes = (*kept[-1].notes, "there are more errors or warnings, which are not shown")
        return (*kept[:-1], evolve(kept[-1], notes=notes))
