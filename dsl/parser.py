"""`.accel` text to a syntax tree, with every mistake of the text as a diagnostic; never raises for a bad text."""

from __future__ import annotations

from functools import lru_cache

from accelscope.dsl.build import MAKERS
from accelscope.dsl.diagnostics import Diagnostic, Source, Span, in_order
from accelscope.dsl.engine import Engine, Problem
from accelscope.dsl.syntax import File
from accelscope.dsl.tables import Tables, load
from accelscope.dsl.terminals import Literals


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Return the tables of the language, loaded once."""
    return load(MAKERS)


def parse(source: Source) -> tuple[File, tuple[Diagnostic, ...]]:
    """Return the syntax tree of a text and what is wrong with it.

    A text with mistakes gives the tree of the statements that could be read.
    """
    literals = Literals(source)
    engine = Engine(source, tables(), literals)
    try:
        engine.run()
    except Problem as problem:
        found = problem.finding or Diagnostic(
            code="A001", message=f"unexpected {problem.kind}", span=Span(source, problem.start, problem.end)
        )
        return File(0, len(source.text), (), source), in_order([*literals.findings, found])
    statements = engine.values[1]
    return File(0, len(source.text), statements, source), in_order(literals.findings)
