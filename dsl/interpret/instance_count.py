"""How many of a block there are: `memory hbm[5]`, `chip[4, 4, 4]`, or a given `count`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import (
    IN_PROGRESS,
    NOT_FOUND,
    POISON,
    EvaluationFailed,
    PoisonedValue,
)
from accelscope.dsl.interpret.layers import BlockDeclaration, InheritedComponent
from accelscope.dsl.syntax.nodes import Expr
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.units import DIMENSIONLESS
from accelscope.dsl.values.values import Quantity

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component
    from accelscope.dsl.interpret.scope import Scope

_MOST = 1e9
"""No description needs more of one block; a wafer has a million cores."""


def evaluate_shape(component: Component) -> tuple[Quantity, ...]:
    """Return the dims of a component, or its given count as the only one.

    Raises:
        Poisoned: a dim is no count, which has been reported.
    """
    found = component.dims
    if found is NOT_FOUND:
        component.dims = IN_PROGRESS
        found = component.dims = component.session.run_guarded(
            component, "count", lambda: _shape(component), lambda: component.span
        )
    if found is IN_PROGRESS:
        raise component.session.cycle(component, "count")
    if found is POISON:
        raise PoisonedValue
    return found  # type: ignore[return-value]


def evaluate_count(component: Component) -> Quantity:
    """Return the product of the dims.

    Raises:
        Poisoned: a dim is no count, which has been reported.
    """
    total: Quantity | None = None
    for dim in evaluate_shape(component):
        total = dim if total is None else Quantity(magnitude=total.magnitude * dim.magnitude)
    return total or Quantity(magnitude=1.0)


def _shape(component: Component) -> tuple[Quantity, ...]:
    member = component.index().members.get("count")
    if member is not None and member.bindings:
        span = member.bindings[-1].span
        return (_altered(component, "count", _counted(component, component.value("count"), span), span),)
    shape = []
    total = 1.0
    given = _given(component)
    for dim, scope in given:
        value = component.session.evaluate(dim, scope)
        shape.append(_counted(component, value, dim.span(scope.source)))
        if isinstance(shape[-1].magnitude, int | float):
            total *= shape[-1].magnitude
    if total > _MOST:
        span = Span(given[0][1].source, given[0][0].start, given[-1][0].end)
        raise EvaluationFailed("A209", f"more than {_MOST:,.0f} instances of `{component.name}`", span)
    names = ["count"] if len(given) == 1 else [f"shape[{place}]" for place in range(len(given))]
    return tuple(
        _altered(component, name, n, dim.span(scope.source))
        for name, n, (dim, scope) in zip(names, shape, given, strict=True)
    )


def _altered(component: Component, name: str, n: Quantity, span: Span | None) -> Quantity:
    """Return a dim as the session's hook has it, which need not be whole."""
    hook = component.session.altered
    found = n if hook is None else hook(component, name, n, span)
    return found if isinstance(found, Quantity) else n


def _given(component: Component) -> list[tuple[Expr, Scope]]:
    for part in reversed(component.parts):
        if isinstance(part, InheritedComponent):
            return _given(part.component)
        if isinstance(part, BlockDeclaration) and part.block.dims:
            return [(dim, part.scope) for dim in part.block.dims]
    return []


def _counted(component: Component, value: object, span: Span | None) -> Quantity:
    if not isinstance(value, Quantity):
        raise EvaluationFailed("A105", f"the count of `{component.name}` is not a number", span)
    if value.dimension != DIMENSIONLESS:
        raise EvaluationFailed(
            "A111", f"the count of `{component.name}` is a plain number, not {show_quantity(value)}", span
        )
    ops = component.session.operations
    n = value.magnitude
    if not ops.all(ops.both(ops.close(n, ops.apply("round", n)), n >= 1)):
        message = f"the count of `{component.name}` is a whole number from 1 up, not {show_quantity(value)}"
        raise EvaluationFailed("A107", message, span)
    if not ops.all(n <= _MOST):
        raise EvaluationFailed("A209", f"more than {_MOST:,.0f} instances of `{component.name}`", span)
    return value
