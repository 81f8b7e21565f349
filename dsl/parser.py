"""`.accel` text to a syntax tree, with every mistake of the text as a diagnostic; never raises for a bad text."""

from __future__ import annotations

import gc
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import lru_cache
from typing import Final

from attrs import evolve

from accelscope.dsl.braces import Gap, find_gaps
from accelscope.dsl.build import MAKERS
from accelscope.dsl.diagnostics import Diagnostic, Source, in_order
from accelscope.dsl.engine import END, Engine, Problem
from accelscope.dsl.limits import MAX_DIAGNOSTICS, MAX_FILE_BYTES
from accelscope.dsl.reading import too_large
from accelscope.dsl.recover import recover
from accelscope.dsl.syntax import File, Number, Statement
from accelscope.dsl.tables import Tables, load
from accelscope.dsl.terminals import Literals

VERSION: Final = 1
_UNSOUND: Final = frozenset({"A004", "A005"})
"""Findings after which counting braces says nothing."""


@lru_cache(maxsize=1)
def tables() -> Tables:
    """Return the tables of the language, loaded once."""
    return load(MAKERS)


def parse(source: Source) -> tuple[File, tuple[Diagnostic, ...]]:
    """Return the syntax tree of a text and what is wrong with it.

    A text with mistakes gives the tree of the statements that could be read.
    """
    if len(source.text) > MAX_FILE_BYTES:
        return File(0, 0, (), source), (too_large(source.name),)
    gaps: list[Gap] = []
    with _no_collection():
        engine, findings, complete = _read(source, gaps)
        if not complete and _UNSOUND.isdisjoint(item.code for item in findings):
            gaps = find_gaps(source, engine.tables)
            engine, findings, _ = _read(source, gaps)
    version, statements = _version(source, engine.finish())
    findings += [*engine.literals.findings, *(gap.finding for gap in gaps), *version]
    return File(0, len(source.text), statements, source), in_order(findings)


@contextmanager
def _no_collection() -> Iterator[None]:
    """Pause the garbage collector: a parse makes many objects and leaves no cycles."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def _read(source: Source, gaps: Iterable[Gap]) -> tuple[Engine, list[Diagnostic], bool]:
    """Run an engine over a text; return it with the findings and whether every block was closed."""
    engine = Engine(source, tables(), Literals(source), sorted(gap.offset for gap in gaps))
    findings: list[Diagnostic] = []
    while True:
        try:
            engine.run()
        except Problem as problem:
            if problem.kind == END and engine.in_block():
                return engine, findings, False
            findings.append(recover(engine, problem))
            if len(findings) >= MAX_DIAGNOSTICS:
                findings[-1] = evolve(findings[-1], notes=("there are more mistakes; the rest is not read",))
                return engine, findings, True
        else:
            return engine, findings, True


def _version(
    source: Source, statements: tuple[Statement, ...]
) -> tuple[list[Diagnostic], tuple[Statement, ...]]:
    if not statements or not isinstance(statements[0], Number):
        return [], statements
    first = statements[0]
    if first.value == VERSION:
        return [], statements[1:]
    finding = Diagnostic(
        code="A001",
        message=f"this text is in version {first.value:g} of the language, which is not known here",
        span=first.span(source),
        help=f"versions known: {VERSION}",
    )
    return [finding], statements[1:]
