"""`.accel` text to a syntax tree, with every syntax error as a diagnostic; no text makes it raise."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Final

from attrs import evolve
from lark import Token

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span, sort_diagnostics
from accelscope.dsl.diagnostics.limits import MAX_DIAGNOSTICS, MAX_FILE_BYTES
from accelscope.dsl.syntax.decode import file_too_large
from accelscope.dsl.syntax.lookahead import END_TERMINAL
from accelscope.dsl.syntax.missing_braces import MissingBrace, find_missing_braces
from accelscope.dsl.syntax.nesting_limit import drop_deep_statements
from accelscope.dsl.syntax.nodes import File, Number, OverrideStatement, Statement, SyntaxNode
from accelscope.dsl.syntax.parse_state import ParseState, SyntaxProblem
from accelscope.dsl.syntax.recovery import explain, recover

LANGUAGE_VERSION: Final = 1
_UNSOUND: Final = frozenset({"A004", "A005"})
"""Errors after which counting braces is meaningless."""


def parse(source: SourceText) -> tuple[File, tuple[Diagnostic, ...]]:
    """Return the syntax tree of a text and its syntax errors; statements with errors are left out of the tree."""
    file, findings, _ = _parse(source, keep_tokens=False)
    return file, findings


def parse_with_terminals(source: SourceText) -> tuple[File, tuple[Diagnostic, ...], tuple[Token, ...]]:
    """Return the syntax tree of a text, its syntax errors, and its tokens."""
    return _parse(source, keep_tokens=True)


def _parse(
    source: SourceText, *, keep_tokens: bool
) -> tuple[File, tuple[Diagnostic, ...], tuple[Token, ...]]:
    if len(source.text) > MAX_FILE_BYTES:
        return File(0, 0, (), source), (file_too_large(source.name),), ()
    gaps: list[MissingBrace] = []
    cursor = ParseState(source, keep_tokens=keep_tokens)
    findings, complete = _run(cursor)
    if not complete and _UNSOUND.isdisjoint(item.code for item in findings):
        gaps = find_missing_braces(source)
        cursor = ParseState(source, sorted(gap.offset for gap in gaps), keep_tokens=keep_tokens)
        findings, _ = _run(cursor)
    deep: list[SyntaxNode] = []
    version, statements = _version(source, drop_deep_statements(cursor.finish(), deep))
    findings += [
        *cursor.literals.findings,
        *(gap.finding for gap in gaps),
        *version,
        *_too_deep(source, deep),
    ]
    return File(0, len(source.text), statements, source), sort_diagnostics(findings), tuple(cursor.tokens)


def parse_override_text(source: SourceText) -> tuple[OverrideStatement | None, tuple[Diagnostic, ...]]:
    """Return `path = value` or `path = domain step n` as syntax; None with errors if it is something else."""
    if len(source.text) > MAX_FILE_BYTES:
        return None, (file_too_large(source.name),)
    cursor = ParseState(source, rule="override")
    try:
        cursor.run()
    except SyntaxProblem as problem:
        return None, sort_diagnostics([*cursor.literals.findings, explain(cursor, problem)])
    deep: list[SyntaxNode] = []
    statements = drop_deep_statements((cursor.result,), deep)
    findings = sort_diagnostics([*cursor.literals.findings, *_too_deep(source, deep)])
    return (None, findings) if findings else (statements[0], ())


def _too_deep(source: SourceText, deep: Iterable[SyntaxNode]) -> Iterator[Diagnostic]:
    for node in deep:
        message = "this is nested too deeply"
        yield Diagnostic(code="A005", message=message, span=Span(source, node.start, node.start + 1))


def _run(cursor: ParseState) -> tuple[list[Diagnostic], bool]:
    """Parse to the end of a text; return the errors and whether every block was closed."""
    findings: list[Diagnostic] = []
    while True:
        try:
            cursor.run()
        except SyntaxProblem as problem:
            if problem.kind == END_TERMINAL and cursor.in_block():
                return findings, False
            if problem.finding is not None and problem.finding.code == "A503":
                return [*findings, problem.finding], True
            findings.append(recover(cursor, problem))
            if len(findings) >= MAX_DIAGNOSTICS:
                note = "there are more errors; the rest of the text is not read"
                findings[-1] = evolve(findings[-1], notes=(note,))
                return findings, True
        else:
            return findings, True


def _version(
    source: SourceText, statements: tuple[Statement, ...]
) -> tuple[list[Diagnostic], tuple[Statement, ...]]:
    if not statements or not isinstance(statements[0], Number):
        return [], statements
    first = statements[0]
    if first.value == LANGUAGE_VERSION:
        return [], statements[1:]
    finding = Diagnostic(
        code="A001",
        message=f"version {first.value:g} of the language is not supported",
        span=first.span(source),
        help=f"supported versions: {LANGUAGE_VERSION}",
    )
    return [finding], statements[1:]
