"""Requirements and goals of a sweep: what waits for the metrics of a chunk, apart from what the description knows.

A swept value that a target names spans its whole axis, and a chunk has only a part of it. So what a target names of the
description is looked up once for each variant, and cut to each chunk.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from attrs import evolve, frozen

from accelscope.core.bind.scenario_paths import (
    collect_expression_names,
    read_scenario_path,
    replace_scenario_paths,
)
from accelscope.core.numeric.axes import slice_array
from accelscope.core.numeric.term import Array
from accelscope.core.query.requirements import PERCENTILE_FUNCTIONS
from accelscope.dsl.interpret.assertions import Requirement
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.syntax.nodes import Attr, Call, Expr, Name, Subscript, SyntaxNode
from accelscope.dsl.values.values import Quantity

GOAL_SIGNS = {"minimize": 1.0, "maximize": -1.0}
"""What a goal is multiplied by, so that small is better."""


@frozen(kw_only=True, eq=False)
class SweepTarget:
    """A `require`, `prefer`, `minimize` or `maximize` in one variant.

    Attributes:
        item: as written.
        place: the block that has it.
        expr: with a name in place of each value of the description that is an array.
        known: what those names and names of the scenario stand for; arrays span whole axes.
    """

    item: Requirement
    place: Component
    expr: Expr
    known: Mapping[str, object]

    def value(self, metrics: Mapping[str, object], where: tuple[slice, ...]) -> object:
        """Return the value at the points of a chunk, or None where it names what is not computed."""
        here = {name: _part(value, where) for name, value in self.known.items()}
        return self.place.interpreter.value_of(self.expr, self.item.scope, here | dict(metrics))

    def holds(self, metrics: Mapping[str, object], where: tuple[slice, ...]) -> Array:
        """Return where a condition holds; nowhere, where it names what this variant does not have."""
        found = self.value(metrics, where)
        return np.asarray(False if found is None else found, dtype=bool)

    def amount(self, metrics: Mapping[str, object], where: tuple[slice, ...]) -> Quantity | None:
        """Return the value of a goal."""
        found = self.value(metrics, where)
        return found if isinstance(found, Quantity) else None


def build_sweep_target(
    item: Requirement, place: Component, scenario: Component, metrics: Sequence[str]
) -> SweepTarget:
    """Return a target in the session of a variant.

    Args:
        item: target as written.
        place: the block that has it; names in a study are also those of its scenario.
        scenario: scenario of the variant.
        metrics: names of all metrics.
    """
    later = {*metrics, *PERCENTILE_FUNCTIONS}
    known: dict[str, object] = {}
    expr = item.expr
    if place.kind == "study":
        expr = replace_scenario_paths(expr, scenario, known)
        names = collect_expression_names(item.expr) - later
        found = {name: read_scenario_path(scenario, (name,)) for name in names if not place.has(name)}
        known |= {name: value for name, value in found.items() if value is not None}
    arrays: dict[str, object] = {}
    expr = _rewritten(expr, item, place, known, later, arrays)
    return SweepTarget(item=item, place=place, expr=expr, known=known | arrays)


def _rewritten(
    node: Any,
    item: Requirement,
    place: Component,
    known: Mapping[str, object],
    later: set[str],
    arrays: dict[str, object],
) -> Any:
    """Return a node with a name in place of each path to an array of the description."""
    if isinstance(node, tuple):
        return tuple(_rewritten(inner, item, place, known, later, arrays) for inner in node)
    if not isinstance(node, SyntaxNode):
        return node
    if isinstance(node, Name | Attr | Subscript):
        if collect_expression_names(node) & later:
            return node
        value = place.interpreter.value_of(node, item.scope, known)
        if not isinstance(value, Quantity) or np.ndim(value.magnitude) == 0:
            return node
        name = node.span(item.scope.source).text
        arrays[name] = value
        return Name(node.start, node.end, name)
    kept = {"start", "end"} | ({"base"} if isinstance(node, Call) else set())
    inner = {field.name: getattr(node, field.name) for field in attrs.fields(type(node))}
    changed = {
        name: _rewritten(value, item, place, known, later, arrays)
        for name, value in inner.items()
        if name not in kept
    }
    return evolve(node, **changed)


def _part(value: object, where: tuple[slice, ...]) -> object:
    if not isinstance(value, Quantity) or np.ndim(value.magnitude) == 0:
        return value
    return Quantity(
        magnitude=slice_array(np.asarray(value.magnitude), where), dimension=value.dimension, unit=value.unit
    )
