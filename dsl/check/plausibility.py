"""Whether values that each fit their field make sense together: derived quantities against what parts have."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Diagnostic, SourceText, Span
from accelscope.dsl.interpret.layers import BlockDeclaration
from accelscope.dsl.schema.schema import DerivedQuantity
from accelscope.dsl.values.values import Symbol

if TYPE_CHECKING:
    from accelscope.dsl.interpret.component import Component

_SLIPS = "look for a wrong unit (GB and Gb, GB and GiB, one direction and both), a wrong count, or a total given for one"


def check_plausibility(
    component: Component, derived: DerivedQuantity, source: SourceText
) -> Diagnostic | None:
    """Return a warning about a derived quantity beyond what parts of its kind have, or None.

    Args:
        component: the block.
        derived: the quantity.
        source: the file that is checked, which the warning should point into.
    """
    if _as_its_base(component):
        return None
    limits = derived.usual.get(_word(component, derived.by), derived.usual.get(""))
    value = None if limits is None else derived.of(component)
    if limits is None or value is None or limits[0] <= value <= limits[1]:
        return None
    found, low, high = (f"{number / derived.scale:.4g} {derived.unit}".strip() for number in (value, *limits))
    usual = f"{low} to {high}" if math.isfinite(limits[1]) else f"at least {low}"
    return Diagnostic(
        code="A404",
        message=f"{derived.name} of `{component.name}` comes to {found}, where {usual} is usual",
        span=_span(component, derived.at, source),
        notes=(*(derived.notes(component) if derived.notes else ()), f"the range: {derived.source}"),
        help=derived.help or _SLIPS,
    )


def _as_its_base(component: Component) -> bool:
    """Say whether a block changes nothing of what it is built on, which is judged itself: `package gpu[8] : A1`."""
    parts = component.parts
    return all(
        isinstance(part, BlockDeclaration) and part.block.bases and part.block.body is None for part in parts
    )


def _word(component: Component, field: str) -> str:
    attribute = component.attributes().get(field)
    return attribute.value.name if attribute is not None and isinstance(attribute.value, Symbol) else ""


def _span(component: Component, field: str, source: SourceText) -> Span | None:
    """Return the best place in a file: the field, or else the block, or else any value that the file gives the block."""
    attributes = component.attributes()
    first = [attributes[field]] if field in attributes else []
    spans = [item.origin.span for item in first]
    spans += [component.span, *(item.origin.span for item in attributes.values())]
    return next((span for span in spans if span is not None and span.source is source), component.span)
