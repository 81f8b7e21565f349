"""What a field of a scenario or deployment refers to, and what to say where it refers to nothing that fits."""

from __future__ import annotations

from accelscope.core.bind.binder import Binder, missing_field
from accelscope.core.spec.spec import fields_of
from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.interpreter import interpreter_of
from accelscope.dsl.interpret.scope import list_visible_names
from accelscope.dsl.values.values import Attribute, Symbol, describe_value


def resolve_reference(component: Component, name: str, spec: type, binder: Binder) -> Component | None:
    """Return the component that a field refers to, or an inner block of that kind.

    Args:
        component: block whose field it is.
        name: name of the field.
        spec: the spec class that declares the field.
        binder: takes the problem if no component fits.

    Returns:
        None with a problem in the binder where there is none that fits.
    """
    kinds = fields_of(spec)[name].ref_kinds
    attribute = component.attributes().get(name)
    if attribute is None:
        inner = component.children(name)
        if not inner:
            binder.problems.append(missing_field(component, name))
        return inner[0] if inner else None
    if isinstance(attribute.value, Component) and attribute.value.kind in kinds:
        return attribute.value
    is_word = isinstance(attribute.value, Symbol)
    binder.problems.append(_unknown(component, attribute) if is_word else _unfit(attribute, kinds))
    return None


def _unfit(attribute: Attribute, kinds: tuple[str, ...]) -> Diagnostic:
    wanted = " or ".join(f"`{kind}`" for kind in kinds)
    return Diagnostic(
        code="A105",
        message=f"`{attribute.name}` takes a block of kind {wanted}, not {describe_value(attribute.value)}",
        span=attribute.origin.span,
    )


def _unknown(component: Component, attribute: Attribute) -> Diagnostic:
    """Return what to say of a word that no block is called by, with the module of the library that has it."""
    word = attribute.value.name
    reader = interpreter_of(component).modules.reader
    sources = ((module, reader.library(module)) for module in sorted(reader.modules()))
    home = next((module for module, source in sources if source and f" {word} " in source.text), None)
    known = [
        name for layer in component.layer_list() if layer.outer for name in list_visible_names(layer.outer)
    ]
    return Diagnostic(
        code="A201",
        message=f"`{word}` is not defined in this file",
        span=attribute.origin.span,
        help=f"add `use {home} {{ {word} }}` to the file" if home else did_you_mean(word, known),
    )
