"""Values that overrides set, held against the fields that they set: also those that no model reads."""

from __future__ import annotations

from accelscope.dsl.check.field_value import FieldCheck
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.layers import ComponentLayer
from accelscope.dsl.override.overrides import OVERRIDE_SOURCE_NAME
from accelscope.dsl.values.values import Attribute


def check_settings(derived: Component) -> None:
    """Report what is wrong with the values that overrides of a derived scenario set."""
    for part in derived.parts:
        for setting in part.settings if isinstance(part, ComponentLayer) else ():
            _check(derived, setting.path)
    for finding in derived.session.former_names:
        if finding.span is not None and finding.span.source.name == OVERRIDE_SOURCE_NAME:
            derived.session.report(finding)


def _check(at: Component, path: tuple[str, ...]) -> None:
    for name in path[:-1]:
        found = at.get(name)
        value = found.value if isinstance(found, Attribute) else found
        if not isinstance(value, Component):
            return
        at = value
    name, session = path[-1], at.session
    field = session.fields.of(at).get(name)
    attribute = at.get(name)
    if field is None or not isinstance(attribute, Attribute):
        return
    fit = FieldCheck(at, field, at.index().members[name].bindings[-1])
    problem = fit.problem(attribute.value)
    if problem is not None:
        session.report(problem, attribute.origin.span)
    elif (doubt := fit.warning(attribute.value)) is not None:
        session.report(doubt)
