"""Former names of fields, blocks and symbols: texts that use them keep their meaning, and `check` offers the present name."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, Span
from accelscope.dsl.diagnostics.problems import NOT_FOUND
from accelscope.dsl.interpret.layers import Binding
from accelscope.dsl.interpret.scope import Scope
from accelscope.dsl.syntax.nodes import Expr, Name, SyntaxNode
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.values import Symbol

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component
    from accelscope.dsl.interpret.interpreter import Interpreter


class FormerNames:
    """The places where texts use former names, each once."""

    __slots__ = ("_found",)

    def __init__(self) -> None:
        self._found: dict[tuple[int, int, int], Diagnostic] = {}

    def __iter__(self) -> Iterator[Diagnostic]:
        return iter(tuple(self._found.values()))

    def note(self, span: Span, present: str) -> None:
        """Keep the place of a former name with the present one."""
        place = (id(span.source), span.start, span.end)
        if place not in self._found:
            self._found[place] = Diagnostic(
                code="A408",
                message=f"`{span.text}` is now called `{present}`",
                span=span,
                help=f"write `{present}`; `accelscope check --fix` does so",
                replacement=present,
            )


def resolve_former_name(session: Interpreter, node: Name, scope: Scope) -> object:
    """Return what a name means that is the former name of a field, or NOT_FOUND if it means no field here.

    What a text itself calls so comes first; then a field that a text writes with its former name; then any field
    of a block around.
    """
    components = []
    for at in scope.chain():
        if at.component is None:
            if at.names is not None and node.id in at.names:
                return NOT_FOUND
            continue
        if at.component.has(node.id):
            return NOT_FOUND
        present = at.component.index().aliases.get(node.id)
        if present is not None:
            return _value(session, at.component, node, present, scope)
        components.append(at.component)
    for component in components:
        present = session.fields.present_name(component, node.id)
        if present != node.id and component.has(present):
            return _value(session, component, node, present, scope)
    return NOT_FOUND


def _value(session: Interpreter, component: Component, node: Name, present: str, scope: Scope) -> object:
    session.former_names.note(node.span(scope.source), present)
    return component.value(present)


def present_symbol(owner: Component, field: str, symbol: Symbol, binding: Binding) -> Symbol:
    """Return the present symbol of a choice, with its former ones."""
    session = owner.session
    aliases = session.fields.symbol_aliases(owner, field)
    if not aliases:
        return symbol
    present = aliases.get(symbol.name, symbol.name)
    if present != symbol.name and binding.node is not None:
        note_former_symbols(session, binding.node, {symbol.name: present}, binding.scope)
    return Symbol(present, tuple(old for old, new in aliases.items() if new == present))


def note_former_symbols(
    session: Interpreter, node: SyntaxNode, aliases: dict[str, str], scope: Scope
) -> None:
    """Note each former symbol that an expression names."""
    for item in walk_nodes(node):
        if isinstance(item, Name) and item.id in aliases:
            session.former_names.note(item.span(scope.source), aliases[item.id])


def note_compared_symbol(
    session: Interpreter, node: Expr, written: object, other: object, scope: Scope
) -> None:
    """Note a former symbol that a value is compared with."""
    if not isinstance(written, Symbol) or not isinstance(other, Symbol):
        return
    if isinstance(node, Name) and node.id == written.name and written.name in other.aliases:
        session.former_names.note(node.span(scope.source), other.name)
