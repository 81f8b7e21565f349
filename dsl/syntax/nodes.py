"""Syntax nodes: one class for each construct, with exact offsets into the source.

Offsets do not take part in equality: two trees are equal if they have the same meaning.
"""

from __future__ import annotations

import datetime
from typing import TypeAlias

from attrs import define, field

from accelscope.dsl.diagnostics.diagnostics import SourceText, Span


@define
class SyntaxNode:
    """A node with a place: `start` and `end` are character offsets, end exclusive."""

    start: int = field(eq=False)
    end: int = field(eq=False)

    def span(self, source: SourceText) -> Span:
        """Return the place of the node in a source."""
        return Span(source, self.start, self.end)


# ---- expressions ------------------------------------------------------------------------------------------


@define
class Number(SyntaxNode):
    """`3.35 TB/s`: a number with the unit as written, or None without one."""

    value: float
    unit: str | None


@define
class Text(SyntaxNode):
    """A string without its quotes."""

    value: str


@define
class Date(SyntaxNode):
    """`2025-06-01`."""

    value: datetime.date


@define
class Const(SyntaxNode):
    """`true`, `false` or `none`."""

    value: bool | None


@define
class Name(SyntaxNode):
    """An identifier: a name in scope, or a symbol."""

    id: str


@define
class Attr(SyntaxNode):
    """`base.name`."""

    base: Expr
    name: str


@define
class Star(SyntaxNode):
    """`*` as a subscript: every instance."""


@define
class Subscript(SyntaxNode):
    """`base[subs]`."""

    base: Expr
    subs: tuple[Expr | Star, ...]


@define
class Keyword(SyntaxNode):
    """`name = value` in a call or an object."""

    name: str
    value: Expr


@define
class Call(SyntaxNode):
    """`base(args)`; args hold expressions and keywords in the order written."""

    base: Expr
    args: tuple[Expr | Keyword, ...]


@define
class Amend(SyntaxNode):
    """`base { ... }`: a copy of a block with changes."""

    base: Expr
    body: Body


@define
class Pair(SyntaxNode):
    """`key -> value` in a list."""

    key: Expr
    value: Expr


@define
class ListLiteral(SyntaxNode):
    """`[a, b]`, or with pairs a curve or a map."""

    items: tuple[Expr | Pair, ...]


@define
class ObjectLiteral(SyntaxNode):
    """`{ name = value, ... }` as a value."""

    fields: tuple[Keyword, ...]


@define
class Unary(SyntaxNode):
    """`-x` or `not x`."""

    op: str
    operand: Expr


@define
class Binary(SyntaxNode):
    """`left op right` with op one of + - * / ^ and or."""

    op: str
    left: Expr
    right: Expr


@define
class Compare(SyntaxNode):
    """`first op expr op expr ...`: a chain that holds if each comparison holds."""

    first: Expr
    rest: tuple[tuple[str, Expr], ...]


@define
class Cond(SyntaxNode):
    """`if test then this else other`."""

    test: Expr
    this: Expr
    other: Expr


@define
class Range(SyntaxNode):
    """`low .. high`."""

    low: Expr
    high: Expr


@define
class Cite(SyntaxNode):
    """`@name`, `@name("p. 3")` or `@"free text"`: `name` or `text` is set, `args` refine a name."""

    name: str | None
    text: str | None
    args: tuple[Expr | Keyword, ...]


@define
class PlusMinus(SyntaxNode):
    """`± 5%` or `± 0.1 TB/s`: half the width of the 95 % interval."""

    amount: Expr


@define
class Distribution(SyntaxNode):
    """`~ lognormal(sigma = 0.8)`."""

    name: str
    args: tuple[Expr | Keyword, ...]


@define
class Annotated(SyntaxNode):
    """An expression with a tolerance or citations; a plain expression has no such node."""

    expr: Expr
    tolerance: PlusMinus | Distribution | None
    cites: tuple[Cite, ...]


Expr: TypeAlias = (
    Number
    | Text
    | Date
    | Const
    | Name
    | Attr
    | Subscript
    | Call
    | Amend
    | ListLiteral
    | ObjectLiteral
    | Unary
    | Binary
    | Compare
    | Cond
    | Range
    | Annotated
)

# ---- statements -------------------------------------------------------------------------------------------


@define
class Body(SyntaxNode):
    """The statements between braces."""

    statements: tuple[Statement, ...]


@define
class UseStatement(SyntaxNode):
    """`use std.nvidia { H100_SXM }`, `use std.units as u`, `use "file.accel" as f`.

    `path` is the dotted module name or the file name; `names` are the names of a braced list.
    """

    path: str
    is_file: bool
    alias: str | None
    names: tuple[Name, ...]


@define
class LetStatement(SyntaxNode):
    """`let name = value` or `let name(params) = value`."""

    name: str
    params: tuple[str, ...] | None
    value: Expr


@define
class AssignStatement(SyntaxNode):
    """`target = value`; the target is a name, or attributes and subscripts of one for a dotted path."""

    target: Name | Attr | Subscript
    value: Expr


@define
class BlockStatement(SyntaxNode):
    """`kind label[dims] : base @cite { body }`.

    `kind` is dotted text; `relation` is ":" for an instance, "extends" for a definition, None without bases.
    """

    kind: str
    label: str | None
    dims: tuple[Expr, ...]
    relation: str | None
    bases: tuple[Expr, ...]
    cites: tuple[Cite, ...]
    body: Body | None


@define
class ConnectStatement(SyntaxNode):
    """`connect a <-> b via link { ... }`."""

    left: Expr
    arrow: str
    right: Expr
    via: Expr | None
    body: Body | None


@define
class ConnectPatternStatement(SyntaxNode):
    """`connect a as torus(16, 16) via link { ... }`."""

    target: Expr
    pattern: str
    args: tuple[Expr | Keyword, ...]
    via: Expr | None
    body: Body | None


@define
class StepClause(SyntaxNode):
    """How a domain is divided: kind "add" and "mul" (`step 16`, `step x2`), "lin" and "log" (`points 9 log`)."""

    kind: str
    amount: Expr


@define
class SweepStatement(SyntaxNode):
    """`sweep target in domain when condition`, or `tune` for an axis that is optimized (`word` tells which)."""

    word: str
    target: Expr
    domain: Expr
    step: StepClause | None
    when: Expr | None


@define
class OverrideStatement(SyntaxNode):
    """`target = value` or `target = low .. high step 2`, set from outside a text."""

    target: Expr
    value: Expr
    step: StepClause | None


@define
class CheckStatement(SyntaxNode):
    """`assert`, `check`, `require` or `prefer` (in `word`) with an expression and an optional message."""

    word: str
    expr: Expr
    message: str | None


@define
class GoalStatement(SyntaxNode):
    """`minimize expr as name` or `maximize ...`."""

    word: str
    expr: Expr
    name: str | None


@define
class DocComment(SyntaxNode):
    """`## text`: documents the next item."""

    text: str


Statement: TypeAlias = (
    UseStatement
    | LetStatement
    | AssignStatement
    | BlockStatement
    | ConnectStatement
    | ConnectPatternStatement
    | SweepStatement
    | CheckStatement
    | GoalStatement
    | DocComment
)


@define
class File(SyntaxNode):
    """A whole text: its statements and the source that all offsets point into."""

    statements: tuple[Statement, ...]
    source: SourceText = field(eq=False, repr=False)
