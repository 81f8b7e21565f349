"""The built-in functions of the language."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.values.arithmetic import (
    add_quantities,
    dimension_mismatch,
    join_citations,
    make_quantity,
    multiply_quantities,
    show_quantity,
)
from accelscope.dsl.values.operations import Operations
from accelscope.dsl.values.units import DIMENSIONLESS
from accelscope.dsl.values.values import CurveValue, ListValue, MapValue, Quantity, TableFile, describe_value

BuiltInFunction = Callable[[tuple[Any, ...], Mapping[str, Any], Operations], Any]
"""Takes positional arguments, keywords, and the operations on magnitudes."""


def _number(name: str, value: object) -> Quantity:
    if isinstance(value, Quantity):
        return value
    raise EvaluationFailed("A206", f"`{name}` takes numbers, not {describe_value(value)}")


def _one(name: str, args: tuple[Any, ...]) -> Any:
    if len(args) != 1:
        raise EvaluationFailed("A206", f"`{name}` takes one argument, not {len(args)}")
    return args[0]


def _no_names(name: str, names: Mapping[str, Any], allowed: tuple[str, ...] = ()) -> None:
    for keyword in names:
        if keyword not in allowed:
            raise EvaluationFailed("A206", f"`{name}` has no argument `{keyword}`")


def _elementwise(name: str, plain: bool) -> BuiltInFunction:
    def call(args: tuple[Any, ...], names: Mapping[str, Any], ops: Operations) -> Quantity:
        _no_names(name, names)
        value = _number(name, _one(name, args))
        if plain and value.dimension != DIMENSIONLESS:
            raise EvaluationFailed(
                "A112", f"`{name}` takes a number without a unit, not {show_quantity(value)}"
            )
        dimension = value.dimension
        if name == "sqrt":
            root = dimension.root(2)
            if root is None:
                raise EvaluationFailed(
                    "A112", f"{show_quantity(value)} has no square root: its unit is not a square"
                )
            dimension = root
        try:
            return make_quantity(ops.apply(name, value.magnitude), dimension, value.cites, ops)
        except (ValueError, OverflowError):
            raise EvaluationFailed(
                "A208", f"`{name}` of {show_quantity(value)} is not a finite number"
            ) from None

    return call


def _extreme(name: str) -> BuiltInFunction:
    def call(args: tuple[Any, ...], names: Mapping[str, Any], ops: Operations) -> Quantity:
        _no_names(name, names)
        items = _items(name, args)
        best = items[0]
        pick = ops.minimum if name == "min" else ops.maximum
        for item in items[1:]:
            if item.dimension != best.dimension:
                raise dimension_mismatch("compare", best, item)
            magnitude = pick(best.magnitude, item.magnitude)
            best = Quantity(
                magnitude=magnitude, dimension=best.dimension, cites=join_citations(best.cites, item.cites)
            )
        return best

    return call


def _items(name: str, args: tuple[Any, ...]) -> list[Quantity]:
    """Return the numbers that a function chooses from or combines: its arguments, or one list."""
    values = args[0].items if len(args) == 1 and isinstance(args[0], ListValue) else args
    if not values:
        raise EvaluationFailed("A206", f"`{name}` takes at least one number")
    return [_number(name, value) for value in values]


def _combined(name: str, combine: Callable[[Quantity, Quantity, Operations], Quantity]) -> BuiltInFunction:
    def call(args: tuple[Any, ...], names: Mapping[str, Any], ops: Operations) -> Quantity:
        _no_names(name, names)
        items = _items(name, args)
        total = items[0]
        for item in items[1:]:
            total = combine(total, item, ops)
        return total

    return call


def _len(args: tuple[Any, ...], names: Mapping[str, Any], ops: Operations) -> Quantity:
    _no_names("len", names)
    value = _one("len", args)
    if isinstance(value, ListValue):
        return Quantity(magnitude=float(len(value.items)))
    if isinstance(value, CurveValue):
        return Quantity(magnitude=float(len(value.points)))
    if isinstance(value, MapValue):
        return Quantity(magnitude=float(len(value.entries)))
    raise EvaluationFailed("A206", f"`len` takes a list, a curve or a map, not {describe_value(value)}")


def _values(args: tuple[Any, ...], names: Mapping[str, Any], ops: Operations) -> ListValue:
    _no_names("values", names)
    value = _one("values", args)
    if isinstance(value, CurveValue):
        return ListValue(tuple(y for _, y in value.points))
    if isinstance(value, MapValue):
        return ListValue(tuple(value.entries.values()))
    raise EvaluationFailed("A206", f"`values` takes a curve or a map, not {describe_value(value)}")


def _approx(args: tuple[Any, ...], names: Mapping[str, Any], ops: Operations) -> Any:
    _no_names("approx", names, ("rel_tol",))
    if len(args) + len(names) not in (2, 3) or len(args) < 2:
        raise EvaluationFailed(
            "A206", "`approx` takes two numbers and optionally a relative tolerance such as `1%`"
        )
    left, right = _number("approx", args[0]), _number("approx", args[1])
    share = _number("approx", args[2] if len(args) == 3 else names.get("rel_tol", Quantity(magnitude=0.01)))
    if left.dimension != right.dimension:
        raise dimension_mismatch("compare", left, right)
    if share.dimension != DIMENSIONLESS:
        raise EvaluationFailed(
            "A112",
            f"the tolerance of `approx` must be a plain number such as `1%`, not {show_quantity(share)}",
        )
    distance = ops.apply("abs", left.magnitude - right.magnitude)
    allowed = share.magnitude * ops.apply("abs", right.magnitude)
    return ops.either(distance < allowed, ops.close(distance, allowed))


def _mod(args: tuple[Any, ...], names: Mapping[str, Any], ops: Operations) -> Quantity:
    _no_names("mod", names)
    if len(args) != 2:
        raise EvaluationFailed("A206", f"`mod` takes two numbers, not {len(args)}")
    left, right = _number("mod", args[0]), _number("mod", args[1])
    if left.dimension != right.dimension:
        raise dimension_mismatch("divide", left, right)
    try:
        return make_quantity(
            left.magnitude % right.magnitude, left.dimension, join_citations(left.cites, right.cites), ops
        )
    except ZeroDivisionError:
        raise EvaluationFailed("A208", "division by zero") from None


def _table(args: tuple[Any, ...], names: Mapping[str, Any], ops: Operations) -> TableFile:
    name = _one("table", args)
    if not isinstance(name, str):
        raise EvaluationFailed("A206", f"`table` takes a file name as a string, not {describe_value(name)}")
    return TableFile(name, dict(names))


BUILT_IN_FUNCTIONS: Mapping[str, BuiltInFunction] = {
    "approx": _approx,
    "min": _extreme("min"),
    "max": _extreme("max"),
    "abs": _elementwise("abs", plain=False),
    "sqrt": _elementwise("sqrt", plain=False),
    **{
        name: _elementwise(name, plain=True)
        for name in ("log2", "log10", "ln", "exp", "ceil", "floor", "round")
    },
    "mod": _mod,
    "sum": _combined("sum", add_quantities),
    "product": _combined("product", multiply_quantities),
    "len": _len,
    "values": _values,
    "table": _table,
}
"""By name."""
