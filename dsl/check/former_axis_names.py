"""Former names in the `sweep` and `tune` statements of a scenario or study."""

from __future__ import annotations

from contextlib import suppress

from accelscope.dsl.diagnostics.problems import EvaluationFailed, PoisonedValue
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.former_names import note_former_symbols
from accelscope.dsl.interpret.layers import ComponentLayer
from accelscope.dsl.interpret.members import flatten_path
from accelscope.dsl.interpret.sweep_axes import AxisStatement
from accelscope.dsl.override.path_resolution import resolve_path
from accelscope.dsl.syntax.nodes import Name
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.values import Attribute


def note_former_axis_names(component: Component, axis: AxisStatement) -> None:
    """Note the former names in the path of an axis, and the former symbols among its values."""
    scenario = _scenario_of(component)
    if scenario is None:
        return
    with suppress(EvaluationFailed, PoisonedValue):
        names = flatten_path(axis.target, ComponentLayer(axis.scope.source, None))
        fields = component.interpreter.fields
        if not any(name in fields.former for name, _ in names) and not _has_words(axis):
            return
        path = resolve_path(scenario, tuple(name for name, _ in names), tuple(span for _, span in names))
        owner = _owner_of(scenario, path)
        if owner is not None:
            aliases = fields.symbol_aliases(owner, path[-1])
            note_former_symbols(component.interpreter, axis.domain, aliases, axis.scope)


def _has_words(axis: AxisStatement) -> bool:
    return any(isinstance(node, Name) for node in walk_nodes(axis.domain))


def _scenario_of(component: Component) -> Component | None:
    """Return the scenario that the axes of a component vary: itself, or the one that a field of it refers to."""
    if component.kind == "scenario":
        return component
    values = (item.value for item in component.attributes().values())
    return next((item for item in values if isinstance(item, Component) and item.kind == "scenario"), None)


def _owner_of(scenario: Component, path: tuple[str, ...]) -> Component | None:
    """Return the component that the last name of a path belongs to, or None if no text has it."""
    owner: object = scenario
    for name in path[:-1]:
        member = owner.get(name) if isinstance(owner, Component) else None
        owner = member.value if isinstance(member, Attribute) else member
    return owner if isinstance(owner, Component) else None
