"""Errors in the kind of a block: no plugin declares it, or the block is in the wrong place."""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.layers import BlockDeclaration
from accelscope.dsl.schema.schema import KindSchema
from accelscope.dsl.schema.schema_index import TOP_LEVEL_KIND, kind_and_parent


def unknown_kind(component: Component, declaration: BlockDeclaration) -> EvaluationFailed:
    """Return the error for a block whose kind no plugin declares."""
    span = _kind_span(component, declaration)
    fields = component.interpreter.fields
    parent = component.parent
    if parent is not None and component.kind in fields.of(parent):
        message = f"`{component.kind}` is a field of a `{parent.kind}`, not a block"
        return EvaluationFailed("A102", message, span, help=f"write `{component.kind} = ...`")
    message = f"no plugin declares the kind of block `{component.kind}`"
    if "." in component.kind:
        return EvaluationFailed("A102", message, span, help=_nesting_help(component))
    kinds = [kind for kind in fields.schemas if fields.schemas[kind].within]
    help = did_you_mean(component.kind, (kind.rpartition(".")[2] for kind in kinds))
    return EvaluationFailed("A102", message, span, help=help)


def _nesting_help(component: Component) -> str:
    """Return how to write the block inside the blocks that its dotted kind names."""
    block: Component | None = component.parent
    heads = []
    for name in component.kind.split("."):
        children = block.children() if block is not None else ()
        block = next((child for child in children if child.name == name), None)
        if block is None:
            return "a path can only set values; nest the blocks, as in `die d { core c { ... } }`"
        heads.append(block.kind if block.kind == name else f"{block.kind} {name}")
    nested = " { ".join((*heads, "..." + " }" * len(heads)))
    return f"a path can only set values; nest the blocks: `{nested}`"


def check_placement(
    component: Component, declaration: BlockDeclaration, schema: KindSchema
) -> EvaluationFailed | None:
    """Return the error for a block in the wrong place, or None.

    Args:
        component: the block.
        declaration: its text.
        schema: the schemas of its kind.
    """
    place = kind_and_parent(component)[1]
    labelled_definition = place == TOP_LEVEL_KIND and declaration.block.label is not None
    if labelled_definition or "*" in schema.within or place in schema.within:
        return None
    places = " or ".join(_where(kind) for kind in schema.within)
    message = f"a `{component.kind}` is not allowed {_where(place)}"
    return EvaluationFailed(
        "A108", message, _kind_span(component, declaration), notes=(f"it is allowed {places}",)
    )


def _kind_span(component: Component, declaration: BlockDeclaration) -> Span:
    return Span(
        declaration.scope.source,
        declaration.block.start,
        declaration.block.start + len(declaration.block.kind),
    )


def _where(kind: str) -> str:
    return "at the top of a file" if kind == TOP_LEVEL_KIND else f"in a `{kind}`"
