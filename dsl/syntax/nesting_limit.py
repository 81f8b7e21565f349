"""Drops statements that are nested too deeply for code that reads the tree recursively."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypeVar

from accelscope.dsl.diagnostics.limits import MAX_DEPTH
from accelscope.dsl.syntax.nodes import BlockStatement, SyntaxNode

_Node = TypeVar("_Node", bound=SyntaxNode)


def drop_deep_statements(
    statements: Iterable[_Node], deep: list[SyntaxNode], room: int = MAX_DEPTH
) -> tuple[_Node, ...]:
    """Return the statements whose trees have at most `room` levels.

    A tree has fewer levels than its text has characters, so that only long statements are examined.

    Args:
        statements: the statements.
        deep: receives the first node beyond the limit of each statement that is dropped.
        room: the most levels.
    """
    kept: list[_Node] = []
    for statement in statements:
        if statement.end - statement.start >= room:
            body = statement.body if isinstance(statement, BlockStatement) else None
            if body is not None:
                body.statements = drop_deep_statements(body.statements, deep, room - 2)
            beyond = _beyond(statement, room, body)
            if beyond is not None:
                deep.append(beyond)
                continue
        kept.append(statement)
    return tuple(kept)


def _beyond(root: SyntaxNode, room: int, known: SyntaxNode | None) -> SyntaxNode | None:
    """Return the first node of a tree below `room` levels, or None; the subtree `known` is not examined."""
    layer: list[object] = [root]
    while layer:
        nodes: list[SyntaxNode] = []
        while layer:
            item = layer.pop()
            if isinstance(item, tuple):
                layer.extend(item)
            elif isinstance(item, SyntaxNode) and item is not known:
                nodes.append(item)
        if nodes and room == 0:
            return nodes[-1]
        layer = [
            getattr(node, name) for node in nodes for name in type(node).__slots__ if name != "__weakref__"
        ]
        room -= 1
    return None
