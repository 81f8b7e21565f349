"""Errors and warnings as data: source text, span, label and diagnostic."""

from __future__ import annotations

import bisect
from collections.abc import Iterable
from functools import cached_property

from attrs import define, field, frozen

from accelscope.dsl.diagnostics.codes import CODES


@define(eq=False, slots=False)
class SourceText:
    """A text with its display name; turns offsets into lines and columns."""

    name: str
    text: str = field(repr=False)

    @cached_property
    def _starts(self) -> list[int]:
        starts = [0]
        find = self.text.find
        at = find("\n")
        while at >= 0:
            starts.append(at + 1)
            at = find("\n", at + 1)
        return starts

    def position(self, offset: int) -> tuple[int, int]:
        """Return the 1-based (line, column) of a character offset."""
        line = bisect.bisect_right(self._starts, offset)
        return line, offset - self._starts[line - 1] + 1

    def line(self, number: int) -> str:
        """Return the text of a 1-based line without its line end."""
        start = self._starts[number - 1]
        end = self._starts[number] - 1 if number < len(self._starts) else len(self.text)
        return self.text[start:end].rstrip("\r")


@frozen(eq=True)
class Span:
    """A range of characters in a source, end exclusive."""

    source: SourceText
    start: int
    end: int

    @property
    def line(self) -> int:
        """1-based line of the first character."""
        return self.source.position(self.start)[0]

    @property
    def column(self) -> int:
        """1-based column of the first character."""
        return self.source.position(self.start)[1]

    @property
    def text(self) -> str:
        """The characters that the span covers."""
        return self.source.text[self.start : self.end]

    def __str__(self) -> str:
        return f"{self.source.name}:{self.line}:{self.column}"


@frozen(kw_only=True)
class Label:
    """A secondary place of a diagnostic, such as the first definition of a repeated key."""

    span: Span
    text: str


@frozen(kw_only=True)
class Diagnostic:
    """An error or a warning: a code, a sentence, a place, and how to fix it.

    Messages are lower case without a full stop and put names in backticks.

    Attributes:
        code: a code of the table, such as "A101".
        message: one sentence.
        span: the place, or None.
        label: short text at the place.
        labels: secondary places.
        notes: further sentences.
        help: what to do.
        replacement: text that, in place of the span, does what `help` says; None if no text is certain to be right.
    """

    code: str = field()
    message: str
    span: Span | None = None
    label: str = ""
    labels: tuple[Label, ...] = ()
    notes: tuple[str, ...] = ()
    help: str | None = None
    replacement: str | None = None

    @code.validator
    def _known(self, _: object, code: str) -> None:
        if code not in CODES:
            raise ValueError(f"diagnostic code {code} is not in accelscope.dsl.diagnostics.codes")

    @property
    def severity(self) -> str:
        """ "error" or "warning", from the table of codes."""
        return CODES[self.code].severity

    @property
    def title(self) -> str:
        """The kebab-case title of the code."""
        return CODES[self.code].title


def sort_diagnostics(diagnostics: Iterable[Diagnostic]) -> tuple[Diagnostic, ...]:
    """Return diagnostics by file and position, only the first one of each code at each place."""
    seen: set[tuple[object, ...]] = set()
    kept = []
    for item in diagnostics:
        at = _range(item.span) if item.span else (item.message,)
        if (item.code, *at) not in seen:
            seen.add((item.code, *at))
            kept.append(item)
    return tuple(sorted(kept, key=_place))


def _range(span: Span) -> tuple[object, ...]:
    return span.source.name, span.source.text, span.start, span.end


def _place(item: Diagnostic) -> tuple[str, int, str]:
    if item.span is None:
        return ("", -1, item.code)
    return (item.span.source.name, item.span.start, item.code)


def has_errors(diagnostics: Iterable[Diagnostic]) -> bool:
    """Return whether any of the diagnostics is an error."""
    return any(item.severity == "error" for item in diagnostics)
