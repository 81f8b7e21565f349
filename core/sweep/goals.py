"""What a search is after: goals to make small or large, and requirements with how far a point is from meeting them."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
from attrs import frozen

from accelscope.core.errors import UsageError
from accelscope.dsl.diagnostics.suggest import did_you_mean
from accelscope.dsl.interpret.assertions import Requirement, collect_goals, collect_requirements
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.syntax.nodes import Binary, Compare, Expr, Name
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.units import format_quantity
from accelscope.dsl.values.values import Quantity

if TYPE_CHECKING:
    from accelscope.core.plugin.records import Metric
    from accelscope.core.plugin.registry import Registry

_Array = np.ndarray[Any, np.dtype[Any]]

UNMET_DISTANCE = 1.0
"""Distance of a condition that only holds or not."""


@frozen(kw_only=True, eq=False)
class SearchGoal:
    """A goal of a study.

    Attributes:
        name: name behind `as`, or the expression as written.
        sign: 1 where small is better, -1 where large is.
        metric: the metric that it is, where it is one, or None.
    """

    name: str
    sign: float
    place: int
    metric: str | None
    text: str


def list_goal_blocks(owner: Component, scenario: Component) -> tuple[Component, ...]:
    """Return the blocks whose goals and requirements hold: a study, its scenario, and what that one names."""
    found = [owner] if owner.kind == "study" else []
    found.append(scenario)
    for name in ("slo", "objective"):
        attribute = scenario.attributes().get(name)
        if attribute is not None and isinstance(attribute.value, Component):
            found.append(attribute.value)
    return tuple(found)


def find_goals(places: Sequence[Component]) -> tuple[tuple[Component, Requirement], ...]:
    """Return the goals of the first block that has any, with it: a study's go before those of its scenario.

    Raises:
        UsageError: there is none.
    """
    for place in places:
        if collect_goals(place):
            return tuple((place, item) for item in collect_goals(place))
    raise UsageError(
        f"`{places[0].kind} {places[0].name}` has no goal to search for; write for example `minimize cost_per_mtok` in it"
    )


def find_requirements(places: Iterable[Component]) -> tuple[tuple[Component, Requirement], ...]:
    """Return each `require` with the block that has it."""
    return tuple((place, item) for place in places for item in collect_requirements(place, ("require",)))


def list_referenced_metrics(items: Iterable[Requirement], registry: Registry) -> tuple[Metric, ...]:
    """Return the metrics that goals and requirements name."""
    names = {node.id for item in items for node in walk_nodes(item.expr) if isinstance(node, Name)}
    return tuple(metric for name, metric in registry.metrics.items() if name in names)


def unknown_goal_error(goal: Requirement, registry: Registry) -> UsageError:
    """Return what to say of a goal that cannot be computed."""
    names = [node.id for node in walk_nodes(goal.expr) if isinstance(node, Name)]
    for name in names:
        if name not in registry.metrics:
            hint = did_you_mean(name, registry.metrics) or "`accelscope models` lists what is computed"
            return UsageError(f"`{goal.word} {goal.text}`: no metric is called `{name}`; {hint}")
    return UsageError(
        f"`{goal.word} {goal.text}`: the description gives too little for it, such as no price for a cost"
    )


def constraint_violation(
    place: Component, item: Requirement, names: Mapping[str, object], size: int
) -> _Array:
    """Return how far points are from a requirement: 0 where it holds, else the logarithm of the ratio that it lacks."""
    found = _distance(place, item.expr, item, names)
    return np.broadcast_to(np.asarray(found, dtype=float), (size,))


def _distance(place: Component, expr: Expr, item: Requirement, names: Mapping[str, object]) -> Any:
    if isinstance(expr, Binary) and expr.op == "and":
        return _distance(place, expr.left, item, names) + _distance(place, expr.right, item, names)
    holds = place.interpreter.value_of(expr, item.scope, names)
    if holds is None:
        raise UsageError(f"`require {item.text}` cannot be evaluated: {_why(place, item)}")
    miss = np.where(np.asarray(holds, dtype=bool), 0.0, UNMET_DISTANCE)
    if isinstance(expr, Compare) and len(expr.rest) == 1:
        left, right = (
            place.interpreter.value_of(side, item.scope, names) for side in (expr.first, expr.rest[0][1])
        )
        if isinstance(left, Quantity) and isinstance(right, Quantity):
            return np.where(miss > 0.0, _ratio(left, right), 0.0)
    return miss


def _why(place: Component, item: Requirement) -> str:
    """Return what the language says of a requirement that it cannot evaluate."""
    told = [found.message for found in place.interpreter.diagnostics if found.severity == "error"]
    return told[-1] if told else f"`{item.text}` names what is not computed"


def _ratio(left: Quantity, right: Quantity) -> _Array:
    """Return the logarithm of the ratio of two quantities, above 0; `UNMET` where there is none."""
    one, other = np.asarray(left.magnitude, dtype=float), np.asarray(right.magnitude, dtype=float)
    with np.errstate(all="ignore"):
        ratio = np.abs(np.log(one / other))
    return np.where(np.isfinite(ratio), np.maximum(ratio, 1e-9), UNMET_DISTANCE)


def format_goal_value(value: float, quantity: Quantity) -> str:
    """Return a value of a goal as people write it."""
    return format_quantity(value, quantity.dimension) if quantity.dimension.powers else f"{value:.4g}"
