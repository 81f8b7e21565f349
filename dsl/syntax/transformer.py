"""Adapts the callbacks of the grammar to Lark: exact offsets, no punctuation.

Lark passes every child of a rule, including punctuation: the first and the last one give the offsets, and a callback gets
only those with a meaning. A result that is not a syntax node is wrapped in a `LocatedValue`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any, Final, NamedTuple

from lark import Token

from accelscope.dsl.syntax.nodes import SyntaxNode

_MEANING: Final = frozenset(
    [
        "NAME",
        "NUMBER",
        "QUANTITY",
        "STRING",
        "DATE",
        "CONST",
        "DOC",
        "SWEEP",
        "CHECK",
        "GOAL",
        "SPACING",
        "MULTIPLE",
        "OR",
        "AND",
        "NOT",
        "COMPARE",
        "PLUS",
        "MINUS",
        "STAR",
        "SLASH",
        "CARET",
        "BOTH",
        "TO",
    ]
)
"""Types of tokens that a callback gets."""


class LocatedValue(NamedTuple):
    """A value with its place that is not a node: a part of a statement, or an expression in parentheses."""

    start: int
    end: int
    value: Any


def build_transformer(makers: Mapping[str, Callable[..., Any]]) -> SimpleNamespace:
    """Return callbacks as Lark looks them up, by the name or alias of a rule.

    Args:
        makers: the function `make(start, end, *children)` for each rule.
    """
    return SimpleNamespace(start=_file, **{name: _with_offsets(make) for name, make in makers.items()})


def _file(children: list[Any]) -> tuple[Any, ...]:
    return tuple(child for child in children if isinstance(child, SyntaxNode))


def _with_offsets(make: Callable[..., Any]) -> Callable[[list[Any]], Any]:
    """Return a callback for Lark that finds the offsets of a rule, drops punctuation and unwraps values."""

    def build(children: list[Any]) -> Any:
        first, last = children[0], children[-1]
        if last is None:
            last = next(child for child in reversed(children) if child is not None)
        left, right = first.__class__, last.__class__
        start = first.start_pos if left is Token else first.start
        end = last.end_pos if right is Token else last.end
        arguments = []
        for child in children:
            if child.__class__ is Token:
                if child.type in _MEANING:
                    arguments.append(child.value)
            else:
                arguments.append(child.value if child.__class__ is LocatedValue else child)
        made = make(start, end, *arguments)
        return made if isinstance(made, SyntaxNode | LocatedValue) else LocatedValue(start, end, made)

    return build
