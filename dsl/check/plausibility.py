"""Whether values that fit their fields are plausible together: derived quantities against their usual range."""

from __future__ import annotations

import math

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.layers import BlockDeclaration
from accelscope.dsl.schema.schema import DerivedQuantity
from accelscope.dsl.values.values import Symbol

_COMMON_MISTAKES = "check for a wrong unit (GB or Gb, GB or GiB, one direction or both), a wrong count, or a total given per instance"


def check_plausibility(
    component: Component, derived: DerivedQuantity, source: SourceText
) -> Diagnostic | None:
    """Return a warning about a derived quantity outside its usual range, or None.

    Args:
        component: the block.
        derived: the quantity.
        source: the file that is checked, which the warning should point into.
    """
    if _equals_its_base(component):
        return None
    limits = derived.usual.get(_symbol(component, derived.by), derived.usual.get(""))
    value = None if limits is None else derived.of(component)
    if limits is None or value is None or limits[0] <= value <= limits[1]:
        return None
    shown, low, high = (f"{number / derived.scale:.4g} {derived.unit}".strip() for number in (value, *limits))
    usual = f"{low} to {high}" if math.isfinite(limits[1]) else f"at least {low}"
    return Diagnostic(
        code="A404",
        message=f"{derived.name} of `{component.name}` is {shown}; the usual range is {usual}",
        span=_span(component, derived.at, source),
        notes=(
            *(derived.notes(component) if derived.notes else ()),
            f"source of the range: {derived.source}",
        ),
        help=derived.help or _COMMON_MISTAKES,
    )


def _equals_its_base(component: Component) -> bool:
    """Return whether a block changes nothing of its bases, which are checked themselves: `package gpu[8] : A1`."""
    parts = component.parts
    return all(
        isinstance(part, BlockDeclaration) and part.block.bases and part.block.body is None for part in parts
    )


def _symbol(component: Component, field: str) -> str:
    attribute = component.attributes().get(field)
    return attribute.value.name if attribute is not None and isinstance(attribute.value, Symbol) else ""


def _span(component: Component, field: str, source: SourceText) -> Span | None:
    """Return the best place in a file: the field, else the block, else any value of the block that the file gives."""
    attributes = component.attributes()
    first = [attributes[field]] if field in attributes else []
    spans = [item.origin.span for item in first]
    spans += [component.span, *(item.origin.span for item in attributes.values())]
    return next((span for span in spans if span is not None and span.source is source), component.span)
