"""Callbacks of the grammar: one function for each rule, from offsets and children to a syntax node."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from accelscope.dsl.syntax.nodes import (
    Amend,
    Annotated,
    AssignStatement,
    Attr,
    Binary,
    BlockStatement,
    Body,
    Call,
    CheckStatement,
    Cite,
    Compare,
    Cond,
    ConnectPatternStatement,
    ConnectStatement,
    Const,
    Date,
    Distribution,
    DocComment,
    Expr,
    GoalStatement,
    Keyword,
    LetStatement,
    ListLiteral,
    Name,
    Number,
    ObjectLiteral,
    OverrideStatement,
    Pair,
    PlusMinus,
    Range,
    Star,
    StepClause,
    Subscript,
    SweepStatement,
    SyntaxNode,
    Text,
    Unary,
    UseStatement,
)
from accelscope.dsl.syntax.transformer import LocatedValue

_NumberWithUnit = tuple[float, str | None]
_Args = tuple[Expr | Keyword, ...]
_Cites = tuple[Cite, ...] | None

_CONSTANTS: Final[Mapping[str, bool | None]] = {"true": True, "false": False, "none": None}


class UnsupportedSyntax(Exception):
    """A construct that the grammar accepts but the language does not have.

    Attributes:
        message: the error.
        node: its place.
        help: how to fix it, or None.
    """

    def __init__(self, message: str, node: SyntaxNode, help: str | None = None) -> None:
        super().__init__(message)
        self.message, self.node, self.help = message, node, help


# ---- statements -------------------------------------------------------------------------------------------


def _body(start: int, end: int, *statements: Any) -> Body:
    return Body(start, end, statements if statements[-1] is not None else statements[:-1])


def _use_module(start: int, end: int, path: str, alias: str | None) -> UseStatement:
    return UseStatement(start, end, path, False, alias, ())


def _use_file(start: int, end: int, path: str, alias: str | None) -> UseStatement:
    return UseStatement(start, end, path, True, alias, ())


def _use_names(start: int, end: int, path: str, *names: Name) -> UseStatement:
    return UseStatement(start, end, path, False, None, names)


def _path(start: int, end: int, *names: str) -> str:
    return ".".join(names)


def _let_value(start: int, end: int, name: str, value: Expr) -> LetStatement:
    return LetStatement(start, end, name, None, value)


def _let_function(
    start: int, end: int, name: str, parameters: tuple[str, ...] | None, value: Expr
) -> LetStatement:
    return LetStatement(start, end, name, parameters or (), value)


def _kind(target: Expr) -> str:
    names = []
    while isinstance(target, Attr):
        names.append(target.name)
        target = target.base
    if not isinstance(target, Name):
        raise UnsupportedSyntax(
            "the kind of a block is a name without `[`",
            target,
            "write the count after the label: `kind label[2]`",
        )
    names.append(target.id)
    return ".".join(reversed(names))


def _block(
    start: int,
    end: int,
    kind: Expr,
    label: str | None,
    dims: tuple[Expr, ...] | None,
    base: Any,
    cites: _Cites,
    body: Any,
) -> BlockStatement:
    relation, bases = base or (None, ())
    return BlockStatement(start, end, _kind(kind), label, dims or (), relation, bases, cites or (), body)


def _bare_block(start: int, end: int, kind: Expr, base: Any, cites: _Cites, body: Body) -> BlockStatement:
    return _block(start, end, kind, None, None, base, cites, body)


def _instance(start: int, end: int, base: Expr) -> tuple[str, tuple[Expr, ...]]:
    return ":", (base,)


def _extends(start: int, end: int, *bases: Any) -> tuple[str, tuple[Expr, ...]]:
    return "extends", bases[::2]


def _connect_pattern(
    start: int, end: int, target: Expr, pattern: str, args: _Args | None, via: Expr | None, body: Body | None
) -> ConnectPatternStatement:
    return ConnectPatternStatement(start, end, target, pattern, args or (), via, body)


def _step_multiple(start: int, end: int, value: str | _NumberWithUnit) -> StepClause:
    factor = float(value[1:]) if isinstance(value, str) else value[0]
    return StepClause(
        start,
        end,
        "mul",
        Number(end - len(value) + 1 if isinstance(value, str) else start, end, factor, None),
    )


def _step_add(start: int, end: int, amount: Expr) -> StepClause:
    return StepClause(start, end, "add", amount)


def _step_points(start: int, end: int, amount: Expr, spacing: str | None) -> StepClause:
    return StepClause(start, end, spacing or "lin", amount)


def _override(
    start: int, end: int, target: Expr, value: Expr, step: StepClause | None = None
) -> OverrideStatement:
    return OverrideStatement(start, end, target, value, step)


def _doc(start: int, end: int, text: str) -> DocComment:
    return DocComment(start, end, text[2:].strip())


# ---- values -----------------------------------------------------------------------------------------------


def _annotated(start: int, end: int, expr: Expr, tolerance: Any, cites: _Cites) -> Annotated:
    return Annotated(start, end, expr, tolerance, cites or ())


def _cited(start: int, end: int, expr: Expr, cites: tuple[Cite, ...]) -> Annotated:
    return Annotated(start, end, expr, None, cites)


def _distribution(start: int, end: int, name: str, args: _Args | None) -> Distribution:
    return Distribution(start, end, name, args or ())


def _cite_name(start: int, end: int, name: str, args: _Args | None = None) -> Cite:
    return Cite(start, end, name, None, args or ())


def _cite_text(start: int, end: int, text: str) -> Cite:
    return Cite(start, end, None, text, ())


def _binary(start: int, end: int, left: Expr, op: str, right: Expr) -> Binary:
    return Binary(start, end, op, left, right)


def _times(start: int, end: int, left: Expr, right: Expr) -> Binary:
    return Binary(start, end, "*", left, right)


def _compare(start: int, end: int, first: Expr, *rest: Any) -> Compare:
    return Compare(start, end, first, tuple(zip(rest[::2], rest[1::2], strict=True)))


def _number(start: int, end: int, value: _NumberWithUnit) -> Number:
    return Number(start, end, value[0], value[1])


def _const(start: int, end: int, word: str) -> Const:
    return Const(start, end, _CONSTANTS[word])


def _list_of(start: int, end: int, *items: Any) -> ListLiteral:
    return ListLiteral(start, end, () if items == (None,) else items)


def _object_of(start: int, end: int, *fields: Any) -> ObjectLiteral:
    return ObjectLiteral(start, end, () if fields == (None,) else fields)


def _call(start: int, end: int, base: Expr, args: _Args | None) -> Call:
    return Call(start, end, base, args or ())


def _pair(start: int, end: int, key: Expr, arrow: str, value: Expr) -> Pair:
    return Pair(start, end, key, value)


def _star(start: int, end: int, mark: str) -> Star:
    return Star(start, end)


def _tuple(start: int, end: int, *children: Any) -> tuple[Any, ...]:
    return children


def _first(start: int, end: int, child: Any) -> Any:
    return child


NODE_BUILDERS: Final[Mapping[str, Callable[..., Any]]] = {
    "language": _number,
    "body": _body,
    "use_module": _use_module,
    "use_file": _use_file,
    "use_names": _use_names,
    "path": _path,
    "let_value": _let_value,
    "let_function": _let_function,
    "parameters": _tuple,
    "assign": AssignStatement,
    "block": _block,
    "bare_block": _bare_block,
    "label": _first,
    "alias": _first,
    "via": _first,
    "when": _first,
    "otherwise": _first,
    "dims": _tuple,
    "instance": _instance,
    "extends": _extends,
    "cites": _tuple,
    "connect": ConnectStatement,
    "connect_pattern": _connect_pattern,
    "sweep": SweepStatement,
    "step_multiple": _step_multiple,
    "step_add": _step_add,
    "step_points": _step_points,
    "override": _override,
    "check": CheckStatement,
    "goal": GoalStatement,
    "doc": _doc,
    "annotated": _annotated,
    "cited": _cited,
    "plus_minus": PlusMinus,
    "distribution": _distribution,
    "cite_name": _cite_name,
    "cite_text": _cite_text,
    "cond": Cond,
    "binary": _binary,
    "times": _times,
    "unary": Unary,
    "compare": _compare,
    "range": Range,
    "number": _number,
    "quantity": _number,
    "text": Text,
    "date": Date,
    "const": _const,
    "name": Name,
    "attr": Attr,
    "index": Subscript,
    "call": _call,
    "amend": Amend,
    "parens": LocatedValue,
    "list_of": _list_of,
    "object_of": _object_of,
    "pair": _pair,
    "keyword": Keyword,
    "quoted_keyword": Keyword,
    "arguments": _tuple,
    "subscripts": _tuple,
    "star": _star,
}
