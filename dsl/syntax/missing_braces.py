"""Finds blocks without a closing brace by their indentation; the parser itself notices only at the end of the text."""

from __future__ import annotations

from attrs import define, field, frozen
from lark import Token

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Label, SourceText, Span
from accelscope.dsl.diagnostics.limits import MAX_REPAIRS
from accelscope.dsl.syntax.grammar import locate_token, scan_terminals
from accelscope.dsl.syntax.lookahead import SEPARATORS


@frozen(kw_only=True)
class MissingBrace:
    """A missing `}`: its place, and the error."""

    offset: int
    finding: Diagnostic


@define
class _Line:
    """A line with tokens: its indentation, its first token, and the end of its last one."""

    indent: int
    first: Token
    end: int


@define
class _Brace:
    """An opening brace: its line, the start of its statement, whether more follows on its line, and its closing brace."""

    start: int
    line: int
    head: int
    followed: bool = False
    closer: int | None = None


@define
class _Survey:
    lines: list[_Line] = field(factory=list)
    braces: list[_Brace] = field(factory=list)
    closers: list[int] = field(factory=list)


def find_missing_braces(source: SourceText) -> list[MissingBrace]:
    """Return the most likely places of the missing braces of a text, at most `MAX_REPAIRS`."""
    survey = _survey(source.text)
    outdents = _outdents(survey.lines)
    gaps: list[MissingBrace] = []
    while len(gaps) < MAX_REPAIRS:
        _pair(survey)
        gap = _find(source, survey, outdents)
        if gap is None:
            break
        gaps.append(gap)
        survey.closers = sorted([*survey.closers, gap.offset])
    return gaps


def _survey(text: str) -> _Survey:
    survey = _Survey()
    head, fresh = 0, True
    for token in scan_terminals(text):
        kind, (start, end) = token.type, locate_token(token)
        if kind == "_NL":
            head, fresh = end, True
            continue
        if fresh:
            indent = text[text.rfind("\n", 0, start) + 1 : start].expandtabs(4)
            survey.lines.append(_Line(len(indent), token, end))
            fresh = False
        line = len(survey.lines) - 1
        survey.lines[line].end = end
        if survey.braces and survey.braces[-1].line == line:
            survey.braces[-1].followed = True
        if kind == "LBRACE":
            survey.braces.append(_Brace(start, line, head))
        elif kind == "RBRACE":
            survey.closers.append(start)
        if kind in SEPARATORS or kind in ("LBRACE", "RBRACE"):
            head = end
    return survey


def _outdents(lines: list[_Line]) -> list[int | None]:
    """Return for each line the next one that is not indented deeper."""
    answer: list[int | None] = [None] * len(lines)
    waiting: list[int] = []
    for number, line in enumerate(lines):
        while waiting and lines[waiting[-1]].indent >= line.indent:
            answer[waiting.pop()] = number
        waiting.append(number)
    return answer


def _pair(survey: _Survey) -> None:
    """Match each opening brace with a closing one by counting."""
    waiting: list[_Brace] = []
    closers = iter(survey.closers)
    closer = next(closers, None)
    for brace in [*survey.braces, None]:
        while closer is not None and (brace is None or closer <= brace.start):
            if waiting:
                waiting.pop().closer = closer
            closer = next(closers, None)
        if brace is not None:
            brace.closer = None
            waiting.append(brace)


def _find(source: SourceText, survey: _Survey, outdents: list[int | None]) -> MissingBrace | None:
    """Return the first place where a block continues past its indentation, else the end of the text."""
    lines = survey.lines
    unclosed = [brace for brace in survey.braces if brace.closer is None]
    if not unclosed:
        return None
    suspects = [
        (lines[after - 1].end, -brace.start, brace, lines[after].first)
        for brace in survey.braces
        if brace.start >= unclosed[0].start
        and (after := outdents[brace.line]) is not None
        and _runs_past(brace, lines, after)
    ]
    if suspects:
        offset, _, brace, first = min(suspects, key=lambda suspect: suspect[:2])
        label = Label(
            span=Span(source, *locate_token(first)),
            text="`}` is expected before this line",
        )
    else:
        offset, brace = lines[-1].end, unclosed[-1]
        label = Label(span=Span(source, offset, offset), text="the text ends without the `}`")
    return MissingBrace(offset=offset, finding=_finding(source, brace, label))


def _runs_past(brace: _Brace, lines: list[_Line], after: int) -> bool:
    """Return whether a block is still open at a line that is not indented deeper than the line of the block."""
    first = lines[after].first
    if brace.closer is not None and brace.closer <= locate_token(first)[0]:
        return False
    if first.type == "RBRACE" and lines[after].indent == lines[brace.line].indent:
        return False
    return brace.followed or after > brace.line + 1


def _finding(source: SourceText, brace: _Brace, label: Label) -> Diagnostic:
    title = " ".join(source.text[brace.head : brace.start].split()).rstrip("= ")
    title = f"the block `{title[:60]}`" if title else "a block"
    return Diagnostic(
        code="A002",
        message=f"{title}, opened on line {source.position(brace.start)[0]}, is not closed: `}}` is missing",
        span=Span(source, brace.start, brace.start + 1),
        label="opened here",
        labels=(label,),
    )
