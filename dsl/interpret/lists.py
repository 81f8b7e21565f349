"""Lists, curves, maps and objects."""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.interpret.scope import Scope
from accelscope.dsl.syntax.nodes import Expr, ListLiteral, Name, ObjectLiteral, Pair
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.values import CurveValue, ListValue, MapValue, Quantity, Symbol, describe_value

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Interpreter

_Key: TypeAlias = Quantity | str
_Point: TypeAlias = tuple[Quantity, Quantity]


def evaluate_list(session: Interpreter, node: ListLiteral, scope: Scope) -> ListValue | CurveValue | MapValue:
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
        raise EvaluationFailed("A105", message, plain[0].span(scope.source))
    pairs = [item for item in node.items if isinstance(item, Pair)]
    keys = [_key(session, pair.key, scope) for pair in pairs]
    values = [session.evaluate(pair.value, scope) for pair in pairs]
    if all(isinstance(key, str) for key in keys):
        return _mapped(pairs, [str(key) for key in keys], values, scope)
    return _curve(session, pairs, keys, values, scope)


def _key(session: Interpreter, node: Expr, scope: Scope) -> _Key:
    value = session.evaluate(node, scope)
    if isinstance(value, Quantity | str):
        return value
    if isinstance(node, Name):
        return node.id
    if isinstance(value, Symbol):
        return value.name
    raise EvaluationFailed(
        "A105", f"a key is a quantity or a word, not {describe_value(value)}", node.span(scope.source)
    )


def _mapped(pairs: list[Pair], keys: list[str], values: list[object], scope: Scope) -> MapValue:
    entries: dict[str, object] = {}
    for pair, key, value in zip(pairs, keys, values, strict=True):
        if key in entries:
            raise EvaluationFailed("A103", f"the key `{key}` is given twice", pair.key.span(scope.source))
        entries[key] = value
    return MapValue(entries)


def _curve(
    session: Interpreter, pairs: list[Pair], keys: list[_Key], values: list[object], scope: Scope
) -> CurveValue:
    points: list[_Point] = []
    for pair, key, value in zip(pairs, keys, values, strict=True):
        span = pair.span(scope.source)
        if not isinstance(key, Quantity) or not isinstance(value, Quantity):
            raise EvaluationFailed("A105", "a curve has quantities on both sides of every `->`", span)
        if points:
            _follows(session, points[-1], (key, value), span)
        points.append((key, value))
    return CurveValue(tuple(points))


def _follows(session: Interpreter, last: _Point, new: _Point, span: Span) -> None:
    """See that a point fits behind another.

    Raises:
        Problem: it has other dimensions, or its key is not larger.
    """
    for before, after in zip(last, new, strict=True):
        if before.dimension != after.dimension:
            message = f"{show_quantity(after)} does not fit into a curve after {show_quantity(before)}"
            raise EvaluationFailed("A112", message, span)
    if not session.operations.all(last[0].magnitude < new[0].magnitude):
        message = f"the keys of a curve rise; {show_quantity(new[0])} comes after {show_quantity(last[0])}"
        raise EvaluationFailed("A105", message, span)


def evaluate_object(session: Interpreter, node: ObjectLiteral, scope: Scope) -> MapValue:
    """Return `{ name = value }` as a map.

    Raises:
        Problem: a name is given twice.
    """
    entries: dict[str, object] = {}
    for keyword in node.fields:
        if keyword.name in entries:
            raise EvaluationFailed(
                "A103", f"the key `{keyword.name}` is given twice", keyword.span(scope.source)
            )
        entries[keyword.name] = session.evaluate(keyword.value, scope)
    return MapValue(entries)
