"""Evaluating expressions: one method a node class, problems raised with the exact place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import Poisoned, Problem
from accelscope.dsl.interpret.access import called, indexed, member_of, named
from accelscope.dsl.interpret.annotations import annotated
from accelscope.dsl.interpret.equality import same
from accelscope.dsl.interpret.expect import want_condition, want_quantity
from accelscope.dsl.interpret.layers import Layer
from accelscope.dsl.interpret.lists import gathered, listed
from accelscope.dsl.interpret.number_literals import number, ranged
from accelscope.dsl.interpret.scope import Scope
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
    Index,
    Keyword,
    ListOf,
    Name,
    Number,
    ObjectOf,
    Range,
    Text,
    Unary,
)
from accelscope.dsl.values.arithmetic import ARITHMETIC, compare, joined, negative, show
from accelscope.dsl.values.values import (
    Magnitude,
    Quantity,
    describe,
    is_condition,
)

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Session

_DEEPEST = 170
"""Nested evaluations before the stack of the interpreter gets short."""


class Evaluator:
    """Evaluates syntax in a scope; the session holds budget, units and operations."""

    __slots__ = ("_dispatch", "session")

    def __init__(self, session: Session) -> None:
        self.session = session
        self._dispatch: dict[type, Callable[[Any, Scope], object]] = {
            Number: self._number,
            Text: self._plain,
            Date: self._plain,
            Const: self._plain,
            Name: self._name,
            Attr: self._attr,
            Index: self._index,
            Call: self._call,
            Amend: self._amend,
            ListOf: self._list,
            ObjectOf: self._object,
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
            Problem: it has none, with the place.
            Poisoned: it needs a value whose problem has been reported.
        """
        session = self.session
        session.spend_steps(1)
        if session.depth >= _DEEPEST:
            raise Problem("A209", "this is nested too deeply", node.span(scope.source))
        session.depth += 1
        try:
            return self._dispatch[type(node)](node, scope)
        except Problem as problem:
            if problem.span is None:
                problem.span = node.span(scope.source)
            raise
        finally:
            session.depth -= 1

    # ---- literals and names

    def _number(self, node: Number, scope: Scope) -> object:
        return number(self.session, node, scope)

    def _plain(self, node: Text | Date | Const, scope: Scope) -> object:
        return node.value

    def _name(self, node: Name, scope: Scope) -> object:
        return named(node.id, scope)

    def _attr(self, node: Attr, scope: Scope) -> object:
        base = self.evaluate(node.base, scope)
        return member_of(base, node, scope)

    def _index(self, node: Index, scope: Scope) -> object:
        base = self.evaluate(node.base, scope)
        subs = [None if not isinstance(sub, Expr) else self.evaluate(sub, scope) for sub in node.subs]
        return indexed(base, subs, node, scope)

    def _call(self, node: Call, scope: Scope) -> object:
        return called(self.session, node, scope)

    def arguments(
        self, args: Iterable[Expr | Keyword], scope: Scope
    ) -> tuple[tuple[object, ...], dict[str, object]]:
        """Return evaluated arguments: the plain ones and those by name."""
        plain: list[object] = []
        by_name: dict[str, object] = {}
        for arg in args:
            if isinstance(arg, Keyword):
                if arg.name in by_name:
                    raise Problem("A206", f"`{arg.name}` is given twice", arg.span(scope.source))
                by_name[arg.name] = self.evaluate(arg.value, scope)
            else:
                plain.append(self.evaluate(arg, scope))
        return tuple(plain), by_name

    def _amend(self, node: Amend, scope: Scope) -> object:
        from accelscope.dsl.interpret.component import Component

        base = self.evaluate(node.base, scope)
        if not isinstance(base, Component):
            text = node.base.span(scope.source).text
            raise Problem(
                "A207",
                f"`{text}` is {describe(base)}, so nothing in it can be changed",
                node.base.span(scope.source),
            )
        layer = Layer(
            scope.source, scope, statements=node.body.statements, enclosing=_layer(scope), title=base.name
        )
        return self.session.heir(base, [layer])

    def _list(self, node: ListOf, scope: Scope) -> object:
        return listed(self.session, node, scope)

    def _object(self, node: ObjectOf, scope: Scope) -> object:
        return gathered(self.session, node, scope)

    def _annotated(self, node: Annotated, scope: Scope) -> object:
        return annotated(self.session, node, scope)

    # ---- operators

    def quantity(self, node: Expr, scope: Scope) -> Quantity:
        """Return the value of an expression that has to be a number."""
        return want_quantity(self.evaluate(node, scope), node, scope)

    def _unary(self, node: Unary, scope: Scope) -> object:
        if node.op == "not":
            condition = self.condition(node.operand, scope)
            return (
                not condition if isinstance(condition, bool) else self.session.operations.negated(condition)
            )
        return negative(self.quantity(node.operand, scope))

    def _binary(self, node: Binary, scope: Scope) -> object:
        """Evaluate a chain that leans to the left without nesting, however long it is."""
        chain: list[Binary] = []
        at: Expr = node
        while isinstance(at, Binary):
            chain.append(at)
            at = at.left
        value = self.evaluate(at, scope)
        self.session.spend_steps(len(chain))
        for step in reversed(chain):
            value = self._step(step, value, scope)
        return value

    def _step(self, node: Binary, left: object, scope: Scope) -> object:
        if node.op in ("and", "or"):
            return self._logic(node, left, scope)
        first = want_quantity(left, node.left, scope)
        second = want_quantity(self.evaluate(node.right, scope), node.right, scope)
        try:
            return ARITHMETIC[node.op](first, second, self.session.operations)
        except Problem as problem:
            problem.span = problem.span or node.span(scope.source)
            raise
        except OverflowError:
            raise Problem("A208", "the result is not a finite number", node.span(scope.source)) from None

    def _logic(self, node: Binary, left: object, scope: Scope) -> object:
        first = self._settled(want_condition(left, node.left, scope))
        if isinstance(first, bool) and first is (node.op == "or"):
            return first
        second = self.condition(node.right, scope)
        if isinstance(first, bool):
            return second
        ops = self.session.operations
        return ops.both(first, second) if node.op == "and" else ops.either(first, second)

    def condition(self, node: Expr, scope: Scope) -> Magnitude:
        """Return the value of an expression that has to be true or false, perhaps for many points."""
        return self._settled(want_condition(self.evaluate(node, scope), node, scope))

    def _settled(self, condition: Magnitude) -> Magnitude:
        """Return a condition on single numbers as a plain bool."""
        if not isinstance(condition, bool) and self.session.operations.is_scalar(condition):
            return bool(condition)
        return condition

    def _compare(self, node: Compare, scope: Scope) -> object:
        ops = self.session.operations
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
        """Return where one comparison holds; other things than numbers are equal or not."""
        if isinstance(left, Quantity) and isinstance(right, Quantity):
            try:
                return self._settled(compare(op, left, right, self.session.operations))
            except Problem as problem:
                problem.span = Span(scope.source, left_node.start, right_node.end)
                raise
        if op in ("==", "!=") and not (isinstance(left, Quantity) or isinstance(right, Quantity)):
            equal = same(self.session, left, right)
            return equal if op == "==" else self.session.operations.negated(equal)
        want_quantity(left, left_node, scope)
        want_quantity(right, right_node, scope)
        raise Poisoned

    def _cond(self, node: Cond, scope: Scope) -> object:
        test = self.condition(node.test, scope)
        if isinstance(test, bool):
            return self.evaluate(node.this if test else node.other, scope)
        ops = self.session.operations
        this, other = self.evaluate(node.this, scope), self.evaluate(node.other, scope)
        if is_condition(this) and is_condition(other):
            return ops.where(test, this, other)
        first, second = want_quantity(this, node.this, scope), want_quantity(other, node.other, scope)
        if first.dimension != second.dimension:
            message = f"the branches are {show(first)} and {show(second)}: one dimension is needed"
            raise Problem("A112", message, node.span(scope.source))
        magnitude = ops.where(test, first.magnitude, second.magnitude)
        return Quantity(
            magnitude=magnitude, dimension=first.dimension, cites=joined(first.cites, second.cites)
        )

    def _range(self, node: Range, scope: Scope) -> object:
        return ranged(self.session, node, scope)


def _layer(scope: Scope) -> Layer | None:
    return next((at.layer for at in scope.chain() if at.layer is not None), None)
