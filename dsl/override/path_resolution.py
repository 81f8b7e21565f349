"""Where a path of a sweep or of `--set` leads in a scenario: `tp` to `deployment.parallel.tp`.

A path begins at the scenario. Where its first name is no member there, the blocks of the scenario and the components
that its fields refer to are searched, nearest first; then the links that they connect with, and then kinds of block.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.fields import TOP_LEVEL_KIND
from accelscope.dsl.override.path_check import check_path
from accelscope.dsl.values.values import Attribute

NamePath: TypeAlias = tuple[str, ...]
_DEEPEST = 12
_SHALLOW = 3
"""Names down to a field of a block of the deployment, such as `deployment.parallel.tp`; what is longer is hardware."""


def resolve_path(scenario: Component, path: NamePath, spans: tuple[Span, ...]) -> NamePath:
    """Return the whole path from a scenario to what a path means.

    Raises:
        Problem: it means nothing, or several things.
    """
    first, rest = path[0], path[1:]
    for find in (_given, _declared, _linked, _called, _possible):
        for level in _levels(scenario):
            found = [(*above, *more) for component, above in level for more in find(component, first)]
            found = list(dict.fromkeys(found))
            if len(found) > 1:
                fitting = [
                    one for one in found if check_path(scenario, _present(scenario, (*one, *rest))) is None
                ]
                found = fitting or found
            if len(found) == 1 and not rest and len(found[0]) > _SHALLOW and find is _given:
                found = _everywhere(scenario, first)
            if len(found) > 1:
                raise _ambiguous(first, rest, found, spans[0])
            if found:
                whole = _present(scenario, (*found[0], *rest))
                wrong = check_path(scenario, whole)
                if wrong is not None:
                    problem, place = wrong
                    problem.span = spans[max(len(path) - len(whole) + place, 0)]
                    raise problem
                _note_former(scenario, whole[-len(path) :], path, spans)
                return whole
    names = [name for level in _levels(scenario) for component, _ in level for name in _names(component)]
    raise EvaluationFailed(
        "A201",
        f"nothing in `{scenario.name}` is called `{first}`",
        spans[0],
        help=did_you_mean(first, names),
    )


def _everywhere(scenario: Component, first: str) -> list[NamePath]:
    """Return all places of a name, however deep: one name alone must not hit the nearest of several parts."""
    found = [
        (*above, *more)
        for level in _levels(scenario)
        for component, above in level
        for more in _given(component, first)
    ]
    return list(dict.fromkeys(found))


def _present(scenario: Component, path: NamePath) -> NamePath:
    """Return a whole path with the present names in place of former ones."""
    fields = scenario.session.fields
    at: Component | None = scenario
    kind, parent = scenario.kind, TOP_LEVEL_KIND
    found: list[str] = []
    for name in path:
        present = at.present_name(name) if at is not None else fields.present_name_in(kind, parent, name)
        found.append(present)
        inner = at.get(present) if at is not None else None
        value = inner.value if isinstance(inner, Attribute) else inner
        at = value if isinstance(value, Component) else None
        kind, parent = (at.kind if at is not None else present), kind
    return tuple(found)


def _note_former(scenario: Component, present: NamePath, path: NamePath, spans: tuple[Span, ...]) -> None:
    """Note the former names of a path that a text writes."""
    session = scenario.session
    for name, written, span in zip(present, path, spans, strict=True):
        if name != written and name in session.fields.former.get(written, ()) and span.source.name:
            session.former_names.note(span, name)


def _ambiguous(first: str, rest: NamePath, found: list[NamePath], span: Span) -> EvaluationFailed:
    places = tuple(f"`{'.'.join((*one, *rest))}`" for one in found[:8])
    more = "" if len(found) <= 8 else f" and {len(found) - 8} more"
    return EvaluationFailed(
        "A305",
        f"`{first}` is in {len(found)} places of the scenario",
        span,
        notes=(f"it is {', '.join(places)}{more}",),
        help="write more of the path",
    )


def _levels(scenario: Component) -> Iterator[list[tuple[Component, NamePath]]]:
    """Yield the components of a scenario with their paths, by distance."""
    level: list[tuple[Component, NamePath]] = [(scenario, ())]
    seen = {id(scenario)}
    for _ in range(_DEEPEST):
        if not level:
            return
        yield level
        below: list[tuple[Component, NamePath]] = []
        for component, path in level:
            for name, inner in _inner(component):
                if id(inner) not in seen:
                    seen.add(id(inner))
                    below.append((inner, (*path, name)))
        level = below


def _inner(component: Component) -> Iterator[tuple[str, Component]]:
    """Yield the blocks of a component and the components that its fields refer to."""
    for name, member in list(component.index().members.items()):
        if member.sort == "let":
            continue
        found = component.get(name)
        value = found.value if isinstance(found, Attribute) else found
        if isinstance(value, Component):
            yield name, value


def _names(component: Component) -> list[str]:
    return [*component.names(), *component.session.fields.of(component)]


# ---- what a first name may be, in the order of preference


def _given(component: Component, first: str) -> list[NamePath]:
    """A member that a text gives."""
    name = component.present_name(first)
    return [(name,)] if component.has(name) else []


def _declared(component: Component, first: str) -> list[NamePath]:
    """A field that the schemas know."""
    fields = component.session.fields
    name = fields.present_name(component, first)
    return [(name,)] if name in fields.of(component) else []


def _linked(component: Component, first: str) -> list[NamePath]:
    """A link that something is connected with."""
    vias = {item.via.name for item in component.connections() if item.via is not None}
    return [(first,)] if first in vias else []


def _called(component: Component, first: str) -> list[NamePath]:
    """A block of this kind, or built on a definition of this name."""
    first = component.session.fields.present_kind(component.kind, first)
    found = [name for name, inner in _inner(component) if first in (inner.kind, inner.definition)]
    links = {item.via.name: item.via.kind for item in component.connections() if item.via is not None}
    found += [name for name, kind in links.items() if kind == first and name not in found]
    return [(name,) for name in found]


def _possible(component: Component, first: str) -> list[NamePath]:
    """A settings block that could be given, or a field of one; parts that stand on their own have to be given."""
    fields = component.session.fields
    found: list[NamePath] = []
    first_kind = fields.present_kind(component.kind, first)
    for kind in fields.inner_kinds(component.kind):
        schema = fields.schemas.get(f"{component.kind}.{kind}") or fields.schemas.get(kind)
        if (
            schema is None
            or TOP_LEVEL_KIND in schema.within
            or component.has(kind)
            or component.children(kind)
        ):
            continue
        name = fields.present_name_in(kind, component.kind, first)
        if kind == first_kind:
            found.append((kind,))
        elif name in schema.all_fields():
            found.append((kind, name))
    return found
