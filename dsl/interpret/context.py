"""What evaluation shares: units, operations, schemas, the budget, and how to evaluate an expression."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeAlias

from attrs import frozen

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.former_names import FormerNames
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.guard import EvaluationGuard
from accelscope.dsl.interpret.layers import Binding, Scope, ScopeOwner
from accelscope.dsl.schema.schema_index import SchemaIndex
from accelscope.dsl.syntax.nodes import Expr, Keyword
from accelscope.dsl.values.operations import Operations
from accelscope.dsl.values.units import UnitTable
from accelscope.dsl.values.values import Magnitude, Quantity

UncertaintyHook: TypeAlias = Callable[[Quantity, Span], Magnitude]
"""From a value with a tolerance and its place to the magnitude to use."""

AttributeHook: TypeAlias = Callable[[Any, str, object, Span | None], object]
"""From a component, the name of an attribute (or of its count), its value and its place to the value to use."""


@frozen
class Probe:
    """Hooks that observe values while they are computed, and may replace them.

    Attributes:
        uncertain: called for each value with a tolerance, or None.
        attribute: called for each attribute and count, or None.
    """

    uncertain: UncertaintyHook | None = None
    attribute: AttributeHook | None = None


class EvaluationContext(EvaluationGuard):
    """What the modules of this folder need from the interpreter, so that none of them imports it.

    Attributes:
        units: the known units.
        operations: arithmetic on magnitudes.
        fields: what the schemas say of a component.
        probe: hooks that observe or replace values.
        evaluate: the value of an expression in a scope.
        evaluate_arguments: the values of the arguments of a call, positional ones and keywords.
        evaluate_quantity: the value of an expression that must be a number.
        evaluate_condition: the value of an expression that must be true or false.
        calls: the functions that are being called.
        depth: how deeply evaluations are nested.
        layering: the components whose layers are being built.
        former_names: the places where texts use former names of fields, blocks and symbols.
    """

    units: UnitTable
    operations: Operations
    fields: SchemaIndex
    probe: Probe
    evaluate: Callable[[Expr, Scope], object]
    evaluate_arguments: Callable[
        [Iterable[Expr | Keyword], Scope], tuple[tuple[object, ...], dict[str, object]]
    ]
    evaluate_quantity: Callable[[Expr, Scope], Quantity]
    evaluate_condition: Callable[[Expr, Scope], Magnitude]

    def __init__(self) -> None:
        super().__init__()
        self.calls: list[Binding] = []
        self.depth = 0
        self.layering: list[ScopeOwner] = []
        self.former_names = FormerNames()

    def value_of(self, expr: Expr, scope: Scope, names: Mapping[str, object] | None = None) -> object:
        """Return the value of an expression, or None after reporting why it has none.

        Args:
            expr: the expression.
            scope: where its names are looked up.
            names: values that come before the scope. A value may be a mapping for names with dots, or a callable
                that takes and returns values.
        """
        inner = Scope(scope.source, scope, names=names) if names is not None else scope
        try:
            return self.evaluate(expr, inner)
        except EvaluationFailed as problem:
            self.report(problem, expr.span(scope.source))
        except PoisonedValue:
            pass
        return None
