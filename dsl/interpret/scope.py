"""Where names are looked up: the final component first, then what encloses its text, then the file."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from accelscope.dsl.diagnostics.problems import NOT_FOUND

if TYPE_CHECKING:
    from accelscope.dsl.diagnostics.diagnostics import SourceText
    from accelscope.dsl.interpret.component import Component
    from accelscope.dsl.interpret.layers import ComponentLayer

_NEAR = frozenset({"count", "self", "parent"})
_FAR = frozenset({"shape", "name"})
BUILT_IN_MEMBERS = _NEAR | _FAR
"""What every component has without being given."""


class Scope:
    """One step of a chain of scopes: the members of a component, or given names (parameters, metrics)."""

    __slots__ = ("component", "layer", "names", "outer", "source")

    def __init__(
        self,
        source: SourceText,
        outer: Scope | None,
        *,
        component: Component | None = None,
        layer: ComponentLayer | None = None,
        names: Mapping[str, object] | None = None,
    ) -> None:
        self.source = source
        self.outer = outer
        self.component = component
        self.layer = layer
        self.names = names

    def chain(self) -> Iterator[Scope]:
        """Yield this scope and those around it, innermost first."""
        at: Scope | None = self
        while at is not None:
            yield at
            at = at.outer

    def nearest(self) -> Component | None:
        """Return the innermost component."""
        return next((at.component for at in self.chain() if at.component is not None), None)


def resolve_name(scope: Scope, name: str, skip: Component | None = None) -> object:
    """Return what a name means in a scope, or MISSING; a component to skip is not its own base."""
    near: Component | None = None
    at: Scope | None = scope
    while at is not None:
        component = at.component
        if component is None:
            if at.names is not None and name in at.names:
                return at.names[name]
        else:
            found = component.value(name)
            if found is not NOT_FOUND and (skip is None or found is not skip):
                return found
            if near is None:
                near = component
                if name in _NEAR:
                    return near.built_in(name)
        at = at.outer
    if near is not None and name in _FAR:
        return near.built_in(name)
    return NOT_FOUND


def defines_name(scope: Scope | None, name: str) -> bool:
    """Say whether a scope has a name, without evaluating it."""
    at = scope
    while at is not None:
        if at.component is not None:
            if at.component.has(name):
                return True
        elif at.names is not None and name in at.names:
            return True
        at = at.outer
    return False


def list_visible_names(scope: Scope) -> list[str]:
    """Return every name that a scope knows, for suggestions."""
    names: list[str] = []
    for at in scope.chain():
        names.extend(at.component.names() if at.component is not None else at.names or ())
    return names
