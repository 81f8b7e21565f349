"""The value of one binding of a member: evaluated, replaced by a probe, and given the citations of its block."""

from __future__ import annotations

from attrs import evolve

from accelscope.dsl.interpret.citations import layer_citations
from accelscope.dsl.interpret.component_base import ComponentBase
from accelscope.dsl.interpret.former_names import present_symbol
from accelscope.dsl.interpret.layers import Binding
from accelscope.dsl.syntax.nodes import Annotated, Name
from accelscope.dsl.values.values import Quantity, Symbol


def evaluate_binding(owner: ComponentBase, name: str, binding: Binding) -> object:
    """Return the value of a binding, with the citations of its block if it has none itself.

    Args:
        owner: the component that has the member.
        name: the name of the member.
        binding: what gives the value.
    """
    interpreter = owner.interpreter
    if binding.node is None:
        value = binding.ready
    else:
        value = _field_symbol(owner, name, binding) or interpreter.evaluate(binding.node, binding.scope)
    if isinstance(value, Symbol):
        value = present_symbol(owner, name, value, binding)
    if interpreter.probe.attribute is not None and name != "count":
        value = interpreter.probe.attribute(owner, name, value, binding.span)
    if isinstance(value, Quantity) and not value.cites:
        cites = layer_citations(interpreter, binding.layer)
        if cites:
            return evolve(value, cites=cites)
    return value


def _field_symbol(owner: ComponentBase, name: str, binding: Binding) -> Symbol | None:
    """Return the symbol for a field that takes words, even if something else has that name; a `let` comes first."""
    node = binding.node
    if isinstance(node, Annotated):
        node = node.expr
    if not isinstance(node, Name) or not owner.interpreter.fields.takes_word(owner, name, node.id):
        return None
    for step in binding.scope.chain():
        if step.component is not None:
            member = step.component.index().members.get(node.id)
            if member is not None and member.sort == "let":
                return None
    return Symbol(node.id)
