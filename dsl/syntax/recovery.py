"""Recovery from a syntax error: report it, keep what was read, find the next statement."""

from __future__ import annotations

from copy import copy
from itertools import islice, tee

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Label, Span
from accelscope.dsl.diagnostics.limits import MAX_TERMINALS
from accelscope.dsl.syntax.bad_characters import repair_character
from accelscope.dsl.syntax.grammar import locate_token, scan_terminals
from accelscope.dsl.syntax.lookahead import (
    END_TERMINAL,
    MATCHING_BRACKETS,
    OPENING_BRACKETS,
    SEPARATORS,
    accepts_terminals,
    is_first_on_line,
    looks_like_statement,
)
from accelscope.dsl.syntax.messages import PUNCTUATION, syntax_error
from accelscope.dsl.syntax.parse_state import ParseState, SyntaxProblem


def recover(cursor: ParseState, problem: SyntaxProblem) -> Diagnostic:
    """Return the error at a token of a file, and move the parse to where it can continue."""
    if problem.finding is None and problem.kind == "OTHER":
        finding, repaired = repair_character(cursor, problem)
        if repaired:
            return finding
    else:
        finding = explain(cursor, problem)
    misspelt = finding.help is not None and finding.help.startswith("did you mean")
    kept = problem.finding is None and not misspelt and _end_statement(cursor)
    cursor.seek(_next_statement(cursor, problem, [] if kept else cursor.drop_statement()))
    return finding


def explain(cursor: ParseState, problem: SyntaxProblem) -> Diagnostic:
    """Return the error at a token, without recovery."""
    if problem.finding is None and problem.kind == "OTHER":
        return repair_character(cursor, problem)[0]
    return problem.finding or _unclosed(cursor, problem) or syntax_error(cursor, problem)


def _end_statement(cursor: ParseState) -> bool:
    """End the current statement if it is complete, so that it is kept."""
    if not accepts_terminals(cursor.parser, "_NL", "LET"):
        return False
    try:
        cursor.put("_NL", "\n", cursor.last, cursor.last)
    except SyntaxProblem:
        return False
    return True


def _unclosed(cursor: ParseState, problem: SyntaxProblem) -> Diagnostic | None:
    """Return the error for a bracket that is not closed, or None."""
    text = cursor.source.text
    opener = next(iter(cursor.open()[-1:]), None)
    mates = {"LSQB": "RSQB", "LPAR": "RPAR"}
    if cursor.rule == "override":
        mates["LBRACE"] = "RBRACE"  # in a file, `find_missing_braces` reports these
    mate = mates.get(opener.type) if opener else None
    if opener is None or mate is None or not accepts_terminals(cursor.parser, mate):
        return None
    if problem.kind not in (END_TERMINAL, "_NL", *MATCHING_BRACKETS) and not (
        is_first_on_line(text, problem.start)
        and looks_like_statement(scan_terminals(text, problem.start), line_start=True)
    ):
        return None
    last = len(text[: cursor.last].rstrip())
    closing = PUNCTUATION[mate]
    return Diagnostic(
        code="A002",
        message=f"`{opener}` is not closed: `{closing}` is missing",
        span=Span(cursor.source, *locate_token(opener)),
        labels=(Label(span=Span(cursor.source, last, last), text=f"`{closing}` is expected here"),),
    )


def _next_statement(cursor: ParseState, problem: SyntaxProblem, pending: list[str]) -> int:
    """Return the offset to continue at: a statement, or the brace that closes the enclosing block.

    Args:
        cursor: the parse, at a place where a statement may start.
        problem: the token at fault, where the search starts.
        pending: types of the brackets that the dropped statement left open.
    """
    text = cursor.source.text
    fresh = is_first_on_line(text, problem.start)
    if "LBRACE" not in pending and looks_like_statement(
        scan_terminals(text, problem.start), line_start=fresh
    ):
        return problem.start
    in_block = cursor.in_block()
    (ahead,) = tee(scan_terminals(text, problem.start), 1)
    for token in islice(ahead, MAX_TERMINALS):
        kind, (start, end) = token.type, locate_token(token)
        if kind in OPENING_BRACKETS:
            pending.append(kind)
        elif kind == "RBRACE":
            if "LBRACE" in pending:
                while pending.pop() != "LBRACE":
                    pass
            elif in_block:
                return start
        elif kind in MATCHING_BRACKETS:
            if pending and pending[-1] == MATCHING_BRACKETS[kind]:
                pending.pop()
        elif (
            kind in SEPARATORS
            and (not pending or (kind == "_NL" and "LBRACE" not in pending))
            and looks_like_statement(copy(ahead), line_start=kind == "_NL")
        ):
            return end
    return len(text)
