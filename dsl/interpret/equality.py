"""Equality of values other than plain numbers: lists item by item, shared parts once, within the budget."""

from __future__ import annotations

import datetime
from collections.abc import Iterator
from typing import TypeAlias

from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.values.arithmetic import compare_quantities
from accelscope.dsl.values.values import (
    Constructor,
    CurveValue,
    Interval,
    ListValue,
    Magnitude,
    MapValue,
    Quantity,
    Symbol,
    TableFile,
    is_condition,
)

_Parts: TypeAlias = tuple[object, tuple[object, ...]]
"""What two values must have in common at once, and the values in them, in order."""


def values_equal(context: EvaluationContext, left: object, right: object) -> Magnitude:
    """Return whether two values are equal, as an array of bools if they hold arrays.

    Args:
        context: what limits the steps of the comparison.
        left: one value.
        right: the other value.

    Raises:
        EvaluationFailed: the comparison takes more steps than are left.
    """
    result: Magnitude = True
    seen: set[tuple[int, int]] = set()
    waiting = [(left, right)]
    while waiting:
        one, other = waiting.pop()
        pair = (id(one), id(other))
        if one is other or pair in seen:
            continue
        context.spend_steps(1)
        seen.add(pair)
        parts, others = _parts(one), _parts(other)
        if parts is None or others is None:
            holds = _alike(context, one, other)
            result = holds if result is True else context.operations.both(result, holds)
        elif type(one) is not type(other) or parts[0] != others[0]:
            return False
        else:
            waiting.extend(zip(parts[1], others[1], strict=True))
        if result is False:
            return False
    return result


def _parts(value: object) -> _Parts | None:
    """Return the parts of a value, or None if it has none."""
    if isinstance(value, ListValue):
        return len(value.items), value.items
    if isinstance(value, CurveValue):
        return len(value.points), tuple(_flat(value))
    if isinstance(value, MapValue):
        return sorted(value.entries), tuple(value.entries[key] for key in sorted(value.entries))
    if isinstance(value, Interval):
        return None, (value.low, value.high)
    if isinstance(value, TableFile):
        return (value.name, sorted(value.kwargs)), tuple(value.kwargs[key] for key in sorted(value.kwargs))
    if isinstance(value, Constructor):
        names = sorted(value.kwargs)
        head = (value.name, len(value.args), names)
        return head, (*value.args, *(value.kwargs[key] for key in names))
    return None


def _flat(curve: CurveValue) -> Iterator[object]:
    for key, value in curve.points:
        yield key
        yield value


def _alike(context: EvaluationContext, left: object, right: object) -> Magnitude:
    """Compare two values of which at least one has no parts."""
    ops = context.operations
    if isinstance(left, Quantity) and isinstance(right, Quantity):
        if left.dimension != right.dimension:
            return False
        holds = compare_quantities("==", left, right, ops)
    elif is_condition(left) and is_condition(right):
        holds = ops.either(ops.both(left, right), ops.both(ops.negated(left), ops.negated(right)))
    elif isinstance(left, Symbol) and isinstance(right, Symbol):
        return left == right or left.name in right.aliases or right.name in left.aliases
    else:
        return type(left) is type(right) and isinstance(left, _PLAIN) and left == right
    return bool(holds) if ops.is_scalar(holds) else holds


_PLAIN = (str, datetime.date, type(None))
