"""Warnings about former names of fields, blocks and symbols, each with the replacement that `check --fix` writes."""

from __future__ import annotations

from collections.abc import Iterator

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span


class FormerNames:
    """The places where texts use former names; iterates over one warning a place."""

    __slots__ = ("_by_place",)

    def __init__(self) -> None:
        self._by_place: dict[tuple[int, int, int], Diagnostic] = {}

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(tuple(self._by_place.values()))

    def note(self, span: Span, present: str) -> None:
        """Add a warning, unless the place already has one.

        Args:
            span: the former name.
            present: the present name.
        """
        place = (id(span.source), span.start, span.end)
        if place not in self._by_place:
            self._by_place[place] = Diagnostic(
                code="A408",
                message=f"`{span.text}` is now called `{present}`",
                span=span,
                help=f"write `{present}`; `accelscope check --fix` does it",
                replacement=present,
            )
