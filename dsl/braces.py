"""Which block lacks its closing brace: judged by indentation, since the parser only notices at the end of the text."""

from __future__ import annotations

from collections.abc import Iterable

from attrs import define, field, frozen

from accelscope.dsl.diagnostics import Diagnostic, Label, Source, Span
from accelscope.dsl.lookahead import SEPARATORS, Terminal, terminals
from accelscope.dsl.tables import Tables


@frozen(kw_only=True)
class Gap:
    """A missing `}`: where it belongs, and the finding."""

    offset: int
    finding: Diagnostic


@define
class _Line:
    indent: int
    first: Terminal
    end: int


@define
class _Brace:
    """An opening brace: its terminal, its line, where its block's statement starts, and its closer."""

    start: int
    line: int
    head: int
    closer: int | None = None
    rest: bool = field(default=False)


def find_gap(source: Source, tables: Tables, closers: Iterable[int]) -> Gap | None:
    """Return the most likely place of a missing brace, or None where braces balance.

    Args:
        source: the text.
        tables: the language.
        closers: where braces have been put back already.
    """
    lines, braces = _survey(source.text, tables, sorted(closers))
    open_braces = [brace for brace in braces if brace.closer is None]
    if not open_braces:
        return None
    suspects = [
        (lines[after - 1].end, -brace.start, brace, after)
        for brace in braces
        if brace.start >= open_braces[0].start and (after := _outdent(brace, lines)) is not None
    ]
    if suspects:
        offset, _, brace, after = min(suspects, key=lambda suspect: suspect[:2])
        first = lines[after].first
        return _gap(
            source, brace, offset, Span(source, first.start, first.end), "`}` is expected before this line"
        )
    offset = lines[-1].end
    return _gap(
        source, open_braces[-1], offset, Span(source, offset, offset), "the text ends without its `}`"
    )


def _survey(text: str, tables: Tables, closers: list[int]) -> tuple[list[_Line], list[_Brace]]:
    """Return the lines that hold terminals, and the opening braces with the partner that counting gives them."""
    lines: list[_Line] = []
    braces: list[_Brace] = []
    waiting: list[_Brace] = []
    head, fresh = 0, True
    for terminal in terminals(tables, text):
        while closers and closers[0] <= terminal.start:
            _pair(waiting, closers.pop(0))
        if terminal.kind == "_NL":
            head, fresh = terminal.end, True
            continue
        if fresh:
            start = text.rfind("\n", 0, terminal.start) + 1
            lines.append(_Line(len(text[start : terminal.start].expandtabs(4)), terminal, terminal.end))
            fresh = False
        lines[-1].end = terminal.end
        if waiting and waiting[-1].line == len(lines) - 1:
            waiting[-1].rest = True
        if terminal.kind == "LBRACE":
            waiting.append(_Brace(terminal.start, len(lines) - 1, head))
            braces.append(waiting[-1])
        elif terminal.kind == "RBRACE":
            _pair(waiting, terminal.start)
        if terminal.kind in SEPARATORS or terminal.kind in ("LBRACE", "RBRACE"):
            head = terminal.end
    for closer in closers:
        _pair(waiting, closer)
    return lines, braces


def _pair(waiting: list[_Brace], closer: int) -> None:
    if waiting:
        waiting.pop().closer = closer


def _outdent(brace: _Brace, lines: list[_Line]) -> int | None:
    """Return the first line that is indented no deeper than a block's own, if the block runs on beyond it."""
    after = next(
        (n for n in range(brace.line + 1, len(lines)) if lines[n].indent <= lines[brace.line].indent), None
    )
    if after is None or (brace.closer is not None and brace.closer <= lines[after].first.start):
        return None
    first = lines[after].first
    if first.kind == "RBRACE" and lines[after].indent == lines[brace.line].indent:
        return None
    empty = after == brace.line + 1 and not brace.rest
    return None if empty else after


def _gap(source: Source, brace: _Brace, offset: int, place: Span, text: str) -> Gap:
    title = " ".join(source.text[brace.head : brace.start].split()).rstrip("= ")
    title = f"the block `{title[:60]}`" if title else "a block"
    line = source.position(brace.start)[0]
    finding = Diagnostic(
        code="A002",
        message=f"{title}, opened on line {line}, is not closed: `}}` is missing",
        span=Span(source, brace.start, brace.start + 1),
        label="opened here",
        labels=(Label(span=place, text=text),),
    )
    return Gap(offset=offset, finding=finding)
