"""Values with a tolerance or citations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.problems import Problem
from accelscope.dsl.interpret.expect import want_quantity
from accelscope.dsl.interpret.scope import Scope
from accelscope.dsl.syntax.nodes import Annotated, Distribution, PlusMinus
from accelscope.dsl.values.arithmetic import show
from accelscope.dsl.values.units import NONE
from accelscope.dsl.values.values import Citation, Curve, ListValue, Mapped, Quantity, Tolerance

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Session


def annotated(session: Session, node: Annotated, scope: Scope) -> object:
    """Return a value with its tolerance and citations; the session's hook may vary an uncertain one.

    Raises:
        Problem: the tolerance does not fit the value.
    """
    value = session.evaluate(node.expr, scope)
    cites = session.citations(node.cites, scope)
    if node.tolerance is None:
        return with_cites(value, cites)
    quantity = want_quantity(value, node.expr, scope)
    tolerance = _tolerance(session, node.tolerance, quantity, scope)
    result = Quantity(
        magnitude=quantity.magnitude,
        dimension=quantity.dimension,
        unit=quantity.unit,
        tolerance=tolerance,
        cites=cites or quantity.cites,
    )
    if session.uncertain is None:
        return result
    return Quantity(
        magnitude=session.uncertain(result, node.span(scope.source)),
        dimension=result.dimension,
        unit=result.unit,
        tolerance=tolerance,
        cites=result.cites,
    )


def _tolerance(session: Session, node: PlusMinus | Distribution, value: Quantity, scope: Scope) -> Tolerance:
    if isinstance(node, Distribution):
        plain, by_name = session.evaluator.arguments(node.args, scope)
        args: dict[str | int, object] = dict(enumerate(plain))
        args.update(by_name)
        return Tolerance(distribution=node.name, args=args)
    amount = session.evaluator.quantity(node.amount, scope)
    is_share = amount.unit in ("%", "ppm") or value.dimension != NONE
    if amount.dimension == NONE and is_share:
        size = session.operations.apply("abs", value.magnitude)
        return Tolerance(half_width=amount.magnitude * size)
    if amount.dimension == value.dimension:
        return Tolerance(half_width=amount.magnitude)
    message = f"{show(amount)} is no tolerance of {show(value)}: write a share such as `5%`, or the same unit"
    raise Problem("A112", message, node.amount.span(scope.source))


def with_cites(value: object, cites: tuple[Citation, ...]) -> object:
    """Return a value whose quantities cite something."""
    if not cites:
        return value
    if isinstance(value, Quantity):
        return Quantity(
            magnitude=value.magnitude,
            dimension=value.dimension,
            unit=value.unit,
            tolerance=value.tolerance,
            cites=cites,
        )
    if isinstance(value, ListValue):
        return ListValue(tuple(with_cites(item, cites) for item in value.items))
    if isinstance(value, Curve):
        return Curve(tuple((key, with_cites(y, cites)) for key, y in value.points))  # type: ignore[misc]
    if isinstance(value, Mapped):
        return Mapped({key: with_cites(item, cites) for key, item in value.entries.items()})
    return value
