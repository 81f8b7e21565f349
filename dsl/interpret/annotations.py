"""Values with a tolerance or citations."""

from __future__ import annotations

from attrs import evolve

from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.interpret.citations import resolve_citations
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.expect import expect_quantity
from accelscope.dsl.interpret.layers import Scope
from accelscope.dsl.syntax.nodes import Annotated, Distribution, PlusMinus
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.units import DIMENSIONLESS
from accelscope.dsl.values.values import Citation, CurveValue, ListValue, MapValue, Quantity, Tolerance


def evaluate_annotated(context: EvaluationContext, node: Annotated, scope: Scope) -> object:
    """Return a value with its tolerance and citations; a probe may replace the magnitude of an uncertain one.

    Args:
        context: what evaluates the parts.
        node: the value with its tolerance and citations.
        scope: the scope that it is evaluated in.

    Raises:
        EvaluationFailed: the tolerance does not fit the value.
    """
    value = context.evaluate(node.expr, scope)
    cites = resolve_citations(context, node.cites, scope)
    if node.tolerance is None:
        return attach_citations(value, cites)
    quantity = expect_quantity(value, node.expr, scope)
    tolerance = _tolerance(context, node.tolerance, quantity, scope)
    result = Quantity(
        magnitude=quantity.magnitude,
        dimension=quantity.dimension,
        unit=quantity.unit,
        tolerance=tolerance,
        cites=cites or quantity.cites,
    )
    if context.probe.uncertain is None:
        return result
    return evolve(result, magnitude=context.probe.uncertain(result, node.span(scope.source)))


def _tolerance(
    context: EvaluationContext, node: PlusMinus | Distribution, value: Quantity, scope: Scope
) -> Tolerance:
    if isinstance(node, Distribution):
        positional, keywords = context.evaluate_arguments(node.args, scope)
        args: dict[str | int, object] = dict(enumerate(positional))
        args.update(keywords)
        return Tolerance(distribution=node.name, args=args)
    amount = context.evaluate_quantity(node.amount, scope)
    is_share = amount.unit in ("%", "ppm") or value.dimension != DIMENSIONLESS
    if amount.dimension == DIMENSIONLESS and is_share:
        size = context.operations.apply("abs", value.magnitude)
        return Tolerance(half_width=amount.magnitude * size)
    if amount.dimension == value.dimension:
        return Tolerance(half_width=amount.magnitude)
    message = f"{show_quantity(amount)} cannot be the tolerance of {show_quantity(value)}: write a percentage such as `5%`, or a value in the same unit"
    raise EvaluationFailed("A112", message, node.amount.span(scope.source))


def attach_citations(value: object, cites: tuple[Citation, ...]) -> object:
    """Return a value with citations on each of its quantities."""
    if not cites:
        return value
    if isinstance(value, Quantity):
        return evolve(value, cites=cites)
    if isinstance(value, ListValue):
        return ListValue(tuple(attach_citations(item, cites) for item in value.items))
    if isinstance(value, CurveValue):
        return CurveValue(tuple((key, attach_citations(y, cites)) for key, y in value.points))  # type: ignore[misc]
    if isinstance(value, MapValue):
        return MapValue({key: attach_citations(item, cites) for key, item in value.entries.items()})
    return value
