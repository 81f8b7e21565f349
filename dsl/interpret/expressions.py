"""Expressions to values: one method for each class of node; an error has the place of the innermost node."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.access import evaluate_call, evaluate_member, evaluate_name, evaluate_subscript
from accelscope.dsl.interpret.annotations import evaluate_annotated
from accelscope.dsl.interpret.component import Component, derive_copy
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.equality import values_equal
from accelscope.dsl.interpret.expect import expect_condition, expect_quantity
from accelscope.dsl.interpret.former_names import note_compared_symbol
from accelscope.dsl.interpret.layers import ComponentLayer, Scope
from accelscope.dsl.interpret.lists import evaluate_list, evaluate_object
from accelscope.dsl.interpret.number_literals import evaluate_number, evaluate_range
from accelscope.dsl.syntax.nodes import (
    Amend,
    Annotated,
    Attr,
    Binary,
    Call,
    Compare,
    Cond,
    Const,
    Date,
    Expr,
    Keyword,
    ListLiteral,
    Name,
    Number,
    ObjectLiteral,
    Range,
    Subscript,
    Text,
    Unary,
)
from accelscope.dsl.values.arithmetic import (
    ARITHMETIC,
    compare_quantities,
    join_citations,
    negate_quantity,
    show_quantity,
)
from accelscope.dsl.values.values import Magnitude, Quantity, describe_value, is_condition

_MAX_DEPTH = 170
"""Nested evaluations, so that the stack of Python suffices."""


class ExpressionEvaluator:
    """Evaluates expressions in a scope; the context has the budget, the units and the operations."""

    __slots__ = ("_dispatch", "context")

    def __init__(self, context: EvaluationContext) -> None:
        self.context = context
        self._dispatch: dict[type, Callable[[Any, Scope], object]] = {
            Number: self._number,
            Text: self._plain,
            Date: self._plain,
            Const: self._plain,
            Name: self._name,
            Attr: self._attr,
            Subscript: self._index,
            Call: self._call,
            Amend: self._amend,
            ListLiteral: self._list,
            ObjectLiteral: self._object,
            Unary: self._unary,
            Binary: self._binary,
            Compare: self._compare,
            Cond: self._cond,
            Range: self._range,
            Annotated: self._annotated,
        }

    def evaluate(self, node: Expr, scope: Scope) -> object:
        """Return the value of an expression.

        Raises:
            EvaluationFailed: it has none; the error has a place.
            PoisonedValue: it needs a value whose error has been reported.
        """
        context = self.context
        context.spend_steps(1)
        if context.depth >= _MAX_DEPTH:
            raise EvaluationFailed("A209", "this is nested too deeply", node.span(scope.source))
        context.depth += 1
        try:
            return self._dispatch[type(node)](node, scope)
        except EvaluationFailed as problem:
            if problem.span is None:
                problem.span = node.span(scope.source)
            raise
        finally:
            context.depth -= 1

    # ---- literals and names

    def _number(self, node: Number, scope: Scope) -> object:
        return evaluate_number(self.context, node, scope)

    def _plain(self, node: Text | Date | Const, scope: Scope) -> object:
        return node.value

    def _name(self, node: Name, scope: Scope) -> object:
        return evaluate_name(self.context, node, scope)

    def _attr(self, node: Attr, scope: Scope) -> object:
        base = self.evaluate(node.base, scope)
        return evaluate_member(base, node, scope)

    def _index(self, node: Subscript, scope: Scope) -> object:
        base = self.evaluate(node.base, scope)
        subs = [None if not isinstance(sub, Expr) else self.evaluate(sub, scope) for sub in node.subs]
        return evaluate_subscript(base, subs, node, scope)

    def _call(self, node: Call, scope: Scope) -> object:
        return evaluate_call(self.context, node, scope)

    def arguments(
        self, args: Iterable[Expr | Keyword], scope: Scope
    ) -> tuple[tuple[object, ...], dict[str, object]]:
        """Return the values of arguments: positional ones and keywords.

        Raises:
            EvaluationFailed: a keyword is repeated, or an argument has no value.
        """
        positional: list[object] = []
        keywords: dict[str, object] = {}
        for arg in args:
            if isinstance(arg, Keyword):
                if arg.name in keywords:
                    raise EvaluationFailed(
                        "A206", f"the argument `{arg.name}` is repeated", arg.span(scope.source)
                    )
                keywords[arg.name] = self.evaluate(arg.value, scope)
            else:
                positional.append(self.evaluate(arg, scope))
        return tuple(positional), keywords

    def _amend(self, node: Amend, scope: Scope) -> object:
        base = self.evaluate(node.base, scope)
        if not isinstance(base, Component):
            text = node.base.span(scope.source).text
            raise EvaluationFailed(
                "A207",
                f"`{text}` is {describe_value(base)}, not a block, so it has no members to change",
                node.base.span(scope.source),
            )
        layer = ComponentLayer(
            scope.source,
            scope,
            statements=node.body.statements,
            enclosing=_nearest_layer(scope),
            title=base.name,
        )
        return derive_copy(base, [layer])

    def _list(self, node: ListLiteral, scope: Scope) -> object:
        return evaluate_list(self.context, node, scope)

    def _object(self, node: ObjectLiteral, scope: Scope) -> object:
        return evaluate_object(self.context, node, scope)

    def _annotated(self, node: Annotated, scope: Scope) -> object:
        return evaluate_annotated(self.context, node, scope)

    # ---- operators

    def quantity(self, node: Expr, scope: Scope) -> Quantity:
        """Return the value of an expression that must be a number."""
        return expect_quantity(self.evaluate(node, scope), node, scope)

    def _unary(self, node: Unary, scope: Scope) -> object:
        if node.op == "not":
            condition = self.condition(node.operand, scope)
            return (
                not condition if isinstance(condition, bool) else self.context.operations.negated(condition)
            )
        return negate_quantity(self.quantity(node.operand, scope))

    def _binary(self, node: Binary, scope: Scope) -> object:
        """Evaluate a left-associative chain in a loop, so that its length does not nest."""
        chain: list[Binary] = []
        operand: Expr = node
        while isinstance(operand, Binary):
            chain.append(operand)
            operand = operand.left
        value = self.evaluate(operand, scope)
        self.context.spend_steps(len(chain))
        for step in reversed(chain):
            value = self._step(step, value, scope)
        return value

    def _step(self, node: Binary, left: object, scope: Scope) -> object:
        if node.op in ("and", "or"):
            return self._logic(node, left, scope)
        first = expect_quantity(left, node.left, scope)
        second = expect_quantity(self.evaluate(node.right, scope), node.right, scope)
        try:
            return ARITHMETIC[node.op](first, second, self.context.operations)
        except EvaluationFailed as problem:
            problem.span = problem.span or node.span(scope.source)
            raise
        except OverflowError:
            raise EvaluationFailed(
                "A208", "the result is not a finite number", node.span(scope.source)
            ) from None

    def _logic(self, node: Binary, left: object, scope: Scope) -> object:
        first = self._as_plain_bool(expect_condition(left, node.left, scope))
        if isinstance(first, bool) and first is (node.op == "or"):
            return first
        second = self.condition(node.right, scope)
        if isinstance(first, bool):
            return second
        ops = self.context.operations
        return ops.both(first, second) if node.op == "and" else ops.either(first, second)

    def condition(self, node: Expr, scope: Scope) -> Magnitude:
        """Return the value of an expression that must be true or false, or an array of bools."""
        return self._as_plain_bool(expect_condition(self.evaluate(node, scope), node, scope))

    def _as_plain_bool(self, condition: Magnitude) -> Magnitude:
        """Return a condition on single numbers as a plain bool."""
        if not isinstance(condition, bool) and self.context.operations.is_scalar(condition):
            return bool(condition)
        return condition

    def _compare(self, node: Compare, scope: Scope) -> object:
        ops = self.context.operations
        left, left_node, result = self.evaluate(node.first, scope), node.first, True
        for op, right_node in node.rest:
            right = self.evaluate(right_node, scope)
            link = self._link(op, left, right, left_node, right_node, scope)
            if isinstance(link, bool) and isinstance(result, bool):
                result = result and link
            else:
                result = ops.both(result, link)
            left, left_node = right, right_node
        return result

    def _link(
        self, op: str, left: object, right: object, left_node: Expr, right_node: Expr, scope: Scope
    ) -> Magnitude:
        """Return whether one comparison holds; values other than numbers can only be equal or not."""
        if isinstance(left, Quantity) and isinstance(right, Quantity):
            try:
                return self._as_plain_bool(compare_quantities(op, left, right, self.context.operations))
            except EvaluationFailed as problem:
                problem.span = Span(scope.source, left_node.start, right_node.end)
                raise
        if op in ("==", "!=") and not (isinstance(left, Quantity) or isinstance(right, Quantity)):
            note_compared_symbol(self.context, left_node, left, right, scope)
            note_compared_symbol(self.context, right_node, right, left, scope)
            equal = values_equal(self.context, left, right)
            return equal if op == "==" else self.context.operations.negated(equal)
        expect_quantity(left, left_node, scope)
        expect_quantity(right, right_node, scope)
        raise PoisonedValue

    def _cond(self, node: Cond, scope: Scope) -> object:
        test = self.condition(node.test, scope)
        if isinstance(test, bool):
            return self.evaluate(node.this if test else node.other, scope)
        ops = self.context.operations
        this, other = self.evaluate(node.this, scope), self.evaluate(node.other, scope)
        if is_condition(this) and is_condition(other):
            return ops.where(test, this, other)
        first, second = expect_quantity(this, node.this, scope), expect_quantity(other, node.other, scope)
        if first.dimension != second.dimension:
            message = (
                f"the branches have different dimensions: {show_quantity(first)} and {show_quantity(second)}"
            )
            raise EvaluationFailed("A112", message, node.span(scope.source))
        magnitude = ops.where(test, first.magnitude, second.magnitude)
        return Quantity(
            magnitude=magnitude, dimension=first.dimension, cites=join_citations(first.cites, second.cites)
        )

    def _range(self, node: Range, scope: Scope) -> object:
        return evaluate_range(self.context, node, scope)


def _nearest_layer(scope: Scope) -> ComponentLayer | None:
    return next((step.layer for step in scope.chain() if step.layer is not None), None)
