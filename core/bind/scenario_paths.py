"""What names in conditions and goals stand for: paths of a scenario, as people write them in a study."""

from __future__ import annotations

from typing import Any

from attrs import evolve, fields

from accelscope.dsl.diagnostics.diagnostics import SourceText, Span
from accelscope.dsl.diagnostics.problems import EvaluationFailed
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.override.path_resolution import resolve_path
from accelscope.dsl.syntax.nodes import Attr, Expr, Name, SyntaxNode
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.values import Attribute, Quantity


def collect_expression_names(node: Expr) -> set[str]:
    """Return the names that an expression holds."""
    return {item.id for item in walk_nodes(node) if isinstance(item, Name)}


def replace_scenario_paths(node: Any, scenario: Component, found: dict[str, object]) -> Any:
    """Return an expression with one name in place of each path to a number of a scenario, such as `gpu.hbm.capacity`.

    Args:
        node: the expression, or a part of it.
        scenario: scenario in which paths are looked up.
        found: takes what the names stand for.
    """
    if isinstance(node, tuple):
        return tuple(replace_scenario_paths(item, scenario, found) for item in node)
    if not isinstance(node, SyntaxNode):
        return node
    path = _path_of(node)
    value = read_scenario_path(scenario, path) if len(path) > 1 else None
    if isinstance(value, Quantity):
        found[".".join(path)] = value
        return Name(node.start, node.end, ".".join(path))
    parts = {item.name: getattr(node, item.name) for item in fields(type(node))}
    return evolve(
        node,
        **{
            name: replace_scenario_paths(part, scenario, found)
            for name, part in parts.items()
            if name not in ("start", "end")
        },
    )


def _path_of(node: object) -> tuple[str, ...]:
    """Return the names of `a.b.c`, or none for anything else."""
    if isinstance(node, Name):
        return (node.id,)
    before = _path_of(node.base) if isinstance(node, Attr) else ()
    return (*before, node.name) if before and isinstance(node, Attr) else ()


def read_scenario_path(scenario: Component, path: tuple[str, ...]) -> object:
    """Return the value that a path has in a scenario, or None."""
    nowhere = Span(SourceText("", ""), 0, 0)
    try:
        steps = resolve_path(scenario, path, tuple(nowhere for _ in path))
    except EvaluationFailed:
        return None
    at: object = scenario
    for step in steps:
        found = at.get(step) if isinstance(at, Component) else None
        at = found.value if isinstance(found, Attribute) else found
    return at
