"""Names, members, subscripts and calls: how an expression reaches what others define."""

from __future__ import annotations

from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND, EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.former_names import resolve_former_name
from accelscope.dsl.interpret.functions import BUILT_IN_FUNCTIONS
from accelscope.dsl.interpret.modules import Module
from accelscope.dsl.interpret.scope import Scope, resolve_name
from accelscope.dsl.syntax.nodes import Attr, Call, Name, Subscript
from accelscope.dsl.values.arithmetic import show_quantity
from accelscope.dsl.values.units import DIMENSIONLESS
from accelscope.dsl.values.values import (
    Constructor,
    FunctionValue,
    ListValue,
    MapValue,
    Quantity,
    Symbol,
    describe_value,
)

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Interpreter


def evaluate_name(session: Interpreter, node: Name, scope: Scope) -> object:
    """Return what a name means; one that nothing defines is a symbol."""
    found: object = NOT_FOUND
    if node.id in session.fields.former:
        found = resolve_former_name(session, node, scope)
    if found is NOT_FOUND:
        found = resolve_name(scope, node.id)
    return Symbol(node.id) if found is NOT_FOUND else found


def evaluate_member(base: object, node: Attr, scope: Scope) -> object:
    """Return `base.name`; of a word that nothing defines, the dotted word, such as a path into a scenario.

    Raises:
        Problem: there is no such member.
    """
    span = Span(scope.source, node.end - len(node.name), node.end)
    if isinstance(base, Component) and (present := base.present_name(node.name)) != node.name:
        base.session.former_names.note(span, present)
    if isinstance(base, Component | Module):
        try:
            return base.member(node.name)
        except EvaluationFailed as problem:
            problem.span = problem.span or span
            raise
    if isinstance(base, MapValue):
        if node.name in base.entries:
            return base.entries[node.name]
        raise EvaluationFailed(
            "A202", f"there is no `{node.name}` here", span, help=did_you_mean(node.name, base.entries)
        )
    if isinstance(base, Symbol):
        return Symbol(f"{base.name}.{node.name}")
    raise EvaluationFailed(
        "A202", f"`{node.name}` is asked of {describe_value(base)}, which has no members", span
    )


def evaluate_subscript(base: object, subs: list[object], node: Subscript, scope: Scope) -> object:
    """Return `base[subs]`: an item of a list, an entry of a map, or the block itself, as instances are alike.

    Raises:
        Problem: the subscripts do not fit.
    """
    if isinstance(base, Component):
        check_subscripts(base, subs, node.span(scope.source))
        return base
    if len(subs) != 1:
        raise EvaluationFailed("A206", f"one subscript is needed, not {len(subs)}")
    key = subs[0]
    if isinstance(base, MapValue):
        name = key.name if isinstance(key, Symbol) else key
        if isinstance(name, str) and name in base.entries:
            return base.entries[name]
        raise EvaluationFailed("A202", f"there is no entry `{node.span(scope.source).text}`")
    if isinstance(base, ListValue):
        if (
            not isinstance(key, Quantity)
            or key.dimension != DIMENSIONLESS
            or not isinstance(key.magnitude, int | float)
        ):
            raise EvaluationFailed("A206", "a subscript is a whole number from 0 up")
        if key.magnitude != int(key.magnitude) or not 0 <= key.magnitude < len(base.items):
            raise EvaluationFailed("A107", f"{show_quantity(key)} is no place of a list of {len(base.items)}")
        return base.items[int(key.magnitude)]
    raise EvaluationFailed("A208", f"{describe_value(base)} has no subscripts")


def check_subscripts(component: Component, subs: list[object], span: Span) -> None:
    """See that subscripts (None for `*`) fit the dims of a block.

    Raises:
        Problem: they do not.
    """
    shape = component.shape
    if len(subs) != len(shape):
        message = f"`{component.name}` has {len(shape)} dims, and there are {len(subs)} subscripts"
        raise EvaluationFailed("A206", message, span)
    for sub, size in zip(subs, shape, strict=True):
        if sub is None:
            continue
        if not isinstance(sub, Quantity) or sub.dimension != DIMENSIONLESS:
            raise EvaluationFailed("A206", "a subscript is a whole number from 0 up, or `*`", span)
        at, most = sub.magnitude, size.magnitude
        if not (isinstance(at, int | float) and isinstance(most, int | float)):
            continue
        if not 0 <= at < most or at != int(at):
            raise EvaluationFailed(
                "A107",
                f"`{component.name}` has no instance {show_quantity(sub)}: there are {show_quantity(size)}",
                span,
            )


def evaluate_call(session: Interpreter, node: Call, scope: Scope) -> object:
    """Return the result of a call: of a `let`, of a function given from outside, of a built-in, or a constructor.

    Raises:
        Problem: it is no function, or takes other arguments.
    """
    name = node.base.id if isinstance(node.base, Name) else ""
    target = resolve_name(scope, name) if name else session.evaluate(node.base, scope)
    if isinstance(target, FunctionValue):
        return _apply(session, target, node, scope)
    plain, by_name = session.evaluator.arguments(node.args, scope)
    if callable(target) and not isinstance(target, Component):
        return target(*plain, **by_name)
    if name in BUILT_IN_FUNCTIONS:
        session.spend_steps(sum(len(value.items) for value in plain if isinstance(value, ListValue)))
        return BUILT_IN_FUNCTIONS[name](plain, by_name, session.operations)
    if target is NOT_FOUND or (isinstance(target, Symbol) and name):
        return Constructor(name, plain, by_name)
    text = node.base.span(scope.source).text
    raise EvaluationFailed(
        "A205", f"`{text}` is {describe_value(target)}, not a function", node.base.span(scope.source)
    )


def _apply(session: Interpreter, function: FunctionValue, node: Call, scope: Scope) -> object:
    """Evaluate the body of a `let` with parameters; it sees where it was written, not where it is called."""
    binding = function.binding
    if any(active is binding for active in session.calls):
        raise EvaluationFailed("A203", f"`{function.name}` calls itself", node.span(scope.source))
    plain, by_name = session.evaluator.arguments(node.args, scope)
    names: dict[str, object] = dict(zip(binding.params, plain, strict=False))
    for key, value in by_name.items():
        if key in names or key not in binding.params:
            raise EvaluationFailed("A206", f"`{function.name}` has no argument `{key}` left to give")
        names[key] = value
    if len(plain) > len(binding.params) or len(names) < len(binding.params):
        takes = ", ".join(f"`{param}`" for param in binding.params) or "nothing"
        raise EvaluationFailed(
            "A206", f"`{function.name}` takes {takes}, and {len(node.args)} arguments are given"
        )
    session.calls.append(binding)
    try:
        return session.evaluate(binding.node, Scope(binding.scope.source, binding.scope, names=names))
    finally:
        session.calls.pop()
