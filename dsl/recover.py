"""Going on after a mistake: say what is wrong, keep what was read, find the next statement."""

from __future__ import annotations

from accelscope.dsl.characters import mend
from accelscope.dsl.diagnostics import Diagnostic, Label, Span
from accelscope.dsl.engine import END, Engine, Problem
from accelscope.dsl.lookahead import (
    MATE,
    OPENING,
    SEPARATORS,
    first_on_line,
    fits,
    looks_like_statement,
    terminals,
)
from accelscope.dsl.messages import syntax_error


def recover(engine: Engine, problem: Problem) -> Diagnostic:
    """Return what is wrong at a terminal and leave the engine where it can read on."""
    if problem.finding is None and problem.kind == "OTHER":
        finding, mended = mend(engine, problem)
        if mended:
            return finding
    else:
        finding = problem.finding or _unclosed(engine, problem) or syntax_error(engine, problem)
    misspelt = finding.help is not None and finding.help.startswith("did you mean")
    kept = problem.finding is None and not misspelt and _end_statement(engine)
    engine.at = _next_statement(engine, problem, [] if kept else engine.drop_statement())
    return finding


def _end_statement(engine: Engine) -> bool:
    """End the statement under way if it is complete, so that it is kept."""
    if not fits(engine.states, "_NL", "LET"):
        return False
    try:
        engine.take("_NL", "\n", engine.last, engine.last)
    except Problem:
        return False
    return True


def _unclosed(engine: Engine, problem: Problem) -> Diagnostic | None:
    """Return the finding for a `[` or `(` that is still open where the text goes on with something else."""
    text = engine.source.text
    opened = engine.open[-1][0] if engine.open else 0
    mate = {"[": "]", "(": ")"}.get(text[opened : opened + 1])
    if mate is None or not engine.open or not fits(engine.states, "RSQB" if mate == "]" else "RPAR"):
        return None
    if problem.kind not in (END, "_NL", *MATE) and not (
        first_on_line(text, problem.start)
        and looks_like_statement(engine.tables, text, problem.start, line_start=True)
    ):
        return None
    last = len(text[: engine.last].rstrip())
    return Diagnostic(
        code="A002",
        message=f"`{text[opened]}` is not closed: `{mate}` is missing",
        span=Span(engine.source, opened, opened + 1),
        labels=(Label(span=Span(engine.source, last, last), text=f"`{mate}` is expected here"),),
    )


def _next_statement(engine: Engine, problem: Problem, pending: list[str]) -> int:
    """Return where to read on: at a statement, or at the brace that closes the block around.

    Args:
        engine: with stacks on which a statement may start.
        problem: the terminal at fault; the search starts at it.
        pending: brackets that what was dropped has left open.
    """
    tables, text = engine.tables, engine.source.text
    fresh = first_on_line(text, problem.start)
    if "{" not in pending and looks_like_statement(tables, text, problem.start, line_start=fresh):
        return problem.start
    in_block = any(text[start] == "{" for start, _ in engine.open)
    for kind, start, end in terminals(tables, text, problem.start):
        if kind in OPENING:
            pending.append(text[start])
        elif kind == "RBRACE":
            if "{" in pending:
                while pending.pop() != "{":
                    pass
            elif in_block:
                return start
        elif kind in MATE:
            if pending and pending[-1] == MATE[kind]:
                pending.pop()
        elif (
            kind in SEPARATORS
            and (not pending or (kind == "_NL" and "{" not in pending))
            and looks_like_statement(tables, text, end, line_start=kind == "_NL")
        ):
            return end
    return len(text)
