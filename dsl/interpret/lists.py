"""Lists, curves, maps and objects."""

from __future__ import annotations

from typing import TypeAlias

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.layers import Scope
from accelscope.dsl.syntax.nodes import Expr, ListLiteral, Name, ObjectLiteral, Pair
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.values import CurveValue, ListValue, MapValue, Quantity, Symbol, describe_value

_Key: TypeAlias = Quantity | str
_Point: TypeAlias = tuple[Quantity, Quantity]


def evaluate_list(
    context: EvaluationContext, node: ListLiteral, scope: Scope
) -> ListValue | CurveValue | MapValue:
    """Return a list, or with pairs a curve (keys are quantities) or a map (keys are names).

    Args:
        context: what evaluates the items.
        node: the list.
        scope: the scope that it is evaluated in.

    Raises:
        EvaluationFailed: pairs and plain items are mixed, or the keys repeat or do not increase.
    """
    context.spend_steps(len(node.items))
    plain = [item for item in node.items if not isinstance(item, Pair)]
    if len(plain) == len(node.items):
        return ListValue(tuple(context.evaluate(item, scope) for item in plain))
    if plain:
        message = "every item of a curve or a map must be `key -> value`"
        raise EvaluationFailed("A105", message, plain[0].span(scope.source))
    pairs = [item for item in node.items if isinstance(item, Pair)]
    keys = [_key(context, pair.key, scope) for pair in pairs]
    values = [context.evaluate(pair.value, scope) for pair in pairs]
    if all(isinstance(key, str) for key in keys):
        return _mapped(pairs, [str(key) for key in keys], values, scope)
    return _curve(context, pairs, keys, values, scope)


def _key(context: EvaluationContext, node: Expr, scope: Scope) -> _Key:
    value = context.evaluate(node, scope)
    if isinstance(value, Quantity | str):
        return value
    if isinstance(node, Name):
        return node.id
    if isinstance(value, Symbol):
        return value.name
    raise EvaluationFailed(
        "A105", f"a key must be a quantity or a name, not {describe_value(value)}", node.span(scope.source)
    )


def _mapped(pairs: list[Pair], keys: list[str], values: list[object], scope: Scope) -> MapValue:
    entries: dict[str, object] = {}
    for pair, key, value in zip(pairs, keys, values, strict=True):
        if key in entries:
            raise EvaluationFailed("A103", f"the key `{key}` is repeated", pair.key.span(scope.source))
        entries[key] = value
    return MapValue(entries)


def _curve(
    context: EvaluationContext, pairs: list[Pair], keys: list[_Key], values: list[object], scope: Scope
) -> CurveValue:
    points: list[_Point] = []
    for pair, key, value in zip(pairs, keys, values, strict=True):
        span = pair.span(scope.source)
        if not isinstance(key, Quantity) or not isinstance(value, Quantity):
            raise EvaluationFailed("A105", "a curve must have quantities on both sides of every `->`", span)
        if points:
            _check_next_point(context, points[-1], (key, value), span)
        points.append((key, value))
    return CurveValue(tuple(points))


def _check_next_point(context: EvaluationContext, last: _Point, new: _Point, span: Span) -> None:
    """Check that a point can follow another.

    Raises:
        EvaluationFailed: it has other dimensions, or its key is not larger.
    """
    for before, after in zip(last, new, strict=True):
        if before.dimension != after.dimension:
            message = f"{show_quantity(after)} has another dimension than {show_quantity(before)} before it"
            raise EvaluationFailed("A112", message, span)
    if not context.operations.all(last[0].magnitude < new[0].magnitude):
        message = (
            f"the keys of a curve must increase, but {show_quantity(new[0])} follows {show_quantity(last[0])}"
        )
        raise EvaluationFailed("A105", message, span)


def evaluate_object(context: EvaluationContext, node: ObjectLiteral, scope: Scope) -> MapValue:
    """Return `{ name = value }` as a map.

    Args:
        context: what evaluates the values.
        node: the object.
        scope: the scope that it is evaluated in.

    Raises:
        EvaluationFailed: a name is repeated.
    """
    entries: dict[str, object] = {}
    for keyword in node.fields:
        if keyword.name in entries:
            raise EvaluationFailed(
                "A103", f"the key `{keyword.name}` is repeated", keyword.span(scope.source)
            )
        entries[keyword.name] = context.evaluate(keyword.value, scope)
    return MapValue(entries)
