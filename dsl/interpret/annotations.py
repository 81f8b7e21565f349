"""Values with a tolerance or citations."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.interpret.expect import expect_quantity
from accelscope.dsl.interpret.scope import Scope
from accelscope.dsl.syntax.nodes import Annotated, Distribution, PlusMinus
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.units import DIMENSIONLESS
from accelscope.dsl.values.values import Citation, CurveValue, ListValue, MapValue, Quantity, Tolerance

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Interpreter


def evaluate_annotated(session: Interpreter, node: Annotated, scope: Scope) -> object:
    """Return a value with its tolerance and citations; the session's hook may vary an uncertain one.

    Raises:
        Problem: the tolerance does not fit the value.
    """
    value = session.evaluate(node.expr, scope)
    cites = session.citations(node.cites, scope)
    if node.tolerance is None:
        return attach_citations(value, cites)
    quantity = expect_quantity(value, node.expr, scope)
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


def _tolerance(
    session: Interpreter, node: PlusMinus | Distribution, value: Quantity, scope: Scope
) -> Tolerance:
    if isinstance(node, Distribution):
        plain, by_name = session.evaluator.arguments(node.args, scope)
        args: dict[str | int, object] = dict(enumerate(plain))
        args.update(by_name)
        return Tolerance(distribution=node.name, args=args)
    amount = session.evaluator.quantity(node.amount, scope)
    is_share = amount.unit in ("%", "ppm") or value.dimension != DIMENSIONLESS
    if amount.dimension == DIMENSIONLESS and is_share:
        size = session.operations.apply("abs", value.magnitude)
        return Tolerance(half_width=amount.magnitude * size)
    if amount.dimension == value.dimension:
        return Tolerance(half_width=amount.magnitude)
    message = f"{show_quantity(amount)} is no tolerance of {show_quantity(value)}: write a share such as `5%`, or the same unit"
    raise EvaluationFailed("A112", message, node.amount.span(scope.source))


def attach_citations(value: object, cites: tuple[Citation, ...]) -> object:
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
        return ListValue(tuple(attach_citations(item, cites) for item in value.items))
    if isinstance(value, CurveValue):
        return CurveValue(tuple((key, attach_citations(y, cites)) for key, y in value.points))  # type: ignore[misc]
    if isinstance(value, MapValue):
        return MapValue({key: attach_citations(item, cites) for key, item in value.entries.items()})
    return value
