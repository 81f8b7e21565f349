"""Warnings about values that fit their schema but look like a mistake."""

from __future__ import annotations

from accelscope.dsl.diagnostics.diagnostics import Diagnostic
from accelscope.dsl.interpret.component import Component
from accelscope.dsl.interpret.layers import Binding, BlockDeclaration
from accelscope.dsl.schema.schema import FieldSchema
from accelscope.dsl.syntax.nodes import Annotated, Expr, Name, Number
from accelscope.dsl.syntax.walk import walk_nodes
from accelscope.dsl.values.values import CurveValue, Quantity, Symbol

_ON_CHIP = frozenset({"cache", "scratchpad", "regfile", "sram"})


def strip_annotation(node: Expr | None) -> Expr | None:
    """Return an expression without its tolerance and citations."""
    return node.expr if isinstance(node, Annotated) else node


def lint_shadowed_word(field: FieldSchema, binding: Binding, value: object) -> Diagnostic | None:
    """Return a warning about a choice of a field if a `let` of the same name gives another value, or None.

    Args:
        field: the field.
        binding: what gives the value.
        value: the value.
    """
    node = strip_annotation(binding.node)
    if field.type != "choice" or not isinstance(node, Name) or node.id not in field.choices:
        return None
    if isinstance(value, Symbol) and value.name == node.id:
        return None
    return Diagnostic(
        code="A402",
        message=f"`{node.id}` is also the name of a `let`, whose value is used here",
        span=binding.span,
        help=f"rename the `let` so that `{field.name}` is `{node.id}`",
    )


def lint_decimal_sram(component: Component, name: str, binding: Binding) -> Diagnostic | None:
    """Return a warning about an on-chip memory whose capacity is in powers of 1000, or None.

    Args:
        component: the block.
        name: the field.
        binding: what gives the value.
    """
    if component.kind != "memory" or name != "capacity":
        return None
    chosen = component.attributes().get("class")
    if chosen is None or not isinstance(chosen.value, Symbol) or chosen.value.name not in _ON_CHIP:
        return None
    node = strip_annotation(binding.node)
    if not isinstance(node, Number) or node.unit not in ("kB", "MB", "GB"):
        return None
    binary = {"kB": "KiB", "MB": "MiB", "GB": "GiB"}[node.unit]
    return Diagnostic(
        code="A403",
        message=f"the capacity of an on-chip memory is {node.value:g} {node.unit}, in powers of 1000",
        span=binding.span,
        help=f"write `{node.value:g} {binary}` if the data sheet means powers of two",
    )


def lint_uncited_number(field: FieldSchema, binding: Binding, value: object) -> Diagnostic | None:
    """Return a warning about a number that cites no source, or None.

    Args:
        field: the field.
        binding: what gives the value.
        value: the value.
    """
    if field.type != "quantity" or not any(isinstance(node, Number) for node in walk_nodes(binding.node)):
        return None
    quantities = [y for _, y in value.points] if isinstance(value, CurveValue) else [value]
    if all(isinstance(item, Quantity) and item.cites for item in quantities):
        return None
    return Diagnostic(
        code="A401",
        message=f"`{field.name}` does not cite a source",
        span=binding.span,
        help='add `@source` after the value or its block, or `@"estimate: why"`',
    )


def lint_stale_entries(entries: Component) -> Diagnostic | None:
    """Return a warning about inherited entries next to new ones, if the count of the block around them changes, or None.

    A derived block with half as many engines of twice the rate has to give the rates of all types: a rate that it does
    not give remains that of the smaller engine.
    """
    block = entries.parent
    if block is None or not _count_changes(block):
        return None
    members = {name: item for name, item in entries.index().members.items() if item.sort == "attribute"}
    new = [item.bindings[-1] for item in members.values() if item.bindings[-1].layer.own]
    inherited = [f"`{name}`" for name, item in members.items() if not item.bindings[-1].layer.own]
    if not new or not inherited:
        return None
    return Diagnostic(
        code="A406",
        message=f"`{block.name}` changes its count, but keeps the inherited {', '.join(inherited)} in `{entries.name}`",
        span=new[0].name_span,
        help=f"give all entries of `{entries.name}` again, including unchanged ones",
    )


def _count_changes(block: Component) -> bool:
    """Return whether the text of a component opens an inherited block with another count."""
    openings = [part for part in block.parts if isinstance(part, BlockDeclaration) and part.block.dims]
    if len(openings) < 2 or not openings[-1].layer.own or openings[-2].layer.own:
        return False
    return _dims(openings[-1]) != _dims(openings[-2])


def _dims(declaration: BlockDeclaration) -> list[str]:
    return [node.span(declaration.scope.source).text for node in declaration.block.dims]
