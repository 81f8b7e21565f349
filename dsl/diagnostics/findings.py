"""What is found wrong during an evaluation: each place once, and no more than a reader can use."""

from __future__ import annotations

from attrs import evolve

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, sort_diagnostics
from accelscope.dsl.diagnostics.limits import MAX_DIAGNOSTICS

_ASKED_FOR = "A401"
"""Numbers without a source are a list to work off, which somebody asked for: it is never cut."""


class Findings:
    """Collects diagnostics; an error goes before a warning where there are too many.

    Attributes:
        full: whether errors have been left out.
    """

    __slots__ = ("_asked_for", "_errors", "_places", "_warnings", "full")

    def __init__(self) -> None:
        self._errors: list[Diagnostic] = []
        self._warnings: list[Diagnostic] = []
        self._asked_for: list[Diagnostic] = []
        self._places: set[tuple[SourceText, int, int]] = set()
        self.full = False

    def add(self, found: Diagnostic) -> None:
        """Keep a finding, unless something has been said about its place before, or too much already."""
        if found.span is not None:
            place = (found.span.source, found.span.start, found.span.end)
            if place in self._places:
                return
            self._places.add(place)
        if found.code == _ASKED_FOR:
            self._asked_for.append(found)
        elif found.severity != "error":
            if len(self._warnings) <= MAX_DIAGNOSTICS:
                self._warnings.append(found)
        elif len(self._errors) < MAX_DIAGNOSTICS:
            self._errors.append(found)
        else:
            self.full = True

    def sorted_diagnostics(self) -> tuple[Diagnostic, ...]:
        """Return the findings in the order of the text; the last one says so where there are more."""
        warnings = self._warnings[: MAX_DIAGNOSTICS - len(self._errors)]
        found = sort_diagnostics([*self._errors, *warnings, *self._asked_for])
        if not self.full and len(warnings) == len(self._warnings):
            return found
        notes = (*found[-1].notes, "there are more findings; the rest is not shown")
        return (*found[:-1], evolve(found[-1], notes=notes))
