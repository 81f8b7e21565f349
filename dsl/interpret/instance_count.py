"""How many instances of a block there are: `memory hbm[5]`, `chip[4, 4, 4]`, or an attribute `count`."""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import (
    IN_PROGRESS,
    NOT_FOUND,
    POISON,
    EvaluationFailed,
    PoisonedValue,
)
from accelscope.dsl.interpret.component_base import ComponentBase, InheritedComponent
from accelscope.dsl.interpret.layers import BlockDeclaration, Scope
from accelscope.dsl.syntax.nodes import Expr
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.units import DIMENSIONLESS
from accelscope.dsl.values.values import Quantity

_MAX_INSTANCES = 1e9
"""More than any description needs of one block; a wafer has a million cores."""


def evaluate_shape(component: ComponentBase) -> tuple[Quantity, ...]:
    """Return the dimensions of a component, or its `count` as the only one.

    Raises:
        PoisonedValue: a dimension is not a count, which has been reported.
    """
    shape = component.dims
    if shape is NOT_FOUND:
        component.dims = IN_PROGRESS
        shape = component.dims = component.interpreter.run_guarded(
            component, "count", lambda: _shape(component), lambda: component.span
        )
    if shape is IN_PROGRESS:
        raise component.interpreter.cycle_error(component, "count")
    if shape is POISON:
        raise PoisonedValue
    return shape  # type: ignore[return-value]


def evaluate_count(component: ComponentBase) -> Quantity:
    """Return the product of the dimensions.

    Raises:
        PoisonedValue: a dimension is not a count, which has been reported.
    """
    total: Quantity | None = None
    for dim in evaluate_shape(component):
        total = dim if total is None else Quantity(magnitude=total.magnitude * dim.magnitude)
    return total or Quantity(magnitude=1.0)


def _shape(component: ComponentBase) -> tuple[Quantity, ...]:
    member = component.index().members.get("count")
    if member is not None and member.bindings:
        span = member.bindings[-1].span
        count = _check_count(component, component.value("count"), span)
        return (_probe_count(component, "count", count, span),)
    shape = []
    total = 1.0
    dims = _written_dims(component)
    for dim, scope in dims:
        value = component.interpreter.evaluate(dim, scope)
        shape.append(_check_count(component, value, dim.span(scope.source)))
        if isinstance(shape[-1].magnitude, int | float):
            total *= shape[-1].magnitude
    if total > _MAX_INSTANCES:
        span = Span(dims[0][1].source, dims[0][0].start, dims[-1][0].end)
        raise _too_many(component, span)
    names = ["count"] if len(dims) == 1 else [f"shape[{place}]" for place in range(len(dims))]
    return tuple(
        _probe_count(component, name, count, dim.span(scope.source))
        for name, count, (dim, scope) in zip(names, shape, dims, strict=True)
    )


def _probe_count(component: ComponentBase, name: str, count: Quantity, span: Span | None) -> Quantity:
    """Return a dimension as the probe sets it; the result need not be whole."""
    hook = component.interpreter.probe.attribute
    value = count if hook is None else hook(component, name, count, span)
    return value if isinstance(value, Quantity) else count


def _written_dims(component: ComponentBase) -> list[tuple[Expr, Scope]]:
    for part in reversed(component.parts):
        if isinstance(part, InheritedComponent):
            return _written_dims(part.component)
        if isinstance(part, BlockDeclaration) and part.block.dims:
            return [(dim, part.scope) for dim in part.block.dims]
    return []


def _check_count(component: ComponentBase, value: object, span: Span | None) -> Quantity:
    if not isinstance(value, Quantity):
        raise EvaluationFailed("A105", f"the count of `{component.name}` is not a number", span)
    if value.dimension != DIMENSIONLESS:
        message = f"the count of `{component.name}` must be a plain number, not {show_quantity(value)}"
        raise EvaluationFailed("A111", message, span)
    ops = component.interpreter.operations
    n = value.magnitude
    if not ops.all(ops.both(ops.close(n, ops.apply("round", n)), n >= 1)):
        message = f"the count of `{component.name}` must be a whole number of at least 1, not {show_quantity(value)}"
        raise EvaluationFailed("A107", message, span)
    if not ops.all(n <= _MAX_INSTANCES):
        raise _too_many(component, span)
    return value


def _too_many(component: ComponentBase, span: Span | None) -> EvaluationFailed:
    return EvaluationFailed("A209", f"more than {_MAX_INSTANCES:,.0f} instances of `{component.name}`", span)
