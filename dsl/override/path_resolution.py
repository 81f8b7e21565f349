"""Short paths of a sweep or of `--set` to full paths in a scenario: `tp` to `deployment.parallel.tp`.

A path begins at the scenario. If its first name is not a member there, the blocks of the scenario and the components
that its fields refer to are searched, nearest first; then the links that they connect with, and then kinds of block.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import TypeAlias

from accelscope.dsl.diagnostics.diagnostics import Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.connections import evaluate_connections
from accelscope.dsl.override.path_check import check_path
from accelscope.dsl.schema.schema_index import TOP_LEVEL_KIND
from accelscope.dsl.values.values import Attribute

NamePath: TypeAlias = tuple[str, ...]
_MAX_LEVELS = 12
_MAX_DEPLOYMENT_PATH = 3
"""Names of a path to a field of the deployment, such as `deployment.parallel.tp`; longer paths are hardware."""


def resolve_path(scenario: Component, path: NamePath, spans: tuple[Span, ...]) -> NamePath:
    """Return the full path from a scenario for a path that may begin anywhere in it.

    Args:
        scenario: the scenario.
        path: the names as written.
        spans: the place of each name.

    Raises:
        EvaluationFailed: there is no such path, or there are several.
    """
    first, rest = path[0], path[1:]
    for find in (_members, _fields, _links, _blocks_of_kind, _absent_blocks):
        for level in _levels(scenario):
            places = [(*above, *more) for component, above in level for more in find(component, first)]
            places = list(dict.fromkeys(places))
            if len(places) > 1:
                valid = [
                    item
                    for item in places
                    if check_path(scenario, _present(scenario, (*item, *rest))) is None
                ]
                places = valid or places
            if len(places) == 1 and not rest and len(places[0]) > _MAX_DEPLOYMENT_PATH and find is _members:
                places = _all_members(scenario, first)
            if len(places) > 1:
                raise _ambiguous_path(first, rest, places, spans[0])
            if places:
                full = _present(scenario, (*places[0], *rest))
                failure = check_path(scenario, full)
                if failure is not None:
                    problem, position = failure
                    problem.span = spans[max(len(path) - len(full) + position, 0)]
                    raise problem
                _note_former_names(scenario, full[-len(path) :], path, spans)
                return full
    names = [name for level in _levels(scenario) for component, _ in level for name in _names(component)]
    raise EvaluationFailed(
        "A201",
        f"`{scenario.name}` has no `{first}`",
        spans[0],
        help=did_you_mean(first, names),
    )


def _all_members(scenario: Component, first: str) -> list[NamePath]:
    """Return all places of a name at any depth, so that a name alone never means the nearest of several parts."""
    places = [
        (*above, *more)
        for level in _levels(scenario)
        for component, above in level
        for more in _members(component, first)
    ]
    return list(dict.fromkeys(places))


def _present(scenario: Component, path: NamePath) -> NamePath:
    """Return a full path with present names in place of former ones."""
    fields = scenario.interpreter.fields
    component: Component | None = scenario
    kind, parent = scenario.kind, TOP_LEVEL_KIND
    names: list[str] = []
    for name in path:
        if component is not None:
            present = component.present_name(name)
            member = component.get(present)
        else:
            present, member = fields.present_name_in(kind, parent, name), None
        names.append(present)
        value = member.value if isinstance(member, Attribute) else member
        component = value if isinstance(value, Component) else None
        kind, parent = (component.kind if component is not None else present), kind
    return tuple(names)


def _note_former_names(
    scenario: Component, present: NamePath, path: NamePath, spans: tuple[Span, ...]
) -> None:
    """Keep a warning for each former name of a path that a text writes."""
    interpreter = scenario.interpreter
    for name, written, span in zip(present, path, spans, strict=True):
        if name != written and name in interpreter.fields.former.get(written, ()) and span.source.name:
            interpreter.former_names.note(span, name)


def _ambiguous_path(first: str, rest: NamePath, places: list[NamePath], span: Span) -> EvaluationFailed:
    paths = tuple(f"`{'.'.join((*item, *rest))}`" for item in places[:8])
    more = "" if len(places) <= 8 else f" and {len(places) - 8} more"
    return EvaluationFailed(
        "A305",
        f"`{first}` is ambiguous: the scenario has {len(places)} of them",
        span,
        notes=(f"candidates: {', '.join(paths)}{more}",),
        help="write a longer path",
    )


def _levels(scenario: Component) -> Iterator[list[tuple[Component, NamePath]]]:
    """Yield the components of a scenario with their paths, by distance."""
    level: list[tuple[Component, NamePath]] = [(scenario, ())]
    seen = {id(scenario)}
    for _ in range(_MAX_LEVELS):
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
        item = component.get(name)
        value = item.value if isinstance(item, Attribute) else item
        if isinstance(value, Component):
            yield name, value


def _names(component: Component) -> list[str]:
    return [*component.names(), *component.interpreter.fields.of(component)]


# ---- what the first name may be, in the order of preference


def _members(component: Component, first: str) -> list[NamePath]:
    """Return the member of this name."""
    name = component.present_name(first)
    return [(name,)] if component.has(name) else []


def _fields(component: Component, first: str) -> list[NamePath]:
    """Return the field of this name in the schemas."""
    fields = component.interpreter.fields
    name = fields.present_name(component, first)
    return [(name,)] if name in fields.of(component) else []


def _links(component: Component, first: str) -> list[NamePath]:
    """Return the link of this name that a connection uses."""
    vias = {item.via.name for item in evaluate_connections(component) if item.via is not None}
    return [(first,)] if first in vias else []


def _blocks_of_kind(component: Component, first: str) -> list[NamePath]:
    """Return the blocks and links of this kind, and the blocks with a base of this name."""
    first = component.interpreter.fields.present_kind(component.kind, first)
    names = [name for name, inner in _inner(component) if first in (inner.kind, inner.definition)]
    links = {item.via.name: item.via.kind for item in evaluate_connections(component) if item.via is not None}
    names += [name for name, kind in links.items() if kind == first and name not in names]
    return [(name,) for name in names]


def _absent_blocks(component: Component, first: str) -> list[NamePath]:
    """Return a settings block that no text has, or a field of one. Parts such as a memory cannot be added by a path."""
    fields = component.interpreter.fields
    paths: list[NamePath] = []
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
            paths.append((kind,))
        elif name in schema.all_fields():
            paths.append((kind, name))
    return paths
