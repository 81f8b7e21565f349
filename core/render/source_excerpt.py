"""Source lines with marks below them: tabs, wide characters, long lines and spans of several lines. Pure."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Sequence

from attrs import frozen

from accelscope.dsl.diagnostics.diagnostics import SourceText, Span

EXCERPT_WIDTH = 100
_TAB = 4
_CUT = "…"


@frozen(eq=False)
class SpanLabel:
    """A span to point at, with what to say about it; `primary` is the finding itself."""

    span: Span
    text: str
    primary: bool


@frozen(kw_only=True)
class ExcerptRow:
    """One printed row: a source line (it has a number), marks below one, or a gap between lines."""

    number: int = 0
    indent: str = ""
    text: str = ""
    primary: bool = False
    gap: bool = False


@frozen
class _Stroke:
    """The part of a mark on one line, as character columns from 0, end exclusive."""

    line: int
    start: int
    end: int
    text: str
    primary: bool


def build_excerpt(marks: list[SpanLabel], width: int) -> Iterator[ExcerptRow]:
    """Yield the rows that show marks of one source.

    Args:
        marks: at least one, all of one source.
        width: cells of a row.
    """
    source = marks[0].span.source
    strokes = [stroke for mark in marks for stroke in _strokes(mark)]
    shown = sorted({stroke.line for stroke in strokes})
    for index, line in enumerate(shown):
        if index and line > shown[index - 1] + 1:
            yield ExcerptRow(gap=True)
        here = [stroke for stroke in strokes if stroke.line == line]
        yield from _line(source, line, sorted(here, key=lambda stroke: not stroke.primary), width)


def strip_control_characters(text: str) -> str:
    """Return a text without characters that could move the cursor or change the terminal."""
    if text.isprintable():
        return text
    return "".join(" " if c == "\t" else c if _harmless(c) else "\N{REPLACEMENT CHARACTER}" for c in text)


def display_width(text: str) -> int:
    """Return how many cells of a terminal a text takes."""
    return sum(_cells(character) for character in text)


def _line(source: SourceText, number: int, strokes: list[_Stroke], width: int) -> Iterator[ExcerptRow]:
    raw = source.line(number)
    text, starts = _laid_out(raw)
    focus = strokes[0]
    left, right = _window(starts, focus, width)
    shown = text[left:right] if left or right < len(text) else text
    head = _CUT if left else ""
    tail = _CUT if right < len(text) else ""
    yield ExcerptRow(number=number, text=head + shown + tail)
    for stroke in strokes:
        start, end = (starts[min(column, len(raw))] for column in (stroke.start, stroke.end))
        start, end = max(start, left), min(max(end, start + 1), max(right, left + 1))
        indent = " " * (display_width(text[left:start].ljust(start - left)) + len(head))
        size = max(display_width(text[start:end].ljust(end - start)), 1)
        bar = ("^" if stroke.primary else "-") * size
        yield ExcerptRow(
            indent=indent,
            text=f"{bar} {strip_control_characters(stroke.text)}".rstrip(),
            primary=stroke.primary,
        )


def _strokes(mark: SpanLabel) -> Iterator[_Stroke]:
    """Yield the first and the last line of a mark; the text goes with the last."""
    source, span = mark.span.source, mark.span
    first, start = source.position(span.start)
    last, end = source.position(max(span.start, span.end - 1))
    if first == last:
        yield _Stroke(first, start - 1, end if span.end > span.start else start, mark.text, mark.primary)
        return
    line = source.line(last)
    indent = len(line) - len(line.lstrip())
    yield _Stroke(first, start - 1, max(len(source.line(first).rstrip()), start), "", mark.primary)
    yield _Stroke(last, min(indent, end - 1), end, mark.text, mark.primary)


def _laid_out(raw: str) -> tuple[str, Sequence[int]]:
    """Return a line with tabs as spaces, and where each character and the end of the line went."""
    if raw.isprintable():
        return raw, range(len(raw) + 1)
    starts, pieces, size = [], [], 0
    for character in raw:
        starts.append(size)
        pieces.append(
            " " * (_TAB - size % _TAB) if character == "\t" else strip_control_characters(character)
        )
        size += len(pieces[-1])
    return "".join(pieces), [*starts, size]


def _window(starts: Sequence[int], focus: _Stroke, width: int) -> tuple[int, int]:
    """Return the part of a long line to show: the focus with a quarter of the width before it."""
    size = starts[-1]
    if size <= width:
        return 0, size
    start = starts[min(focus.start, len(starts) - 1)]
    end = starts[min(focus.end, len(starts) - 1)]
    if end <= width - 1:
        return 0, width - 1
    left = max(min(start - width // 4, size - width + 1), 0)
    return left, min(left + width - 2, size)


def _harmless(character: str) -> bool:
    return unicodedata.category(character) not in ("Cc", "Cf", "Cs", "Zl", "Zp")


def _cells(character: str) -> int:
    if unicodedata.combining(character):
        return 0
    return 2 if unicodedata.east_asian_width(character) in "WF" else 1
