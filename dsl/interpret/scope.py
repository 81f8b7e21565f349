"""Name lookup: the innermost component first, then what encloses its text, then the file."""

from __future__ import annotations

from accelscope.dsl.diagnostics.problems import NOT_FOUND
from accelscope.dsl.interpret.layers import Scope, ScopeOwner

_NEAR = frozenset({"count", "self", "parent"})
"""Built-in members of the nearest component, ahead of the members of the components around it."""
_FAR = frozenset({"shape", "name"})
"""Built-in members of the nearest component that any member of these names hides."""
BUILT_IN_MEMBERS = _NEAR | _FAR
"""Members that every component has."""


def resolve_name(scope: Scope, name: str, skip: object = None) -> object:
    """Return the value of a name in a scope, or NOT_FOUND.

    Args:
        scope: where to look.
        name: the name.
        skip: a component that does not count, such as a block that looks up its own base.
    """
    nearest: ScopeOwner | None = None
    step: Scope | None = scope
    while step is not None:
        component = step.component
        if component is None:
            if step.names is not None and name in step.names:
                return step.names[name]
        else:
            value = component.value(name)
            if value is not NOT_FOUND and (skip is None or value is not skip):
                return value
            if nearest is None:
                nearest = component
                if name in _NEAR:
                    return nearest.built_in(name)
        step = step.outer
    if nearest is not None and name in _FAR:
        return nearest.built_in(name)
    return NOT_FOUND


def defines_name(scope: Scope | None, name: str) -> bool:
    """Return whether a scope or one around it has a name, without evaluating it."""
    step = scope
    while step is not None:
        if step.component is not None:
            if step.component.has(name):
                return True
        elif step.names is not None and name in step.names:
            return True
        step = step.outer
    return False


def list_visible_names(scope: Scope) -> list[str]:
    """Return every name that a scope and those around it know, for suggestions."""
    names: list[str] = []
    for step in scope.chain():
        names.extend(step.component.names() if step.component is not None else step.names or ())
    return names
