"""What is wrong with the kind of a block: no plugin has it, or it stands in the wrong place."""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.fields import TOP_LEVEL_KIND, kind_and_parent
from accelscope.dsl.interpret.layers import BlockDeclaration
from accelscope.dsl.schema.schema import KindSchema


def unknown_kind(component: Component, given: BlockDeclaration) -> EvaluationFailed:
    """Return the problem of a block whose kind no plugin has."""
    span = _word(component, given)
    fields = component.session.fields
    parent = component.parent
    if parent is not None and component.kind in fields.of(parent):
        message = f"`{component.kind}` is a field of a `{parent.kind}`, not a block"
        return EvaluationFailed("A102", message, span, help=f"write `{component.kind} = ...`")
    message = f"no plugin knows a block of kind `{component.kind}`"
    if "." in component.kind:
        return EvaluationFailed("A102", message, span, help=_opened(component))
    kinds = [kind for kind in fields.schemas if fields.schemas[kind].within]
    help = did_you_mean(component.kind, (kind.rpartition(".")[2] for kind in kinds))
    return EvaluationFailed("A102", message, span, help=help)


def _opened(component: Component) -> str:
    """Return how to open the block that a path was written for, with the kinds of the blocks on the way."""
    at: Component | None = component.parent
    opened = []
    for name in component.kind.split("."):
        at = next((child for child in at.children() if child.name == name), None) if at is not None else None
        if at is None:
            return "a path only sets values; open blocks from the outside inwards, such as `die d { core c { ... } }`"
        opened.append(at.kind if at.kind == name else f"{at.kind} {name}")
    inwards = " { ".join((*opened, "..." + " }" * len(opened)))
    return f"a path only sets values; open the blocks from the outside inwards: `{inwards}`"


def check_placement(
    component: Component, given: BlockDeclaration, schema: KindSchema
) -> EvaluationFailed | None:
    """Return the problem of a block that stands where its kind does not belong, or None."""
    place = kind_and_parent(component)[1]
    free = place == TOP_LEVEL_KIND and given.block.label is not None
    if free or "*" in schema.within or place in schema.within:
        return None
    places = " or ".join(_stands(kind) for kind in schema.within)
    message = f"a `{component.kind}` cannot stand {_stands(place)}"
    return EvaluationFailed("A108", message, _word(component, given), notes=(f"it stands {places}",))


def _word(component: Component, given: BlockDeclaration) -> Span:
    return Span(given.scope.source, given.block.start, given.block.start + len(given.block.kind))


def _stands(kind: str) -> str:
    return "at the top of a file" if kind == TOP_LEVEL_KIND else f"in a `{kind}`"
