"""Checks the values that overrides set against their fields, including fields that no model reads."""

from __future__ import annotations

from accelscope.dsl.check.field_value import FieldCheck
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.layers import ComponentLayer
from accelscope.dsl.override.overrides import OVERRIDE_SOURCE_NAME
from accelscope.dsl.values.values import Attribute


def check_settings(derived: Component) -> None:
    """Report values that do not fit their fields, for all overrides of a derived scenario."""
    for part in derived.parts:
        for setting in part.settings if isinstance(part, ComponentLayer) else ():
            _check(derived, setting.path)
    for finding in derived.interpreter.former_names:
        if finding.span is not None and finding.span.source.name == OVERRIDE_SOURCE_NAME:
            derived.interpreter.report(finding)


def _check(component: Component, path: tuple[str, ...]) -> None:
    for name in path[:-1]:
        member = component.get(name)
        value = member.value if isinstance(member, Attribute) else member
        if not isinstance(value, Component):
            return
        component = value
    name, interpreter = path[-1], component.interpreter
    field = interpreter.fields.of(component).get(name)
    attribute = component.get(name)
    if field is None or not isinstance(attribute, Attribute):
        return
    check = FieldCheck(component, field, component.index().members[name].bindings[-1])
    problem = check.problem(attribute.value)
    if problem is not None:
        interpreter.report(problem, attribute.origin.span)
    elif (warning := check.warning(attribute.value)) is not None:
        interpreter.report(warning)
