"""Keys that are repeated in one block, so that one of the two would be lost."""

from __future__ import annotations

from collections.abc import Iterator

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Label, SourceText, Span
from accelscope.dsl.syntax.nodes import (
    Amend,
    Annotated,
    AssignStatement,
    BlockStatement,
    Expr,
    LetStatement,
    Statement,
)


def find_duplicate_keys(statements: tuple[Statement, ...], source: SourceText) -> Iterator[Diagnostic]:
    """Yield an error for each repeated key of a body and of the bodies in it."""
    seen: dict[object, Span] = {}
    bodies: list[tuple[Statement, ...]] = [statements]
    while bodies:
        seen.clear()
        for statement in bodies.pop():
            key, span = _key(statement, source)
            if key is not None:
                if key in seen:
                    yield _repeated_key(str(key[-1]), span, seen[key])
                else:
                    seen[key] = span
            body = _body(statement)
            if body:
                bodies.append(body)


def _key(statement: Statement, source: SourceText) -> tuple[tuple[str, ...] | None, Span]:
    if isinstance(statement, LetStatement):
        start = statement.start + len("let ")
        return ("member", statement.name), Span(source, start, start + len(statement.name))
    if isinstance(statement, AssignStatement):
        return ("member", statement.target.span(source).text), statement.target.span(source)
    if isinstance(statement, BlockStatement):
        name = statement.label or statement.kind
        group = "source" if statement.kind == "source" else "member"
        return (group, name), _name_span(statement, source)
    return None, statement.span(source)


def _name_span(block: BlockStatement, source: SourceText) -> Span:
    """Return the place of a block's label, or of its kind if it has none."""
    if block.label is None:
        return Span(source, block.start, block.start + len(block.kind))
    start = source.text.find(block.label, block.start + len(block.kind))
    return Span(source, start, start + len(block.label))


def _body(statement: Statement) -> tuple[Statement, ...]:
    if isinstance(statement, BlockStatement):
        return statement.body.statements if statement.body else ()
    if isinstance(statement, AssignStatement | LetStatement):
        value: Expr = statement.value
        value = value.expr if isinstance(value, Annotated) else value
        return value.body.statements if isinstance(value, Amend) else ()
    return ()


def _repeated_key(name: str, span: Span, first: Span) -> Diagnostic:
    return Diagnostic(
        code="A103",
        message=f"`{name}` is repeated in this block",
        span=span,
        label="repeated here",
        labels=(Label(span=first, text="first defined here"),),
        help="remove one of the two",
    )
