"""Former names of fields, blocks and symbols: they keep their meaning, and `check` offers the present name."""

from __future__ import annotations

from accelscope.dsl.diagnostics.problems import NOT_FOUND
from accelscope.dsl.interpret.component_base import ComponentBase
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.layers import Binding, Scope, ScopeOwner
from accelscope.dsl.syntax.nodes import Expr, Name, SyntaxNode
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.values import Symbol


def resolve_former_name(context: EvaluationContext, node: Name, scope: Scope) -> object:
    """Return the value of a field by its former name, or NOT_FOUND if there is no such field here.

    A member that has the name itself comes first; then a field that a text writes with its former name; then any field
    of the blocks around.

    Args:
        context: what keeps the warning.
        node: the name.
        scope: where it is looked up.
    """
    components = []
    for step in scope.chain():
        if step.component is None:
            if step.names is not None and node.id in step.names:
                return NOT_FOUND
            continue
        if step.component.has(node.id):
            return NOT_FOUND
        present = step.component.index().aliases.get(node.id)
        if present is not None:
            return _value(context, step.component, node, present, scope)
        components.append(step.component)
    for component in components:
        present = context.fields.present_name(component, node.id)
        if present != node.id and component.has(present):
            return _value(context, component, node, present, scope)
    return NOT_FOUND


def _value(
    context: EvaluationContext, component: ScopeOwner, node: Name, present: str, scope: Scope
) -> object:
    context.former_names.note(node.span(scope.source), present)
    return component.value(present)


def present_symbol(owner: ComponentBase, field: str, symbol: Symbol, binding: Binding) -> Symbol:
    """Return the present symbol of a choice, with its former ones.

    Args:
        owner: the component that has the field.
        field: the name of the field.
        symbol: the symbol as written.
        binding: what gives the value.
    """
    context = owner.interpreter
    aliases = context.fields.symbol_aliases(owner, field)
    if not aliases:
        return symbol
    present = aliases.get(symbol.name, symbol.name)
    if present != symbol.name and binding.node is not None:
        note_former_symbols(context, binding.node, {symbol.name: present}, binding.scope)
    return Symbol(present, tuple(old for old, new in aliases.items() if new == present))


def note_former_symbols(
    context: EvaluationContext, node: SyntaxNode, aliases: dict[str, str], scope: Scope
) -> None:
    """Keep a warning for each former symbol in an expression.

    Args:
        context: what keeps the warnings.
        node: the expression.
        aliases: the present symbol for each former one.
        scope: the scope of the expression.
    """
    for item in walk_nodes(node):
        if isinstance(item, Name) and item.id in aliases:
            context.former_names.note(item.span(scope.source), aliases[item.id])


def note_compared_symbol(
    context: EvaluationContext, node: Expr, written: object, other: object, scope: Scope
) -> None:
    """Keep a warning for a former symbol that a value is compared with.

    Args:
        context: what keeps the warning.
        node: the expression of the symbol.
        written: the value of the expression.
        other: the value that it is compared with.
        scope: the scope of the expression.
    """
    if not isinstance(written, Symbol) or not isinstance(other, Symbol):
        return
    if isinstance(node, Name) and node.id == written.name and written.name in other.aliases:
        context.former_names.note(node.span(scope.source), other.name)
