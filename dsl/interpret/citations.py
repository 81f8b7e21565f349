"""What `@` says: a declared source with a detail, or a free text."""

from __future__ import annotations

import datetime
from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.scope import Scope
from accelscope.dsl.syntax.nodes import Cite, Keyword, Text
from accelscope.dsl.values.values import Citation, Quantity, Symbol

if TYPE_CHECKING:
    from accelscope.dsl.interpret.interpreter import Interpreter


def resolve_citation(session: Interpreter, cite: Cite, scope: Scope) -> Citation:
    """Return the citation that a `@` stands for.

    Raises:
        Problem: no source of this name is declared.
    """
    span = cite.span(scope.source)
    detail = _detail(cite)
    if cite.name is None:
        text = cite.text or ""
        kind = "estimate" if "estimate" in text.lower() else "note"
        return Citation(text=text + detail, kind=kind, span=span)
    names: list[str] = []
    for at in scope.chain():
        if at.component is not None:
            source = at.component.source(cite.name)
            if source is not None:
                return Citation(text=_title(source) + detail, kind=_word(source, "kind") or "note", span=span)
            names.extend(at.component.index().sources)
    raise EvaluationFailed(
        "A210",
        f"no source `{cite.name}` is declared",
        Span(span.source, span.start, span.start + len(cite.name) + 1),
        help=did_you_mean(cite.name, names)
        or f'declare it with `source {cite.name} {{ kind = ..., title = "..." }}`, or cite a text with `@"..."`',
    )


def _detail(cite: Cite) -> str:
    texts = [arg.value for arg in cite.args if isinstance(arg, Text)]
    texts += [
        f"{arg.name} {arg.value.value}"
        for arg in cite.args
        if isinstance(arg, Keyword) and isinstance(arg.value, Text)
    ]
    return "".join(f", {text}" for text in texts)


def _title(source: Component) -> str:
    title = _word(source, "title") or source.name
    when = _word(source, "date") or _word(source, "year")
    return f"{title}, {when}" if when else title


def _word(source: Component, name: str) -> str:
    try:
        value = source.value(name)
    except (EvaluationFailed, PoisonedValue):
        return ""
    if isinstance(value, Symbol):
        return value.name
    if isinstance(value, Quantity) and isinstance(value.magnitude, int | float):
        return f"{value.magnitude:.0f}"
    return str(value) if isinstance(value, str | datetime.date) else ""
