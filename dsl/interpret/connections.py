"""`connect` statements: which blocks are connected, how, and over which link."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from attrs import field, frozen

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND, EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.access import check_subscripts
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.expect import unknown_name
from accelscope.dsl.interpret.layers import ComponentLayer, Scope, ScopedStatement
from accelscope.dsl.interpret.scope import resolve_name
from accelscope.dsl.syntax.nodes import (
    Attr,
    ConnectPatternStatement,
    ConnectStatement,
    Expr,
    Name,
    Star,
    Subscript,
)
from accelscope.dsl.values.values import Quantity, Symbol, describe_value

Subscripts: TypeAlias = tuple[Quantity | None, ...]
"""One for each dimension of a block; None for `*`."""


@frozen(kw_only=True, eq=False)
class Endpoint:
    """One side of a connection.

    Attributes:
        components: the blocks along the path; the last one is connected.
        path: the names of the path as written, such as `("dgx", "cx7")`.
        subscripts: the subscripts of each name of the path; an empty tuple if it has none.
        span: its place.
    """

    components: tuple[Component, ...]
    path: tuple[str, ...]
    subscripts: tuple[Subscripts, ...]
    span: Span

    @property
    def component(self) -> Component:
        """The block at the end of the path."""
        return self.components[-1]


@frozen(kw_only=True, eq=False)
class Connection:
    """A `connect` of two ends, or of the instances of one block in a pattern.

    Attributes:
        left: the first end, or the block whose instances form a pattern.
        right: the second end, or None for a pattern.
        arrow: `<->` or `->`, empty for a pattern.
        pattern: such as `torus`, or None between two ends.
        args: the arguments of the pattern, with those by name in `kwargs`.
        via: the link, or None.
        settings: the body as a block of kind `connect`.
        owner: the component that the statement belongs to.
        span: its place.
    """

    left: Endpoint
    right: Endpoint | None
    arrow: str = ""
    pattern: str | None = None
    args: tuple[object, ...] = ()
    kwargs: Mapping[str, object] = field(factory=dict)
    via: Component | None
    settings: Component
    owner: Component
    span: Span


def evaluate_connections(component: Component) -> tuple[Connection, ...]:
    """Return the connections of a component, inherited ones first; one with an error is reported and left out.

    A derived block that connects the same ends in the same pattern replaces the inherited connection. Several
    connections of the same ends in one text are all kept.
    """
    return component.memoize(_evaluate_connections)


def _evaluate_connections(component: Component) -> tuple[Connection, ...]:
    kept: list[tuple[Connection, ComponentLayer]] = []
    for item in component.index().connects:
        try:
            new = _connection(component, item)
        except EvaluationFailed as problem:
            component.interpreter.report(problem, item.span)
            continue
        except PoisonedValue:
            continue
        kept = [(old, layer) for old, layer in kept if layer is item.layer or _ends(old) != _ends(new)]
        kept.append((new, item.layer))
    return tuple(connection for connection, _ in kept)


def _ends(item: Connection) -> tuple[object, ...]:
    right = item.right.path if item.right is not None else None
    return (item.left.path, right, item.pattern)


def _connection(owner: Component, item: ScopedStatement) -> Connection:
    statement, interpreter = item.statement, owner.interpreter
    assert isinstance(statement, ConnectStatement | ConnectPatternStatement)
    right = None
    args: tuple[object, ...] = ()
    kwargs: dict[str, object] = {}
    if isinstance(statement, ConnectStatement):
        left, right = _endpoint(statement.left, item.scope), _endpoint(statement.right, item.scope)
    else:
        left = _endpoint(statement.target, item.scope)
        args, kwargs = interpreter.evaluate_arguments(statement.args, item.scope)
    body = ComponentLayer(
        item.scope.source,
        item.scope,
        statements=statement.body.statements if statement.body else (),
        enclosing=item.layer,
        own=item.layer.own,
    )
    return Connection(
        left=left,
        right=right,
        arrow=statement.arrow if isinstance(statement, ConnectStatement) else "",
        pattern=None if isinstance(statement, ConnectStatement) else statement.pattern,
        args=args,
        kwargs=kwargs,
        via=_via(statement.via, (left, right), owner, item.scope),
        settings=Component(interpreter, "connect", "connect", owner, [body]),
        owner=owner,
        span=item.span,
    )


def _endpoint(node: Expr, scope: Scope) -> Endpoint:
    steps: list[Expr] = []
    first = node
    while isinstance(first, Attr | Subscript):
        steps.append(first)
        first = first.base
    if not isinstance(first, Name):
        raise EvaluationFailed("A207", "an end of a connection must be a block", first.span(scope.source))
    value = resolve_name(scope, first.id)
    if value is NOT_FOUND:
        raise unknown_name(first.id, first, scope)
    components = [_block(value, first, scope)]
    path = [first.id]
    subscripts: list[Subscripts] = [()]
    for step in reversed(steps):
        if isinstance(step, Attr):
            components.append(_step(components[-1], step, scope))
            path.append(step.name)
            subscripts.append(())
        elif isinstance(step, Subscript):
            subscripts[-1] = _subscripts(components[-1], step, scope)
    return Endpoint(
        components=tuple(components),
        path=tuple(path),
        subscripts=tuple(subscripts),
        span=node.span(scope.source),
    )


def _step(component: Component, step: Attr, scope: Scope) -> Component:
    try:
        return _block(component.member(step.name), step, scope)
    except EvaluationFailed as problem:
        problem.span = problem.span or Span(scope.source, step.end - len(step.name), step.end)
        raise


def _block(value: object, node: Expr, scope: Scope) -> Component:
    if isinstance(value, Component):
        return value
    text = node.span(scope.source).text
    raise EvaluationFailed(
        "A207",
        f"`{text}` is {describe_value(value)}, not a block, so it cannot be connected",
        node.span(scope.source),
    )


def _subscripts(component: Component, node: Subscript, scope: Scope) -> Subscripts:
    evaluate = component.interpreter.evaluate
    subs = [None if isinstance(sub, Star) else evaluate(sub, scope) for sub in node.subs]
    check_subscripts(component, subs, node.span(scope.source))
    return tuple(subs)  # type: ignore[arg-type]


def _via(
    node: Expr | None, ends: tuple[Endpoint | None, ...], owner: Component, scope: Scope
) -> Component | None:
    """Return the link: a copy that an end changes for itself comes first, then the value of the name here."""
    if node is None:
        return None
    if isinstance(node, Name):
        for end in ends:
            block = end.component if end is not None else None
            while block is not None and block is not owner:
                member = block.index().members.get(node.id)
                if member is not None and member.sort in ("borrowed", "child"):
                    link = block.value(node.id)
                    if isinstance(link, Component):
                        return link
                block = block.parent
    value = owner.interpreter.evaluate(node, scope)
    if isinstance(value, Component):
        return value
    if isinstance(value, Symbol):
        if owner.interpreter.fields.schemas:
            owner.interpreter.report(unknown_name(value.name, node, scope))
        return None
    text = node.span(scope.source).text
    raise EvaluationFailed(
        "A207", f"`{text}` is {describe_value(value)}, not a link", node.span(scope.source)
    )
