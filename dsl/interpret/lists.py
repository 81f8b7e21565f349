"""Lists, curves, maps and objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import Problem
from accelscope.dsl.interpret.scope import Scope
from accelscope.dsl.syntax.nodes import Expr, ListOf, Name, ObjectOf, Pair
from accelscope.dsl.values.arithmetic import show
from accelscope.dsl.values.values import Curve, ListValue, Mapped, Quantity, Symbol, describe

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Session

Key: TypeAlias = Quantity | str
_Point: TypeAlias = tuple[Quantity, Quantity]


def listed(session: Session, node: ListOf, scope: Scope) -> ListValue | Curve | Mapped:
    """Return a list, or with pairs a curve (keys are quantities) or a map (keys are words).

    Raises:
        Problem: pairs and plain items are mixed, or the keys do not rise or repeat.
    """
    session.spend_steps(len(node.items))
    plain = [item for item in node.items if not isinstance(item, Pair)]
    if len(plain) == len(node.items):
        return ListValue(tuple(session.evaluate(item, scope) for item in plain))
    if plain:
        message = "a curve or map has `key -> value` in every place"
        raise Problem("A105", message, plain[0].span(scope.source))
    pairs = [item for item in node.items if isinstance(item, Pair)]
    keys = [_key(session, pair.key, scope) for pair in pairs]
    values = [session.evaluate(pair.value, scope) for pair in pairs]
    if all(isinstance(key, str) for key in keys):
        return _mapped(pairs, [str(key) for key in keys], values, scope)
    return _curve(session, pairs, keys, values, scope)


def _key(session: Session, node: Expr, scope: Scope) -> Key:
    value = session.evaluate(node, scope)
    if isinstance(value, Quantity | str):
        return value
    if isinstance(node, Name):
        return node.id
    if isinstance(value, Symbol):
        return value.name
    raise Problem("A105", f"a key is a quantity or a word, not {describe(value)}", node.span(scope.source))


def _mapped(pairs: list[Pair], keys: list[str], values: list[object], scope: Scope) -> Mapped:
    entries: dict[str, object] = {}
    for pair, key, value in zip(pairs, keys, values, strict=True):
        if key in entries:
            raise Problem("A103", f"the key `{key}` is given twice", pair.key.span(scope.source))
        entries[key] = value
    return Mapped(entries)


def _curve(session: Session, pairs: list[Pair], keys: list[Key], values: list[object], scope: Scope) -> Curve:
    points: list[_Point] = []
    for pair, key, value in zip(pairs, keys, values, strict=True):
        span = pair.span(scope.source)
        if not isinstance(key, Quantity) or not isinstance(value, Quantity):
            raise Problem("A105", "a curve has quantities on both sides of every `->`", span)
        if points:
            _follows(session, points[-1], (key, value), span)
        points.append((key, value))
    return Curve(tuple(points))


def _follows(session: Session, last: _Point, new: _Point, span: Span) -> None:
    """See that a point fits behind another.

    Raises:
        Problem: it has other dimensions, or its key is not larger.
    """
    for before, after in zip(last, new, strict=True):
        if before.dimension != after.dimension:
            message = f"{show(after)} does not fit into a curve after {show(before)}"
            raise Problem("A112", message, span)
    if not session.operations.all(last[0].magnitude < new[0].magnitude):
        message = f"the keys of a curve rise; {show(new[0])} comes after {show(last[0])}"
        raise Problem("A105", message, span)


def gathered(session: Session, node: ObjectOf, scope: Scope) -> Mapped:
    """Return `{ name = value }` as a map.

    Raises:
        Problem: a name is given twice.
    """
    entries: dict[str, object] = {}
    for keyword in node.fields:
        if keyword.name in entries:
            raise Problem("A103", f"the key `{keyword.name}` is given twice", keyword.span(scope.source))
        entries[keyword.name] = session.evaluate(keyword.value, scope)
    return Mapped(entries)
