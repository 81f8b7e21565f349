"""Names, members, subscripts and calls: how an expression reaches what is defined elsewhere."""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND, EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.former_names import resolve_former_name
from accelscope.dsl.interpret.functions import BUILT_IN_FUNCTIONS
from accelscope.dsl.interpret.layers import Scope
from accelscope.dsl.interpret.modules import Module
from accelscope.dsl.interpret.scope import resolve_name
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

_SUBSCRIPT_RULE = "a subscript must be a whole number of at least 0"


def evaluate_name(context: EvaluationContext, node: Name, scope: Scope) -> object:
    """Return the value of a name; a name that is not defined is a symbol.

    Args:
        context: what knows former names.
        node: the name.
        scope: where it is looked up.
    """
    value: object = NOT_FOUND
    if node.id in context.fields.former:
        value = resolve_former_name(context, node, scope)
    if value is NOT_FOUND:
        value = resolve_name(scope, node.id)
    return Symbol(node.id) if value is NOT_FOUND else value


def evaluate_member(base: object, node: Attr, scope: Scope) -> object:
    """Return `base.name`; for a symbol the dotted symbol, such as a path into a scenario.

    Args:
        base: the value in front of the dot.
        node: the expression.
        scope: the scope that it is evaluated in.

    Raises:
        EvaluationFailed: there is no such member.
    """
    span = Span(scope.source, node.end - len(node.name), node.end)
    if isinstance(base, Component) and (present := base.present_name(node.name)) != node.name:
        base.interpreter.former_names.note(span, present)
    if isinstance(base, Component | Module):
        try:
            return base.member(node.name)
        except EvaluationFailed as problem:
            problem.span = problem.span or span
            raise
    if isinstance(base, MapValue):
        if node.name in base.entries:
            return base.entries[node.name]
        help = did_you_mean(node.name, base.entries)
        raise EvaluationFailed("A202", f"this map has no entry `{node.name}`", span, help=help)
    if isinstance(base, Symbol):
        return Symbol(f"{base.name}.{node.name}")
    raise EvaluationFailed("A202", f"{describe_value(base)} has no member `{node.name}`", span)


def evaluate_subscript(base: object, subs: list[object], node: Subscript, scope: Scope) -> object:
    """Return `base[subs]`: an item of a list, an entry of a map, or the block itself, as its instances are alike.

    Args:
        base: the value in front of the bracket.
        subs: the values of the subscripts, None for `*`.
        node: the expression.
        scope: the scope that it is evaluated in.

    Raises:
        EvaluationFailed: the subscripts do not fit.
    """
    if isinstance(base, Component):
        check_subscripts(base, subs, node.span(scope.source))
        return base
    if len(subs) != 1:
        raise EvaluationFailed("A206", f"expected 1 subscript, got {len(subs)}")
    key = subs[0]
    if isinstance(base, MapValue):
        name = key.name if isinstance(key, Symbol) else key
        if isinstance(name, str) and name in base.entries:
            return base.entries[name]
        raise EvaluationFailed("A202", f"the map has no entry `{node.span(scope.source).text}`")
    if isinstance(base, ListValue):
        return _item(base, key)
    raise EvaluationFailed("A208", f"{describe_value(base)} cannot be subscripted")


def _item(values: ListValue, key: object) -> object:
    if (
        not isinstance(key, Quantity)
        or key.dimension != DIMENSIONLESS
        or not isinstance(key.magnitude, int | float)
    ):
        raise EvaluationFailed("A206", _SUBSCRIPT_RULE)
    if key.magnitude != int(key.magnitude) or not 0 <= key.magnitude < len(values.items):
        message = f"index {show_quantity(key)} is out of range for a list of {len(values.items)}"
        raise EvaluationFailed("A107", message)
    return values.items[int(key.magnitude)]


def check_subscripts(component: Component, subs: list[object], span: Span) -> None:
    """Check that subscripts fit the dimensions of a block.

    Args:
        component: the block.
        subs: the values of the subscripts, None for `*`.
        span: the place of the subscripts.

    Raises:
        EvaluationFailed: they do not fit.
    """
    shape = component.shape
    if len(subs) != len(shape):
        message = f"`{component.name}` has {_plural(len(shape), 'dimension')}, but {_plural(len(subs), 'subscript')} {'is' if len(subs) == 1 else 'are'} given"
        raise EvaluationFailed("A206", message, span)
    for sub, size in zip(subs, shape, strict=True):
        if sub is None:
            continue
        if not isinstance(sub, Quantity) or sub.dimension != DIMENSIONLESS:
            raise EvaluationFailed("A206", f"{_SUBSCRIPT_RULE}, or `*`", span)
        index, limit = sub.magnitude, size.magnitude
        if not (isinstance(index, int | float) and isinstance(limit, int | float)):
            continue
        if not 0 <= index < limit or index != int(index):
            raise EvaluationFailed(
                "A107",
                f"index {show_quantity(sub)} is out of range for `{component.name}`, which has {_plural(limit, 'instance')}",
                span,
            )


def _plural(n: float, noun: str) -> str:
    return f"{n:,.0f} {noun}" if n == 1 else f"{n:,.0f} {noun}s"


def evaluate_call(context: EvaluationContext, node: Call, scope: Scope) -> object:
    """Return the result of a call: of a `let`, of a function among the names in scope, of a built-in, or a constructor.

    Args:
        context: what evaluates the arguments.
        node: the call.
        scope: the scope that it is evaluated in.

    Raises:
        EvaluationFailed: the target is not a function, or the arguments do not fit.
    """
    name = node.base.id if isinstance(node.base, Name) else ""
    target = resolve_name(scope, name) if name else context.evaluate(node.base, scope)
    if isinstance(target, FunctionValue):
        return _call_let(context, target, node, scope)
    positional, keywords = context.evaluate_arguments(node.args, scope)
    if callable(target) and not isinstance(target, Component):
        return target(*positional, **keywords)
    if name in BUILT_IN_FUNCTIONS:
        context.spend_steps(sum(len(value.items) for value in positional if isinstance(value, ListValue)))
        return BUILT_IN_FUNCTIONS[name](positional, keywords, context.operations)
    if target is NOT_FOUND or (isinstance(target, Symbol) and name):
        return Constructor(name, positional, keywords)
    span = node.base.span(scope.source)
    raise EvaluationFailed("A205", f"`{span.text}` is {describe_value(target)}, not a function", span)


def _call_let(context: EvaluationContext, function: FunctionValue, node: Call, scope: Scope) -> object:
    """Evaluate the body of a `let` with parameters, in the scope where it is written."""
    binding = function.binding
    if any(active is binding for active in context.calls):
        raise EvaluationFailed("A203", f"`{function.name}` calls itself", node.span(scope.source))
    positional, keywords = context.evaluate_arguments(node.args, scope)
    names: dict[str, object] = dict(zip(binding.params, positional, strict=False))
    for key, value in keywords.items():
        if key in names or key not in binding.params:
            raise EvaluationFailed(
                "A206", f"`{function.name}` got an unexpected or repeated argument `{key}`"
            )
        names[key] = value
    if len(positional) > len(binding.params) or len(names) < len(binding.params):
        params = ", ".join(f"`{param}`" for param in binding.params) or "no arguments"
        got = _plural(len(node.args), "argument")
        raise EvaluationFailed("A206", f"`{function.name}` takes {params}, but got {got}")
    context.calls.append(binding)
    try:
        return context.evaluate(binding.node, Scope(binding.scope.source, binding.scope, names=names))
    finally:
        context.calls.pop()
