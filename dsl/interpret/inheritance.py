"""The layers of a component: its own texts and those of its bases, weakest first."""

from __future__ import annotations

from collections.abc import Iterable

from accelscope.dsl.diagnostics.problems import NOT_FOUND, EvaluationFailed, PoisonedValue
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component_base import ComponentBase, InheritedComponent
from accelscope.dsl.interpret.guard import cycle_note
from accelscope.dsl.interpret.layers import BlockDeclaration, ComponentLayer
from accelscope.dsl.interpret.scope import list_visible_names, resolve_name
from accelscope.dsl.syntax.nodes import Expr, Name
from accelscope.dsl.values.values import Symbol

_MAX_BASES = 60
"""Bases of bases: deeper than this is a mistake."""


def build_layers(component: ComponentBase) -> list[ComponentLayer]:
    """Return the layers of a component, weakest first; a base that cannot be used is reported and left out.

    Raises:
        EvaluationFailed: the component inherits from itself.
    """
    layering = component.interpreter.layering
    if component in layering:
        chain = [*layering[layering.index(component) :], component]
        note = cycle_note(item.name for item in chain)
        raise EvaluationFailed("A203", f"`{component.name}` inherits from itself", notes=(note,))
    if len(layering) > _MAX_BASES:
        raise EvaluationFailed("A209", "bases are nested too deeply")
    layering.append(component)
    try:
        return _layers(component)
    finally:
        layering.pop()


def _layers(component: ComponentBase) -> list[ComponentLayer]:
    """Return the layers of the parts; a new base drops what weaker parts say."""
    layers: list[ComponentLayer] = []
    for part in component.parts:
        if isinstance(part, ComponentLayer):
            layers.append(part)
        elif isinstance(part, InheritedComponent):
            component.broken |= part.component.broken
            layers.extend(_inherit_layers([part.component]))
        else:
            if part.block.bases:
                bases = _bases(component, part)
                component.broken |= len(bases) < len(part.block.bases) or any(base.broken for base in bases)
                layers = _inherit_layers(bases)
            layers.append(_block_layer(component, part))
    return layers


def _inherit_layers(bases: Iterable[ComponentBase]) -> list[ComponentLayer]:
    """Return the layers of the bases, left to right; a layer that bases share comes once, at its weakest place."""
    return list(dict.fromkeys(layer.as_inherited() for base in bases for layer in base.layer_list()))


def _block_layer(component: ComponentBase, declaration: BlockDeclaration) -> ComponentLayer:
    block = declaration.block
    return ComponentLayer(
        declaration.scope.source,
        declaration.scope,
        statements=block.body.statements if block.body else (),
        cites=block.cites,
        enclosing=declaration.layer,
        own=declaration.layer.own,
        block=block,
        title=component.name,
    )


def _bases(component: ComponentBase, declaration: BlockDeclaration) -> list[ComponentBase]:
    """Return the bases of a block; one that cannot be used is reported and left out."""
    interpreter = component.interpreter
    bases = []
    for node in declaration.block.bases:
        try:
            interpreter.spend_steps(1)
            base = _base(component, node, declaration)
            base.layer_list()
            bases.append(base)
        except EvaluationFailed as problem:
            interpreter.report(problem, node.span(declaration.scope.source))
        except PoisonedValue:
            pass
    return bases


def _base(component: ComponentBase, node: Expr, declaration: BlockDeclaration) -> ComponentBase:
    scope = declaration.scope
    if isinstance(node, Name):
        value = resolve_name(scope, node.id, skip=component)
    else:
        value = component.interpreter.evaluate(node, scope)
    text = node.span(scope.source).text
    if value is NOT_FOUND and text == component.name and component.parent is None:
        raise EvaluationFailed("A203", f"`{text}` inherits from itself")
    if value is NOT_FOUND or isinstance(value, Symbol):
        hint = did_you_mean(text, list_visible_names(scope))
        raise EvaluationFailed("A201", f"`{text}` is not defined", help=hint)
    if not isinstance(value, ComponentBase):
        raise EvaluationFailed("A207", f"`{text}` is not a block, so it cannot be a base")
    if value.kind != component.kind:
        message = f"a `{component.kind}` cannot inherit from `{text}`, which is a `{value.kind}`"
        raise EvaluationFailed("A207", message)
    return value
