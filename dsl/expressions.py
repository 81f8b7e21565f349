"""Evaluating expressions: one method a node class, problems raised with the exact place."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any

from accelscope.dsl.access import called, indexed, member_of, named
from accelscope.dsl.diagnostics import Span
from accelscope.dsl.layers import Layer
from accelscope.dsl.literals import number, ranged
from accelscope.dsl.problems import Poisoned, Problem
from accelscope.dsl.quantities import ARITHMETIC, compare, joined, negative, show
from accelscope.dsl.scope import Scope
from accelscope.dsl.syntax import (
    Amend,
    Annotated,
    Attr,
    Binary,
    Call,
    Compare,
    Cond,
    Const,
    Date,
    Distribution,
    Expr,
    Index,
    Keyword,
    ListOf,
    Name,
    Number,
    ObjectOf,
    Pair,
    PlusMinus,
    Range,
    Text,
    Unary,
)
from accelscope.dsl.units import NONE
from accelscope.dsl.values import (
    Citation,
    Curve,
    ListValue,
    Magnitude,
    Mapped,
    Quantity,
    Symbol,
    Tolerance,
    describe,
    is_condition,
)
from accelscope.dsl.wants import want_condition, want_quantity

if TYPE_CHECKING:
    from accelscope.dsl.session import Session

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
        session.steps -= 1
        if session.steps < 0:
            raise session.exhausted("steps", 300_000)
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
        from accelscope.dsl.component import Component

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

    # ---- collections

    def _list(self, node: ListOf, scope: Scope) -> object:
        if not any(isinstance(item, Pair) for item in node.items):
            return ListValue(
                tuple(self.evaluate(item, scope) for item in node.items if not isinstance(item, Pair))
            )
        keys, values = [], []
        for item in node.items:
            if not isinstance(item, Pair):
                message = "a curve or map has `key -> value` in every place"
                raise Problem("A105", message, item.span(scope.source))
            keys.append(self._key(item.key, scope))
            values.append(self.evaluate(item.value, scope))
        if all(isinstance(key, str) for key in keys):
            return self._mapped(node, keys, values, scope)
        return self._curve(node, keys, values, scope)

    def _key(self, node: Expr, scope: Scope) -> Quantity | str:
        value = self.evaluate(node, scope)
        if isinstance(value, Quantity | str):
            return value
        if isinstance(node, Name):
            return node.id
        if isinstance(value, Symbol):
            return value.name
        raise Problem(
            "A105", f"a key is a quantity or a word, not {describe(value)}", node.span(scope.source)
        )

    def _mapped(self, node: ListOf, keys: list[Any], values: list[object], scope: Scope) -> Mapped:
        if len(set(keys)) < len(keys):
            twice = next(key for i, key in enumerate(keys) if key in keys[:i])
            raise Problem("A103", f"the key `{twice}` is given twice", node.span(scope.source))
        return Mapped(dict(zip(keys, values, strict=True)))

    def _curve(self, node: ListOf, keys: list[Any], values: list[object], scope: Scope) -> Curve:
        points: list[tuple[Quantity, Quantity]] = []
        for item, key, value in zip(node.items, keys, values, strict=True):
            if not isinstance(key, Quantity) or not isinstance(value, Quantity):
                message = "a curve has quantities on both sides of every `->`"
                raise Problem("A105", message, item.span(scope.source))
            if points:
                self._follows(points[-1], (key, value), item.span(scope.source))
            points.append((key, value))
        return Curve(tuple(points))

    def _follows(self, last: tuple[Quantity, Quantity], new: tuple[Quantity, Quantity], span: Span) -> None:
        for before, after in zip(last, new, strict=True):
            if before.dimension != after.dimension:
                message = f"{show(after)} does not fit into a curve after {show(before)}"
                raise Problem("A112", message, span)
        if not self.session.operations.all(last[0].magnitude < new[0].magnitude):
            message = f"the keys of a curve rise; {show(new[0])} comes after {show(last[0])}"
            raise Problem("A105", message, span)

    def _object(self, node: ObjectOf, scope: Scope) -> object:
        entries: dict[str, object] = {}
        for keyword in node.fields:
            if keyword.name in entries:
                raise Problem("A103", f"the key `{keyword.name}` is given twice", keyword.span(scope.source))
            entries[keyword.name] = self.evaluate(keyword.value, scope)
        return Mapped(entries)

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
        self.session.steps -= len(chain)
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
            return (left == right) is (op == "==")
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

    # ---- tolerance and citation

    def _annotated(self, node: Annotated, scope: Scope) -> object:
        value = self.evaluate(node.expr, scope)
        cites = self.session.citations(node.cites, scope)
        if node.tolerance is None:
            return with_cites(value, cites)
        quantity = want_quantity(value, node.expr, scope)
        tolerance = self._tolerance(node.tolerance, quantity, scope)
        result = Quantity(
            magnitude=quantity.magnitude,
            dimension=quantity.dimension,
            unit=quantity.unit,
            tolerance=tolerance,
            cites=cites or quantity.cites,
        )
        if self.session.uncertain is None:
            return result
        magnitude = self.session.uncertain(result, node.span(scope.source))
        return Quantity(
            magnitude=magnitude,
            dimension=result.dimension,
            unit=result.unit,
            tolerance=tolerance,
            cites=result.cites,
        )

    def _tolerance(self, node: PlusMinus | Distribution, value: Quantity, scope: Scope) -> Tolerance:
        if isinstance(node, Distribution):
            plain, by_name = self.arguments(node.args, scope)
            args: dict[str | int, object] = dict(enumerate(plain))
            args.update(by_name)
            return Tolerance(distribution=node.name, args=args)
        amount = self.quantity(node.amount, scope)
        if amount.dimension == value.dimension and not (
            value.dimension == NONE and amount.unit in ("%", "ppm")
        ):
            return Tolerance(half_width=amount.magnitude)
        if amount.dimension == NONE:
            return Tolerance(half_width=amount.magnitude * abs(value.magnitude))
        message = (
            f"{show(amount)} is no tolerance of {show(value)}: write a share such as `5%`, or the same unit"
        )
        raise Problem("A112", message, node.amount.span(scope.source))


def with_cites(value: object, cites: tuple[Citation, ...]) -> object:
    """Return a value whose quantities cite something, where they do not cite anything themselves."""
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


def _layer(scope: Scope) -> Layer | None:
    return next((at.layer for at in scope.chain() if at.layer is not None), None)
