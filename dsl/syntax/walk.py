"""All nodes of a tree, without recursion."""

from __future__ import annotations

from collections.abc import Iterator

from accelscope.dsl.syntax.nodes import SyntaxNode


def walk_nodes(root: object) -> Iterator[SyntaxNode]:
    """Yield a node and all nodes in it, in no particular order."""
    stack = [root]
    while stack:
        at = stack.pop()
        if isinstance(at, tuple):
            stack.extend(at)
        elif isinstance(at, SyntaxNode):
            yield at
            stack.extend(getattr(at, name) for name in type(at).__slots__ if name != "__weakref__")
