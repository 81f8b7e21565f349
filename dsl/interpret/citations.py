"""Citations: `@source("p. 3")` of a declared source, or `@"free text"`; and those of a block for its values."""

from __future__ import annotations

import datetime

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.context import EvaluationContext
from accelscope.dsl.interpret.layers import ComponentLayer, Scope, ScopeOwner
from accelscope.dsl.syntax.nodes import Cite, Keyword, Text
from accelscope.dsl.values.values import Citation, Quantity, Symbol


def layer_citations(interpreter: EvaluationContext, layer: ComponentLayer | None) -> tuple[Citation, ...]:
    """Return the citations of a block, or else of the nearest block around it that has any."""
    while layer is not None:
        if layer.cites and layer.outer is not None:
            if layer.resolved_cites is None:
                layer.resolved_cites = resolve_citations(interpreter, layer.cites, layer.outer)
            return layer.resolved_cites
        layer = layer.enclosing
    return ()


def resolve_citations(
    interpreter: EvaluationContext, cites: tuple[Cite, ...], scope: Scope
) -> tuple[Citation, ...]:
    """Return citations as values; one of an unknown source is reported and left out.

    Args:
        interpreter: what reports an unknown source.
        cites: the citations as syntax.
        scope: where the sources are looked up.
    """
    resolved = []
    for cite in cites:
        try:
            resolved.append(resolve_citation(cite, scope))
        except EvaluationFailed as problem:
            interpreter.report(problem)
    return tuple(resolved)


def resolve_citation(cite: Cite, scope: Scope) -> Citation:
    """Return one citation as a value.

    Raises:
        EvaluationFailed: no source of this name is declared.
    """
    span = cite.span(scope.source)
    detail = _detail(cite)
    if cite.name is None:
        text = cite.text or ""
        kind = "estimate" if "estimate" in text.lower() else "note"
        return Citation(text=text + detail, kind=kind, span=span)
    names: list[str] = []
    for step in scope.chain():
        if step.component is not None:
            source = step.component.source(cite.name)
            if source is not None:
                kind = _attribute_text(source, "kind") or "note"
                return Citation(text=_title(source) + detail, kind=kind, span=span)
            names.extend(step.component.index().sources)
    raise EvaluationFailed(
        "A210",
        f"no source `{cite.name}` is declared",
        Span(span.source, span.start, span.start + len(cite.name) + 1),
        help=did_you_mean(cite.name, names)
        or f'declare it with `source {cite.name} {{ kind = ..., title = "..." }}`, or cite free text with `@"..."`',
    )


def _detail(cite: Cite) -> str:
    texts = [arg.value for arg in cite.args if isinstance(arg, Text)]
    texts += [
        f"{arg.name} {arg.value.value}"
        for arg in cite.args
        if isinstance(arg, Keyword) and isinstance(arg.value, Text)
    ]
    return "".join(f", {text}" for text in texts)


def _title(source: ScopeOwner) -> str:
    title = _attribute_text(source, "title") or source.name
    when = _attribute_text(source, "date") or _attribute_text(source, "year")
    return f"{title}, {when}" if when else title


def _attribute_text(source: ScopeOwner, name: str) -> str:
    try:
        value = source.value(name)
    except (EvaluationFailed, PoisonedValue):
        return ""
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, Quantity) and isinstance(value.magnitude, int | float):
        return f"{value.magnitude:.0f}"
    return str(value) if isinstance(value, str | datetime.date) else ""
